/** Checks that are alike, probed as one: with real workers, and with workers that only tell what they were told. */
import t, { type Test } from 'tap';
import type { Check, CheckId, RemarkChange, Suspicion, VerdictChange } from '../../src/checks/model.js';
import type { WorkerDeath } from '../../src/checks/pool.js';
import { SharedPool } from '../../src/checks/shared-pool.js';
import type { Target } from '../../src/checks/spec-target.js';
import { epochMillis, type Millis, micros, millis } from '../../src/core/units.js';
import { systemClock, systemTimers, systemTurns } from '../../src/sys/clock.js';
import { reapChild } from '../../src/sys/pipe.js';
import type { ProbingState, ServerHealth, WorkerDigest } from '../../src/world.js';
import { configOf } from '../config/given.js';
import type { Echo } from './echo-worker.js';
import { closedPort, eventually, LOCALHOST, listen } from './listeners.js';
import { tell } from './orders.js';

type Side = 'up' | 'down';

/** A pool, what it told, and the health that a controller would make of that. */
class Bench {
  readonly changes: VerdictChange[] = [];
  /** The checks of each call. */
  readonly turns: string[] = [];
  readonly suspicions: Suspicion[] = [];
  readonly remarks: RemarkChange[] = [];
  readonly deaths: WorkerDeath[] = [];
  readonly defects: string[] = [];
  readonly states: ProbingState[] = [];
  readonly digests: WorkerDigest[] = [];
  readonly health = new Map<CheckId, ServerHealth>();
  readonly pool: SharedPool;

  /** @param monotonic by which slices end: where it stands still, what is told is done in that very call */
  constructor(t: Test, worker: 'mortal' | 'echo', monotonic = () => millis(0)) {
    this.pool = new SharedPool({
      workerFile: new URL(`./${worker}-worker.js`, import.meta.url),
      workersMax: 2,
      clock: { ...systemClock, monotonic },
      timers: systemTimers,
      turns: systemTurns,
      reapChild,
      health: () => this.health,
      onState: (state) => this.states.push(state),
      onChanges: (changes) => this.#take(changes),
      onSuspicions: (suspicions) => this.suspicions.push(...suspicions),
      onRemarks: (remarks) => this.remarks.push(...remarks),
      onDigest: (digest) => this.digests.push(digest),
      onWorkerDied: (death) => this.deaths.push(death),
      onDefect: (id, text) => this.defects.push(text.startsWith('{') ? text : `${id}: ${text}`),
    });
    t.teardown(() => this.pool.close());
  }

  #take(changes: readonly VerdictChange[]): void {
    this.changes.push(...changes);
    this.turns.push(changes.map(({ id }) => id).join());
    for (const change of changes)
      this.health.set(change.id, {
        ...this.health.get(change.id),
        verdict: change.verdict,
        held: change.verdict,
        since: change.at,
        lastChange: change,
      });
  }

  told(): string[] {
    return this.changes.map(({ id, previous, verdict }) => `${id} ${previous}>${verdict}`);
  }

  /** What the workers were told, message by message. */
  get echoes(): readonly Echo[] {
    return this.defects.map((text) => JSON.parse(text) as Echo);
  }
}

/** The checks of a configuration whose services have one server each, with what these checks say. */
function checksOf(
  services: Readonly<Record<string, string>>,
  { address, port }: Target,
  type = 'tcp',
): readonly Check[] {
  const lines = Object.entries(services).map(
    ([name, says], index) =>
      `  ${name}: { address: "192.0.2.${index + 1}:80", forward: masquerade, check: { type: ${type}, interval: 200ms, timeout: 200ms, fall: 1${says} }, servers: [{ name: a, address: ${address}, port: ${port} }] }`,
  );
  const { services: its } = configOf(`services:\n${lines.join('\n')}\n`);
  return its.flatMap(({ servers }) => servers.flatMap(({ checks }) => checks));
}

const none = new Map<CheckId, Side>();
const NOWHERE: Target = { address: LOCALHOST, port: 1 };

