import fc from 'fast-check';
import t from 'tap';
import { type Joined, UnitBook } from '../../src/checks/likes.js';
import type { Check } from '../../src/checks/model.js';
import { ip } from '../../src/core/ip.js';
import { millis } from '../../src/core/units.js';
import { EVEN } from './rule.js';

/** What a check probes is told by a number: those of the same number are alike. */
function check(id: string, kind: number, more: Partial<Check> = {}): Check {
  const rule = { ...EVEN, interval: millis(2000), timeout: millis(1000), rise: 2, fall: 3 };
  const target = { address: ip('192.0.2.1'), port: 8000 + kind };
  return { id, rule, probe: { type: 'tcp', target }, ...more };
}

const names = (book: UnitBook): string[] => book.units.map(({ id }) => id).sort();
const at = (kind: number) => check('', kind).probe;

t.test('checks that are alike are one unit, under the name of the first', async (t) => {
  const book = new UnitBook();
  t.same(
    book.take([check('a', 1), check('b', 1), check('c', 2)]),
    [],
    'nothing was there that they could join',
  );
  t.same(names(book), ['a', 'c']);
  t.same(book.membersOf('a'), ['a', 'b']);
  t.equal(book.membersOf('c'), undefined);
  t.same(
    ['a', 'b', 'c'].map((id) => book.unitOf(id)),
    ['a', 'a', 'c'],
  );
  t.equal(book.checks, 3);
  t.equal(book.unitOf('d'), undefined);
  t.equal(book.isShared, true);
});

const base = check('x', 1);
const others: readonly (readonly [string, Partial<Check>])[] = [
  ['interval', { rule: { ...base.rule, interval: millis(3000) } }],
  ['fast-interval', { rule: { ...base.rule, fastInterval: millis(500) } }],
  ['rise', { rule: { ...base.rule, rise: 3 } }],
  ['fall', { rule: { ...base.rule, fall: 2 } }],
  ['timeout', { rule: { ...base.rule, timeout: millis(900) } }],
  ['assume', { rule: { ...base.rule, assume: 'down' } }],
  ['telling its passes', { tellsPasses: true }],
  ['port', { probe: at(2) }],
  ['kind', { probe: { type: 'memcached', target: at(1).target } }],
  [
    'place to come from',
    {
      probe: {
        type: 'tcp',
        target: {
          ...at(1).target,
          origin: { source: undefined, device: undefined, mark: 7, namespace: undefined },
        },
      },
    },
  ],
];
for (const [what, more] of others)
  t.test(`a check with another ${what} is probed by itself`, async (t) => {
    const book = new UnitBook();
    book.take([check('a', 1), check('b', 1, more), check('c', 1)]);
    t.same(names(book), ['a', 'b']);
    t.same(book.membersOf('a'), ['a', 'c']);
  });

t.test('a check that joins says beside which; its unit is the very object that it was', async (t) => {
  const book = new UnitBook();
  const first = check('a', 1);
  book.take([first]);
  t.same(book.take([check('b', 1), check('a', 1), check('c', 1)]), [
    { id: 'b', beside: 'a' },
    { id: 'c', beside: 'a' },
  ]);
  t.equal(book.units[0], first);
});

t.test('a unit outlives the check that it is named by, which may come back to it', async (t) => {
  const book = new UnitBook();
  book.take([check('a', 1), check('b', 1)]);
  const [unit] = book.units;
  t.same(book.take([check('b', 1)]), []);
  t.same(
    [book.units, book.membersOf('a'), book.unitOf('b'), book.unitOf('a')],
    [[unit], ['b'], 'a', undefined],
  );
  t.same(book.take([check('b', 1), check('a', 2)]), [], 'meanwhile it is another check');
  t.equal(book.units.length, 2);
  t.equal(new Set(names(book)).size, 2, 'two units never have one name');
  t.not(book.unitOf('a'), 'a');
  t.same(book.take([check('b', 1), check('a', 1)]), [{ id: 'a', beside: 'b' }]);
  t.same(book.units, [unit]);
  t.same(book.take([check('a', 1)]), []);
  t.same([book.units, book.membersOf('a'), book.isShared], [[unit], undefined, false]);
  book.take([]);
  t.same([book.units, book.checks], [[], 0]);
});

t.test('a check alone that is changed keeps its name, as if there were no units', async (t) => {
  const book = new UnitBook();
  book.take([check('a', 1)]);
  t.same(book.take([check('a', 2)]), []);
  t.same(book.units, [check('a', 2)]);
  t.equal(book.membersOf('a'), undefined);
});

t.test(
  'laws: each check stands once, with its like and with no other; what stays goes on as it is',
  async () => {
    const configuration = fc
      .dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.integer({ min: 1, max: 3 }))
      .map((kinds) => Object.entries(kinds).map(([id, kind]) => check(id, kind)));
    fc.assert(
      fc.property(fc.array(configuration, { maxLength: 8 }), (configurations) => {
        const book = new UnitBook();
        let before: readonly Check[] = [];
        for (const checks of configurations) {
          const was = new Map(before.map(({ id, probe }) => [id, { probe, unit: unitIn(book, id) }]));
          const there = new Set(book.units);
          const joined = book.take(checks);
          hold(book, checks);
          holdJoined(book, joined, there);
          for (const { id, probe } of checks) {
            const known = was.get(id);
            if (known === undefined || portOf(known.probe) !== portOf(probe)) continue;
            if (unitIn(book, id) !== known.unit) throw new Error(`${id} did not stay where it was`);
            if (joined.some((one) => one.id === id)) throw new Error(`${id} was there before`);
          }
          before = checks;
        }
      }),
    );
  },
);

const portOf = (probe: Check['probe']): number => probe.target.port;

function unitIn(book: UnitBook, id: string): Check | undefined {
  return book.units.find((unit) => unit.id === book.unitOf(id));
}

function hold(book: UnitBook, checks: readonly Check[]): void {
  const ports = book.units.map(({ probe }) => portOf(probe));
  if (new Set(ports).size !== ports.length) throw new Error('two units are alike');
  const members = book.units.flatMap(({ id }) => book.membersOf(id) ?? [id]).sort();
  if (
    members.join() !==
    checks
      .map(({ id }) => id)
      .sort()
      .join()
  )
    throw new Error(`members are ${members}`);
  for (const { id, probe } of checks) {
    const unit = unitIn(book, id);
    if (unit === undefined || portOf(unit.probe) !== portOf(probe)) throw new Error(`${id} is with others`);
  }
  if (book.isShared !== members.some((id) => book.unitOf(id) !== id || (book.membersOf(id)?.length ?? 1) > 1))
    throw new Error('it says the wrong thing of sharing');
}

function holdJoined(book: UnitBook, joined: readonly Joined[], there: ReadonlySet<Check>): void {
  for (const { id, beside } of joined) {
    if (book.unitOf(id) !== book.unitOf(beside) || id === beside)
      throw new Error(`${id} is not beside ${beside}`);
    const unit = unitIn(book, id);
    if (unit === undefined || !there.has(unit)) throw new Error(`${id} joined what was not there`);
  }
}
