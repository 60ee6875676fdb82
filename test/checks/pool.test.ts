import t, { type Test } from 'tap';
import type { Check, CheckId, RemarkChange, Suspicion, VerdictChange } from '../../src/checks/model.js';
import { ProbePool, type ProbePoolOptions, type WorkerDeath } from '../../src/checks/pool.js';
import type { Target } from '../../src/checks/spec-target.js';
import { finish } from '../../src/core/steps.js';
import { micros, millis } from '../../src/core/units.js';
import { systemTimers, systemTurns } from '../../src/sys/clock.js';
import { reapChild } from '../../src/sys/pipe.js';
import type { WorkerDigest } from '../../src/world.js';
import { FakeTime } from '../fakes/time.js';
import type { Echo } from './echo-worker.js';
import { closedPort, eventually, LOCALHOST, listen, openSockets } from './listeners.js';
import { tell } from './orders.js';
import { EVEN } from './rule.js';

type Side = 'up' | 'down';
type WorkerName = 'mortal' | 'echo' | 'broken';

/** A pool with everything that it reports. */
class Bench {
  readonly changes: VerdictChange[] = [];
  readonly messages: number[] = [];
  readonly digests: WorkerDigest[] = [];
  readonly suspicions: Suspicion[] = [];
  readonly remarks: RemarkChange[] = [];
  readonly deaths: WorkerDeath[] = [];
  readonly echoes: Echo[] = [];
  readonly pool: ProbePool;

  constructor(t: Test, worker: WorkerName, more: Partial<ProbePoolOptions> = {}) {
    this.pool = new ProbePool({
      workerFile: new URL(`./${worker}-worker.js`, import.meta.url),
      workersMax: 4,
      timers: systemTimers,
      turns: systemTurns,
      reapChild,
      onChanges: (changes) => {
        this.messages.push(changes.length);
        this.changes.push(...changes);
      },
      onSuspicions: (suspicions) => this.suspicions.push(...suspicions),
      onRemarks: (remarks) => this.remarks.push(...remarks),
      onDigest: (digest) => this.digests.push(digest),
      onWorkerDied: (death) => this.deaths.push(death),
      onDefect: (_, text) => this.echoes.push(JSON.parse(text) as Echo),
      ...more,
    });
    t.teardown(() => this.pool.close());
  }

  update(...wish: Parameters<ProbePool['update']>): void {
    finish(this.pool.update(...wish));
  }

  told(): string[] {
    return this.changes.map(({ id, previous, verdict }) => `${id} ${previous}>${verdict}`).sort();
  }

  /** The checks of each worker, as it was told last. */
  assignment(): Map<number, readonly string[]> {
    return new Map(this.echoes.map(({ worker, ids }) => [worker, ids]));
  }

  /** All that the workers have. */
  get assigned(): number {
    return [...this.assignment().values()].reduce((sum, ids) => sum + ids.length, 0);
  }
}

function check(id: CheckId, { address, port }: Target, interval = 150): Check {
  const rule = { ...EVEN, interval: millis(interval), timeout: millis(interval), rise: 2, fall: 3 };
  return { id, rule, probe: { type: 'tcp', target: { address, port } } };
}

const NOWHERE: Target = { address: LOCALHOST, port: 1 };
const many = (from: number, to: number): Check[] =>
  Array.from({ length: to - from }, (_, index) => check(`many/${from + index}`, NOWHERE, 60_000));
const none = new Map<CheckId, Side>();

