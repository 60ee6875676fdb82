/** What a runner tells before there is a verdict. */
import t from 'tap';
import type { Reason } from '../../src/checks/model.js';
import { Bench, check, FAIL, PASS, UNKNOWN } from './runner-bench.js';

t.test(
  'the first failure after passes is told, and the pass that ends failures; a verdict speaks for itself',
  async (t) => {
    const bench = new Bench();
    const told = () => bench.suspicions.splice(0).map(({ id, reason }) => `${id} ${reason?.kind ?? 'pass'}`);
    let reason: Reason = PASS;
    bench.answer = () => reason;
    bench.update([check(1)]);
    await bench.time.advance(3000);
    t.same(told(), [], 'a check that passes is silent');
    reason = FAIL;
    await bench.time.advance(2000);
    t.same(told(), ['web/1 refused'], 'once, not for every failure');
    reason = UNKNOWN;
    await bench.time.advance(1000);
    t.same(told(), [], 'trouble of our own says nothing');
    reason = PASS;
    await bench.time.advance(2000);
    t.same(told(), ['web/1 pass']);
    reason = FAIL;
    await bench.time.advance(9000);
    t.same(told(), ['web/1 refused']);
    t.same(bench.told(), ['web/1 unknown>up', 'web/1 up>down']);
    reason = PASS;
    await bench.time.advance(9000);
    t.same(told(), [], 'who is down is not suspected');
  },
);

t.test('a check whose passes are waited for tells each of them', async (t) => {
  const bench = new Bench();
  bench.answer = () => PASS;
  bench.update([{ ...check(1), tellsPasses: true }]);
  await bench.time.advance(3000);
  t.same(bench.told(), ['web/1 unknown>up']);
  t.same(
    bench.suspicions.map(({ reason }) => reason),
    [undefined, undefined, undefined],
  );
});
