/** `npm run bench -- table [ROUNDS [SERVICES]]`: lvsentry, keepalived, ipvsadm and plain C on one kernel's table. With SERVICES nothing is published. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleForGuest } from '../test/kernel/bundle.js';
import { findKernel, type KernelHome, makeSharedFolder, PROJECT, runInGuest } from '../test/kernel/lab.js';
import { type Figure, figuresTable } from './figures.js';
import { hostFigures } from './host.js';
import { writeMessages } from './messages.js';
import { keepalivedVersion, loadText, machineText, publish } from './report.js';
import type { Size } from './workload.js';

/** For one of them and one size. On an idle machine the larger one takes lvsentry two minutes. */
const TIMEOUT_MS = 10 * 60_000;
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

interface Bench {
  readonly kernel: KernelHome;
  readonly shared: string;
  readonly program: string;
  readonly figures: Figure[];
}

/**
 * Each in a lab of its own, just made: User-Mode Linux gets slower by what ran in it before, twice as slow by a few large
 * programs.
 */
const WHO = ['keepalived', 'lvsentry', 'others'] as const;

async function inLab({ kernel, shared, program, figures }: Bench, size: Size, who: string): Promise<void> {
  writeMessages(join(shared, 'messages'), size);
  const args = [shared, program, size.services, size.servers, who].map((word) => `'${word}'`);
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
  if (run.exitCode === 0) return;
  const why = run.console.trim().split('\n').slice(-3).join(' ');
  throw new Error(`it ended with ${run.exitCode} (${run.end}): ${why}`);
}

/** What goes wrong with one size is told, and does not cost the figures of the others. @returns what went wrong */
async function measure(bench: Bench, rounds: number, sizes: typeof SIZES): Promise<readonly string[]> {
  const { shared, program, figures } = bench;
  const guest = fileURLToPath(new URL('./guest/', import.meta.url));
  const loopDelay = join(shared, 'loop-delay.mjs');
  await bundleForGuest(join(guest, 'table.js'), join(shared, 'bench.mjs'));
  await bundleForGuest(join(guest, 'loop-delay.js'), loopDelay);
  compileLowerBound(shared);
  const problems: string[] = [];
  for (const size of sizes) {
    const labs = Array.from({ length: size.rounds ?? rounds }, () => WHO).flat();
    const parts = [
      ...labs.map((who) => () => inLab(bench, size, who)),
      async () => {
        for (const figure of await hostFigures(size, { folder: shared, program, loopDelay }))
          figures.push(figure);
      },
    ];
    for (const part of parts)
      await part().catch((thrown: Error) => {
        problems.push(`* ${size.services} × ${size.servers}: ${thrown.message}`);
        console.error(thrown.message);
      });
  }
  return problems;
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
    const figures: Figure[] = [];
    const program = join(PROJECT, 'dist/bundle/src/main.js');
    const problems = await measure({ kernel, shared, program, figures }, rounds, sizes);
    const where =
      kernel.kind === 'host' ? 'the host kernel' : 'User-Mode Linux, whose one processor all share';
    const head = `${machineText()}, keepalived ${keepalivedVersion()}, in ${where}; load average ${before} before and ${loadText()} after.`;
    const words = `Each in a lab that was just made. lvsentry empties the table at its stop only where \`on-stop: remove\` says so, as here. The last two columns have no configuration and no checks: C sends messages that are ready, 64 at a time. Changes applied and nothing else: the client alone, in a process that runs already, against C with its start. Aims: load and reload at most half of keepalived's at 1,000 × 10, changes applied in at most twice the time of C, main's event loop held for 10 ms at most. The host's rows show that loop where nothing else is slow: in the lab a program costs what it asks of the kernel and what memory it touches first. No program for Node loads in less than its start and the changes take by themselves.`;
    const body = [head, words, figuresTable(figures), problems.join('\n')].join('\n\n').trim();
    console.log(body);
    if (services === undefined) publish('The table', body);
    return problems.length === 0 ? 0 : 1;
  } finally {
    rmSync(shared, { recursive: true, force: true });
  }
}

const [rounds = 2, services] = process.argv.slice(2).map(Number);
process.exitCode = await main(rounds, services);