t.test('verdicts and digests reach main; what one turn brings comes in one message', async (t) => {
  const bench = new Bench(t, 'mortal');
  const [up, dead] = [await listen(t, () => undefined), await closedPort(t)];
  // Two hundred starts within 20 ms: many in each turn, and the first failure is the verdict.
  const checks = many(0, 200).map((each) => ({
    ...each,
    rule: { ...each.rule, interval: millis(20), timeout: millis(20), fall: 1, rise: 99 },
    probe: { type: 'tcp', target: dead } as const,
  }));
  bench.update(checks, none);
  t.ok(await eventually(() => bench.changes.length === 200));
  t.ok(bench.messages.length < 150, `${bench.messages.length} messages for 200 changes`);
  bench.update([check('web/up', up.target, 500), ...many(0, 300)], none);
  t.ok(await eventually(() => bench.told().includes('web/up unknown>up')));
  t.ok(await eventually(() => bench.digests.at(-1)?.checks === 301));
  t.match(bench.digests.at(-1), { worker: 0, checks: 301, probes: Number, failures: Number, unknowns: 0 });
  t.same(bench.deaths, []);
});

for (const how of ['throw', 'exit'] as const) {
  t.test(`a worker that is killed by ${how} comes back at once, with its verdicts`, async (t) => {
    const bench = new Bench(t, 'mortal');
    const [up, dead] = [await listen(t, () => undefined), await closedPort(t)];
    bench.update([check('web/up', up.target), check('web/dead', dead)], none);
    t.ok(await eventually(() => bench.changes.length === 2));
    bench.changes.length = 0;
    tell(0, { kind: how });
    t.ok(await eventually(() => bench.deaths.length === 1));
    const cause = how === 'throw' ? 'told to die' : 'exit code 3';
    t.match(bench.deaths[0], { worker: 0, restartIn: 0, checks: ['web/up', 'web/dead'] });
    t.match(bench.deaths[0]?.error, {
      code: 'WORKER',
      message: `probe worker 0 ended: ${cause}`,
      facts: { cause },
    });
    t.ok(await eventually(() => bench.changes.length === 2), 'every check reports again');
    t.same(bench.told(), ['web/dead unknown>down', 'web/up unknown>up'], 'and confirms what was known');
    const down = bench.changes.find(({ verdict }) => verdict === 'down');
    t.match(down?.result.reason, { kind: 'refused' }, 'the first failure is enough to confirm');
  });
}

t.test('workers are asked how it stands with checks: all of them, and only what there is', async (t) => {
  const bench = new Bench(t, 'mortal');
  const [up, dead] = [await listen(t, () => undefined), await closedPort(t)];
  bench.update([...many(0, 6000), check('web/up', up.target), check('web/dead', dead)], none);
  t.ok(await eventually(() => bench.changes.length >= 2));
  const sights = await bench.pool.look(['web/up', 'many/0', 'web/none', 'web/dead']);
  t.same([...sights.keys()].sort(), ['many/0', 'web/dead', 'web/up']);
  t.match(sights.get('web/up'), { state: { verdict: 'up' }, probes: [{ result: { outcome: 'pass' } }] });
  t.match(sights.get('web/dead')?.probes.at(-1)?.result, {
    reason: { kind: 'refused' },
    phases: [['connect', Number]],
  });
});

t.test('whoever asks a worker that says nothing, or that is gone, waits a second at most', async (t) => {
  const time = new FakeTime();
  const bench = new Bench(t, 'echo', { timers: time });
  bench.update(many(0, 1), none);
  t.ok(await eventually(() => bench.echoes.length === 1));
  const asked = bench.pool.look(['many/0']);
  await time.advance(1000);
  t.equal((await asked).size, 0);
  tell(0, { kind: 'say', message: { kind: 'sights', question: 1, sights: [] } });
  tell(0, { kind: 'exit' });
  t.ok(await eventually(() => bench.deaths.length === 1 && bench.echoes.length === 2));
  tell(0, { kind: 'exit' });
  t.ok(await eventually(() => bench.deaths.length === 2));
  t.equal((await bench.pool.look(['many/0'])).size, 0, 'its successor comes later: nobody waits for it');
  await time.advance(100);
  t.ok(await eventually(() => bench.echoes.length === 3));
  const last = bench.pool.look(['many/0']);
  await bench.pool.close();
  t.equal((await last).size, 0);
});

