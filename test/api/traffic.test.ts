import fc from 'fast-check';
import t from 'tap';
import { serverTraffic, serviceTraffic, trafficStatus, weightOf } from '../../src/api/traffic.js';
import type { ObservedService, Stats } from '../../src/ipvs/model.js';
import { ZERO_STATS } from '../../src/ipvs/observe.js';
import { key, service, table } from '../ipvs/build.js';
import { A, B, busy, COUNTED, WEB } from './build.js';

const ALSO = service(key('192.0.2.9'));

function entry(): ObservedService {
  const [first] = busy(table([WEB, [A, B]])).values();
  if (first === undefined) throw new Error('the table is empty');
  return first;
}

t.test('one entry counts as it is, with all its 64 bits', async (t) => {
  const traffic = serviceTraffic([entry()]);
  t.same(traffic, { active: 7, inactive: 3, persistent: 2, stats: COUNTED });
  t.equal(trafficStatus(traffic)?.connections, 15);
});

t.test('several entries of one service are added up; those that are missing count nothing', async (t) => {
  const [other] = table([ALSO, [A]]).values();
  const sum = serviceTraffic([entry(), undefined, entry(), other]);
  t.equal(sum?.active, 14);
  t.equal(sum?.stats.bytesIn, 2n * COUNTED.bytesIn);
  t.equal(sum?.stats.connectionsPerSecond, 42n);
});

t.test('what the table does not hold counts nothing, which is not the same as 0', async (t) => {
  t.equal(serviceTraffic([undefined]), undefined);
  t.equal(serverTraffic([]), undefined);
  t.equal(trafficStatus(undefined), null);
  t.match(trafficStatus(serverTraffic([...entry().dests.values()].slice(1))), { active: 0, bytesIn: 0 });
});

t.test('law: a server in several entries counts what it counts in each', async () => {
  const [first] = [...entry().dests.values()];
  if (first === undefined) throw new Error('there is no server');
  const names = Object.keys(ZERO_STATS) as (keyof Stats)[];
  const stats = fc
    .array(fc.bigInt({ min: 0n, max: 2n ** 60n }), { minLength: 10, maxLength: 10 })
    .map((values) => Object.fromEntries(names.map((name, at) => [name, values[at]])) as unknown as Stats);
  fc.assert(
    fc.property(fc.array(stats, { minLength: 1, maxLength: 5 }), (all) => {
      const sum = serverTraffic(all.map((each) => ({ ...first, stats: each })));
      return (
        sum?.active === 7 * all.length &&
        names.every((name) => sum.stats[name] === all.reduce((total, each) => total + each[name], 0n))
      );
    }),
  );
});

t.test(
  'the weight of a server in several entries is the smallest: it tells that one of them is otherwise',
  async (t) => {
    const dests = [...entry().dests.values()];
    const weighing = (...weights: number[]) =>
      weights.flatMap((weight) =>
        dests.slice(0, 1).map((one) => ({ ...one, settings: { ...one.settings, weight } })),
      );
    t.equal(weightOf(weighing(3, 0, 5)), 0);
    t.equal(weightOf(weighing(3)), 3);
    t.equal(weightOf([]), undefined);
  },
);