t.test(
  'two services with one server: its listener sees one probe per interval, and both follow',
  async (t) => {
    const bench = new Bench(t, 'mortal');
    let seen = 0;
    const server = await listen(t, (socket) => {
      seen += 1;
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    });
    // Of a probe that only connects a server may not hear.
    const checks = checksOf({ web: '', shop: '' }, server.target, 'http');
    bench.pool.update(checks, none);
    t.match(bench.states, [{ checks: 2, distinct: 1 }]);
    t.ok(await eventually(() => bench.changes.length === 2));
    t.same(bench.told(), ['web/a unknown>up', 'shop/a unknown>up']);
    const { probes = 0 } = bench.digests.at(-1) ?? {};
    const from = seen;
    t.ok(await eventually(() => (bench.digests.at(-1)?.probes ?? 0) >= probes + 5));
    t.match(bench.digests.at(-1), { checks: 1 }, 'the worker has one check');
    // Of each probe that the worker counts the listener saw one connection; the last few may be under way.
    const counted = (bench.digests.at(-1)?.probes ?? 0) - probes;
    t.ok(Math.abs(seen - from - counted) <= counted / 2, `${seen - from} connections by ${counted} probes`);
    await server.close();
    t.ok(await eventually(() => bench.changes.length === 4));
    t.same(bench.told().slice(2), ['web/a up>down', 'shop/a up>down']);
    t.equal(bench.turns.at(-1), 'web/a,shop/a', 'both at once');
    t.same(bench.changes[2]?.result, bench.changes[3]?.result);
  },
);

t.test('a service with another rise has probes of its own', async (t) => {
  const bench = new Bench(t, 'mortal');
  const dead = await closedPort(t);
  bench.pool.update(checksOf({ web: '', shop: ', rise: 3', mail: '' }, dead), none);
  t.match(bench.states, [{ checks: 3, distinct: 2 }]);
  t.ok(await eventually(() => bench.changes.length === 3));
  t.same(bench.told().sort(), ['mail/a unknown>down', 'shop/a unknown>down', 'web/a unknown>down']);
  const sights = await bench.pool.look(['mail/a', 'web/a', 'shop/a', 'none/a']);
  t.same([...sights.keys()].sort(), ['mail/a', 'shop/a', 'web/a']);
  t.equal(sights.get('mail/a')?.id, 'mail/a');
  t.same(
    { ...sights.get('mail/a'), id: '' },
    { ...sights.get('web/a'), id: '' },
    'they have the same probes',
  );
});

t.test('whoever joins has the verdict at once, and whoever goes leaves the probes as they are', async (t) => {
  const bench = new Bench(t, 'mortal');
  const dead = await closedPort(t);
  const [web] = checksOf({ web: '' }, dead);
  bench.pool.update(checksOf({ web: '' }, dead), none);
  t.ok(await eventually(() => bench.changes.length === 1));
  const verdictOf = async (id: CheckId) => (await bench.pool.look([id])).get(id)?.state.verdict;
  const both = checksOf({ web: '', shop: '' }, dead);
  bench.pool.update(both, none);
  t.same(bench.told(), ['web/a unknown>down', 'shop/a unknown>down'], 'in this very call');
  t.match(bench.changes[1], { result: bench.changes[0]?.result });
  t.ok((bench.changes[1]?.at ?? 0) >= (bench.changes[0]?.at ?? 0), 'it is news of now');
  t.equal(await verdictOf('shop/a'), 'down', 'what was probed before it came counts for it');
  bench.pool.update(
    both.filter(({ id }) => id !== web?.id),
    none,
  );
  t.equal(await verdictOf('shop/a'), 'down', 'and when the one that began it is gone');
  t.equal((await bench.pool.look(['web/a'])).size, 0, 'the name of a unit is no check');
  t.equal(bench.changes.length, 2, 'that is no news');
  bench.pool.update([], none);
  t.match(bench.states.at(-1), { checks: 0, distinct: 0 });
});

t.test('whoever joins what has no verdict yet waits for it with the others', async (t) => {
  const bench = new Bench(t, 'echo');
  const [web, shop] = checksOf({ web: '', shop: '' }, NOWHERE);
  if (web === undefined || shop === undefined) throw new Error('two checks');
  bench.health.set('web/a', { verdict: 'unknown', held: 'up', since: epochMillis(1), lastChange: undefined });
  bench.pool.update([web], none);
  t.ok(await eventually(() => bench.echoes.length === 1));
  bench.pool.update([web, shop], none);
  t.same(bench.changes, []);
  tell(0, { kind: 'say', message: { kind: 'changes', changes: [change('web/a', 'up')] } });
  t.ok(await eventually(() => bench.changes.length > 0));
  t.same(bench.told(), ['web/a unknown>up', 'shop/a unknown>up']);
  t.equal(bench.echoes.length, 1, 'nobody told the worker of the second');
});

function change(id: CheckId, verdict: Side): VerdictChange {
  const result = { outcome: 'pass', reason: { kind: 'ok' }, phases: [], elapsed: micros(1) } as const;
  return { id, verdict, previous: 'unknown', result, at: epochMillis(0) };
}

const WORN: RemarkChange['remark'] = {
  warning: 'worn',
  weight: { kind: 'percent', value: 50 },
  say: undefined,
};

