/** Servers without a verdict, and how long they are waited for. */
import t from 'tap';
import { millis } from '../../src/core/units.js';
import { ColdStart } from '../../src/policy/cold-start.js';
import { config, dest, RULES, service, serviceConfig } from '../ipvs/build.js';
import { Desk, web } from './build.js';

t.test('what a check assumes counts when the time is over, and not before', async (t) => {
  for (const [assume, expected] of [
    ['up', '11:1 12:2'],
    ['down', '11:1'],
  ] as const) {
    const servers = [dest('192.0.2.11'), dest('192.0.2.12', { weight: 2 })];
    const desk = new Desk(serviceConfig('web', service(), servers, { rule: { assume } }));
    desk.verdicts('up 11');
    t.equal(desk.pass(59_999), 0);
    t.equal(desk.wants(), '11:1 12:hold');
    t.equal(desk.pass(1), 1);
    t.equal(desk.wants(), expected, `assume: ${assume}`);
    t.equal(desk.pass(600_000), 0, 'that was all');
    desk.verdicts(assume === 'up' ? 'down 12' : 'up 12');
    t.equal(desk.wants(), assume === 'up' ? '11:1' : '11:1 12:2', 'its verdict counts when it comes');
  }
});

t.test('it is told once for each service, and only of those that had none', async (t) => {
  const desk = new Desk(web([1, 1, 1]));
  desk.verdicts('down 12');
  const at = desk.at();
  const { news, touched } = desk.book.tick({ ...at, now: millis(at.now + 60_000) });
  t.same(
    news.map((one) => one.kind === 'cold-start' && one.servers.map(({ name }) => name)),
    [['192.0.2.11:80', '192.0.2.13:80']],
  );
  t.same([...touched], ['tcp 192.0.2.1:80']);
});

t.test(
  'a reload puts nothing off; what is new is waited for as long as what was new at the start',
  async (t) => {
    const desk = new Desk(web([1]));
    desk.pass(40_000);
    desk.reload(config(web([1, 1])));
    desk.pass(20_000);
    t.equal(desk.wants(), '11:1 12:hold');
    desk.reload(config(web([1, 1])));
    t.equal(desk.wants(), '11:1 12:hold', 'what is assumed stays assumed');
    desk.pass(40_000);
    t.equal(desk.wants(), '11:1 12:1');
    const sooner = { ...config(web([1, 1, 1])), ownership: { ...RULES, coldStart: millis(5000) } };
    desk.reload(sooner);
    desk.pass(5000);
    t.equal(desk.wants(), '11:1 12:1 13:1', 'as long as the configuration says now');
  },
);

t.test('who is heard is not waited for, and who is gone is forgotten', async (t) => {
  const cold = new ColdStart();
  const wait = (ids: string, at: number) => {
    for (const id of ids) cold.await(id, millis(at));
  };
  cold.configure(millis(100), millis(0));
  wait('abc', 0);
  t.equal(cold.due, 100);
  t.same(cold.expire(millis(99)), []);
  cold.heard('a');
  cold.heard('c');
  wait('bd', 50);
  t.same(cold.expire(millis(100)), ['b']);
  t.equal(cold.due, 150);
  t.same([...cold.assumed], ['b']);
  wait('b', 120);
  t.equal(cold.due, 150, 'what is assumed is not waited for again');
  cold.configure(millis(20), millis(121));
  t.equal(cold.due, 141, 'a shorter time counts for those who wait');
  cold.configure(millis(1000), millis(122));
  t.equal(cold.due, 141, 'a longer one does not');
  cold.heard('d');
  t.equal(cold.due, undefined);
  cold.heard('b');
  t.same([...cold.assumed], []);
  t.same(cold.expire(millis(1e9)), []);
});
