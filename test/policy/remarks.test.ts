/** What checks say of warnings, weight and state: what becomes of it in events and in the table. */
import fc from 'fast-check';
import t from 'tap';
import type { Remark } from '../../src/checks/model.js';
import { NO_REMARK } from '../../src/checks/remark.js';
import { micros } from '../../src/core/units.js';
import { newsHappening } from '../../src/describe.js';
import { weightOf } from '../../src/policy/weight.js';
import { standingText } from '../../src/policy/words.js';
import { change, config } from '../ipvs/build.js';
import { admin, Desk, idOf, spare, web } from './build.js';

type SaidWeights = Parameters<typeof weightOf>[2];

const percent = (value: number) => ({ kind: 'percent', value }) as const;
const absolute = (value: number) => ({ kind: 'absolute', value }) as const;
const offset = (value: number) => ({ kind: 'offset', value }) as const;

const WEIGHTS: readonly (readonly [number, number | undefined, SaidWeights, number])[] = [
  [10, undefined, [], 10],
  [10, undefined, [percent(50)], 5],
  [10, undefined, [percent(50), percent(50)], 3],
  [10, undefined, [percent(1)], 1],
  [10, undefined, [percent(0)], 0],
  [10, undefined, [percent(150)], 15],
  [10, undefined, [absolute(7)], 7],
  [10, undefined, [absolute(7), absolute(4)], 4],
  [10, undefined, [absolute(0)], 0],
  [0, undefined, [absolute(7)], 7],
  [0, undefined, [percent(100)], 0],
  [10, undefined, [offset(5), offset(-3)], 12],
  [10, undefined, [offset(-20)], 0],
  [10, undefined, [absolute(20), offset(-10), percent(50)], 5],
  [10, 3, [absolute(20), offset(-10), percent(50)], 3],
  [10, 0, [offset(9)], 0],
  [2_147_483_647, undefined, [percent(1000)], 2_147_483_647],
];

t.test('one formula', async (t) => {
  for (const [configured, ordered, said, expected] of WEIGHTS)
    t.equal(
      weightOf(configured, ordered, said),
      expected,
      `${configured} ${ordered} ${JSON.stringify(said)}`,
    );
});

t.test('the order in which checks speak does not matter, and the weight is one of the kernel', async () => {
  const one = fc.record({
    kind: fc.constantFrom('absolute' as const, 'percent' as const, 'offset' as const),
    value: fc.integer({ min: 0, max: 1000 }),
  });
  fc.assert(
    fc.property(fc.nat(1000), fc.array(one, { maxLength: 5 }), (configured, said) => {
      const weight = weightOf(configured, undefined, said);
      const other = weightOf(configured, undefined, [...said].reverse());
      return weight === other && Number.isInteger(weight) && weight >= 0 && weight <= 2_147_483_647;
    }),
  );
});

const remark = (last: number, said: Partial<Remark>) => ({
  id: idOf(last),
  remark: { ...NO_REMARK, ...said },
});

const byLatency = (last: number, share: number) =>
  remark(last, { latency: { share, average: micros(40_000) } });

t.test('a server that is slow has its share of what else its checks say, never nothing', async (t) => {
  const desk = new Desk(web([10, 1]));
  desk.verdicts('up 11', 'up 12');
  t.same(desk.remarks(byLatency(11, 50)), [], 'it is no news');
  t.equal(desk.wants(), '11:5 12:1');
  t.equal(desk.standing(11), 'weighted');
  desk.remarks(remark(11, { weight: absolute(4), latency: { share: 50, average: micros(1) } }));
  t.equal(desk.wants(), '11:2 12:1');
  desk.remarks(byLatency(12, 1));
  t.equal(desk.wants(), '11:2 12:1');
});

t.test('where all servers are slow none is taken out for it, and no fallback serves', async (t) => {
  const desk = new Desk(web([10, 10], { quorum: { weight: 15, hysteresis: 0 }, fallback: [[spare(21)]] }));
  desk.verdicts('up 11', 'up 12');
  t.same(desk.remarks(byLatency(11, 25), byLatency(12, 25)), []);
  t.equal(desk.wants(), '11:3 12:3');
  desk.remarks(remark(11, { weight: percent(25) }));
  t.equal(desk.wants(), '11:0 12:0 21:1', 'what an agent says does count');
});

t.test('a server with a warning is degraded, keeps its weight, and recovers', async (t) => {
  const desk = new Desk(web([3, 1]));
  t.same(desk.remarks(remark(11, { warning: 'w' })), [], 'it is not up yet');
  t.same(desk.verdicts('up 11', 'up 12'), ['11 up', '11 degraded: w', '12 up']);
  t.equal(desk.wants(), '11:3 12:1');
  t.same(desk.remarks(remark(11, { warning: 'other words' })), [], 'it is still');
  t.same(desk.remarks(remark(11, {})), ['11 recovered']);
  t.equal(desk.wants(), '11:3 12:1');
});

t.test(
  'a degraded server that goes down is down, and no more is told; up again it is degraded again',
  async (t) => {
    const desk = new Desk(web([3, 1]));
    desk.verdicts('up 11', 'up 12');
    t.same(desk.remarks(remark(11, { warning: 'w' })), ['11 degraded: w']);
    t.same(desk.verdicts('down 11'), ['11 down']);
    t.same(desk.verdicts('up 11'), ['11 up', '11 degraded: w']);
    desk.verdicts('down 11');
    t.same(desk.remarks(remark(11, {})), [], 'it is down');
  },
);

