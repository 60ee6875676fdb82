/** What health, the operator and the rules of a service make of the table, as dialogues. */
import fc from 'fast-check';
import t from 'tap';
import { millis } from '../../src/core/units.js';
import { serviceText } from '../../src/ipvs/keys.js';
import type { AdmitRule } from '../../src/policy/model.js';
import { standingText } from '../../src/policy/words.js';
import { config, dest, key, service, serviceConfig, table } from '../ipvs/build.js';
import { admin, Desk, idOf, spare, web, withRule } from './build.js';

const RAMP: AdmitRule = { canary: 1, ramp: millis(60_000), curve: 'linear' };

t.test('without a verdict the table is held, with one it is followed', async (t) => {
  const desk = new Desk(web([1, 2]));
  t.equal(desk.wants(), '11:hold 12:hold');
  t.same(desk.verdicts('up 11', 'down 12'), ['11 up', '12 down']);
  t.equal(desk.wants(), '11:1');
  t.equal(desk.standing(12), 'down');
  t.same(desk.verdicts('up 12'), ['12 up']);
  t.equal(desk.wants(), '11:1 12:2');
});

t.test('quiesce keeps a server that is down, with weight 0', async (t) => {
  const desk = new Desk(web([1, 2], { onFailure: 'quiesce' }));
  desk.verdicts('up 11', 'down 12');
  t.equal(desk.wants(), '11:1 12:0');
});

t.test('a verdict of an unknown check touches nothing', async (t) => {
  const desk = new Desk(web([1]));
  t.same(desk.verdicts('down 99'), []);
  t.equal(desk.wants(), '11:hold');
});

t.test(
  'below the quorum the fallback serves, and the servers that are up keep their connections',
  async (t) => {
    const desk = new Desk(
      web([1, 1, 1], { quorum: { weight: 2, hysteresis: 1 }, fallback: [[spare(21)], [spare(22)]] }),
    );
    t.equal(desk.wants(), '11:hold 12:hold 13:hold 21:hold 22:hold', 'undecided: what is there stays');
    t.same(desk.verdicts('up 11', 'up 12', 'up 13'), ['11 up', '12 up', '13 up']);
    t.equal(desk.wants(), '11:1 12:1 13:1');
    t.equal(desk.standing(21), 'reserve');
    t.same(desk.verdicts('down 11', 'down 12'), ['11 down', '12 down'], 'hysteresis: 1 of 2 is enough');
    t.same(desk.verdicts('down 13'), ['13 down', 'quorum lost', 'tier 0']);
    t.equal(desk.wants(), '21:1');
    t.same(desk.verdicts('up 13', 'up 12'), ['13 up', '12 up'], 'hysteresis: 2 is not enough yet');
    t.equal(desk.wants(), '12:0 13:0 21:1');
    t.equal(desk.standing(13), 'quorum-lost');
    t.same(desk.verdicts('up 11'), ['11 up', 'quorum met', 'tier none']);
    t.equal(desk.wants(), '11:1 12:1 13:1 21:hold', 'the fallback finishes its connections');
  },
);

t.test('a fallback that is down is passed over; without any the servers that are left go on', async (t) => {
  const desk = new Desk(
    web([1, 1], { quorum: { weight: 2, hysteresis: 0 }, fallback: [[spare(21, true)], [spare(22, true)]] }),
  );
  desk.verdicts('up 11', 'up 12', 'up 21', 'up 22');
  t.same(desk.verdicts('down 11'), ['11 down', 'quorum lost', 'tier 0']);
  t.same(desk.verdicts('down 21'), ['21 down', 'tier 1']);
  t.equal(desk.wants(), '12:0 22:1');
  t.same(desk.verdicts('down 22'), ['22 down', 'tier none']);
  t.equal(desk.wants(), '12:1', 'better few than none');
  t.same(desk.verdicts('up 21'), ['21 up', 'tier 0']);
  t.equal(desk.wants(), '12:0 21:1');
});

t.test('servers of one tier serve together', async (t) => {
  const desk = new Desk(web([1], { fallback: [[spare(21), spare(22, true)]] }));
  desk.verdicts('down 11', 'down 22');
  t.equal(desk.wants(), '21:1');
  desk.verdicts('up 22');
  t.equal(desk.wants(), '21:1 22:1');
});

t.test('a server that comes back begins small, but not at the start', async (t) => {
  const desk = new Desk(web([100, 100], { admit: RAMP }));
  desk.verdicts('up 11', 'up 12');
  t.equal(desk.wants(), '11:100 12:100', 'the first verdict brings the whole weight');
  t.equal(desk.book.due, undefined);
  desk.verdicts('down 12');
  desk.verdicts('up 12');
  t.equal(desk.wants(), '11:100 12:1');
  t.equal(desk.standing(12), 'admission');
  t.equal(desk.pass(30_000), 10, 'one step every three seconds');
  t.equal(desk.wants(), '11:100 12:50');
  desk.verdicts('down 12');
  t.equal(desk.book.due, undefined, 'nothing is due for a server that is down');
  t.equal(desk.wants(), '11:100');
  desk.verdicts('up 12');
  t.equal(desk.wants(), '11:100 12:1', 'it begins anew');
  desk.pass(60_000);
  t.equal(desk.wants(), '11:100 12:100');
  t.equal(desk.standing(12), 'serving');
});

