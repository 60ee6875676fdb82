/** Quorum and staged admission, row by row. */
import fc from 'fast-check';
import t from 'tap';
import { millis } from '../../src/core/units.js';
import { admission } from '../../src/policy/admission.js';
import type { AdmitRule, QuorumState } from '../../src/policy/model.js';
import { neededWeight, stepQuorum } from '../../src/policy/quorum.js';

type Row = readonly [
  says: string,
  rule: readonly [weight: number, hysteresis: number],
  before: QuorumState | undefined,
  weights: readonly [total: number, serving: number, unknown: number],
  after: QuorumState | undefined,
];

const QUORUM: readonly Row[] = [
  ['nothing known decides nothing', [1, 0], undefined, [3, 0, 3], undefined],
  ['enough that serve decide although others are unknown', [2, 0], undefined, [3, 2, 1], 'met'],
  ['too few even with what is unknown', [3, 0], undefined, [4, 1, 1], 'lost'],
  ['could still become enough', [3, 0], undefined, [4, 1, 2], undefined],
  ['the first decision knows no hysteresis', [7, 2], undefined, [10, 7, 0], 'met'],
  ["keepalived's example: quorum 7, hysteresis 2 holds at 5", [7, 2], 'met', [10, 5, 0], 'met'],
  ['and is lost at 4', [7, 2], 'met', [10, 4, 0], 'lost'],
  ['and is not gained at 8', [7, 2], 'lost', [10, 8, 0], 'lost'],
  ['but at 9', [7, 2], 'lost', [10, 9, 0], 'met'],
  ['nothing at all is lost whatever the hysteresis', [2, 1], 'met', [10, 0, 0], 'lost'],
  ['what became unknown holds', [2, 0], 'met', [4, 1, 1], 'met'],
  ['a service of weights 0 has nothing to lose', [1, 0], undefined, [0, 0, 0], 'met'],
  ['nor does it lose it later', [1, 0], 'met', [0, 0, 0], 'met'],
  ['weights taken down by hand lower what can be asked', [5, 1], 'lost', [5, 5, 0], 'met'],
];

t.test('quorum', async (t) => {
  for (const [says, [weight, hysteresis], before, [total, serving, unknown], after] of QUORUM) {
    t.equal(stepQuorum({ weight, hysteresis }, before, { total, serving, unknown }), after, says);
  }
  t.equal(neededWeight({ weight: 5, hysteresis: 0 }, 3), 3, 'never more than there is');
});

const RULE: AdmitRule = { canary: 1, ramp: millis(60_000), curve: 'linear' };

t.test('a server that comes back gets its weight in steps', async (t) => {
  const at = (elapsed: number, rule = RULE, full = 100): number =>
    admission(rule, full, millis(elapsed)).weight;
  t.equal(at(0), 1);
  t.equal(at(2999), 1, 'nothing between two steps');
  t.equal(at(30_000), 50);
  t.equal(at(59_999), 95);
  t.equal(at(60_000), 100);
  t.equal(at(30_000, { ...RULE, curve: 'exponential' }), 10, 'the geometric mean');
  t.equal(at(0, RULE, 1), 1, 'nothing to spare');
  t.equal(at(0, RULE, 0), 0, 'weight 0 stays weight 0');
  t.equal(at(0, { ...RULE, canary: 500 }), 100, 'a canary above the weight is the weight');
  t.equal(admission(RULE, 1, millis(0)).next, undefined, 'and there is nothing to wait for');
});

t.test('laws of admission', async () => {
  const rules = fc.record({
    canary: fc.integer({ min: 1, max: 1000 }),
    ramp: fc.integer({ min: 1000, max: 86_400_000 }).map(millis),
    curve: fc.constantFrom('linear' as const, 'exponential' as const),
  });
  fc.assert(
    fc.property(rules, fc.integer({ min: 0, max: 2 ** 31 - 1 }), (rule, full) => {
      let [elapsed, steps, last] = [0, 0, 0];
      for (;;) {
        const { weight, next } = admission(rule, full, millis(elapsed));
        if (weight < last || weight > full || (full > 0 && weight < 1)) return false;
        last = weight;
        if (next === undefined) return weight === full && steps <= 21;
        if (next <= 0) return false;
        steps += 1;
        elapsed += next;
      }
    }),
  );
});