t.test('suspicions, remarks, defects and deaths are told of every check that they concern', async (t) => {
  const bench = new Bench(t, 'echo');
  bench.pool.update(checksOf({ web: '', shop: '', mail: ', rise: 3' }, NOWHERE), none);
  t.ok(await eventually(() => bench.echoes.length === 1));
  t.same(bench.echoes[0]?.ids, ['web/a', 'mail/a']);
  const both = ['web/a', 'mail/a'];
  tell(0, {
    kind: 'say',
    message: { kind: 'suspicions', suspicions: both.map((id) => ({ id, reason: undefined })) },
  });
  tell(0, {
    kind: 'say',
    message: { kind: 'remarks', remarks: both.map((id) => ({ id, remark: WORN })) },
  });
  t.ok(await eventually(() => bench.remarks.length === 3));
  t.same(
    bench.suspicions.map(({ id }) => id),
    ['web/a', 'shop/a', 'mail/a'],
  );
  t.same(
    bench.remarks,
    ['web/a', 'shop/a', 'mail/a'].map((id) => ({ id, remark: WORN })),
  );
  tell(0, { kind: 'say', message: { kind: 'defect', id: 'web/a', text: 'broken' } });
  t.ok(await eventually(() => bench.defects.includes('web/a: broken')));
  tell(0, { kind: 'exit' });
  t.ok(await eventually(() => bench.deaths.length === 1));
  t.same(bench.deaths[0]?.checks, ['web/a', 'shop/a', 'mail/a']);
});

t.test('whoever joins is told what was said beside the verdict, and what is said no more', async (t) => {
  const bench = new Bench(t, 'echo');
  const known = { verdict: 'up', held: 'up', since: epochMillis(1), lastChange: undefined } as const;
  const [web, shop] = checksOf({ web: '', shop: '' }, NOWHERE);
  const other = checksOf({ web: '', shop: ', rise: 3' }, NOWHERE);
  if (web === undefined || shop === undefined) throw new Error('two checks');
  bench.health.set('web/a', { ...known, remark: WORN }).set('shop/a', known);
  bench.pool.update(other, none);
  bench.pool.update([web, shop], none);
  t.same(bench.remarks, [{ id: 'shop/a', remark: WORN }]);
  bench.health.set('web/a', known).set('shop/a', { ...known, remark: WORN });
  bench.pool.update(other, none);
  bench.pool.update([web, shop], none);
  t.same(bench.remarks[1], {
    id: 'shop/a',
    remark: { warning: undefined, weight: undefined, say: undefined },
  });
  bench.health.set('shop/a', known);
  bench.pool.update(other, none);
  bench.pool.update([web, shop], none);
  t.equal(bench.remarks.length, 2, 'where nothing was said nothing is told');
});

t.test('a unit starts from what is held for the first of its checks of which something is', async (t) => {
  const bench = new Bench(t, 'echo');
  const held = new Map<CheckId, Side>([
    ['shop/a', 'down'],
    ['mail/a', 'up'],
  ]);
  bench.pool.update(checksOf({ web: '', shop: '', mail: '' }, NOWHERE), held);
  t.ok(await eventually(() => bench.echoes.length === 1));
  t.same(bench.echoes[0]?.verdicts, { 'web/a': 'down' });
});

t.test('thousands that are alike are one, and thousands that are not are themselves', async (t) => {
  const bench = new Bench(t, 'echo');
  const [one] = checksOf({ web: '' }, NOWHERE);
  if (one === undefined) throw new Error('a check');
  const alike = Array.from({ length: 5000 }, (_, index) => ({ ...one, id: `alike/${index}` }));
  const own = Array.from({ length: 4000 }, (_, index) => ({
    ...one,
    id: `own/${index}`,
    probe: { type: 'tcp', target: { address: LOCALHOST, port: 1000 + index } } as const,
  }));
  bench.pool.update([...alike, ...own], none);
  t.match(bench.states, [{ checks: 9000, distinct: 4001 }]);
  t.ok(await eventually(() => bench.echoes.length > 0));
  tell(0, { kind: 'say', message: { kind: 'changes', changes: [change('alike/0', 'up')] } });
  t.ok(await eventually(() => bench.changes.length === 5000));
  t.same(
    bench.turns.map((ids) => ids.split(',').length),
    [1000, 1000, 1000, 1000, 1000],
    'all are told, a part in each turn',
  );
});

