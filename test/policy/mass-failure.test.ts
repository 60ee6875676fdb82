/** Most servers failing at once: the count, the step, and the laws of both. */
import fc from 'fast-check';
import t from 'tap';
import { ip } from '../../src/core/ip.js';
import { finish } from '../../src/core/steps.js';
import { epochMillis, millis } from '../../src/core/units.js';
import { PolicyBook } from '../../src/policy/book.js';
import { Census } from '../../src/policy/census.js';
import { type MassMemory, type MassView, massDue, QUIET, stepMass } from '../../src/policy/mass-failure.js';
import type { MassFailureRule } from '../../src/policy/model.js';
import { change, config } from '../ipvs/build.js';
import { idOf, web } from './build.js';

const RULE: MassFailureRule = {
  percent: 60,
  minimum: 4,
  within: millis(1000),
  action: 'hold',
  limit: undefined,
  canaries: [],
};
const GRACE = millis(7000);
const NOW = millis(100_000);

function view(failing: number, down: number, well: number, canaries?: 'well' | 'back'): MassView {
  return { counts: { failing, down, well }, canaries, grace: GRACE };
}

function memory(phase: MassMemory['phase'], more: Partial<MassMemory> = {}): MassMemory {
  return { ...QUIET, phase, since: millis(90_000), ...more };
}

type Row = readonly [
  says: string,
  rule: Partial<MassFailureRule>,
  before: MassMemory,
  seen: MassView,
  expected: string,
];

const CALM = { calmSince: millis(93_000) };

const ROWS: readonly Row[] = [
  ['few fail', {}, QUIET, view(5, 5, 4), 'quiet'],
  ['most, but too few to be most', { minimum: 6 }, QUIET, view(5, 5, 0), 'quiet'],
  ['60% of ten', {}, QUIET, view(6, 0, 4), 'armed'],
  ['and one verdict: hold', {}, QUIET, view(6, 1, 4), 'active'],
  ['open holds as early', { action: 'open' }, memory('armed'), view(6, 1, 4), 'active'],
  ['fallback waits for most verdicts', { action: 'fallback' }, memory('armed'), view(6, 5, 4), 'armed'],
  ['and serves then', { action: 'fallback' }, memory('armed'), view(6, 6, 4), 'active full'],
  ['closed tells then', { action: 'closed' }, memory('armed'), view(6, 6, 4), 'active full'],
  ['they were only late', {}, memory('armed'), view(3, 0, 7), 'quiet'],
  ['a canary was well before the first verdict', {}, memory('armed'), view(6, 0, 4, 'well'), 'settled'],
  ['settled stays, whatever falls', {}, memory('settled'), view(9, 9, 1), 'settled'],
  ['until few fail', {}, memory('settled'), view(1, 1, 9), 'quiet'],
  ['active goes on', {}, memory('active'), view(6, 6, 4), 'active full'],
  ['all well', {}, memory('active'), view(0, 0, 10), 'quiet recovered'],
  ['a canary was well all the time', {}, memory('active'), view(6, 6, 4, 'well'), 'settled canaries'],
  ['a canary is back', {}, memory('active'), view(6, 6, 4, 'back'), 'active calm full'],
  ['fewer fail', {}, memory('active'), view(5, 5, 5), 'active calm'],
  ['and more again', {}, memory('active', CALM), view(6, 6, 4), 'active full'],
  ['calm for long enough', {}, memory('active', CALM), view(5, 5, 5), 'quiet calm'],
  ['calm, but most are down still', {}, memory('active', CALM), view(6, 6, 4, 'back'), 'settled calm'],
  ['too long', { limit: millis(10_000) }, memory('active'), view(6, 6, 4), 'settled limit'],
  ['not too long yet', { limit: millis(10_001) }, memory('active'), view(6, 6, 4), 'active full'],
];

t.test('the step, row by row', async (t) => {
  for (const [says, rule, before, seen, expected] of ROWS) {
    const step = stepMass({ ...RULE, ...rule }, before, seen, NOW);
    const { phase, calmSince, isFull } = step.memory;
    const words = [phase, step.end ?? (calmSince === undefined ? '' : 'calm')];
    if (phase === 'active' && isFull) words.push('full');
    t.equal(words.filter((word) => word !== '').join(' '), expected, says);
  }
});

