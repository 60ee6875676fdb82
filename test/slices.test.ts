/** Long work in slices: who waits, and for how long, by a clock that the work itself moves. */
import t from 'tap';
import type { Steps } from '../src/core/steps.js';
import { type Millis, millis } from '../src/core/units.js';
import { inSlices, type Slicing } from '../src/slices.js';

/** A clock that each step moves by `cost`, and turns that are counted. */
function bench(cost: number) {
  let now = 0;
  let turns = 0;
  const slicing: Slicing = {
    clock: { monotonic: () => millis(now) },
    turns: {
      soon: (run: () => void) => {
        turns += 1;
        setImmediate(run);
      },
    },
  };
  const work = function* (steps: number): Steps<string> {
    for (let step = 0; step < steps; step += 1) {
      now += cost;
      yield;
    }
    return 'done';
  };
  return { slicing, work, turns: () => turns, now: (): Millis => millis(now) };
}

t.test('short work is done at once', async (t) => {
  const { slicing, work, turns } = bench(1);
  t.equal(await inSlices(work(3), slicing), 'done');
  t.equal(turns(), 0);
});

t.test('others have their turn after some milliseconds of it, again and again', async (t) => {
  const { slicing, work, turns } = bench(1);
  t.equal(await inSlices(work(100), slicing), 'done');
  t.equal(turns(), 25);
});

t.test('a long step is a slice of its own', async (t) => {
  const { slicing, work, turns } = bench(50);
  await inSlices(work(4), slicing);
  t.equal(turns(), 4);
});

t.test('what happens meanwhile happens between two steps', async (t) => {
  const { slicing, work, now } = bench(5);
  const seen: Millis[] = [];
  setImmediate(() => seen.push(now()));
  await inSlices(work(10), slicing);
  t.ok((seen[0] ?? 50) < 50, 'the first turn came before the work was over');
});

t.test('what goes wrong in a step is told to whoever waits', async (t) => {
  const { slicing } = bench(1);
  const broken = function* (): Steps<string> {
    yield;
    throw new Error('broken');
  };
  await t.rejects(inSlices(broken(), slicing), /broken/);
});