t.test(
  'a budget stretches what workers do, also after one of them died, and ends with its configuration',
  async (t) => {
    const bench = new Bench(t, 'mortal');
    const dead = await closedPort(t);
    const checks = checksOf({ web: '', shop: '', mail: ', rise: 3' }, dead);
    bench.pool.update(checks, none, { total: undefined, perServer: 1 });
    t.match(bench.states, [
      { checks: 3, distinct: 2, plan: { wanted: 10, planned: 1, stretch: 10, servers: 1 } },
    ]);
    const waitOf = async (id: CheckId): Promise<number> => {
      const sight = (await bench.pool.look([id])).get(id);
      return (sight?.nextProbeAt ?? 0) - (sight?.probes.at(-1)?.startedAt ?? 0);
    };
    t.ok(await eventually(() => bench.changes.length === 3));
    // From the start of a probe, which may be late, to the next point of its grid.
    t.ok((await waitOf('shop/a')) > 1000, 'two seconds in place of 200 ms');
    tell(0, { kind: 'exit' });
    t.ok(await eventually(() => bench.deaths.length === 1 && bench.changes.length === 6));
    t.ok((await waitOf('shop/a')) > 1000);
    bench.pool.update(checks, none);
    t.match(bench.states.at(-1), { budget: undefined, plan: { pace: undefined, stretch: 1 } });
    const { probes = 0 } = bench.digests.at(-1) ?? {};
    t.ok(
      await eventually(() => (bench.digests.at(-1)?.probes ?? 0) >= probes + 8),
      'each has its interval again',
    );
  },
);

/** Every step is a slice of its own. */
function haste(): () => Millis {
  let now = 0;
  return () => {
    now += 10;
    return millis(now);
  };
}

t.test(
  'what is told while much is taken over counts, the last of it; nothing before it is left over',
  async (t) => {
    const bench = new Bench(t, 'echo', haste());
    const dead = await closedPort(t);
    bench.pool.update(checksOf({ a: '', b: ', rise: 4', c: ', rise: 3' }, dead), none);
    t.same(bench.states, [], 'it is not done in the call');
    bench.pool.update(checksOf({ a: '', d: '' }, dead), none);
    bench.pool.update(checksOf({ b: '', d: ', rise: 3' }, dead), none);
    t.ok(await eventually(() => bench.states.length === 2));
    t.match(bench.states, [
      { checks: 3, distinct: 3 },
      { checks: 2, distinct: 2 },
    ]);
    t.ok(await eventually(() => bench.echoes.at(-1)?.ids.length === 2));
    const unitsOf = async (ids: readonly CheckId[]) => (await bench.pool.look(ids)).size;
    t.equal(await unitsOf(['c/a']), 0);
  },
);

t.test('closed while much is taken over, it tells nothing more and starts nobody', async (t) => {
  const bench = new Bench(t, 'echo', haste());
  const dead = await closedPort(t);
  bench.pool.update(checksOf({ a: '', b: ', rise: 4' }, dead), none);
  bench.pool.update(checksOf({ c: '' }, dead), none);
  await bench.pool.close();
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  t.same(bench.states, []);
  t.same(bench.deaths, []);
});

t.test('what workers say in one turn is told together, suspicions first', async (t) => {
  const bench = new Bench(t, 'echo');
  bench.pool.update(checksOf({ a: '', b: ', rise: 3', c: ', rise: 4' }, NOWHERE), none);
  t.ok(await eventually(() => bench.echoes.length === 1));
  const order: string[] = [];
  const { changes, suspicions } = bench;
  const push = (into: unknown[], word: string) => {
    const before = into.push.bind(into);
    into.push = (...items: unknown[]) => {
      order.push(`${word} ${items.length}`);
      return before(...items);
    };
  };
  push(changes, 'changes');
  push(suspicions, 'suspicions');
  for (const id of ['a/a', 'b/a', 'c/a']) {
    tell(0, { kind: 'say', message: { kind: 'changes', changes: [change(id, 'down')] } });
    tell(0, { kind: 'say', message: { kind: 'suspicions', suspicions: [{ id, reason: undefined }] } });
  }
  // Main is held while they come, as it is when much happens.
  for (const end = performance.now() + 300; performance.now() < end; );
  t.ok(await eventually(() => changes.length === 3 && suspicions.length === 3));
  t.same(order.splice(0), ['suspicions 3', 'changes 3']);
  const many = Array.from({ length: 1200 }, () => 'a/a');
  const told = { kind: 'changes', changes: many.map((id) => change(id, 'up')) } as const;
  tell(0, { kind: 'say', message: told });
  const suspected = many.map((id) => ({ id, reason: undefined }));
  tell(0, { kind: 'say', message: { kind: 'suspicions', suspicions: suspected } });
  for (const end = performance.now() + 300; performance.now() < end; );
  t.ok(await eventually(() => changes.length === 1203 && suspicions.length === 1203));
  t.same(
    order,
    ['suspicions 1200', 'changes 1000', 'changes 200'],
    'all that is suspected before any verdict',
  );
});
