import fc from 'fast-check';
import t from 'tap';
import { LatenessMeter } from '../../src/vrrp/digest.js';
import { ms } from './build.js';

function meterOf(...late: readonly number[]): LatenessMeter {
  const meter = new LatenessMeter();
  for (const each of late) meter.record(ms(each));
  return meter;
}

t.test('nothing was late yet', async (t) => {
  t.same(new LatenessMeter().read(), { count: 0, p50: 0, p99: 0, max: 0 });
});

t.test('milliseconds become microseconds; what is early is not late', async (t) => {
  t.same(meterOf(0.012).read(), { count: 1, p50: 12, p99: 12, max: 12 });
  t.same(meterOf(-5, 0).read(), { count: 2, p50: 0, p99: 0, max: 0 });
});

t.test('one of a hundred is p99, the middle is p50, the greatest stays for ever', async (t) => {
  const meter = meterOf(...new Array<number>(98).fill(0.01), 5, 5);
  t.match(meter.read(), { count: 100, p50: 10, max: 5000 });
  t.ok(Math.abs(meter.read().p99 - 5000) <= 5000 / 32);
  for (let time = 0; time < 5000; time += 1) meter.record(ms(0.003));
  t.same(
    meter.read(),
    { count: 5100, p50: 3, p99: 3, max: 5000 },
    'old times are forgotten, but for the max',
  );
});

t.test('what was before counts until as much came after it', async (t) => {
  const meter = meterOf(...new Array<number>(1024).fill(0.002));
  for (let time = 0; time < 1024; time += 1) meter.record(ms(0.008));
  t.same([meter.read().p50, meter.read().p99], [8, 8]);
  t.same(
    meterOf(...new Array<number>(1024).fill(0.002), ...new Array<number>(1000).fill(0.008)).read().p50,
    2,
  );
});

t.test('what was three generations ago counts no more', async (t) => {
  const meter = meterOf(...new Array<number>(1024).fill(5));
  for (let time = 0; time < 4 * 1024; time += 1) meter.record(ms(0.003));
  t.equal(meter.read().p99, 3);
  const slower = meterOf(...new Array<number>(2048).fill(0.003));
  for (let time = 0; time < 4 * 1024; time += 1) slower.record(ms(0.012));
  t.equal(slower.read().p50, 12);
});

t.test('more than any clock can be late is the longest that it knows, and the max is right', async (t) => {
  const read = meterOf(1e9).read();
  t.equal(read.max, 1e12);
  t.ok(read.p99 > 1e9);
});

t.test('law: p50 and p99 are within 1/32 of those of the sorted times', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 100_000_000 }), { minLength: 1, maxLength: 1024 }),
      (all) => {
        const sorted = [...all].sort((a, b) => a - b);
        const { count, p50, p99, max } = meterOf(...all.map((micros) => micros / 1000)).read();
        const near = (told: number, share: number): boolean => {
          const right = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
          return Math.abs(told - right) <= right / 32 + 1;
        };
        return count === all.length && near(p50, 0.5) && near(p99, 0.99) && max === sorted.at(-1);
      },
    ),
  );
});
