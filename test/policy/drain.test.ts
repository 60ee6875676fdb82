/** Drains: one look as a table, whole drains as dialogues, and their laws. */
import fc from 'fast-check';
import t from 'tap';
import { epochMillis, millis } from '../../src/core/units.js';
import { beginDrain, countConnections, stepDrain } from '../../src/policy/drain.js';
import type { Connections, DrainWatch } from '../../src/policy/model.js';
import { config } from '../ipvs/build.js';
import { Desk, entry, idOf, spare, web } from './build.js';

const left = (active: number, inactive = 0, persistent = 0): Connections => ({
  active,
  inactive,
  persistent,
});
const at = (now: number, wall = now) => ({ now: millis(now), wall: epochMillis(wall) });
const watch = (told: number | undefined, toldAt = 0, its?: Connections): DrainWatch => ({
  left: its,
  told,
  toldAt: millis(toldAt),
});

for (const [name, before, seen, deadline, now, kind, told] of [
  ['the first look is what is told of later', watch(undefined), left(7, 1), undefined, 100, 'still', 8],
  ['nothing left', watch(8), left(0), undefined, 100, 'empty', 0],
  ['nothing left at the first look', watch(undefined), left(0), undefined, 100, 'empty', 0],
  ['a persistent client is something left', watch(1), left(0, 0, 1), undefined, 60_000, 'still', 1],
  ['half is gone, but it was told just now', watch(8, 95_000), left(4), undefined, 100_000, 'still', 8],
  ['half is gone', watch(8, 90_000), left(4), undefined, 100_000, 'progress', 4],
  ['less than half is gone', watch(8, 0), left(5), undefined, 100_000, 'still', 8],
  ['more came in by a template', watch(8, 0), left(20), undefined, 100_000, 'still', 8],
  ['the deadline', watch(8), left(3), 5000, 5000, 'deadline', 8],
  ['before the deadline', watch(8), left(7), 5000, 4999, 'still', 8],
  ['empty at the deadline is empty', watch(8), left(0), 5000, 9000, 'empty', 0],
  ['only time has passed', watch(8), undefined, undefined, 100_000, 'still', 8],
  ['only time has passed, up to the deadline', watch(8), undefined, 5000, 5000, 'deadline', 8],
] as const)
  t.test(`one look: ${name}`, async (t) => {
    const its = { deadline: deadline === undefined ? undefined : epochMillis(deadline) };
    const step = stepDrain(its, before, seen, at(now));
    t.equal(step.kind === 'drained' ? step.how : step.kind, kind);
    t.equal(step.watch.told, told);
    t.same(step.watch.left, seen);
  });

t.test('what was seen last stays known when only time passes', async (t) => {
  const step = stepDrain({ deadline: epochMillis(5) }, watch(8, 0, left(3)), undefined, at(5));
  t.same(step.watch.left, left(3));
  t.same(beginDrain(millis(7)), { left: undefined, told: undefined, toldAt: 7 });
});

t.test(
  'a server is counted in all entries of its service, and not before all give it weight 0',
  async (t) => {
    const dest = (weight: number, active: number) =>
      ({ settings: { weight }, active, inactive: 1, persistent: 2 }) as never;
    t.same(countConnections([dest(0, 3), dest(0, 4)]), left(7, 2, 4));
    t.equal(countConnections([dest(0, 3), dest(1, 4)]), undefined);
    t.same(countConnections([undefined]), left(0), 'not in the table: no connection goes there');
    t.same(countConnections([]), left(0));
  },
);

t.test('a drain goes down to nothing, and is told at its useful steps', async (t) => {
  const desk = new Desk(web([4, 4]));
  desk.verdicts('up 11', 'up 12');
  t.same(desk.administer(12, entry({ state: 'draining' })), ['12 drain-started']);
  t.same([...(desk.book.draining.get('web')?.keys() ?? [])], ['tcp 192.0.2.1:80']);
  t.same(
    desk.look('11:4 9/0/0', '12:4 0/0/0'),
    [],
    'the table still gives it clients: none seen is not none left',
  );
  t.equal(desk.book.view().admin.get(idOf(12))?.drain?.left, undefined);
  t.same(desk.look('12:0 6/2/0'), []);
  desk.pass(10_000);
  t.same(desk.look('12:0 5/0/0'), []);
  t.same(desk.look('12:0 3/1/0'), ['12 drain-progress']);
  t.same(desk.look('12:0 1/0/0'), [], 'not so soon again');
  t.same(desk.book.view().admin.get(idOf(12))?.drain?.left, left(1));
  t.same(desk.look('12:0 0/0/0'), ['12 drain-finished']);
  t.equal(desk.book.view().admin.get(idOf(12))?.effective.state, 'drained');
  t.equal(desk.wants(), '11:4 12:0', 'it stays where it is, with weight 0');
  t.equal(desk.book.draining.size, 0);
  t.same(desk.look('12:0 1/0/0'), [], 'nobody looks any more');
  t.same(desk.administer(12, undefined), ['12 drain-undone']);
  t.equal(desk.wants(), '11:4 12:4');
});

