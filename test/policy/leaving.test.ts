/** A fallback that is not needed any more: it goes when its connections are over. */
import t from 'tap';
import { finish } from '../../src/core/steps.js';
import { seconds } from '../../src/core/units.js';
import { diffService } from '../../src/ipvs/diff.js';
import { ZERO_STATS } from '../../src/ipvs/observe.js';
import { withoutLeaving } from '../../src/policy/leaving.js';
import { config, dest, key, service, table } from '../ipvs/build.js';
import { admin, Desk, idOf, spare, web } from './build.js';

const TEXT = 'tcp 192.0.2.1:80';
const FALLBACK = { fallback: [[spare(21)], [spare(22)]] };

function standing(desk: Desk, last: number): string | undefined {
  return desk.book.view().standings.get('web')?.servers.get(idOf(last))?.kind;
}

/** What there is to do to a table that holds these. */
function steps(desk: Desk, ...servers: readonly (readonly [last: number, weight: number])[]): string[] {
  const dests = servers.map(([last, weight]) => dest(`192.0.2.${last}`, { weight }));
  const seen = table([service(), dests]).get(TEXT);
  const desired = desk.book.desired.get(TEXT);
  if (desired === undefined) throw new Error('no service');
  return diffService(desired, seen).map(({ operation }) =>
    operation.kind === 'add-dest' || operation.kind === 'edit-dest'
      ? `${operation.kind} ${operation.dest.key.address} ${operation.dest.settings.weight}`
      : operation.kind === 'delete-dest'
        ? `delete-dest ${operation.dest.address}`
        : operation.kind,
  );
}

/** Its server died and came back: the fallback served. */
function back(more: Parameters<typeof web>[1] = {}): Desk {
  const desk = new Desk(web([1], { ...FALLBACK, ...more }));
  desk.verdicts('up 11');
  desk.verdicts('down 11');
  t.equal(standing(desk, 21), 'fallback');
  desk.verdicts('up 11');
  return desk;
}

t.test('it gets no new connections, and goes when it has none', async (t) => {
  const desk = back();
  t.equal(standing(desk, 21), 'leaving');
  t.same(
    steps(desk, [21, 1]),
    ['add-dest 192.0.2.11 1', 'edit-dest 192.0.2.21 0'],
    'the server first, then the weight: no moment without anybody',
  );
  t.same([...desk.book.draining.keys()], ['web'], 'it is looked at');
  desk.look('11:1 5/0/0', '21:1 3/0/0');
  t.equal(standing(desk, 21), 'leaving', 'the table still gives it clients');
  desk.look('11:1 5/0/0', '21:0 1/1/0');
  t.equal(standing(desk, 21), 'leaving');
  t.same(steps(desk, [11, 1], [21, 0]), []);
  desk.look('11:1 5/0/0', '21:0 0/0/0');
  t.equal(standing(desk, 21), 'reserve');
  t.same(steps(desk, [11, 1], [21, 0]), ['delete-dest 192.0.2.21']);
  t.equal(desk.book.draining.size, 0);
  t.equal(desk.book.due, undefined);
});

t.test('it goes at the latest after five minutes', async (t) => {
  const desk = back();
  desk.look('11:1 5/0/0', '21:0 2/0/0');
  desk.pass(seconds(299));
  t.equal(standing(desk, 21), 'leaving');
  desk.pass(seconds(1));
  t.equal(standing(desk, 21), 'reserve');
  t.equal(desk.book.draining.size, 0);
});

t.test('needed again it serves at once, and then leaves anew', async (t) => {
  const desk = back();
  desk.pass(seconds(200));
  desk.verdicts('down 11');
  t.equal(standing(desk, 21), 'fallback');
  t.equal(desk.book.draining.size, 0);
  desk.verdicts('up 11');
  desk.pass(seconds(200));
  t.equal(standing(desk, 21), 'leaving', 'its time began again');
});

t.test('who took it out of the table finds it left out, and it is not waited for', async (t) => {
  const desk = back();
  t.same(steps(desk, [11, 1]), []);
  desk.look('11:1 1/0/0');
  t.equal(standing(desk, 21), 'reserve');
});