t.test('a server that a reload adds to a running service begins small; a new service does not', async (t) => {
  const desk = new Desk(web([10], { admit: RAMP }));
  desk.verdicts('up 11');
  desk.reload(config(web([10, 10], { admit: RAMP }), { ...web([10], { admit: RAMP }), name: 'other' }));
  desk.verdicts('up 12');
  t.equal(desk.book.view().standings.get('web')?.servers.get(idOf(12))?.kind, 'admission');
});

t.test("the operator's word and health are two axes", async (t) => {
  const desk = new Desk(web([4, 4], { admit: RAMP }));
  desk.verdicts('up 11', 'up 12');
  desk.administer(12, admin('draining'));
  t.equal(desk.wants(), '11:4 12:0');
  t.equal(desk.standing(12), 'admin');
  desk.verdicts('down 12');
  t.equal(desk.wants(), '11:4', 'a server that is down goes, drained or not');
  desk.administer(12, admin('disabled'));
  t.equal(desk.wants(), '11:4');
  desk.verdicts('up 12');
  t.equal(desk.wants(), '11:4', 'health does not undo the operator');
  desk.administer(12, undefined);
  t.equal(desk.wants(), '11:4 12:1', 'and it begins small');
  desk.administer(11, admin('enabled', 40));
  t.equal(desk.wants(), '11:40 12:1', 'a weight set by hand');
});

t.test('servers that are drained do not count for the quorum', async (t) => {
  const desk = new Desk(web([1, 1], { fallback: [[spare(21)]] }));
  desk.verdicts('up 11', 'down 12');
  t.same(desk.administer(11, admin('draining')), ['11 drain-started', 'quorum lost', 'tier 0']);
  t.equal(desk.wants(), '11:0 21:1');
  t.same(desk.administer(11, undefined), ['11 drain-undone', 'quorum met', 'tier none']);
});

t.test('what the operator said of a server stays with its address, not with its name', async (t) => {
  const desk = new Desk(web([1, 1]));
  desk.administer(12, admin('disabled'));
  desk.reload(config(web([1, 1])));
  t.equal(desk.wants(), '11:hold');
  desk.reload(config(web([1])));
  desk.reload(config(web([1, 1])));
  t.equal(desk.wants(), '11:hold 12:hold', 'it is another server now');
});

t.test(
  'a reload judges what it changes, and leaves the other services as the very objects they were',
  async (t) => {
    const other = serviceConfig('ftp', service(key('192.0.2.2', 21)), [dest('192.0.2.31')]);
    const desk = new Desk(web([100, 100], { admit: RAMP }), other);
    desk.verdicts('up 11', 'down 12');
    desk.verdicts('up 12');
    const { due } = desk.book;
    t.ok(due !== undefined, 'something is under way');
    const before = desk.book.desired;
    const seen = desk.book.view();
    seen.hold();
    t.equal(desk.book.view(), seen, 'nothing is copied while nothing changes');
    const stays = before.get('tcp 192.0.2.2:21');
    const changed = web([100, 200], { admit: RAMP });
    desk.reload(config(changed, other));
    t.equal(desk.book.desired.get('tcp 192.0.2.2:21'), stays);
    t.not(desk.book.desired.get('tcp 192.0.2.1:80'), before.get('tcp 192.0.2.1:80'));
    t.equal(desk.book.due, due, 'what was under way goes on');
    desk.reload(config(changed, other));
    t.equal(desk.book.due, due, 'also where nothing of it changed');
    desk.reload(config(other));
    t.same([...desk.book.desired.keys()], ['tcp 192.0.2.2:21']);
    t.same([...desk.book.view().health.keys()], ['ftp/192.0.2.31:80'], 'what is gone is forgotten');
    t.not(desk.book.due, due, 'nor is it waited for');
    t.same(
      desk.book.checks().map(({ id }) => id),
      ['ftp/192.0.2.31:80'],
    );
    t.equal(seen.health.has(idOf(11)), true, 'who held what was seen sees it as it was');
  },
);

t.test('after any reloads the table is that of the configuration, in its order', async (t) => {
  const at = (name: string, last: number, port = 80) =>
    serviceConfig(name, service(key(`192.0.2.${last}`, port)), [dest(`192.0.2.1${last}`)]);
  const orders = [
    [at('a', 1), at('b', 2), at('c', 3)],
    [at('a', 1), at('b', 2, 81), at('c', 3)],
    [at('a', 2), at('b', 1), at('c', 3)],
    [at('c', 3), at('a', 1), at('b', 2)],
    [at('a', 1), at('c', 3)],
    [at('a', 1), at('b', 2), at('c', 3), at('d', 4)],
    [],
  ];
  const desk = new Desk(web([1]));
  for (const [index, one] of orders.entries())
    for (const other of orders.slice(index))
      for (const services of [one, other, one]) {
        desk.reload(config(...services));
        t.same(
          [...desk.book.desired].map(([entry, { name }]) => `${name} ${entry}`),
          services.map(({ name, entries: [{ key }] }) => `${name} ${serviceText(key)}`),
        );
      }
});

