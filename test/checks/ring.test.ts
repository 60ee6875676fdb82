/** The last probes of each check, and what is said of them. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import t from 'tap';
import type { Phase, ProbeResult, Reason } from '../../src/checks/model.js';
import { outcomeOf } from '../../src/checks/reason.js';
import { PROBES_KEPT, ProbeRing } from '../../src/checks/ring.js';
import { sightOf } from '../../src/checks/sight.js';
import { epochMillis, micros, millis } from '../../src/core/units.js';
import { Bench, check, FAIL, PASS } from './runner-bench.js';

const PHASES: readonly Phase[] = [
  'connect',
  'tls',
  'greeting',
  'login',
  'request',
  'response',
  'data',
  'quit',
];
const REASONS: readonly Reason[] = [
  { kind: 'ok' },
  { kind: 'bad-status', status: 500 },
  { kind: 'timeout', phase: 'tls' },
  { kind: 'local', phase: 'connect', errno: 'EMFILE' },
];

/** Every shape of a result: plain, with more phases than a row has, with longer ones, with what else may be said. */
const results: fc.Arbitrary<ProbeResult> = fc
  .record(
    {
      reason: fc.constantFrom(...REASONS),
      phases: fc.array(
        fc.tuple(
          fc.constantFrom(...PHASES),
          fc
            .oneof({ weight: 9, arbitrary: fc.nat(10_000_000) }, fc.constantFrom(2 ** 27 - 1, 2 ** 27))
            .map(micros),
        ),
        { maxLength: 10 },
      ),
      elapsed: fc.oneof(fc.nat(10_000_000), fc.constantFrom(2 ** 32 - 1, 2 ** 32)).map(micros),
      warning: fc.constant('expires soon'),
      words: fc.constant('DISK OK'),
      weight: fc.constant({ kind: 'percent', value: 50 } as const),
      say: fc.constant('drain' as const),
    },
    { requiredKeys: ['reason', 'phases', 'elapsed'] },
  )
  .map((result) => ({ outcome: outcomeOf(result.reason), ...result }));

t.test('a ring gives back the last probes of each check, whatever they found, and of no other', async (t) => {
  const step = fc.record({ of: fc.nat(4), result: results, released: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const ring = new ProbeRing();
      const places = [0, 1, 2, 3, 4].map(() => ring.take());
      const kept = places.map((): { startedAt: number; result: ProbeResult }[] => []);
      for (const [index, { of, result, released }] of steps.entries()) {
        const probe = { startedAt: millis(index * 0.5), result };
        // Rarely: whatever stood there is forgotten, and the place is given again.
        if (released && index % 7 === 0) {
          ring.release(places[of] ?? -1);
          kept[of] = [];
          places[of] = ring.take();
        }
        ring.add(places[of] ?? -1, probe.startedAt, result);
        kept[of] = [...(kept[of] ?? []), probe].slice(-PROBES_KEPT);
      }
      t.same(
        places.map((place) => ring.read(place)),
        kept,
      );
    }),
    { numRuns: 300 },
  );
});

t.test('a result whose outcome its reason does not tell is kept as it is', async (t) => {
  const ring = new ProbeRing();
  const place = ring.take();
  const odd: ProbeResult = { outcome: 'unknown', reason: { kind: 'ok' }, phases: [], elapsed: micros(1) };
  ring.add(place, millis(1), odd);
  t.same(ring.read(place), [{ startedAt: 1, result: odd }]);
});

t.test('places are given again, and no two checks have the same one', async (t) => {
  const ring = new ProbeRing();
  const places = Array.from({ length: 200 }, () => ring.take());
  t.equal(new Set(places).size, 200);
  ring.release(places[77] ?? -1);
  t.equal(ring.take(), places[77]);
  t.notOk(places.includes(ring.take()));
  t.throws(() =>
    ring.add(100_000, millis(0), { outcome: 'pass', reason: PASS, phases: [], elapsed: micros(0) }),
  );
});

t.test('a plain pass is not held by the ring: it can be collected', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const ring = new ProbeRing();
  const place = ring.take();
  const add = (reason: Reason): WeakRef<ProbeResult> => {
    const result: ProbeResult = {
      outcome: outcomeOf(reason),
      reason,
      phases: [['connect', micros(5)]],
      elapsed: micros(5),
    };
    ring.add(place, millis(0), result);
    return new WeakRef(result);
  };
  const seen = [add({ kind: 'ok' }), add(FAIL)];
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  t.same(
    seen.map((one) => one.deref()),
    [undefined, undefined],
  );
  t.equal(ring.read(place).length, 2);
});

t.test('instants in the time of people come of one look at both clocks', async (t) => {
  const clock = { monotonic: () => millis(5000), wall: () => epochMillis(1_000_000) };
  const state = { verdict: 'up', held: 'up', against: 1 } as const;
  const result: ProbeResult = { outcome: 'pass', reason: PASS, phases: [], elapsed: micros(7) };
  const probes = [{ startedAt: millis(1000), result }];
  const its = { id: 'web/1', state, startedAt: millis(4000), dueAt: millis(6000), probes };
  t.same(sightOf({ ...its, isProbed: false }, clock), {
    id: 'web/1',
    state,
    probingSince: undefined,
    nextProbeAt: 1_001_000,
    probes: [{ startedAt: 996_000, result }],
  });
  t.match(sightOf({ ...its, isProbed: true }, clock), { probingSince: 999_000, nextProbeAt: undefined });
});

t.test('a runner tells the last probes of a check, its state, and when the next one is due', async (t) => {
  const bench = new Bench();
  let reason: Reason = PASS;
  bench.answer = () => reason;
  bench.update([check(1), check(2)]);
  await bench.time.advance(12_000);
  const start = bench.time.wall() - 12_000;
  const sight = bench.runner.look('web/1');
  t.equal(sight?.probes.length, PROBES_KEPT);
  t.same(
    sight?.probes.map(({ startedAt }) => startedAt - start),
    [3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((second) => second * 1000),
  );
  t.match(sight, {
    state: { verdict: 'up', against: 0 },
    probingSince: undefined,
    nextProbeAt: start + 13_000,
  });
  reason = FAIL;
  await bench.time.advance(1000);
  t.match(bench.runner.look('web/1'), { state: { against: 1 }, nextProbeAt: start + 14_000 });
  t.match(bench.runner.look('web/1')?.probes.at(-1)?.result, { outcome: 'fail', reason: FAIL });
  bench.answer = undefined;
  await bench.time.advance(1000);
  t.match(bench.runner.look('web/1'), { probingSince: start + 14_000, nextProbeAt: undefined });
  t.equal(bench.runner.look('web/3'), undefined);
  bench.update([check(2), check(3)]);
  t.equal(bench.runner.look('web/1'), undefined, 'it is gone');
  t.same(bench.runner.look('web/3')?.probes, [], 'and left nothing to who came after it');
});