t.test('a persistent service: its clients would be sent back to it, so it goes at once', async (t) => {
  const sticky = service(undefined, { persistence: { timeoutSeconds: 300, prefix: 32 } });
  const desk = back({ entries: [sticky] });
  t.equal(standing(desk, 21), 'reserve');
  t.same(steps(desk, [11, 1], [21, 1]).at(-1), 'delete-dest 192.0.2.21');
});

t.test('a fallback that died, or that the operator took out, is not waited for', async (t) => {
  const checked = { fallback: [[spare(21, true)], [spare(22)]] };
  const desk = new Desk(web([1], checked));
  desk.verdicts('up 11', 'up 21');
  desk.verdicts('down 11');
  desk.verdicts('down 21');
  t.equal(standing(desk, 22), 'fallback');
  t.equal(standing(desk, 21), 'down');
  t.same(steps(desk, [21, 1]), ['add-dest 192.0.2.22 1', 'delete-dest 192.0.2.21']);
  desk.verdicts('up 21');
  t.equal(standing(desk, 22), 'leaving', 'a tier that is better again');
  desk.administer(22, admin('disabled'));
  t.equal(standing(desk, 22), 'admin');
  desk.administer(22, undefined);
  t.equal(standing(desk, 22), 'reserve');
});

t.test('a reload leaves it as it is, and one that drops it forgets it', async (t) => {
  const desk = back();
  desk.reload(config(web([1, 1], FALLBACK)));
  t.equal(standing(desk, 21), 'leaving');
  desk.reload(config(web([1, 1])));
  t.equal(desk.book.draining.size, 0);
  t.equal(desk.book.desired.get(TEXT)?.servers.size, 2, 'what leaves the configuration is not decided here');
});

t.test('after a restart what the table holds may have served', async (t) => {
  for (const holds of [true, false]) {
    const desk = new Desk(web([1], FALLBACK));
    const dests = holds ? [dest('192.0.2.11'), dest('192.0.2.21')] : [dest('192.0.2.11')];
    desk.book.observe(table([service(), dests]));
    desk.verdicts('up 11');
    t.equal(standing(desk, 21), holds ? 'leaving' : 'reserve');
    t.equal(standing(desk, 22), 'reserve');
  }
  const recalled = new Desk(web([1], FALLBACK));
  const verdict = { verdict: 'up', since: recalled.at().wall } as const;
  finish(recalled.book.recall(new Map([[idOf(11), verdict]]), recalled.at()));
  t.equal(standing(recalled, 21), 'leaving', 'the table was not looked at yet');
  t.same(steps(recalled, [11, 1]), [], 'which adds nothing');
  t.same(steps(recalled, [11, 1], [21, 1]), ['edit-dest 192.0.2.21 0']);
});

t.test('a service of several entries is empty when all of them are', async (t) => {
  const entries = [service(), service(key('192.0.2.1', 443))] as const;
  const desk = back({ entries });
  const its = { ...dest('192.0.2.21', { weight: 0 }), inactive: 0, persistent: 0, stats: ZERO_STATS };
  const seen = (active: number) => ({
    service: { ...service(), stats: ZERO_STATS },
    dests: new Map([['192.0.2.21:80', { ...its, active }]]),
  });
  desk.book.look(new Map([[TEXT, seen(0)]]), desk.at());
  t.equal(standing(desk, 21), 'leaving', 'one was not looked at');
  desk.book.look(
    new Map([
      [TEXT, seen(0)],
      ['tcp 192.0.2.1:443', seen(2)],
    ]),
    desk.at(),
  );
  t.equal(standing(desk, 21), 'leaving');
  desk.book.look(
    new Map([
      [TEXT, seen(0)],
      ['tcp 192.0.2.1:443', seen(0)],
    ]),
    desk.at(),
  );
  t.equal(standing(desk, 21), 'reserve');
});

t.test('what is gone is forgotten in both lists', async (t) => {
  const memory = { serving: new Set(['a', 'b']), leaving: new Map([['c', seconds(1)]]) };
  t.same(
    withoutLeaving(memory, (id) => id !== 'b'),
    { serving: new Set(['b']), leaving: new Map() },
  );
});
