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

t.test('garbage of every thread is collected by that thread, and hardly by helpers', async (t) => {
  const call = `import { collectGarbageAlone } from ${JSON.stringify(COLLECTOR)}; collectGarbageAlone();`;
  const alone = run(call);
  t.equal(alone.complaints, '', 'V8 knows all flags');
  t.equal(alone.said.code, 0);
  const shared = run('');
  t.ok(shared.said.helpers > 0, 'the measure itself: there are helpers');
  t.ok(shared.said.busy > 3 * alone.said.busy, `${shared.said.busy} ns, alone ${alone.said.busy} ns`);
});
