/** Several sources that speak of one server: what comes of it, and that each takes back its own word alone. */
import fc from 'fast-check';
import t from 'tap';
import { epochMillis } from '../../src/core/units.js';
import { withWord } from '../../src/policy/admin.js';
import type { AdminEntry, AdminSource, AdminWord, ServerAdmin } from '../../src/policy/model.js';
import { Desk, entry, idOf, web, withRule } from './build.js';

const NIGHT: AdminSource = 'maintenance night';
const STATES = ['enabled', 'draining', 'drained', 'disabled'] as const;

function say(words: readonly AdminEntry[]): ServerAdmin | undefined {
  let admin: ServerAdmin | undefined;
  for (const each of words) admin = withWord(admin, { server: 'web/a', source: each.source, entry: each });
  return admin;
}

for (const [name, words, state, weight, by] of [
  ['one word', [entry({ state: 'draining' })], 'draining', undefined, 'operator'],
  [
    'the stricter of two states',
    [entry({ state: 'draining' }), entry({ state: 'disabled', source: NIGHT })],
    'disabled',
    undefined,
    NIGHT,
  ],
  [
    'drained is stricter than draining',
    [entry({ state: 'drained' }), entry({ state: 'draining', source: NIGHT })],
    'drained',
    undefined,
    'operator',
  ],
  [
    'of two equals the one that was said first',
    [
      entry({ state: 'draining', since: epochMillis(9) }),
      entry({ state: 'draining', source: NIGHT, since: epochMillis(3) }),
    ],
    'draining',
    undefined,
    NIGHT,
  ],
  [
    'the smaller weight, whoever gave it',
    [
      entry({ weight: 7 }),
      entry({ weight: 3, source: NIGHT }),
      entry({ source: 'maintenance day', weight: 5 }),
    ],
    'enabled',
    3,
    'operator',
  ],
  [
    'a weight beside a drain is remembered',
    [entry({ weight: 7 }), entry({ state: 'draining', source: NIGHT })],
    'draining',
    7,
    NIGHT,
  ],
  [
    'a second word of a source replaces its first',
    [entry({ state: 'disabled' }), entry({ state: 'draining' })],
    'draining',
    undefined,
    'operator',
  ],
] as const)
  t.test(`in force is ${name}`, async (t) => {
    t.match(say(words)?.effective, { state, by });
    t.equal(say(words)?.effective.weight, weight);
  });

t.test('a word that says nothing is none', async (t) => {
  t.equal(say([entry({})]), undefined);
  t.equal(say([entry({ state: 'draining' }), entry({})]), undefined);
  t.equal(withWord(undefined, { server: 'web/a', source: NIGHT, entry: undefined }), undefined);
});

t.test('a maintenance window that ends does not undo what the operator said', async (t) => {
  const desk = new Desk(web([4, 4]));
  desk.verdicts('up 11', 'up 12');
  desk.administer(12, entry({ state: 'draining' }));
  desk.administer(12, entry({ state: 'disabled', source: NIGHT }));
  t.equal(desk.wants(), '11:4');
  desk.book.administer([{ server: idOf(12), source: NIGHT, entry: undefined }], desk.at());
  t.equal(desk.wants(), '11:4 12:0', 'still drained by the operator');
  desk.administer(12, undefined);
  t.equal(desk.wants(), '11:4 12:4');
  t.equal(desk.book.view().admin.size, 0);
});

const word = fc.record({
  source: fc.constantFrom<AdminSource>('operator', NIGHT, 'maintenance day'),
  entry: fc.option(
    fc.record({
      state: fc.constantFrom(...STATES),
      weight: fc.option(fc.nat({ max: 9 }), { nil: undefined }),
      since: fc.nat({ max: 99 }),
    }),
    { nil: undefined },
  ),
});

t.test('laws: the order of sources does not matter, nothing is milder than the strictest word', async (t) => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), (said) => {
      const words: AdminWord[] = said.map(({ source, entry: its }) => ({
        server: 'web/a',
        source,
        entry: its && entry({ ...its, source, since: epochMillis(its.since) }),
      }));
      const last = new Map(words.map((each) => [each.source, each]));
      const all = (list: Iterable<AdminWord>) =>
        [...list].reduce(withWord, undefined as ServerAdmin | undefined);
      const admin = all(words);
      const reversed = all([...last.values()].reverse());
      t.equal(admin?.effective.state, reversed?.effective.state);
      t.equal(admin?.effective.weight, reversed?.effective.weight);
      const entries = [...last.values()].flatMap((each) => each.entry ?? []);
      const states = entries.map(({ state }) => STATES.indexOf(state));
      t.equal(STATES.indexOf(admin?.effective.state ?? 'enabled'), Math.max(0, ...states));
      for (const each of admin?.entries ?? []) t.same(each, last.get(each.source)?.entry);
    }),
    { numRuns: 200 },
  );
});

t.test(
  'a drain before the first verdict is undone as any other: the table holds what the drain made of it',
  async (t) => {
    const desk = new Desk(web([3, 1]));
    t.equal(desk.wants(), '11:hold 12:hold');
    desk.administer(11, entry({ state: 'draining' }));
    t.equal(desk.wants(), '11:0 12:hold');
    desk.administer(11, undefined);
    t.equal(desk.wants(), '11:3 12:hold');
    desk.administer(11, entry({ state: 'disabled' }));
    t.equal(desk.wants(), '12:hold');
    desk.administer(11, undefined);
    t.equal(desk.wants(), '11:3 12:hold');
    desk.verdicts('down 11');
    t.equal(desk.wants(), '12:hold');
    const pessimist = web([3]);
    const down = new Desk({
      ...pessimist,
      servers: pessimist.servers.map((server) => withRule(server, { assume: 'down' })),
    });
    down.administer(11, entry({ state: 'draining' }));
    down.administer(11, undefined);
    t.equal(down.wants(), '11:hold', 'who assumes that it is down waits for its verdict');
  },
);