t.test('a worker that died takes nothing away', async (t) => {
  const desk = new Desk(web([1, 1]));
  desk.verdicts('up 11', 'down 12');
  desk.book.doubt([idOf(11), idOf(12), 'web/nobody']);
  t.match(desk.book.view().health.get(idOf(11)), { verdict: 'unknown', held: 'up' });
  t.same(desk.verdicts('up 11'), [], 'a verdict that was held is no news');
  t.equal(desk.wants(), '11:1');
});

t.test('a check that assumes what the table says begins with that', async (t) => {
  const one = web([1, 1, 1]);
  const servers = one.servers.map((server, index) =>
    index === 2 ? server : withRule(server, { assume: 'kernel' }),
  );
  const desk = new Desk({ ...one, servers });
  desk.book.observe(table([service(), [dest('192.0.2.11')]]));
  const held = desk.book.held();
  t.same(
    [11, 12, 13].map((last) => held.get(idOf(last))),
    ['up', 'down', undefined],
  );
  t.equal(desk.wants(), '11:hold 12:hold 13:hold', 'the table is left as it is');
});

t.test('every standing has words', async (t) => {
  const desk = new Desk(web([2, 1], { admit: RAMP, fallback: [[spare(21)]] }));
  const text = (last: number): string => {
    const standing = desk.book.view().standings.get('web')?.servers.get(idOf(last));
    return standing === undefined ? '' : standingText(standing);
  };
  t.equal(text(11), 'has no verdict yet');
  desk.verdicts('up 11', 'down 12');
  t.same([text(11), text(12), text(21)], ['serves', 'is down', 'is a fallback that is not needed']);
  desk.administer(11, admin('draining'));
  t.same([text(11), text(21)], ['is draining by operator', 'serves as fallback']);
  desk.administer(11, undefined);
  t.equal(text(11), 'is brought back: weight 1 of 2');
  const few = new Desk(web([1, 1], { quorum: { weight: 2, hysteresis: 0 }, fallback: [[spare(21)]] }));
  few.verdicts('up 11', 'down 12');
  t.equal(
    standingText(few.book.view().standings.get('web')?.servers.get(idOf(11)) ?? { kind: 'down' }),
    'is up, but too few are: the fallback serves',
  );
});

const words = fc.array(
  fc.oneof(
    fc.tuple(fc.constantFrom('up', 'down'), fc.constantFrom(11, 12, 13, 21)),
    fc.tuple(fc.constantFrom('draining', 'disabled', 'enabled'), fc.constantFrom(11, 12, 13, 21)),
    fc.tuple(fc.constant('pass'), fc.integer({ min: 0, max: 90_000 })),
  ),
  { maxLength: 40 },
);

t.test('laws of the book, whatever happens in whatever order', async (t) => {
  fc.assert(
    fc.property(words, fc.integer({ min: 1, max: 3 }), (happenings, quorum) => {
      const one = web([5, 5, 5], {
        quorum: { weight: 5 * quorum, hysteresis: 1 },
        fallback: [[spare(21, true)]],
        admit: RAMP,
      });
      const desk = new Desk(one);
      const state = new Map<number, string>();
      for (const [word, number] of happenings) {
        if (word === 'pass') desk.pass(number);
        else if (word === 'up' || word === 'down') {
          desk.verdicts(`${word} ${number}`);
          state.set(number, word);
        } else desk.administer(number, word === 'enabled' ? undefined : admin(word as 'draining'));
        const desired = [...desk.book.desired.values()][0];
        for (const [text, { want }] of desired?.servers ?? []) {
          const last = Number(/\.(\d+):/.exec(text)?.[1]);
          if (want.kind !== 'present') continue;
          const { weight } = want.dest.settings;
          t.ok(weight <= 5);
          if (state.get(last) === 'down') t.equal(weight, 0, 'nobody who is down gets anybody');
          if (desk.book.view().admin.has(idOf(last))) t.equal(weight, 0, 'nor who is drained');
        }
        const standing = desk.book.view().standings.get('web');
        if (standing?.tier !== undefined) t.equal(standing.quorum, 'lost');
        const isKnown = [...(standing?.servers.values() ?? [])].every(({ kind }) => kind !== 'unknown');
        if (standing?.quorum === 'met' && isKnown) t.ok(standing.weight >= standing.needed - 1);
      }
      // What is desired does not depend on how often it is judged.
      const before = desk.wants();
      desk.verdicts();
      t.equal(desk.wants(), before);
    }),
    { numRuns: 60 },
  );
});