t.test('when it has to be looked at', async (t) => {
  const limited = { ...RULE, limit: millis(30_000) };
  t.equal(massDue(limited, memory('settled'), GRACE), undefined);
  t.equal(massDue(RULE, memory('active'), GRACE), undefined);
  t.equal(massDue(limited, memory('active'), GRACE), 120_000);
  t.equal(massDue(limited, memory('active', CALM), GRACE), 100_000);
});

const A = ip('192.0.2.11');
const B = ip('192.0.2.12');

t.test('addresses are counted, not checks', async (t) => {
  const census = new Census();
  for (const [id, address] of [
    ['a1', A],
    ['a2', A],
    ['b1', B],
  ] as const)
    census.add(id, address, false);
  t.same(census.counts, { failing: 0, down: 0, well: 2 });
  census.fail('a1', false, millis(1));
  census.fail('a2', true, millis(2));
  t.same(census.counts, { failing: 1, down: 1, well: 1 });
  census.pass('a2');
  t.same(census.counts, { failing: 1, down: 0, well: 1 });
  census.expire(millis(2));
  t.same(census.counts, { failing: 0, down: 0, well: 2 }, 'a1 failed long ago, and a2 is well');
  census.lose('a2');
  t.same(census.counts, { failing: 0, down: 0, well: 1 }, 'nothing of a is well');
  census.fail('a2', true, millis(9));
  t.same(census.counts, { failing: 0, down: 0, well: 1 }, 'what is gone does not fail anew');
  census.drop('b1');
  census.drop('nobody');
  census.fail('nobody', true, millis(9));
  census.pass('nobody');
  t.same(census.counts, { failing: 0, down: 0, well: 0 });
  census.pass('a1');
  census.fail('a1', false, millis(10));
  t.same([[...census.failing()], census.has('a1')], [['a1'], true]);
  census.absolve('a1');
  t.same(census.counts, { failing: 0, down: 0, well: 1 });
});

const ids = fc.constantFrom('a1', 'a2', 'b1', 'b2', 'c1');
const acts = fc.array(
  fc.tuple(fc.constantFrom('fail', 'down', 'pass', 'lose', 'drop', 'add', 'expire'), ids),
);

t.test('law: the running count is the count', async (t) => {
  fc.assert(
    fc.property(acts, (all) => {
      const census = new Census();
      const known = new Map<string, { condition: string; since: number }>();
      for (const [now, [act, id]] of all.entries()) {
        const its = known.get(id);
        if (act === 'add') {
          census.add(id, id.startsWith('a') ? A : B, false);
          known.set(id, { condition: 'well', since: now });
        } else if (act === 'expire') {
          census.expire(millis(now - 3));
          for (const one of known.values())
            if (['failing', 'down'].includes(one.condition) && one.since < now - 3) one.condition = 'gone';
        } else if (act === 'drop') {
          census.drop(id);
          known.delete(id);
        } else {
          if (act === 'pass') census.pass(id);
          else if (act === 'lose') census.lose(id);
          else census.fail(id, act === 'down', millis(now));
          if (its === undefined) continue;
          if (act === 'pass') its.condition = 'well';
          else if (act === 'lose') its.condition = 'gone';
          else if (its.condition === 'well')
            Object.assign(its, { condition: act === 'down' ? 'down' : 'failing', since: now });
          else if (its.condition === 'failing' && act === 'down') its.condition = 'down';
        }
      }
      const worst = (letter: boolean): string | undefined => {
        const of = [...known].filter(([id]) => id.startsWith('a') === letter).map(([, one]) => one.condition);
        return ['down', 'failing', 'well'].find((word) => of.includes(word));
      };
      const both = [worst(true), worst(false)];
      const count = (...words: string[]) => both.filter((word) => words.includes(word ?? '')).length;
      t.same(census.counts, { failing: count('failing', 'down'), down: count('down'), well: count('well') });
    }),
    { numRuns: 200 },
  );
});

const LASTS = [11, 12, 13, 14, 15] as const;
const happenings = fc.array(
  fc.oneof(
    fc
      .uniqueArray(fc.tuple(fc.constantFrom(...LASTS), fc.constantFrom('up', 'down', 'fail', 'pass')), {
        selector: ([last]) => last,
        minLength: 1,
      })
      .map((words) => ({ words, ms: 0 })),
    fc.integer({ min: 1, max: 20_000 }).map((ms) => ({ words: [], ms })),
  ),
  { maxLength: 30 },
);

