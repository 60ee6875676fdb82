/** What the time of probes makes of a weight: the average, and the bounds of the share. */
import fc from 'fast-check';
import t from 'tap';
import { Latency } from '../../src/checks/latency.js';
import type { LatencyRule, Outcome } from '../../src/checks/model.js';
import { micros, millis } from '../../src/core/units.js';
import { Bench, check } from './runner-bench.js';

const RULE: LatencyRule = {
  target: 20_000,
  halfLife: millis(10_000),
  floor: 25,
  ceiling: 100,
  maximumStep: 10,
  deadBand: 5,
};

/** Passes (or others) of one length, one a second from `at` on. @returns the shares that were told */
function feed(
  latency: Latency,
  ms: number,
  from: number,
  count: number,
  outcome: Outcome = 'pass',
): number[] {
  const told: number[] = [];
  for (let second = 0; second < count; second += 1) {
    const said = latency.take({ outcome, elapsed: micros(ms * 1000) }, millis(from + second * 1000));
    if (said !== undefined) told.push(said.share);
  }
  return told;
}

t.test('a slow server goes down in steps to its share, and comes back the same way', async (t) => {
  const latency = new Latency(RULE);
  t.same(feed(latency, 40, 0, 4), [], 'the first passes do not count');
  t.same(feed(latency, 40, 4000, 10), [90, 80, 70, 60, 50]);
  const back = feed(latency, 5, 20_000, 60);
  t.equal(back.at(-1), 100);
  t.same(
    back,
    [...back].sort((a, b) => a - b),
    'without a turn',
  );
});

t.test('the average forgets by time, not by probes', async (t) => {
  const averages = [100, 1000, 5000].map((every) => {
    const latency = new Latency({ ...RULE, maximumStep: 1000, deadBand: 1, floor: 1, ceiling: 1000 });
    let average = 0;
    for (let at = 0; at <= 60_000; at += every)
      average =
        latency.take({ outcome: 'pass', elapsed: micros(at < 30_000 ? 10_000 : 30_000) }, millis(at))
          ?.average ?? average;
    return average;
  });
  // Three half-lives after the change: an eighth of the difference is left, 30 - 20/8.
  for (const average of averages) t.ok(average > 26_500 && average < 28_500, `${average}`);
});

t.test('what is within the dead band changes nothing, and only passes count', async (t) => {
  const latency = new Latency(RULE);
  t.same(feed(latency, 20.9, 0, 30), [], '96%');
  t.same(feed(latency, 1000, 30_000, 30, 'fail'), []);
  t.same(feed(latency, 1000, 60_000, 30, 'unknown'), []);
  t.same(feed(latency, 1000, 90_000, 30, 'neutral'), []);
  t.same(feed(latency, 21, 120_000, 5), [95]);
});

t.test('after a long silence the first pass is the average', async (t) => {
  const latency = new Latency(RULE);
  feed(latency, 1000, 0, 30);
  t.equal(latency.take({ outcome: 'pass', elapsed: micros(2000) }, millis(3_600_000))?.average, 2000);
});

t.test('law: a share is within its bounds once it got there, and no change is above the step', async () => {
  fc.assert(
    fc.property(
      fc.record({
        floor: fc.integer({ min: 1, max: 100 }),
        ceiling: fc.integer({ min: 100, max: 1000 }),
        maximumStep: fc.integer({ min: 1, max: 1000 }),
        deadBand: fc.integer({ min: 1, max: 100 }),
      }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 10_000_000 }), fc.integer({ min: 0, max: 100_000 })), {
        maxLength: 200,
      }),
      (bounds, probes) => {
        const latency = new Latency({ ...RULE, ...bounds });
        let [now, share, changedAt] = [0, 100, Number.NEGATIVE_INFINITY];
        for (const [elapsed, pause] of probes) {
          now += pause;
          const told = latency.take({ outcome: 'pass', elapsed: micros(elapsed) }, millis(now));
          if (told === undefined) continue;
          const step = Math.abs(told.share - share);
          if (!Number.isInteger(told.share) || step === 0 || step > bounds.maximumStep) return false;
          if (told.share < bounds.floor || told.share > bounds.ceiling || now - changedAt < 1000)
            return false;
          [share, changedAt] = [told.share, now];
        }
        return true;
      },
    ),
  );
});

t.test(
  'a runner tells a share when it changes, beside what the check says itself, and keeps it over a reload',
  async (t) => {
    const weight = { kind: 'percent', value: 70 } as const;
    const pass = {
      outcome: 'pass',
      reason: { kind: 'ok' },
      phases: [],
      elapsed: micros(40_000),
      weight,
    } as const;
    const bench = new Bench({ probe: () => Promise.resolve(pass) });
    const shares = () =>
      bench.remarks.splice(0).flatMap(({ id, remark }) => (id === 'web/1' ? [remark.latency?.share] : []));
    const slow = check(1, { latency: RULE });
    bench.update([slow]);
    await bench.time.advance(5500);
    t.match(bench.remarks.at(-1), {
      id: 'web/1',
      remark: { weight, latency: { share: 80, average: 40_000 } },
    });
    t.same(shares(), [undefined, 90, 80]);
    bench.update([structuredClone(slow), check(2)]);
    await bench.time.advance(1000);
    t.same(shares().slice(0, 1), [70], 'it goes on from where it was');
    bench.update([{ ...slow, rule: { ...slow.rule, fall: 7 } }]);
    await bench.time.advance(1000);
    t.same(shares(), [undefined], 'a check that was changed begins anew');
  },
);