t.test('a server that one of its checks calls down, and is up, is degraded by it', async (t) => {
  const one = web([1]);
  const [server] = one.servers;
  if (server === undefined) throw new Error('no server');
  const [first] = server.checks;
  const [a, b] = ['a', 'b'].map((name) => ({ ...first, id: `${first.id}/${name}` }));
  if (a === undefined || b === undefined) throw new Error('no checks');
  const desk = new Desk({ ...one, servers: [{ ...server, checks: [a, b], needed: 1 }] });
  t.same(desk.changes([change(a.id, 'up', 'unknown')]), ['11 up']);
  t.same(desk.changes([change(b.id, 'down', 'unknown')]), ['11 degraded: b: down']);
  t.same(desk.remarks({ id: a.id, remark: { ...NO_REMARK, warning: 'w' } }), []);
  t.same(desk.changes([change(b.id, 'up', 'down')]), [], 'the other one warns still');
  t.same(desk.remarks({ id: a.id, remark: NO_REMARK }), ['11 recovered']);
});

t.test('the weight that a check says is followed, and the quorum counts it', async (t) => {
  const desk = new Desk(web([10, 10], { quorum: { weight: 8, hysteresis: 0 } }));
  desk.verdicts('up 11', 'up 12');
  t.same(desk.remarks(remark(11, { weight: percent(50) })), []);
  t.equal(desk.wants(), '11:5 12:10');
  t.equal(desk.standing(11), 'weighted');
  t.equal(
    standingText({ kind: 'weighted', weight: 5, of: 10 }),
    'serves with weight 5 in place of 10, as its checks say',
  );
  t.same(desk.remarks(remark(12, { weight: absolute(2) })), ['quorum lost']);
  t.equal(desk.wants(), '11:5 12:2');
  t.same(desk.remarks(remark(12, { weight: absolute(3) })), ['quorum met']);
  desk.administer(11, admin('enabled', 9));
  t.equal(desk.wants(), '11:9 12:3', 'the operator has the last word');
});

t.test('all servers say 0: the service has lost its quorum', async (t) => {
  const desk = new Desk(web([10, 10]));
  desk.verdicts('up 11', 'up 12');
  desk.remarks(remark(11, { weight: percent(0) }));
  t.same(desk.remarks(remark(12, { weight: percent(0) })), ['quorum lost']);
});

t.test('what a check says of state stands beside the word of the operator', async (t) => {
  const desk = new Desk(web([1, 1]));
  desk.verdicts('up 11', 'up 12');
  t.same(desk.remarks(remark(11, { say: 'drain' })), ['11 drain-started']);
  t.equal(desk.wants(), '11:0 12:1');
  t.same(desk.remarks(remark(11, { say: 'drain', weight: percent(50) })), [], 'said already');
  t.same(desk.remarks(remark(11, { say: 'maint' })), ['11 server-disabled']);
  t.equal(desk.wants(), '12:1');
  desk.administer(11, admin('draining'));
  t.same(desk.remarks(remark(11, { say: 'ready' })), ['11 server-enabled']);
  t.equal(desk.wants(), '11:0 12:1', 'the operator drains it still');
  desk.administer(11, undefined);
  t.equal(desk.wants(), '11:1 12:1');
});

t.test('a reload keeps what checks say, and forgets what was said by a check that is gone', async (t) => {
  const desk = new Desk(web([10]));
  desk.verdicts('up 11');
  desk.remarks(remark(11, { say: 'drain', weight: percent(50), warning: 'w' }));
  desk.reload(config(web([20])));
  t.equal(desk.wants(), '11:0');
  desk.remarks(remark(11, { weight: percent(50), say: 'ready' }));
  t.equal(desk.wants(), '11:10');
  desk.remarks(remark(11, { say: 'maint' }));
  const one = web([20]);
  const servers = one.servers.map((server) => {
    const [check] = server.checks;
    const checks = [
      { ...check, id: `${check.id}/a` },
      { ...check, id: `${check.id}/b` },
    ] as const;
    return { ...server, checks, needed: 2 };
  });
  desk.reload(config({ ...one, servers }));
  t.equal(desk.wants(), '11:20', 'neither its weight nor its word');
});

t.test('a worker that died takes a warning with it, but neither weight nor state', async (t) => {
  const desk = new Desk(web([10]));
  desk.verdicts('up 11');
  desk.remarks(remark(11, { say: 'drain', weight: percent(50), warning: 'w' }));
  desk.book.doubt([idOf(11)]);
  t.same(desk.book.view().health.get(idOf(11))?.remark, {
    warning: undefined,
    say: 'drain',
    weight: percent(50),
  });
});

t.test('remarks of checks that are gone, or of canaries, touch nothing', async (t) => {
  const desk = new Desk(web([10]));
  t.same(desk.remarks(remark(99, { warning: 'w' }), { id: '/canary/x', remark: NO_REMARK }), []);
  t.equal(desk.wants(), '11:hold');
});

t.test('the events say what it is', async (t) => {
  const service = web([1]);
  const [server] = service.servers;
  if (server === undefined) throw new Error('no server');
  t.same(newsHappening({ kind: 'degraded', service, server, warning: 'w' }), {
    kind: 'server-degraded',
    service: 'web',
    server: '192.0.2.11:80',
    message: '192.0.2.11:80 of web is degraded, and keeps its weight: w',
    facts: { warning: 'w' },
  });
  t.match(newsHappening({ kind: 'degraded', service, server, warning: undefined }), {
    kind: 'server-recovered',
    message: '192.0.2.11:80 of web is no longer degraded',
  });
});