t.test('a deadline ends a drain, whether or not the table can be looked at', async (t) => {
  const desk = new Desk(web([4, 4]));
  desk.verdicts('up 11', 'up 12');
  const { wall } = desk.at();
  desk.administer(12, entry({ state: 'draining', deadline: epochMillis(wall + 30_000) }));
  t.same(desk.look('12:0 2/0/0'), []);
  t.same(desk.passTold(29_999), []);
  t.same(desk.passTold(1), [['12 drain-finished']]);
  t.match(desk.book.view().admin.get(idOf(12)), {
    effective: { state: 'drained' },
    drain: { left: left(2) },
  });
  t.equal(desk.wants(), '11:4 12:0', 'what is left lives on');
  t.equal(desk.book.due, undefined);
});

t.test('a drain may end with the server out of the table', async (t) => {
  const desk = new Desk(web([4, 4]));
  desk.verdicts('up 11', 'up 12');
  desk.administer(12, entry({ state: 'draining', finish: 'disabled' }));
  t.equal(desk.wants(), '11:4 12:0');
  t.same(desk.look('12:0 0/0/0'), ['12 drain-finished']);
  t.equal(desk.wants(), '11:4');
  t.same(desk.administer(12, undefined), ['12 server-enabled']);
});

t.test('the same word again does not begin a drain anew that is over; another word does', async (t) => {
  const desk = new Desk(web([4, 4]));
  desk.verdicts('up 11', 'up 12');
  const word = entry({ state: 'draining', finish: 'disabled' });
  desk.administer(12, word);
  desk.look('12:0 0/0/0');
  t.same(desk.administer(12, word), [], 'as a reload says what the store has');
  t.equal(desk.wants(), '11:4');
  t.equal(desk.book.draining.size, 0);
  const later = { ...word, since: epochMillis(word.since + 1) };
  t.same(desk.administer(12, later), ['12 drain-started']);
});

t.test('two drains of one server end each at its own time; nothing left ends both', async (t) => {
  const desk = new Desk(web([4, 4]));
  desk.verdicts('up 11', 'up 12');
  const { wall } = desk.at();
  desk.administer(12, entry({ state: 'draining' }));
  const deadline = epochMillis(wall + 5000);
  t.same(desk.administer(12, entry({ state: 'draining', source: 'maintenance night', deadline })), [
    '12 drain-started',
  ]);
  desk.look('12:0 2/0/0');
  t.same(desk.passTold(5000), [['12 drain-finished']]);
  const states = () =>
    desk.book
      .view()
      .admin.get(idOf(12))
      ?.entries.map(({ source, state }) => `${source} ${state}`)
      .sort();
  t.same(states(), ['maintenance night drained', 'operator draining']);
  t.same(desk.look('12:0 0/0/0'), ['12 drain-finished']);
  t.same(states(), ['maintenance night drained', 'operator drained']);
});

t.test('a server that is down, or not there, has nothing left', async (t) => {
  const desk = new Desk(web([4, 4]));
  desk.verdicts('up 11', 'down 12');
  desk.administer(12, entry({ state: 'draining' }));
  t.same(desk.look('11:4 3/0/0'), ['12 drain-finished']);
});

t.test('a fallback that serves is drained like any server', async (t) => {
  const desk = new Desk(web([4], { fallback: [[spare(21)], [spare(22)]] }));
  desk.verdicts('down 11');
  t.equal(desk.wants(), '21:1');
  t.same(desk.administer(21, entry({ state: 'draining' })), ['21 drain-started', 'tier 1']);
  t.equal(desk.wants(), '21:0 22:1', 'its connections live on');
  t.same(desk.look('21:0 0/0/0', '22:1 3/0/0'), ['21 drain-finished']);
});

