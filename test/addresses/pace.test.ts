import fc from 'fast-check';
import t from 'tap';
import { Pace } from '../../src/addresses/pace.js';
import { millis } from '../../src/core/units.js';

t.test('the first time is at once, each further one waits twice as long, a second at most', async (t) => {
  const pace = new Pace();
  const waits: number[] = [];
  for (let now = 0, times = 0; times < 10; times += 1) {
    pace.fought('a', millis(now));
    waits.push(pace.wait('a', millis(now)));
    now += pace.wait('a', millis(now));
  }
  t.same(waits, [10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000]);
  t.equal(pace.wait('b', millis(0)), 0, 'another thing does not wait');
});

t.test('after a calm it is at once again', async (t) => {
  const pace = new Pace();
  for (const now of [0, 100, 200, 300]) pace.fought('a', millis(now));
  t.equal(pace.wait('a', millis(300)), 80);
  t.equal(pace.wait('a', millis(380)), 0);
  pace.fought('a', millis(10_301));
  t.equal(pace.wait('a', millis(10_301)), 10);
});

t.test('what was refused is tried again after a second', async (t) => {
  const pace = new Pace();
  pace.refused('a', millis(5));
  t.same(
    [pace.wait('a', millis(5)), pace.wait('a', millis(1004)), pace.wait('a', millis(1005))],
    [1000, 1, 0],
  );
  pace.refused('a', millis(2000));
  t.equal(pace.wait('a', millis(2000)), 1000, 'that does not grow');
});

t.test('what is forgotten does not wait', async (t) => {
  const pace = new Pace();
  for (const key of ['a', 'b', 'c']) pace.refused(key, millis(0));
  pace.forget('a');
  t.same([pace.wait('a', millis(0)), pace.wait('b', millis(0))], [0, 1000]);
  pace.forgetAll();
  t.same([pace.wait('b', millis(0)), pace.wait('c', millis(0))], [0, 0]);
});

t.test('law: nothing ever waits longer than a second', async () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('fought', 'refused', 'nothing'), fc.nat(20_000)));
  fc.assert(
    fc.property(steps, (list) => {
      const pace = new Pace();
      let now = 0;
      return list.every(([what, by]) => {
        now += by;
        if (what === 'fought') pace.fought('a', millis(now));
        if (what === 'refused') pace.refused('a', millis(now));
        const wait = pace.wait('a', millis(now));
        return wait >= 0 && wait <= 1000 && pace.wait('a', millis(now + wait)) === 0;
      });
    }),
  );
});
