import fc from 'fast-check';
import t from 'tap';
import { type CheckerStep, initialState, intervalOf, stepChecker } from '../../src/checks/checker.js';
import type { CheckerState, CheckRule, Outcome, Verdict } from '../../src/checks/model.js';
import { millis } from '../../src/core/units.js';
import { EVEN } from './rule.js';

type Side = 'up' | 'down';

function rule(rise: number, fall: number, assume: Side): CheckRule {
  return { ...EVEN, interval: millis(1000), timeout: millis(500), rise, fall, assume };
}

const OUTCOMES: Readonly<Record<string, Outcome>> = { p: 'pass', f: 'fail', '-': 'neutral', '?': 'unknown' };

/** Feeds outcomes written as letters; one letter comes back for each: U or D for a verdict told, `.` for silence. */
function play(rule: CheckRule, letters: string, restored?: Side): { told: string; state: CheckerState } {
  let state = initialState(rule, restored);
  let told = '';
  for (const letter of letters) {
    const step: CheckerStep = stepChecker(rule, state, { outcome: OUTCOMES[letter] ?? 'unknown' });
    state = step.state;
    told += step.verdict === undefined ? '.' : step.verdict === 'up' ? 'U' : 'D';
  }
  return { told, state };
}

interface Row {
  readonly name: string;
  readonly rule: CheckRule;
  readonly restored?: Side;
  readonly sees: string;
  readonly tells: string;
  readonly verdict: Verdict;
}

const UP = rule(2, 3, 'up');
const DOWN = rule(2, 3, 'down');

