/** When probes start, where the interval is not always the same. */
import t from 'tap';
import { millis } from '../../src/core/units.js';
import { Bench, check, FAIL, PASS, UNKNOWN } from './runner-bench.js';

const THREE = { fastInterval: millis(200), downInterval: millis(3000) };

t.test('fast while failures count up, slow while it is down, fast again while passes count up', async (t) => {
  const bench = new Bench();
  const answers = [PASS, FAIL, FAIL, FAIL, FAIL, PASS, PASS, PASS];
  bench.answer = () => answers.shift() ?? PASS;
  bench.update([check(1, THREE)]);
  await bench.time.advance(12_000);
  // Up at 0; failures at 1000, 1200, 1400: down; 4400 still; 7400 a pass, 7600 up; then as usual.
  t.same(bench.startsOf(1).slice(0, 9), [0, 1000, 1200, 1400, 4400, 7400, 7600, 8600, 9600]);
  t.same(
    bench.changes.map(({ verdict }) => verdict),
    ['up', 'down', 'up'],
  );
});

t.test('a result that says nothing changes no pace', async (t) => {
  const bench = new Bench();
  const answers = [PASS, UNKNOWN, UNKNOWN];
  bench.answer = () => answers.shift() ?? PASS;
  bench.update([check(1, THREE)]);
  await bench.time.advance(3000);
  t.same(bench.startsOf(1), [0, 1000, 2000, 3000]);
});

t.test(
  'a probe that takes longer than the fast interval is followed at once, and never overlaps',
  async (t) => {
    const bench = new Bench();
    bench.update([check(1, { fastInterval: millis(100) })]);
    await bench.time.advance(0);
    await bench.flight(1).land(FAIL);
    await bench.time.advance(100);
    await bench.time.advance(250);
    await bench.flight(1).land(FAIL);
    await bench.time.advance(1);
    t.equal(bench.overlaps, 0);
    t.ok(bench.startsOf(1).length >= 2);
    t.ok(bench.startsOf(1).every((at, index, all) => index === 0 || at > (all[index - 1] ?? 0)));
  },
);

t.test('chance delays each start by a share of the interval, and the grid stays where it is', async (t) => {
  const bench = new Bench();
  bench.answer = () => PASS;
  bench.chances = [0, 0.5, 0, 1, 0.25, 0];
  bench.update([check(1, { jitter: 0.2 })]);
  await bench.time.advance(5500);
  t.same(bench.startsOf(1), [0, 1100, 2000, 3200, 4050, 5000]);
});
