import fc from 'fast-check';
import t from 'tap';
import { planBudget } from '../../src/checks/budget.js';
import type { Check, Pace } from '../../src/checks/model.js';
import { type Paced, Pacer } from '../../src/checks/pacer.js';
import { ip } from '../../src/core/ip.js';
import { millis } from '../../src/core/units.js';
import { Bench, check, FAIL, PASS } from './runner-bench.js';

const at = (host: number, port: number, interval: number): Check => {
  const its = check(port, { interval: millis(interval) });
  return { ...its, probe: { type: 'tcp', target: { address: ip(`192.0.2.${host}`), port } } };
};
const paced = (its: Check): Paced => ({ check: its, stretch: 1, bucket: undefined, waits: false });

function pacerOf(items: readonly Paced[], pace: Pace | undefined): Pacer {
  const pacer = new Pacer();
  pacer.set(pace);
  pacer.follow(items);
  return pacer;
}

/** At most so many begin in any span, whatever is due. @param starts instants in ms, in order */
function mostBeyond(starts: readonly number[], rate: number): number {
  let most = 0;
  for (let from = 0; from < starts.length; from += 1)
    for (let to = from; to < starts.length; to += 1)
      most = Math.max(most, to - from + 1 - (rate * ((starts[to] ?? 0) - (starts[from] ?? 0))) / 1000);
  return most;
}

t.test('without a pace nothing waits, and nothing is stretched', async (t) => {
  const items = [1, 2, 3].map((port) => paced(at(1, port, 10)));
  const pacer = pacerOf(items, undefined);
  for (const item of items) t.equal(pacer.begin(item, millis(5)), 0);
  t.equal(pacer.opensAt, Number.NEGATIVE_INFINITY);
  t.match(items, [{ stretch: 1, bucket: undefined }, {}, {}]);
});

t.test('those that come too early are let through one by one, in their order', async (t) => {
  const items = Array.from({ length: 6 }, (_, port) => paced(at(1, port, 1000)));
  const pacer = pacerOf(items, { all: undefined, servers: new Map([['192.0.2.1', 2]]) });
  // Twelve a second: 83 ms each, with two at once.
  const waits = items.map((item) => Math.round(pacer.begin(item, millis(0))));
  t.same(waits, [0, 0, 67, 150, 233, 317]);
  const third = items[2];
  if (third === undefined) throw new Error('six');
  t.equal(pacer.begin(third, millis(67)), 0, 'it comes again, and goes');
  pacer.forget(items[3] ?? third);
  pacer.forget(items[3] ?? third);
  t.equal(Math.round(pacer.begin(paced(third.check), millis(67))), 0, 'a check that nobody limits yet');
  const last = Math.round(pacer.begin(items[3] ?? third, millis(68)));
  t.equal(last, 249, 'who left the queue stands at its end: the third there, from 150 on');
});

t.test('a pace that ends leaves nothing behind; one that changes goes on counting', async (t) => {
  const items = [paced(at(1, 1, 1000)), paced(at(1, 2, 1000))];
  const pace: Pace = { all: 0.5, servers: new Map([['192.0.2.1', 0.5]]) };
  const pacer = pacerOf(items, pace);
  t.equal(items[0]?.stretch, 4);
  for (const item of items) pacer.begin(item, millis(0));
  const before = pacer.opensAt;
  t.ok(before > 0, 'two at once, and then it is closed');
  pacer.follow(items);
  t.equal(pacer.opensAt, before);
  pacer.set(undefined);
  pacer.follow(items);
  t.equal(pacer.opensAt, Number.NEGATIVE_INFINITY);
  t.match(items, [
    { stretch: 1, bucket: undefined, waits: false },
    { stretch: 1, bucket: undefined },
  ]);
});

t.test(
  'laws: in any span no more begin than the rate says, but for a tenth of a second of it or two',
  async () => {
    const arrivals = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 300 })), {
      maxLength: 120,
    });
    const ratio = fc.double({ min: 0.05, max: 8, noNaN: true });
    fc.assert(
      fc.property(arrivals, ratio, ratio, (all, here, total) => {
        const items = Array.from({ length: 10 }, (_, port) => paced(at(port % 2, port, 200 + 100 * port)));
        const pacer = pacerOf(items, { all: total, servers: new Map([['192.0.2.1', here]]) });
        const rates = items.map((item) => 1000 / item.check.rule.interval);
        const odd = rates.filter((_, port) => port % 2 === 1).reduce((sum, rate) => sum + rate, 0) * here;
        const kept = rates.reduce(
          (sum, rate, port) => sum + rate * (port % 2 === 1 ? Math.min(1, here) : 1),
          0,
        );
        const began: [number, number][] = [];
        let now = 0;
        for (const [port, after] of all) {
          now += after;
          const item = items[port];
          if (item === undefined || pacer.opensAt > now) continue;
          if (pacer.begin(item, millis(now)) === 0) began.push([port, now]);
        }
        const limited = began.filter(([port]) => port % 2 === 1).map(([, when]) => when);
        const burst = (rate: number): number => 1 + Math.max(1, rate / 10) + 1e-6;
        return (
          mostBeyond(limited, odd) <= burst(odd) &&
          mostBeyond(
            began.map(([, when]) => when),
            kept * total,
          ) <= burst(kept * total)
        );
      }),
    );
  },
);