t.test('a worker that does not answer any more is ended and comes back', async (t) => {
  const time = new FakeTime();
  // This one says what it was told, and then nothing: no digest ever.
  const bench = new Bench(t, 'echo', { timers: time });
  bench.update(many(0, 1), none);
  t.ok(await eventually(() => bench.echoes.length === 1));
  await time.advance(5000);
  await time.advance(5000);
  await time.advance(4999);
  t.same(bench.deaths, [], 'heard once, then silent for less than two spans');
  await time.advance(1);
  t.ok(await eventually(() => bench.deaths.length === 1));
  t.match(bench.deaths, [{ worker: 0, error: { message: 'probe worker 0 ended: it did not answer' } }]);
  t.ok(await eventually(() => bench.echoes.length === 2), 'its successor');
  for (let count = 0; count < 6; count += 1) {
    const heard = bench.echoes.length;
    bench.update(many(0, 2 + count), none);
    t.ok(await eventually(() => bench.echoes.length > heard));
    await time.advance(5000);
  }
  t.equal(bench.deaths.length, 1, 'one that speaks lives');
  tell(0, { kind: 'exit' });
  t.ok(await eventually(() => bench.deaths.length === 2));
  t.equal(bench.deaths[1]?.restartIn, 0, 'and when it dies it comes back at once, as the first time');
});

t.test('a worker that cannot start is tried again with growing delays, and close ends it', async (t) => {
  const time = new FakeTime();
  const bench = new Bench(t, 'broken', { timers: time });
  bench.update(many(0, 1), none);
  for (let count = 1; count <= 7; count += 1) {
    t.ok(await eventually(() => bench.deaths.length === count), `death ${count}`);
    if (count < 7) await time.advance(bench.deaths.at(-1)?.restartIn ?? 0);
    if (count === 1) t.ok(await eventually(() => bench.deaths.length === 2), 'the first restart is at once');
  }
  t.same(bench.deaths.map(({ restartIn }) => restartIn).slice(0, 7), [0, 100, 200, 500, 1000, 1000, 1000]);
  t.match(bench.deaths[0]?.error.message, 'probe worker 0 ended: cannot start');
  t.equal(time.waiting, 2, 'the restart and the watch');
  await bench.pool.close();
  t.equal(time.waiting, 0, 'close leaves neither');
});

t.test('a worker file that is not there is a death, not an exception', async (t) => {
  const time = new FakeTime();
  const bench = new Bench(t, 'echo', { timers: time, workerFile: new URL('file:///nonexistent/worker.js') });
  bench.update(many(0, 1), none);
  t.ok(await eventually(() => bench.deaths.length === 2));
  t.match(bench.deaths[0]?.error.message, /Cannot find module/);
});

t.test('checks are shared out evenly and stay where they are', async (t) => {
  const bench = new Bench(t, 'echo', { workersMax: 3 });
  bench.update(many(0, 100), none);
  t.ok(await eventually(() => bench.echoes.length === 1), 'a few checks: one worker');
  bench.update(many(0, 12_000), none);
  t.ok(await eventually(() => bench.assigned === 12_000), 'a part in each turn');
  const before = bench.assignment();
  t.same(
    [...before.values()].map((ids) => ids.length),
    [4000, 4000, 4000],
  );
  t.same(
    before.get(0)?.slice(0, 100),
    many(0, 100).map(({ id }) => id),
    'the first hundred have not moved',
  );
  bench.echoes.length = 0;
  bench.update([...many(6000, 12_000), ...many(20_000, 21_000)].reverse(), none);
  t.ok(await eventually(() => bench.assignment().size === 3 && bench.assigned === 7000));
  const after = bench.assignment();
  for (const [worker, ids] of after) {
    const stayed = ids.filter((id) => before.get(worker)?.includes(id)).length;
    const stay = before.get(worker)?.filter((id) => Number(id.slice(5)) >= 6000).length;
    t.equal(stayed, stay, `worker ${worker} keeps what is left of its checks`);
  }
  t.equal(new Set([...after.values()].flat()).size, 7000, 'every check is somewhere, once');
  t.same(bench.deaths, []);
});

