import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const COLLECTOR = fileURLToPath(new URL('../../src/sys/collector.js', import.meta.url));

/** Makes garbage, and keeps much of it for a while, here and in a second thread; says how long helpers worked, in ns. */
const WORK = `
import { readdirSync, readFileSync } from 'node:fs';
import { Worker, threadId } from 'node:worker_threads';
function work() {
  const kept = [];
  for (let round = 0; round < 1500000; round += 1) kept[round % 200000] = { round, text: 'r' + round, bytes: round % 50 ? 0 : new Uint8Array(100) };
}
work();
const second = new Worker(work.toString() + '; work();', { eval: true });
second.once('exit', (code) => {
  const helpers = readdirSync('/proc/self/task').filter((task) => Number(task) !== process.pid);
  const busy = helpers.map((task) => Number(readFileSync('/proc/self/task/' + task + '/schedstat', 'utf8').split(' ')[0]));
  console.log(JSON.stringify({ code, helpers: helpers.length, busy: busy.reduce((a, b) => a + b, 0) }));
});
`;

interface Said {
  /** Of the second thread. */
  readonly code: number;
  readonly helpers: number;
  readonly busy: number;
}

function run(before: string): { readonly said: Said; readonly complaints: string } {
  // What helpers compile is none of this.
  const flags = ['--no-concurrent-recompilation', '--no-concurrent-sparkplug', '--input-type=module'];
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', `${before}${WORK}`], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { said: JSON.parse(stdout) as Said, complaints: stderr };
}

const ALONE = `import { collectGarbageAlone } from ${JSON.stringify(COLLECTOR)}; collectGarbageAlone();`;

t.test('garbage of every thread is collected by that thread, and hardly by helpers', async (t) => {
  const alone = run(ALONE);
  t.equal(alone.complaints, '', 'V8 knows all flags');
  t.equal(alone.said.code, 0);
  const shared = run('');
  t.ok(shared.said.helpers > 0, 'the measure itself: there are helpers');
  t.ok(shared.said.busy > 3 * alone.said.busy, `${shared.said.busy} ns, alone ${alone.said.busy} ns`);
});

/** The flag is set again in the second thread, as our workers do: its start set it back. */
const KEPT = `import { keepYoungSmall } from ${JSON.stringify(COLLECTOR)}; keepYoungSmall(); const flag = '--semi-space-growth-factor=1';`;

/** Keeps enough young objects alive that the space for them would grow; says how large it is, in MB, here and there. */
const YOUNG = `
import { getHeapSpaceStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';
function grow(statistics) {
  let kept = [];
  for (let round = 0; round < 3000000; round += 1) {
    if (round % 3 === 0) kept.push({ round, list: [round] });
    if (kept.length > 200000) kept = [];
  }
  return statistics().find(({ space_name }) => space_name === 'new_space').space_size / 1e6;
}
const code = 'const v8 = require("node:v8"); v8.setFlagsFromString(' + JSON.stringify(flag) + ');' +
  'require("node:worker_threads").parentPort.postMessage((' + grow + ')(v8.getHeapSpaceStatistics));';
const second = new Worker(code, { eval: true, execArgv: [] });
second.once('message', (there) => console.log(JSON.stringify({ here: grow(getHeapSpaceStatistics), there })));
`;

function youngSpaces(before: string): { readonly here: number; readonly there: number } {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', `${before}${YOUNG}`], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as { here: number; there: number };
}

t.test('the space for young objects stays small in every thread', async (t) => {
  const [small, usual] = [youngSpaces(KEPT), youngSpaces("const flag = '--no-memory-reducer';")];
  for (const thread of ['here', 'there'] as const) {
    t.ok(small[thread] < 5, `${thread}: ${small[thread]} MB`);
    t.ok(usual[thread] > 3 * small[thread], `the measure itself: it would be ${usual[thread]} MB`);
  }
});

/** Calls each of fifty functions some hundred times, as a start does. */
const MOMENT = `
let sum = 0;
for (let each = 0; each < 50; each += 1) {
  const work = new Function('n', 'let all = ' + each + '; for (let i = 0; i < n; i += 1) all += i % 7; return all;');
  for (let call = 0; call < 300; call += 1) sum += work(20);
}
console.log('sum', sum);
`;

/** How often V8 made something fast. */
function optimized(before: string): number {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--trace-opt', '--input-type=module', '-e', before + MOMENT],
    { encoding: 'utf8', timeout: 60_000 },
  );
  if (!stdout.includes('sum')) throw new Error(stderr);
  return stdout.split('[marking').length - 1;
}

t.test('what runs for a moment is not made fast, and V8 knows the flag', async (t) => {
  const [usual, late] = [
    optimized(''),
    optimized(`import { optimizeLate } from ${JSON.stringify(COLLECTOR)}; optimizeLate();`),
  ];
  // On a machine that others hold up V8 finds fewer of them worth it.
  t.ok(usual >= 10, `${usual} times`);
  t.ok(late < usual / 2, `${late} times, usually ${usual}`);
});