const ROWS: readonly Row[] = [
  { name: 'nothing seen: unknown', rule: UP, sees: '', tells: '', verdict: 'unknown' },
  { name: 'assume up: the first pass is up at once', rule: UP, sees: 'p', tells: 'U', verdict: 'up' },
  { name: 'assume up: down takes fall failures', rule: UP, sees: 'fff', tells: '..D', verdict: 'down' },
  { name: 'assume up: fewer failures tell nothing', rule: UP, sees: 'ff', tells: '..', verdict: 'unknown' },
  {
    name: 'assume up: a pass between is up, not a new start',
    rule: UP,
    sees: 'ffp',
    tells: '..U',
    verdict: 'up',
  },
  {
    name: 'assume down: the first failure is down at once',
    rule: DOWN,
    sees: 'f',
    tells: 'D',
    verdict: 'down',
  },
  { name: 'assume down: up takes rise passes', rule: DOWN, sees: 'pp', tells: '.U', verdict: 'up' },
  { name: 'assume down: one pass tells nothing', rule: DOWN, sees: 'p', tells: '.', verdict: 'unknown' },
  { name: 'assume down: a failure between is down', rule: DOWN, sees: 'pfp', tells: '.D.', verdict: 'down' },
  {
    name: 'up stays up over fewer than fall failures',
    rule: UP,
    sees: 'pffpffp',
    tells: 'U......',
    verdict: 'up',
  },
  { name: 'a pass starts the failures over', rule: UP, sees: 'pffpfff', tells: 'U.....D', verdict: 'down' },
  { name: 'a failure starts the passes over', rule: DOWN, sees: 'fpfpfpp', tells: 'D.....U', verdict: 'up' },
  {
    name: 'a verdict is told once, not with every result',
    rule: UP,
    sees: 'pppp',
    tells: 'U...',
    verdict: 'up',
  },
  { name: 'down is told once', rule: UP, sees: 'ffffff', tells: '..D...', verdict: 'down' },
  { name: 'unknown at the start tells nothing', rule: DOWN, sees: '????', tells: '....', verdict: 'unknown' },
  { name: 'unknown holds up', rule: UP, sees: 'p????????', tells: 'U........', verdict: 'up' },
  { name: 'unknown holds down', rule: DOWN, sees: 'f????', tells: 'D....', verdict: 'down' },
  { name: 'unknown is no failure', rule: UP, sees: 'pff?', tells: 'U...', verdict: 'up' },
  {
    name: 'unknown does not break a row of failures',
    rule: UP,
    sees: 'pff??f',
    tells: 'U....D',
    verdict: 'down',
  },
  { name: 'unknown does not break a row of passes', rule: DOWN, sees: 'fp?p', tells: 'D..U', verdict: 'up' },
  {
    name: 'neutral at the start: what is assumed is the verdict',
    rule: UP,
    sees: '-',
    tells: 'U',
    verdict: 'up',
  },
  { name: 'so too where down is assumed', rule: DOWN, sees: '-', tells: 'D', verdict: 'down' },
  {
    name: 'so too where it was down before',
    rule: UP,
    restored: 'down',
    sees: '--',
    tells: 'D.',
    verdict: 'down',
  },
  { name: 'neutral holds up', rule: UP, sees: 'p------', tells: 'U......', verdict: 'up' },
  { name: 'neutral holds down', rule: UP, sees: 'fff-----', tells: '..D.....', verdict: 'down' },
  {
    name: 'neutral does not break a row of failures',
    rule: UP,
    sees: 'pff--f',
    tells: 'U....D',
    verdict: 'down',
  },
  { name: 'neutral does not break a row of passes', rule: DOWN, sees: 'fp-p', tells: 'D..U', verdict: 'up' },
  {
    name: 'rise 1 and fall 1 follow every result',
    rule: rule(1, 1, 'up'),
    sees: 'pfpf',
    tells: 'UDUD',
    verdict: 'down',
  },
  {
    name: 'restored up: a pass confirms at once',
    rule: DOWN,
    restored: 'up',
    sees: 'p',
    tells: 'U',
    verdict: 'up',
  },
  {
    name: 'restored up: failures take their full count',
    rule: DOWN,
    restored: 'up',
    sees: 'fff',
    tells: '..D',
    verdict: 'down',
  },
  {
    name: 'restored up: fewer failures take nobody out',
    rule: DOWN,
    restored: 'up',
    sees: 'ff?',
    tells: '...',
    verdict: 'unknown',
  },
  {
    name: 'restored down: a failure confirms at once',
    rule: UP,
    restored: 'down',
    sees: 'f',
    tells: 'D',
    verdict: 'down',
  },
  {
    name: 'restored down: one pass brings nobody in',
    rule: UP,
    restored: 'down',
    sees: 'p',
    tells: '.',
    verdict: 'unknown',
  },
  {
    name: 'restored down: passes take their full count',
    rule: UP,
    restored: 'down',
    sees: 'pp',
    tells: '.U',
    verdict: 'up',
  },
];

t.test('rise, fall, start and restart, one row each', async (t) => {
  for (const row of ROWS) {
    const { told, state } = play(row.rule, row.sees, row.restored);
    t.equal(told, row.tells, row.name);
    t.equal(state.verdict, row.verdict, `${row.name}: verdict`);
  }
});

t.test('in steady state nothing is allocated: the same objects come back', async (t) => {
  for (const [outcome, letters] of [
    ['pass', 'p'],
    ['fail', 'fff'],
  ] as const) {
    const { state } = play(UP, letters);
    const step = stepChecker(UP, state, { outcome });
    t.equal(step.state, state, `${outcome}: the state`);
    t.equal(stepChecker(UP, step.state, { outcome }), step, `${outcome}: the step`);
    t.equal(stepChecker(UP, state, { outcome: 'unknown' }), step, 'an unknown outcome too');
  }
  const counting = play(UP, 'pf').state;
  t.equal(stepChecker(UP, counting, { outcome: 'unknown' }).state, counting, 'unknown holds the counter');
});