t.test('more checks than workers may be: all of them run all the same', async (t) => {
  const bench = new Bench(t, 'echo', { workersMax: 1 });
  bench.update(many(0, 6000), none);
  t.ok(await eventually(() => bench.assigned === 6000));
});

t.test('what is dropped or changed while it waits to be told is told as it is last', async (t) => {
  const turns: (() => void)[] = [];
  const bench = new Bench(t, 'echo', { workersMax: 1, turns: { soon: (run) => turns.push(run) } });
  const held = new Map<CheckId, Side>([['many/0', 'up']]);
  bench.update(many(0, 2000), held);
  t.equal(turns.length, 1, 'the first part is sent, the others wait for turns of their own');
  held.set('many/1998', 'down');
  bench.update([...many(0, 1000), check('many/1998', NOWHERE, 90_000)], held);
  t.equal(turns.length, 1, 'an update in between begins nothing beside it');
  while (turns.length > 0) turns.shift()?.();
  t.ok(await eventually(() => bench.assigned === 1001));
  const parts = bench.echoes.map(({ ids }, index) => ids.length - (bench.echoes[index - 1]?.ids.length ?? 0));
  t.ok(parts.length > 3 && parts.every((part) => part <= 250), `in small parts: ${parts}`);
  t.same(Object.assign({}, ...bench.echoes.map(({ verdicts }) => verdicts)), {
    'many/0': 'up',
    'many/1998': 'down',
  });
});

t.test('a reload that changes nothing for a worker tells it nothing', async (t) => {
  const bench = new Bench(t, 'echo', { workersMax: 1 });
  bench.update(many(0, 3), none);
  t.ok(await eventually(() => bench.echoes.length === 1));
  bench.update(structuredClone(many(0, 3)), none);
  bench.update(many(0, 4), none);
  t.ok(await eventually(() => bench.echoes.length === 2));
  t.same(
    bench.echoes[1]?.ids,
    ['many/0', 'many/1', 'many/2', 'many/3'],
    'the second message is the second change',
  );
});

t.test('no checks: no worker', async (t) => {
  const bench = new Bench(t, 'echo');
  bench.update([], none);
  await bench.pool.close();
  t.same(bench.echoes, []);
});

function change(id: CheckId, verdict: Side): VerdictChange {
  const result = { outcome: 'pass', reason: { kind: 'ok' }, phases: [], elapsed: micros(1) } as const;
  return { id, verdict, previous: 'unknown', result, at: 0 as VerdictChange['at'] };
}

t.test(
  'a restarted worker gets the newest verdicts: those that it told, then those that main gave',
  async (t) => {
    const bench = new Bench(t, 'echo');
    const given = new Map<CheckId, Side>([
      ['many/0', 'down'],
      ['many/1', 'down'],
      ['gone/1', 'up'],
    ]);
    bench.update(many(0, 3), given);
    t.ok(await eventually(() => bench.echoes.length === 1));
    t.same(bench.echoes[0]?.verdicts, { 'many/0': 'down', 'many/1': 'down' });
    tell(0, {
      kind: 'say',
      message: { kind: 'changes', changes: [change('many/0', 'up'), change('many/2', 'up')] },
    });
    t.ok(await eventually(() => bench.changes.length === 2));
    tell(0, { kind: 'exit' });
    t.ok(await eventually(() => bench.echoes.length === 2));
    t.same(bench.echoes[1]?.verdicts, { 'many/0': 'up', 'many/1': 'down', 'many/2': 'up' });
    bench.update(many(1, 4), none);
    t.ok(await eventually(() => bench.echoes.length === 3));
    t.same(bench.echoes[2]?.verdicts, {}, 'what is new starts only from what main gives');
    tell(0, { kind: 'exit' });
    t.ok(await eventually(() => bench.echoes.length === 4));
    t.same(bench.echoes[3]?.verdicts, { 'many/1': 'down', 'many/2': 'up' }, 'what is gone is forgotten');
  },
);