t.test('a runner stretches all three intervals', async (t) => {
  const bench = new Bench();
  const answers = [PASS, FAIL, FAIL, FAIL, FAIL, PASS, PASS];
  bench.answer = (port) => (port === 1 ? answers.shift() : undefined) ?? PASS;
  const others = Array.from({ length: 20 }, (_, index) => check(2 + index));
  bench.chances = [0, ...others.map((_, index) => (index + 1) / 21)];
  bench.runner.pace({ all: 0.5, servers: new Map() });
  bench.update([check(1, { fastInterval: millis(200), downInterval: millis(3000) }), ...others]);
  await bench.time.advance(24_000);
  const starts = bench.startsOf(1);
  const gaps = starts.slice(1, 8).map((start, index) => start - (starts[index] ?? 0));
  // Its own intervals are a second, 200 ms and three seconds; it may have to let others pass.
  const wanted = [2000, 400, 400, 6000, 6000, 400, 2000];
  for (const [index, gap] of gaps.entries())
    t.ok(
      gap >= (wanted[index] ?? 0) - 100 && gap <= (wanted[index] ?? 0) + 200,
      `${gap} after ${starts[index]}`,
    );
});

const PORTS = Array.from({ length: 40 }, (_, index) => index + 1);

for (const scope of ['total', 'perServer'] as const)
  t.test(`servers that all fail at once are not probed faster than ${scope} allows`, async (t) => {
    const bench = new Bench();
    bench.chances = PORTS.map((port) => port / 41);
    let down = false;
    bench.answer = () => (down ? FAIL : PASS);
    const checks = PORTS.map((port) => check(port, { fastInterval: millis(100), downInterval: millis(100) }));
    const budget = { total: undefined, perServer: undefined, [scope]: 80 };
    bench.runner.pace(planBudget(checks, budget).pace);
    bench.update(checks);
    await bench.time.advance(5000);
    t.equal(bench.starts.length, 200, 'while all is well each has its interval');
    down = true;
    await bench.time.advance(5000);
    const starts = bench.starts.map(([, when]) => when);
    t.ok(mostBeyond(starts, 80) <= 1 + 8 + 1e-6, 'the law of the pacer');
    t.ok(
      starts.length >= 200 + 5 * 80 - 10,
      `${starts.length - 200} in five seconds: what there may be is used`,
    );
    t.equal(bench.changes.filter(({ verdict }) => verdict === 'down').length, 40, 'nobody is left out');
  });

t.test('with a budget that is used up every check has its share', async (t) => {
  const bench = new Bench();
  bench.chances = PORTS.map((port) => (port * 0.618) % 1);
  bench.answer = () => PASS;
  const checks = PORTS.map((port) => check(port));
  bench.runner.pace(planBudget(checks, { total: undefined, perServer: 10 }).pace);
  bench.update(checks);
  await bench.time.advance(40_000);
  for (const port of PORTS) {
    const count = bench.startsOf(port).length;
    t.ok(count >= 8 && count <= 11, `${port} has ${count} in forty seconds, at four seconds each`);
  }
});

t.test(
  'checks that were due at one time stand apart after they waited for the budget, and wait no more',
  async (t) => {
    const bench = new Bench();
    bench.answer = () => PASS;
    const checks = PORTS.map((port) => check(port));
    bench.runner.pace(planBudget(checks, { total: 10, perServer: undefined }).pace);
    bench.update(checks);
    await bench.time.advance(30_000);
    for (const port of PORTS) {
      const starts = bench.startsOf(port);
      const gaps = starts.slice(1).map((start, index) => Math.round(start - (starts[index] ?? 0)));
      t.ok(gaps.length >= 6, `${gaps.length} starts after the first`);
      t.ok(
        gaps.every((gap) => gap >= 4000 && gap <= 4200),
        `${port}: ${gaps}`,
      );
    }
  },
);

t.test('a larger budget holds at once, for what waits too; a reload leaves the others alone', async (t) => {
  const bench = new Bench();
  bench.answer = () => PASS;
  bench.chances = [0, 0.5, 0];
  const checks = [check(1), check(2)];
  bench.runner.pace({ all: 0.01, servers: new Map() });
  bench.update(checks);
  await bench.time.advance(1000);
  t.same(bench.starts, [[1, 0]]);
  bench.runner.pace({ all: 0.5, servers: new Map() });
  await bench.time.advance(9000);
  t.same(bench.startsOf(1), [0, 2000, 4000, 6000, 8000, 10_000], 'on its old grid');
  t.same(bench.startsOf(2), [], 'a first probe stays where it is');
  bench.runner.pace(undefined);
  bench.update([check(1), check(3)]);
  await bench.time.advance(2000);
  t.same(bench.startsOf(1).slice(6), [11_000, 12_000]);
});

t.test('at the limit of a budget nobody is passed over for those that come when he should', async (t) => {
  const bench = new Bench();
  bench.answer = () => PASS;
  const ports = [1, 2, 3, 4, 5, 6];
  const checks = ports.map((port) =>
    check(port, { interval: millis(600), downInterval: millis(300), fall: 1 }),
  );
  // Three a second, of ten; once all are down they want six, and what they get stands in the way of each other.
  bench.runner.pace(planBudget(checks, { total: undefined, perServer: 3 }).pace);
  bench.update(checks);
  await bench.time.advance(129_000);
  bench.answer = () => FAIL;
  await bench.time.advance(10_000);
  t.equal(bench.changes.filter(({ verdict }) => verdict === 'down').length, 6, 'all of them were probed');
  bench.starts.length = 0;
  await bench.time.advance(60_000);
  const counts = ports.map((port) => bench.startsOf(port).length);
  t.ok(Math.max(...counts) - Math.min(...counts) <= 1, `each as often: ${counts}`);
});
