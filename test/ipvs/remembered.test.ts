/** What the next run of the daemon takes back of what this one knew of the table. */
import t from 'tap';
import { millis, seconds } from '../../src/core/units.js';
import type { ObservedTable, Operation } from '../../src/ipvs/model.js';
import { applyToObserved } from '../../src/ipvs/observe.js';
import type { DriftPolicies, Leaving, OwnershipRules } from '../../src/ipvs/ownership.js';
import {
  A,
  B,
  Bench,
  desired,
  masquerades,
  puts,
  REMOVE_SERVICE,
  schedules,
  sets,
  takes,
  WEB,
} from './bench.js';
import { dest, everyDrift, key, service } from './build.js';

const DRAIN: Leaving = { kind: 'drain', deadline: seconds(300) };

/** Servers have that many connections. */
function busy(table: ObservedTable, active: number): ObservedTable {
  return new Map(
    [...table].map(([text, { service: its, dests }]) => [
      text,
      { service: its, dests: new Map([...dests].map(([name, one]) => [name, { ...one, active }])) },
    ]),
  );
}

/** A run that leaves a table and its memory. */
async function left(rules: Partial<OwnershipRules>, ...does: readonly Operation[]): Promise<Bench> {
  const bench = new Bench();
  bench.scripted.observed = busy(bench.scripted.observed, 3);
  await bench.configure(desired('up', 'up'), rules);
  if (does.length > 0) await bench.somebody(...does);
  return bench;
}

/** The run after it. */
function after({ memory, scripted, time }: Bench, ...meanwhile: readonly Operation[]): Bench {
  const next = new Bench(applyToObserved(scripted.observed, meanwhile));
  next.reconciler.recall({
    ...memory,
    // Its clock begins anew.
    leaving: memory.leaving.map((one) => ({
      ...one,
      servers: one.servers.map((its) => ({ ...its, until: millis(its.until - time.monotonic()) })),
    })),
  });
  return next;
}

t.test('a server that was leaving leaves when it is empty, or at its deadline', async (t) => {
  for (const isEmpty of [true, false]) {
    const first = await left({ onRemove: DRAIN });
    await first.configure(desired('up', 'up', [A]), { onRemove: DRAIN });
    t.equal(first.lines, 'wlc: 11=1 12=0');
    t.match(first.memory.leaving, [
      { service: 'tcp 192.0.2.1:80', whole: false, servers: [{ server: /12/ }] },
    ]);
    await first.reconciler.close();
    const second = after(first);
    await second.configure(desired(undefined, undefined, [A]), { onRemove: DRAIN });
    t.equal(second.lines, 'wlc: 11=1 12=0', 'it drains on');
    t.same(second.foreign, [], 'and is ours');
    if (isEmpty) second.scripted.observed = busy(second.scripted.observed, 0);
    await second.time.advance(isEmpty ? 10_000 : 290_000);
    t.equal(second.lines, isEmpty ? 'wlc: 11=1' : 'wlc: 11=1 12=0');
    await second.time.advance(20_000);
    t.equal(second.lines, 'wlc: 11=1');
    t.same(second.memory.leaving, []);
  }
});

t.test('a service that was leaving leaves', async (t) => {
  const first = await left({ onRemove: DRAIN });
  await first.configure(new Map(), { onRemove: DRAIN });
  t.equal(first.lines, 'wlc: 11=0 12=0');
  const second = after(first);
  await second.configure(new Map(), { onRemove: DRAIN });
  second.scripted.observed = busy(second.scripted.observed, 0);
  await second.time.advance(10_000);
  t.equal(second.lines, '');
});

