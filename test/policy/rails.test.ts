/** The safety rails, row by row and by laws. */
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { millis } from '../../src/core/units.js';
import type { RailsRule } from '../../src/policy/model.js';
import { minimumOf, type RailsCase, stepRails } from '../../src/policy/rails.js';
import { table } from '../ipvs/build.js';
import { admin, Desk, web } from './build.js';

const count = (number: number): RailsRule['minimum'] => ({ kind: 'count', count: number });
const share = (percent: number): RailsRule['minimum'] => ({ kind: 'share', percent });
const NONE: RailsRule = { minimum: undefined, maximumRemovals: undefined };

t.test('a share is rounded up; none is none', async (t) => {
  const rows = [
    [50, 4, 2],
    [50, 5, 3],
    [1, 3, 1],
    [0, 3, 0],
    [100, 7, 7],
    [30, 0, 0],
  ] as const;
  for (const [percent, eligible, expected] of rows)
    t.equal(minimumOf({ kind: 'share', percent }, eligible), expected, `${percent}% of ${eligible}`);
  t.equal(minimumOf({ kind: 'count', count: 2 }, 9), 2);
});

type Row = readonly [
  says: string,
  rule: Partial<RailsRule>,
  at: RailsCase,
  before: readonly number[],
  expected: { readonly held: string; readonly removals: readonly number[]; readonly again?: number },
];

const ABC = { leaving: ['a', 'b', 'c'], staying: 1, eligible: 4 };
const NOW = 100_000;

const ROWS: readonly Row[] = [
  ['without rails all go', {}, ABC, [], { held: '', removals: [] }],
  ['those that failed last stay', { minimum: count(3) }, ABC, [], { held: 'b- c-', removals: [] }],
  ['more than there are', { minimum: count(9) }, ABC, [], { held: 'a- b- c-', removals: [] }],
  ['enough others', { minimum: share(25) }, ABC, [], { held: '', removals: [] }],
  ['some may go', { maximumRemovals: 2 }, ABC, [], { held: 'c+', removals: [NOW, NOW], again: 60_000 }],
  [
    'the window has room for one',
    { maximumRemovals: 2 },
    ABC,
    [NOW - 60_000, NOW - 59_999],
    { held: 'b+ c+', removals: [NOW - 59_999, NOW], again: 1 },
  ],
  [
    'a rule that became stricter lets more of them pass first',
    { maximumRemovals: 1 },
    ABC,
    [NOW - 30_000, NOW - 20_000, NOW - 10_000],
    { held: 'a+ b+ c+', removals: [NOW - 30_000, NOW - 20_000, NOW - 10_000], again: 50_000 },
  ],
  [
    'both: what the minimum holds waits for no window',
    { minimum: count(3), maximumRemovals: 1 },
    ABC,
    [NOW - 10],
    { held: 'b- c- a+', removals: [NOW - 10], again: 59_990 },
  ],
  ['nobody waits, nothing is due', { maximumRemovals: 3 }, ABC, [], { held: '', removals: [NOW, NOW, NOW] }],
];

t.test('the step, row by row', async (t) => {
  for (const [says, rule, at, before, expected] of ROWS) {
    const step = stepRails({ ...NONE, ...rule }, at, before.map(millis), millis(NOW));
    const held = [...step.held].map(([id, rail]) => `${id}${rail === 'minimum-healthy' ? '-' : '+'}`);
    t.same(
      { held: held.join(' '), removals: step.removals, again: step.again },
      { again: undefined, ...expected },
      says,
    );
  }
});

t.test('a server that the table leaves out at the start is not put in by a rail', async (t) => {
  const its = web([1, 1, 1, 1], { rails: { minimum: count(3), maximumRemovals: 1 } });
  const desk = new Desk(its);
  const dests = its.servers.map(({ dest }) => dest);
  desk.book.observe(table([its.entries[0], dests.slice(0, 2)]));
  t.same(desk.verdicts('up 11', 'down 12', 'down 13', 'down 14'), [
    '12 down',
    '13 down',
    '14 down',
    'rail-held minimum-healthy 12',
    'minimum 2 of 3',
  ]);
  t.equal(desk.wants(), '11:1 12:1');
});

t.test('a server that is held while it was being brought back has its first weight', async (t) => {
  const admit = { canary: 2, ramp: millis(60_000), curve: 'linear' } as const;
  const desk = new Desk(web([100, 100], { admit, rails: { ...NONE, minimum: count(2) } }));
  desk.verdicts('up 11', 'up 12');
  desk.administer(12, admin('drained'));
  desk.administer(12, undefined);
  desk.pass(30_000);
  t.equal(desk.wants(), '11:100 12:51');
  desk.verdicts('down 12');
  t.equal(desk.wants(), '11:100 12:2');
  desk.pass(30_000);
  desk.verdicts('up 12');
  t.equal(desk.wants(), '11:100 12:2', 'and begins anew');
  desk.verdicts('down 11');
  t.equal(desk.wants(), '11:100 12:2', 'one that was whole stays whole');
});