/** Every server's weight by its last byte, and why it stands as it does. */
function play(all: typeof happenings extends fc.Arbitrary<infer T> ? T : never, isReversed: boolean) {
  const book = new PolicyBook();
  let now = 0;
  const at = () => ({ now: millis(now), wall: epochMillis(now) });
  book.configure({ ...config(web([1, 1, 1, 1, 1])), massFailure: { ...RULE, minimum: 3 } }, at());
  book.verdict(
    LASTS.map((last) => change(idOf(last), 'up', 'unknown')),
    at(),
  );
  const states: string[] = [];
  for (const { words, ms } of all) {
    const end = now + ms;
    while (book.due !== undefined && book.due <= end) {
      now = Math.max(now, book.due);
      book.tick(at());
    }
    now = end;
    const list = isReversed ? [...words].reverse() : words;
    const verdicts = list.filter(([, word]) => word === 'up' || word === 'down');
    const suspicions = list.filter(([, word]) => word === 'fail' || word === 'pass');
    const timeout = { kind: 'timeout', phase: 'connect' } as const;
    book.suspect(
      suspicions.map(([last, word]) => ({ id: idOf(last), reason: word === 'fail' ? timeout : undefined })),
      at(),
    );
    book.verdict(
      verdicts.map(([last, word]) => ({ ...change(idOf(last), word as 'up', 'up'), at: epochMillis(now) })),
      at(),
    );
    const standings = book.view().standings.get('web')?.servers;
    const text = [...(standings ?? [])].map(([id, { kind }]) => `${id.slice(-5, -3)} ${kind}`).join(', ');
    for (const { server, want } of [...book.desired.values()][0]?.servers.values() ?? []) {
      const standing = standings?.get(`web/${server}`)?.kind;
      const isDown = book.view().health.get(`web/${server}`)?.held === 'down';
      if (want.kind === 'present' && want.dest.settings.weight > 0 && isDown)
        t.equal(standing, 'held', 'a server that is down has weight only where a rail says so');
    }
    states.push(`${text} ${book.mass?.isActive}`);
  }
  return states;
}

t.test('laws: the order within a turn does not matter, and what is held says so', async (t) => {
  fc.assert(
    fc.property(happenings, (all) => t.same(play(all, false), play(all, true))),
    { numRuns: 60 },
  );
});

t.test('what the run before knew of most servers being down is not believed', async (t) => {
  const book = new PolicyBook();
  const at = { now: millis(0), wall: epochMillis(0) };
  const recalled = (verdict: 'up' | 'down', last: number) =>
    [idOf(last), { verdict, since: epochMillis(0) }] as const;
  const its = config(web([1, 1, 1, 1, 1]));
  book.configure({ ...its, massFailure: RULE }, at);
  const most = [11, 12, 13, 14].map((last) => recalled('down', last));
  finish(book.recall(new Map([...most, recalled('up', 15)]), at));
  t.equal(book.view().health.get(idOf(11))?.held, undefined);
  t.equal(book.view().health.get(idOf(15))?.held, 'up');
  const plain = new PolicyBook();
  plain.configure(its, at);
  finish(plain.recall(new Map(most), at));
  t.equal(plain.view().health.get(idOf(11))?.held, 'down', 'without a rule for it, it is');
});

t.test('a reload keeps what is held, and ends it where the rule goes', async (t) => {
  const book = new PolicyBook();
  const at = { now: millis(0), wall: epochMillis(0) };
  const its = { ...config(web([1, 1, 1, 1])), massFailure: RULE };
  const kind = () => book.view().standings.get('web')?.servers.get(idOf(11))?.kind;
  book.configure(its, at);
  book.verdict(
    [11, 12, 13, 14].map((last) => change(idOf(last), 'down', 'up')),
    at,
  );
  t.equal(kind(), 'held');
  book.configure({ ...its, massFailure: { ...RULE, percent: 70 } }, at);
  t.equal(kind(), 'held');
  book.configure({ ...its, massFailure: undefined }, at);
  t.equal(kind(), 'down');
  t.equal(book.mass, undefined);
  book.configure(its, at);
  t.match(book.mass, { isActive: false, failing: 0, of: 0 }, 'they failed long ago');
});

t.test('what a worker that died suspected is forgotten', async (t) => {
  const book = new PolicyBook();
  const at = { now: millis(0), wall: epochMillis(0) };
  book.configure({ ...config(web([1, 1])), massFailure: RULE }, at);
  book.suspect([{ id: idOf(11), reason: { kind: 'timeout', phase: 'connect' } }], at);
  t.match(book.mass, { failing: 1, of: 2 });
  book.doubt([idOf(11)]);
  t.match(book.mass, { failing: 0, of: 2 });
});