t.test('what somebody has put back meanwhile is theirs, and what is configured again is ours', async (t) => {
  const first = await left({ onRemove: DRAIN });
  await first.configure(desired('up', 'up', [A]), { onRemove: DRAIN });
  const theirs = after(first, sets(B, 4));
  await theirs.configure(desired('up', 'up', [A]), { onRemove: DRAIN });
  await theirs.time.advance(400_000);
  t.equal(theirs.lines, 'wlc: 11=1 12=4');
  t.same(theirs.foreign, ['192.0.2.12:80 in tcp 192.0.2.1:80']);
  const again = after(first);
  await again.configure(desired('up', 'up'), { onRemove: DRAIN });
  await again.time.advance(400_000);
  t.equal(again.lines, 'wlc: 11=1 12=2');
  const gone = after(first, takes(B));
  await gone.configure(desired('up', 'up', [A]), { onRemove: DRAIN });
  t.same(gone.memory.leaving, []);
  const emptied = after(
    first,
    REMOVE_SERVICE,
    { kind: 'add-service', service: WEB },
    puts(dest('192.0.2.77')),
  );
  await emptied.configure(new Map(), { onRemove: DRAIN });
  t.equal(emptied.lines, 'wlc: 77=1', 'a service that somebody made anew is theirs');
});

t.test('nothing is kept of what goes at once, nor at a stop', async (t) => {
  const bench = await left({});
  bench.scripted.refuse = ({ kind }) => (kind === 'delete-dest' ? 'EBUSY' : undefined);
  await bench.configure(desired('up', 'up', [A]));
  t.same(bench.memory.leaving, []);
});

const accept = (more: Partial<DriftPolicies> = {}) => ({ drift: { ...everyDrift('accept'), ...more } });

t.test('what was accepted stays accepted: of every kind', async (t) => {
  for (const [does, line] of [
    [sets(B, 9), 'wlc: 11=1 12=9'],
    [takes(B), 'wlc: 11=1'],
    [schedules('rr'), 'rr: 11=1 12=2'],
    [masquerades(B), 'wlc: 11=1 12=2'],
    [REMOVE_SERVICE, ''],
  ] as const) {
    const first = await left(accept(), does);
    t.equal(first.lines, line);
    t.equal(first.memory.accepted.length, 1);
    const second = after(first);
    await second.configure(desired(undefined, undefined), accept());
    await second.touch(desired('up', 'up'));
    await second.time.advance(30_000);
    t.equal(second.lines, line);
    t.same(second.scripted.applied, []);
    t.equal((await second.reconciler.preview()).left.length, 1, 'and is told as such');
    t.same(second.memory.accepted, first.memory.accepted, 'the run after that knows it too');
    const third = after(first);
    await third.configure(desired('up', 'up'), accept(everyDrift('repair')));
    t.equal(third.lines, 'wlc: 11=1 12=2', 'unless it is to be repaired by now');
  }
});

t.test('where the configuration says something else by now it counts', async (t) => {
  const other = dest('192.0.2.12', { weight: 5 });
  for (const [does, line] of [
    [sets(B, 9), 'wlc: 11=1 12=5'],
    [takes(B), 'wlc: 11=1'],
    [masquerades(B), 'wlc: 11=1 12=5'],
  ] as const) {
    const second = after(await left(accept(), does));
    await second.configure(desired('up', 'up', [A, other]), accept());
    t.equal(second.lines, line);
  }
  const second = after(await left(accept(), schedules('rr')));
  await second.configure(desired('up', 'up', [A, B], service(key(), { scheduler: 'sh' })), accept());
  t.equal(second.lines, 'sh: 11=1 12=2');
  const third = after(await left(accept(), takes(B)));
  const tunnelled = dest('192.0.2.12', { weight: 2, forward: { method: 'masquerade' } });
  await third.configure(desired('up', 'up', [A, tunnelled]), accept());
  t.equal(third.lines, 'wlc: 11=1 12=2');
});

t.test('what changed once more while nobody looked is not what was accepted', async (t) => {
  const second = after(await left(accept(), schedules('rr')), schedules('sh'));
  await second.configure(desired('up', 'up'), accept());
  t.equal(second.lines, 'wlc: 11=1 12=2');
  const third = after(await left(accept(), takes(B)), puts(B));
  await third.configure(desired('up', 'up'), accept());
  t.same((await third.reconciler.preview()).left, []);
});

t.test(
  'what was only reported is repaired by a restart, and a server that is to get nothing is let out',
  async (t) => {
    const first = await left({ drift: everyDrift('report') }, sets(B, 9));
    t.same(first.memory.accepted, []);
    const bench = await left(accept());
    await bench.touch(desired('up', 'down'));
    await bench.somebody(puts(B));
    t.equal(bench.lines, 'wlc: 11=1 12=2');
    t.same(bench.memory.accepted, []);
  },
);