t.test('a reload does not disturb a drain', async (t) => {
  const desk = new Desk(web([4, 4]));
  desk.verdicts('up 11', 'up 12');
  const { wall } = desk.at();
  desk.administer(12, entry({ state: 'draining', deadline: epochMillis(wall + 60_000) }));
  desk.look('12:0 5/0/0');
  desk.reload(config(web([9, 9, 9])));
  t.equal(desk.wants(), '11:9 12:0 13:hold');
  t.match(desk.book.view().admin.get(idOf(12)), {
    effective: { state: 'draining' },
    drain: { left: left(5) },
  });
  desk.verdicts('up 13');
  t.same(desk.passTold(60_000), [['12 drain-finished']], 'the deadline is the same');
  desk.administer(12, entry({ state: 'draining' }));
  desk.reload(config(web([9])));
  t.equal(desk.book.draining.size, 0, 'a server that is gone is not looked at');
});

t.test('a word that was told before is not told again', async (t) => {
  const desk = new Desk(web([4, 4]));
  const word = {
    server: idOf(12),
    source: 'operator',
    entry: entry({ state: 'draining' }),
    told: true,
  } as const;
  t.same(desk.book.administer([word], desk.at()).news, []);
  t.equal(desk.wants(), '11:hold 12:0', 'a restart goes on with the drain before there is a verdict');
  t.same(desk.look('12:0 0/0/0'), ['12 drain-finished']);
});

t.test('saying the same again is no news; another deadline is', async (t) => {
  const desk = new Desk(web([4, 4]));
  desk.administer(12, entry({ state: 'draining' }));
  t.same(desk.administer(12, entry({ state: 'draining' })), []);
  t.same(desk.administer(12, entry({ state: 'draining', deadline: epochMillis(9e9) })), ['12 drain-started']);
  t.same(desk.administer(12, entry({ state: 'disabled' })), ['12 server-disabled']);
  t.same(desk.administer(12, entry({ state: 'disabled', weight: 3 })), ['12 weight-set']);
  t.same(desk.administer(12, entry({ weight: 3 })), ['12 server-enabled']);
  t.same(desk.administer(12, undefined), ['12 weight-set']);
  t.same(desk.administer(12, undefined), []);
});

const looks = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('look' as const), n: fc.nat({ max: 3 }) }),
    fc.record({ do: fc.constantFrom('up' as const, 'down' as const), n: fc.constant(0) }),
    fc.record({ do: fc.constantFrom('drain' as const, 'window' as const), n: fc.nat({ max: 20_000 }) }),
    fc.record({ do: fc.constant('pass' as const), n: fc.nat({ max: 20_000 }) }),
    fc.record({ do: fc.constant('reload' as const), n: fc.constant(0) }),
  ),
  { maxLength: 30 },
);

t.test('laws: a server that is drained never has weight, and undo always gives it back', async (t) => {
  fc.assert(
    fc.property(looks, (happenings) => {
      const desk = new Desk(web([4, 4]));
      desk.verdicts('up 11', 'up 12');
      let health = 'up';
      let drained = 0;
      for (const { do: what, n } of happenings) {
        if (what === 'up' || what === 'down') {
          desk.verdicts(`${what} 12`);
          health = what;
        } else if (what === 'pass') desk.pass(n);
        else if (what === 'reload') desk.reload(config(web([4, 4])));
        else if (what === 'look') {
          const news = desk.look(`12:0 ${n}/0/0`);
          if (n > 0) t.notOk(news.includes('12 drain-finished'), 'not while something is left');
        } else {
          drained |= what === 'drain' ? 1 : 2;
          const deadline = n === 0 ? undefined : epochMillis(desk.at().wall + n);
          const source = what === 'drain' ? 'operator' : 'maintenance night';
          desk.administer(12, entry({ state: 'draining', deadline, source }));
        }
        const expected = health === 'down' ? '11:4' : drained > 0 ? '11:4 12:0' : '11:4 12:4';
        t.equal(desk.wants(), expected);
      }
      for (const source of ['operator', 'maintenance night'] as const)
        desk.book.administer([{ server: idOf(12), source, entry: undefined }], desk.at());
      t.equal(desk.wants(), health === 'down' ? '11:4' : '11:4 12:4');
      t.equal(desk.book.due, undefined);
      t.equal(desk.book.draining.size, 0);
    }),
    { numRuns: 150 },
  );
});