/** A second implementation that looks at the whole past each time: the verdict is what the last row of equals made. */
function naive(rule: CheckRule, outcomes: readonly Outcome[], restored?: Side): Verdict[] {
  const start = restored ?? rule.assume;
  let verdict: Verdict = 'unknown';
  const known: Side[] = [];
  return outcomes.map((outcome) => {
    if (outcome !== 'unknown') known.push(outcome === 'pass' ? 'up' : 'down');
    const last = known.at(-1);
    if (last === undefined) return verdict;
    const need = verdict === 'unknown' && last === start ? 1 : last === 'up' ? rule.rise : rule.fall;
    const row = known.slice(-need);
    if (row.length === need && row.every((side) => side === last)) verdict = last;
    return verdict;
  });
}

const ruleLaw = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.constantFrom<Side>('up', 'down'))
  .map(([rise, fall, assume]) => rule(rise, fall, assume));
const outcomesLaw = fc.array(fc.constantFrom<Outcome>('pass', 'fail', 'fail', 'pass', 'unknown'), {
  maxLength: 60,
});
const restoredLaw = fc.constantFrom<Side | undefined>(undefined, 'up', 'down');

t.test('the machine agrees with the naive reading of the whole past', async (t) => {
  fc.assert(
    fc.property(ruleLaw, outcomesLaw, restoredLaw, (rule, outcomes, restored) => {
      let state = initialState(rule, restored);
      const verdicts = outcomes.map((outcome) => {
        const step = stepChecker(rule, state, { outcome });
        const changed = step.state.verdict !== state.verdict;
        state = step.state;
        // A verdict is told exactly when it changed, and then it is the verdict of the state.
        if (changed ? step.verdict !== state.verdict : step.verdict !== undefined)
          throw new Error('told wrongly');
        return state.verdict;
      });
      return verdicts.join() === naive(rule, outcomes, restored).join();
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

t.test(
  'laws: unknown outcomes may be left out; a verdict never goes back to unknown; counters stay in bounds',
  async (t) => {
    fc.assert(
      fc.property(ruleLaw, outcomesLaw, restoredLaw, (rule, outcomes, restored) => {
        const run = (list: readonly Outcome[]): CheckerState =>
          list.reduce(
            (state, outcome) => {
              const next = stepChecker(rule, state, { outcome }).state;
              if (state.verdict !== 'unknown' && next.verdict === 'unknown')
                throw new Error('forgot its verdict');
              if (next.verdict !== 'unknown' && next.verdict !== next.held)
                throw new Error('holds another verdict');
              if (next.against >= Math.max(rule.rise, rule.fall)) throw new Error('counts on');
              return next;
            },
            initialState(rule, restored),
          );
        const [all, known] = [run(outcomes), run(outcomes.filter((outcome) => outcome !== 'unknown'))];
        return all.verdict === known.verdict && all.against === known.against && all.held === known.held;
      }),
      { numRuns: 1000 },
    );
    t.pass();
  },
);

t.test(
  'the next probe comes sooner while a verdict is about to change, and later while it is down',
  async (t) => {
    const even = rule(2, 3, 'up');
    const three = { ...even, fastInterval: millis(100), downInterval: millis(5000) };
    const rows = [
      ['up, and nothing against it', { verdict: 'up', held: 'up', against: 0 }, 1000],
      ['up, and a failure', { verdict: 'up', held: 'up', against: 1 }, 100],
      ['down', { verdict: 'down', held: 'down', against: 0 }, 5000],
      ['down, and a pass', { verdict: 'down', held: 'down', against: 1 }, 100],
      ['no verdict, thought to be down', { verdict: 'unknown', held: 'down', against: 0 }, 1000],
      ['no verdict, and a failure', { verdict: 'unknown', held: 'up', against: 2 }, 100],
    ] as const;
    for (const [name, state, interval] of rows) {
      t.equal(intervalOf(three, state), interval, name);
      t.equal(intervalOf(even, state), 1000, `${name}, with one interval`);
    }
  },
);
