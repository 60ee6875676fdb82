/** What a check says beside its verdict: what of it is told, and what is not. */
import fc from 'fast-check';
import t from 'tap';
import type { ProbeResult, Remark } from '../../src/checks/model.js';
import { FORMER_REMARK, NEVER, NO_REMARK, type Remarking, takeRemark } from '../../src/checks/remark.js';
import { micros, millis } from '../../src/core/units.js';
import { Bench, check } from './runner-bench.js';

type Said = Partial<Pick<ProbeResult, 'warning' | 'weight' | 'say'>>;

const PASSED: ProbeResult = { outcome: 'pass', reason: { kind: 'ok' }, phases: [], elapsed: micros(1) };
const FAILED: ProbeResult = { ...PASSED, outcome: 'fail', reason: { kind: 'refused', phase: 'connect' } };
const NOT_MADE: ProbeResult = {
  ...PASSED,
  outcome: 'unknown',
  reason: { kind: 'local', phase: 'connect', errno: 'EMFILE' },
};

const pass = (said: Said = {}): ProbeResult => ({ ...PASSED, ...said });

class Said1 implements Remarking {
  clean = 0;
  wordsAt = NEVER;
  readonly latency = undefined;
  now = 0;

  constructor(public remark: Remark = NO_REMARK) {}

  take(result: ProbeResult, rise = 2): Remark | undefined {
    this.now += 1000;
    return takeRemark(this, result, rise, millis(this.now));
  }
}

const WARNING = { warning: 'the certificate expires in 3 days' };

t.test('a warning is told at once, not again, and gone after `rise` passes without one', async (t) => {
  const said = new Said1();
  t.equal(said.take(pass()), undefined, 'nothing to tell');
  t.match(said.take(pass(WARNING)), WARNING);
  t.equal(said.take(pass(WARNING)), undefined);
  t.equal(said.take(pass()), undefined);
  t.equal(said.take(pass(WARNING)), undefined, 'the row begins anew');
  t.equal(said.take(pass()), undefined);
  t.same(said.take(pass()), NO_REMARK);
});

t.test('neither a failure nor a probe that was not made says anything of a warning', async (t) => {
  const said = new Said1();
  said.take(pass(WARNING));
  for (const result of [FAILED, NOT_MADE, FAILED, FAILED]) t.equal(said.take(result), undefined);
});

t.test('a neutral probe tells weight and state, and nothing of a warning', async (t) => {
  const neutral = (said: Said): ProbeResult => ({ ...pass(said), outcome: 'neutral' });
  const said = new Said1();
  said.take(pass(WARNING));
  t.match(said.take(neutral({ weight: { kind: 'percent', value: 50 } })), {
    ...WARNING,
    weight: { value: 50 },
  });
  t.match(said.take(neutral({ say: 'drain' })), { ...WARNING, say: 'drain', weight: { value: 50 } });
  t.equal(said.take(neutral({})), undefined);
  t.equal(said.take(neutral({ say: 'drain' })), undefined);
});

t.test('other words of a warning are told once a minute', async (t) => {
  const said = new Said1();
  const told = Array.from({ length: 125 }, (_, index) => said.take(pass({ warning: `load ${index}` })));
  t.same(
    told.flatMap((one) => one?.warning ?? []),
    ['load 0', 'load 60', 'load 120'],
  );
});

t.test('weight and state are told where they change, and stay where nothing is said', async (t) => {
  const said = new Said1();
  const half = { kind: 'percent', value: 50 } as const;
  t.match(said.take(pass({ weight: half })), { weight: half });
  t.equal(said.take(pass({ weight: { ...half } })), undefined, 'the same in another object');
  t.equal(said.take(pass()), undefined);
  t.match(said.take(pass({ say: 'drain' })), { weight: half, say: 'drain' });
  t.match(
    said.take({ ...FAILED, weight: { kind: 'absolute', value: 50 } }),
    { say: 'drain' },
    'a failure may',
  );
  t.equal(said.take({ ...NOT_MADE, say: 'ready' }), undefined);
  t.match(said.take(pass({ say: 'ready' })), { weight: { kind: 'absolute', value: 50 }, say: 'ready' });
});

t.test('after a change of the check what was said before is corrected, whatever it was', async (t) => {
  t.same(new Said1(FORMER_REMARK).take(pass()), NO_REMARK, 'it may have had a warning');
  t.match(new Said1(FORMER_REMARK).take(pass(WARNING)), WARNING);
  const failing = new Said1(FORMER_REMARK);
  t.equal(failing.take(FAILED), undefined);
  t.match(
    failing.take({ ...FAILED, say: 'maint' }),
    { say: 'maint', warning: undefined },
    'never an empty one',
  );
});

const anyResult = fc.oneof(
  fc.constant(FAILED),
  fc.constant(NOT_MADE),
  fc
    .record(
      {
        warning: fc.constantFrom('a', 'b'),
        weight: fc.record({
          kind: fc.constantFrom('absolute' as const, 'percent' as const),
          value: fc.constantFrom(0, 50),
        }),
        say: fc.constantFrom('drain' as const, 'ready' as const),
      },
      { requiredKeys: [] },
    )
    .map(pass),
);

t.test('what is told always differs from what was told before', async () => {
  fc.assert(
    fc.property(fc.array(anyResult, { maxLength: 40 }), (results) => {
      const said = new Said1();
      let before = JSON.stringify(NO_REMARK);
      return results.every((result) => {
        const told = said.take(result);
        if (told === undefined) return true;
        const text = JSON.stringify(told);
        const isNew = text !== before;
        before = text;
        return isNew;
      });
    }),
  );
});

t.test('a runner tells remarks apart from verdicts, and a check that says nothing is silent', async (t) => {
  let said: Said = {};
  const bench = new Bench({ probe: () => Promise.resolve(pass(said)) });
  const remarks = () => bench.remarks.splice(0).map(({ id, remark }) => [id, remark.warning]);
  bench.update([check(1)]);
  await bench.time.advance(3000);
  t.same(remarks(), []);
  said = WARNING;
  await bench.time.advance(3000);
  t.same(remarks(), [['web/1', WARNING.warning]]);
  t.same(bench.told(), ['web/1 unknown>up'], 'no verdict comes of it');
  bench.update([{ ...check(1), rule: { ...check(1).rule, fall: 7 } }]);
  said = {};
  await bench.time.advance(1000);
  t.same(remarks(), [['web/1', undefined]], 'another check under the same name tells anew');
});
