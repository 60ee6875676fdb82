/** `npm run bench -- table [ROUNDS [SERVICES]]`: lvsentry, keepalived, ipvsadm and plain C on one kernel's table. With SERVICES nothing is published. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleForGuest } from '../test/kernel/bundle.js';
import { findKernel, type KernelHome, makeSharedFolder, PROJECT, runInGuest } from '../test/kernel/lab.js';
import { type Figure, figuresTable } from './figures.js';
import { writeMessages } from './messages.js';
import { keepalivedVersion, loadText, machineText, publish } from './report.js';
import type { Size } from './workload.js';

const TIMEOUT_MS = 45 * 60_000;
/** The larger one once: it takes minutes. */
const SIZES: readonly (Size & { readonly rounds?: number })[] = [
  { services: 1000, servers: 10 },
  { services: 5000, servers: 10, rounds: 1 },
];

function compileLowerBound(shared: string): void {
  const words = [
    '-O2',
    '-Wall',
    '-o',
    join(shared, 'lower-bound'),
    join(PROJECT, 'bench/guest/lower-bound.c'),
  ];
  const { status, stderr } = spawnSync('cc', words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the lower bound does not compile: ${stderr}`);
}

async function measure(
  kernel: KernelHome,
  shared: string,
  rounds: number,
  sizes: typeof SIZES,
): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const guest = fileURLToPath(new URL('./guest/', import.meta.url));
  await bundleForGuest(join(guest, 'table.js'), join(shared, 'bench.mjs'));
  await bundleForGuest(join(guest, 'loop-delay.js'), join(shared, 'loop-delay.mjs'));
  compileLowerBound(shared);
  const program = join(PROJECT, 'dist/bundle/src/main.js');
  for (const size of sizes) {
    writeMessages(join(shared, 'messages'), size);
    const args = [shared, program, size.services, size.servers, size.rounds ?? rounds].map(
      (word) => `'${word}'`,
    );
    const job = {
      command: `node '${join(shared, 'bench.mjs')}' ${args.join(' ')}`,
      timeoutMs: TIMEOUT_MS,
      shared,
      onLine: (line: string) => {
        console.log(line);
        if (line.startsWith('{"contender"')) figures.push(JSON.parse(line) as Figure);
      },
    };
    const run = await runInGuest(job, kernel);
    if (run.exitCode !== 0) throw new Error(`it ended with ${run.exitCode} (${run.end}):\n${run.console}`);
  }
  return figures;
}

async function main(rounds: number, services: number | undefined): Promise<number> {
  const kernel = findKernel();
  if (kernel.kind === 'none') {
    console.error(`no kernel with IPVS: ${kernel.reason}`);
    return 1;
  }
  const shared = makeSharedFolder();
  const before = loadText();
  try {
    const sizes = services === undefined ? SIZES : [{ services, servers: 10 }];
    const figures = await measure(kernel, shared, rounds, sizes);
    const where =
      kernel.kind === 'host' ? 'the host kernel' : 'User-Mode Linux, whose one processor all share';
    const head = `${machineText()}, keepalived ${keepalivedVersion()}, in ${where}; load average ${before} before and ${loadText()} after.`;
    const words = `lvsentry empties the table at its stop only where \`on-stop: remove\` says so, as here. The last two columns have no configuration and no checks: C sends messages that are ready, 64 at a time. Aims: load and reload at most half of keepalived's at 1,000 × 10, main's event loop held for 10 ms at most.`;
    const body = `${head}\n\n${words}\n\n${figuresTable(figures)}`;
    console.log(body);
    if (services === undefined) publish('The table', body);
    return 0;
  } finally {
    rmSync(shared, { recursive: true, force: true });
  }
}

const [rounds = 3, services] = process.argv.slice(2).map(Number);
process.exitCode = await main(rounds, services);
