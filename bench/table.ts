/** `npm run bench -- table [SERVICES SERVERS ROUNDS]`: lvsentry and keepalived on one kernel, as ratios. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleForGuest } from '../test/kernel/bundle.js';
import { findKernel, makeSharedFolder, PROJECT, runInGuest } from '../test/kernel/lab.js';

const TIMEOUT_MS = 15 * 60_000;
const FIGURES = ['load', 'reload', 'stop'] as const;

interface Run {
  readonly name: string;
  readonly load: number;
  readonly reload: number;
  readonly stop: number;
  readonly left: number;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function report(runs: readonly Run[]): void {
  const of = (name: string, figure: (typeof FIGURES)[number]) =>
    runs.filter((run) => run.name === name).map((run) => run[figure]);
  console.log('figure   keepalived ms   lvsentry ms   ratio (medians; min-max in brackets)');
  for (const figure of FIGURES) {
    const cells = ['keepalived', 'lvsentry'].map((name) => {
      const values = of(name, figure);
      const range = `(${Math.min(...values).toFixed(0)}-${Math.max(...values).toFixed(0)})`;
      return { value: median(values), text: `${median(values).toFixed(0)} ${range}` };
    });
    const [theirs, ours] = cells;
    const ratio = ((ours?.value ?? Number.NaN) / (theirs?.value ?? Number.NaN)).toFixed(2);
    console.log(
      `${figure.padEnd(8)} ${(theirs?.text ?? '').padEnd(15)} ${(ours?.text ?? '').padEnd(13)} ${ratio}`,
    );
  }
  const left = (name: string) => runs.find((run) => run.name === name)?.left;
  console.log(`after stop: keepalived leaves ${left('keepalived')} services, lvsentry ${left('lvsentry')}`);
}

async function main(size: readonly string[]): Promise<number> {
  const kernel = findKernel();
  if (kernel.kind === 'none') {
    console.error(`no kernel with IPVS: ${kernel.reason}`);
    return 1;
  }
  const shared = makeSharedFolder();
  const runs: Run[] = [];
  try {
    const bundle = join(shared, 'bench.mjs');
    await bundleForGuest(fileURLToPath(new URL('./guest/table.js', import.meta.url)), bundle);
    const program = join(PROJECT, 'dist/bundle/src/main.js');
    console.log(spawnSync('keepalived', ['--version'], { encoding: 'utf8' }).stderr.split('\n')[0]);
    const run = await runInGuest(
      {
        command: `node '${bundle}' '${shared}' '${program}' ${size.join(' ')}`,
        timeoutMs: TIMEOUT_MS,
        shared,
        onLine: (line) => {
          console.log(line);
          if (line.startsWith('{"name"')) runs.push(JSON.parse(line) as Run);
        },
      },
      kernel,
    );
    if (run.exitCode !== 0) {
      console.error(`the bench ended with ${run.exitCode} (${run.end}):\n${run.console}`);
      return 1;
    }
    report(runs);
    return 0;
  } finally {
    rmSync(shared, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv.slice(2).map((word) => String(Number(word))));
