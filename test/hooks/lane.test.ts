import fc from 'fast-check';
import t from 'tap';
import { millis } from '../../src/core/units.js';
import type { ProgramResult } from '../../src/exec/model.js';
import { Lane, WAITING_MAX } from '../../src/hooks/lane.js';
import { FakeRunner, OK, program, STOPPED } from '../exec/fake-runner.js';
import { turn } from '../fakes/time.js';

class Stage {
  readonly runner = new FakeRunner();
  readonly troubles: string[] = [];
  emptied = 0;
  readonly lane = new Lane({
    run: this.runner.run,
    onTrouble: (message) => this.troubles.push(message),
    onEmpty: () => {
      this.emptied += 1;
    },
  });

  /** One program for each change, called after it. */
  offer(...names: readonly string[]): void {
    for (const name of names) this.lane.offer({ what: name, programs: [program('/hook', name)] });
  }

  get started(): readonly string[] {
    return this.runner.started.map((words) => words.replace('/hook ', ''));
  }
}

t.test('one after the other, in order, and the next one when the one before is gone', async (t) => {
  const stage = new Stage();
  stage.offer('1', '2', '3');
  t.same(stage.started, ['1']);
  await stage.runner.last.tell(OK);
  t.same(stage.started, ['1'], 'its result alone is not enough');
  await stage.runner.last.leave();
  t.same(stage.started, ['1', '2']);
  await stage.runner.last.end();
  await stage.runner.last.end();
  t.same(stage.started, ['1', '2', '3']);
  t.same([stage.troubles, stage.emptied], [[], 1]);
  stage.offer('4');
  t.same(stage.started, ['1', '2', '3', '4']);
});

t.test('several programs of one change run in their order', async (t) => {
  const stage = new Stage();
  stage.lane.offer({ what: '1', programs: [program('/own'), program('/all')] });
  stage.offer('2');
  await stage.runner.last.end();
  t.same(stage.runner.started, ['/own', '/all']);
  await stage.runner.last.end();
  t.equal(stage.started.at(-1), '2');
});

t.test('what goes wrong is told, and the next one follows', async (t) => {
  const rows: readonly (readonly [ProgramResult, string | undefined])[] = [
    [OK, undefined],
    [{ kind: 'exited', code: 0, output: 'talkative' }, undefined],
    [{ kind: 'exited', code: 3, output: '' }, '/hook for outside MASTER ended with exit code 3'],
    [{ kind: 'signalled', signal: 'SIGSEGV', output: '' }, '/hook for outside MASTER was ended by SIGSEGV'],
    [{ kind: 'timeout', output: '' }, '/hook for outside MASTER was not done within 10000 ms and is ended'],
    [{ kind: 'not-run', errno: 'ENOENT', text: '/hook is not there' }, 'outside MASTER: /hook is not there'],
    [STOPPED, '/hook for outside MASTER had no more time'],
  ];
  for (const [result, expected] of rows) {
    const stage = new Stage();
    stage.offer('outside MASTER', 'outside BACKUP');
    await stage.runner.last.end(result);
    t.same(stage.troubles, expected === undefined ? [] : [expected]);
    t.equal(stage.started.at(-1), 'outside BACKUP');
  }
});

const numbers = (count: number): readonly string[] => Array.from({ length: count }, (_, n) => String(n));

t.test('a bounded number waits; the oldest are given up, which is told once until it is over', async (t) => {
  const stage = new Stage();
  stage.offer(...numbers(WAITING_MAX + 1));
  t.same(stage.troubles, [], 'one runs, the others wait');
  stage.offer('x', 'y', 'z');
  t.same(stage.troubles, [
    `more than ${WAITING_MAX} changes wait for programs: nothing is run for the oldest, 1 first`,
  ]);
  for (let n = 0; n < WAITING_MAX + 1; n += 1) await stage.runner.last.end();
  t.same(stage.started, ['0', ...numbers(WAITING_MAX + 1).slice(4), 'x', 'y', 'z']);
  stage.offer(...numbers(WAITING_MAX + 2));
  t.equal(stage.troubles.length, 2, 'it was over: told anew');
});

t.test('when time is short only the last of what waits is run', async (t) => {
  const stage = new Stage();
  stage.offer('1', '2', '3', '4');
  stage.lane.shorten();
  t.same(
    stage.troubles,
    ['2', '3'].map((name) => `nothing is run for ${name}: lvsentry stops`),
  );
  await stage.runner.last.end();
  await stage.runner.last.end();
  t.same(stage.started, ['1', '4']);
  t.equal(stage.emptied, 1);
  stage.lane.shorten();
  t.equal(stage.troubles.length, 2);
});

t.test('what runs gives way to what waits, with all that belongs to the same change', async (t) => {
  const stage = new Stage();
  stage.lane.offer({ what: '1', programs: [program('/own'), program('/all')] });
  stage.lane.giveWay(millis(500));
  t.notOk(stage.runner.last.isStopped, 'nothing waits: it may go on');
  stage.offer('2');
  stage.lane.giveWay(millis(500));
  t.ok(stage.runner.last.isStopped);
  await stage.runner.last.end(STOPPED);
  t.same(stage.runner.started, ['/own', '/hook 2']);
  t.notOk(stage.runner.last.isStopped);
});

type Step = { readonly kind: 'offer' } | { readonly kind: 'end' };

t.test(
  'law: in the order offered, one at a time, at most so many waiting, and the last one always',
  async (t) => {
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 3, arbitrary: fc.constant({ kind: 'offer' } as const) },
      { weight: 1, arbitrary: fc.constant({ kind: 'end' } as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 300 }), async (steps) => {
        const stage = new Stage();
        let offered = 0;
        let ended = 0;
        for (const { kind } of steps) {
          if (kind === 'offer') {
            stage.offer(String(offered));
            offered += 1;
          } else if (ended < stage.runner.runs.length) {
            await stage.runner.last.end();
            ended += 1;
          }
          if (stage.runner.runs.length - ended > 1) return false;
        }
        while (ended < stage.runner.runs.length) {
          await stage.runner.last.end();
          ended += 1;
        }
        await turn();
        const started = stage.started.map(Number);
        const isOrdered = started.every((value, at) => at === 0 || value > (started[at - 1] ?? -1));
        const isWhole = offered <= WAITING_MAX + 1 ? started.length === offered : true;
        return isOrdered && isWhole && (offered === 0 || started.at(-1) === offered - 1);
      }),
      { numRuns: 100 },
    );
    t.pass('held');
  },
);