t.test('a change of a check that is not the worker’s any more is not told', async (t) => {
  const bench = new Bench(t, 'echo');
  bench.update(many(0, 2), none);
  t.ok(await eventually(() => bench.echoes.length === 1));
  bench.update(many(1, 2), none);
  const changes = [change('many/0', 'down'), change('many/1', 'up')];
  tell(0, { kind: 'say', message: { kind: 'changes', changes: [change('many/0', 'down')] } });
  tell(0, { kind: 'say', message: { kind: 'changes', changes } });
  t.ok(await eventually(() => bench.changes.length > 0));
  t.same(bench.told(), ['many/1 unknown>up']);
  t.same(bench.messages, [1], 'a message with nothing left is not passed on');
  const suspicions = [0, 1].map((number) => ({ id: `many/${number}`, reason: undefined }));
  tell(0, { kind: 'say', message: { kind: 'suspicions', suspicions } });
  t.ok(await eventually(() => bench.suspicions.length > 0));
  t.same(bench.suspicions, [{ id: 'many/1', reason: undefined }]);
});

t.test('an update meant for a dead worker reaches its successor', async (t) => {
  const time = new FakeTime();
  const bench = new Bench(t, 'echo', { timers: time });
  bench.update(many(0, 1), none);
  t.ok(await eventually(() => bench.echoes.length === 1));
  for (const deaths of [1, 2]) {
    tell(0, { kind: 'exit' });
    t.ok(await eventually(() => bench.deaths.length === deaths));
    if (deaths === 1) t.ok(await eventually(() => bench.echoes.length === 2));
  }
  bench.update(many(5, 7), new Map([['many/6', 'down']]));
  t.equal(bench.echoes.length, 2, 'it waits for its restart');
  await time.advance(100);
  t.ok(await eventually(() => bench.echoes.length === 3));
  t.match(bench.echoes[2], { ids: ['many/5', 'many/6'], verdicts: { 'many/6': 'down' } });
});

t.test('a pool that is closed on the news of a death restarts nothing', async (t) => {
  let closed: Promise<void> | undefined;
  const bench = new Bench(t, 'echo', {
    onWorkerDied: () => {
      closed = bench.pool.close();
    },
  });
  bench.update(many(0, 1), none);
  t.ok(await eventually(() => bench.echoes.length === 1));
  tell(0, { kind: 'exit' });
  t.ok(await eventually(() => closed !== undefined));
  await closed;
  bench.update([], none);
  t.notOk(await eventually(() => bench.echoes.length > 1, 100));
});

t.test('close ends every thread, frees every socket, and nothing is told any more', async (t) => {
  const before = openSockets();
  const bench = new Bench(t, 'mortal');
  const up = await listen(t, () => undefined);
  bench.update(
    Array.from({ length: 50 }, (_, index) => check(`web/${index}`, up.target)),
    none,
  );
  t.ok(await eventually(() => bench.changes.length === 50));
  await bench.pool.close();
  await up.close();
  const told = [bench.changes.length, bench.digests.length];
  t.ok(await eventually(() => openSockets() === before), 'all sockets are gone');
  t.same([bench.changes.length, bench.digests.length], told);
  t.same(bench.deaths, [], 'an end that was asked for is no death');
});

t.test('close does not wait for a worker that hangs', async (t) => {
  const bench = new Bench(t, 'mortal');
  const up = await listen(t, () => undefined);
  bench.update([check('web/up', up.target)], none);
  t.ok(await eventually(() => bench.changes.length === 1));
  tell(0, { kind: 'hang' });
  const started = performance.now();
  await bench.pool.close();
  t.ok(performance.now() - started < 3000);
  t.same(bench.deaths, []);
});