const LASTS = [11, 12, 13, 14, 15] as const;
const last = fc.constantFrom(...LASTS);

/** Some verdicts of one turn, each server once; or the operator; or time. */
const happening = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .uniqueArray(fc.tuple(last, fc.constantFrom('up', 'down', 'down')), {
        selector: ([number]) => number,
        minLength: 1,
      })
      .map((verdicts) => ({ kind: 'verdicts' as const, verdicts })),
  },
  fc.record({ kind: fc.constant('admin' as const), last, state: fc.constantFrom('draining', 'enabled') }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 50_000 }) }),
);
const rules = fc.record({
  minimum: fc.oneof(
    fc.constant(undefined),
    fc.integer({ min: 1, max: 5 }).map(count),
    fc.integer({ min: 1, max: 100 }).map(share),
  ),
  maximumRemovals: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
});

/** Looks at a desk after every turn. */
class Witness {
  readonly down = new Set<number>();
  readonly drained = new Set<number>();
  readonly #removals: number[] = [];
  #before: ReadonlySet<number>;

  constructor(
    readonly t: Test,
    readonly desk: Desk,
    readonly rails: RailsRule,
  ) {
    this.#before = this.#inService();
  }

  look(byOperator: boolean): void {
    const { t, desk } = this;
    const now = this.#inService();
    for (const each of now)
      if (this.down.has(each)) t.equal(desk.standing(each), 'held', 'who is down is in for a reason');
    for (const each of this.drained) t.notOk(now.has(each), 'the operator is obeyed');
    if (!byOperator) this.#obeysRails(now);
    this.#before = now;
  }

  #obeysRails(now: ReadonlySet<number>): void {
    const { minimum, maximumRemovals = Number.POSITIVE_INFINITY } = this.rails;
    const eligible = LASTS.filter((each) => !this.drained.has(each)).length;
    const least = minimum === undefined ? 0 : minimumOf(minimum, eligible);
    this.t.ok(now.size >= Math.min(least, this.#before.size), 'never fewer than the rail allows');
    const time = this.desk.at().now;
    for (const each of this.#before) if (!now.has(each)) this.#removals.push(time);
    const recent = this.#removals.filter((at) => time - at < 60_000);
    this.t.ok(recent.length <= maximumRemovals, 'never too many in a minute');
  }

  #inService(): ReadonlySet<number> {
    const words = this.desk.wants().split(' ');
    return new Set(words.filter((word) => /:[1-9]/.test(word)).map((word) => Number(word.slice(0, 2))));
  }
}

t.test('laws: however servers fail, the rails hold, and say so', async (t) => {
  fc.assert(
    fc.property(rules, fc.array(happening, { maxLength: 40 }), (rails, happenings) => {
      const desk = new Desk(web([1, 1, 1, 1, 1], { rails }));
      desk.verdicts('up 11', 'up 12', 'up 13', 'up 14', 'up 15');
      const witness = new Witness(t, desk, rails);
      for (const one of happenings) {
        if (one.kind === 'pass') desk.pass(one.ms, () => witness.look(false));
        else if (one.kind === 'admin') {
          desk.administer(one.last, one.state === 'enabled' ? undefined : admin('draining'));
          witness.drained[one.state === 'enabled' ? 'delete' : 'add'](one.last);
        } else {
          for (const [of, verdict] of one.verdicts) witness.down[verdict === 'up' ? 'delete' : 'add'](of);
          desk.verdicts(...one.verdicts.map(([of, verdict]) => `${verdict} ${of}`));
        }
        witness.look(one.kind === 'admin');
      }
    }),
    { numRuns: 100 },
  );
});

t.test('law: the order of verdicts in one turn does not matter', async (t) => {
  const turns = fc.array(
    happening.filter((one) => one.kind === 'verdicts'),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(rules, turns, (rails, happenings) => {
      const [one, other] = [0, 1].map(() => new Desk(web([1, 1, 1, 1, 1], { rails })));
      for (const { verdicts } of happenings as { verdicts: [number, string][] }[]) {
        const words = verdicts.map(([of, verdict]) => `${verdict} ${of}`);
        one?.verdicts(...words);
        other?.verdicts(...[...words].reverse());
        for (const desk of [one, other]) desk?.pass(20_000);
        t.equal(one?.wants(), other?.wants());
      }
    }),
    { numRuns: 50 },
  );
});
