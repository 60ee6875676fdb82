/** A tracked script on a fake clock: when it runs, and what its results come to. */
import t from 'tap';
import type { ProgramResult } from '../../src/exec/model.js';
import type { WatchedScript } from '../../src/tracks/model.js';
import { ScriptWatch } from '../../src/tracks/script.js';
import { FakeRunner, OK, type Started } from '../exec/fake-runner.js';
import { FakeTime } from '../fakes/time.js';
import { Record, script } from './build.js';

/** A script whose runs end when the test says so. */
class Stage {
  readonly time = new FakeTime();
  readonly told = new Record();
  readonly runner = new FakeRunner(this.time);
  readonly watch: ScriptWatch;

  constructor(rest: Partial<WatchedScript> = {}) {
    const { time } = this;
    const ports = { clock: time, timers: time, turns: { soon: setImmediate }, run: this.runner.run };
    this.watch = new ScriptWatch(script(rest), ports, this.told);
    this.watch.start();
  }

  get last(): Started {
    return this.runner.last;
  }

  get runs(): readonly Started[] {
    return this.runner.runs;
  }

  /** Lets each run end with the next of these codes, one a second. */
  async codes(...codes: readonly number[]): Promise<void> {
    for (const code of codes) {
      await this.last.end({ kind: 'exited', code, output: '' });
      await this.time.advance(1000);
    }
  }
}

const BAD: ProgramResult = { kind: 'exited', code: 1, output: '' };
const NOT_RUN: ProgramResult = { kind: 'not-run', errno: 'ENOENT', text: 'it is not there' };

t.test('it runs at once, then from start to start', async (t) => {
  const stage = new Stage();
  await stage.time.advance(300);
  await stage.last.end(OK);
  await stage.time.advance(699);
  t.equal(stage.runs.length, 1);
  await stage.time.advance(1);
  t.same(
    stage.runs.map(({ at }) => at),
    [0, 1000],
  );
});

t.test(
  'it never runs twice at the same time; a long run delays the next, and no run is made up for',
  async (t) => {
    const stage = new Stage();
    await stage.time.advance(3500);
    t.equal(stage.runs.length, 1);
    await stage.last.end(OK);
    await stage.time.advance(0);
    t.same(
      stage.runs.map(({ at }) => at),
      [0, 3500],
    );
    await stage.last.end(OK);
    await stage.time.advance(999);
    t.equal(stage.runs.length, 2);
  },
);

t.test('at the deadline it is down at once; the next run waits until the program is gone', async (t) => {
  const stage = new Stage();
  await stage.codes(0);
  t.same(stage.told.take(), ['up: exit code 0']);
  await stage.time.advance(1000);
  await stage.last.tell({ kind: 'timeout', output: 'still looking\nfor it' });
  t.same(stage.told.take(), ['down: not done within 1000 ms: still looking']);
  await stage.time.advance(5000);
  t.equal(stage.runs.length, 2);
  await stage.last.leave();
  await stage.time.advance(0);
  t.equal(stage.runs.length, 3);
});

t.test('what a run says', async (t) => {
  const rows: readonly (readonly [ProgramResult, string])[] = [
    [OK, 'up: exit code 0'],
    [{ kind: 'exited', code: 0, output: 'fine\n' }, 'up: exit code 0: fine'],
    [{ kind: 'exited', code: 3, output: 'no route\nto it\n' }, 'down: exit code 3: no route'],
    [{ kind: 'exited', code: 1, output: 'a\u001b[31mb' }, 'down: exit code 1: a [31mb'],
    [{ kind: 'exited', code: 1, output: 'x'.repeat(4000) }, `down: exit code 1: ${'x'.repeat(200)}`],
    [{ kind: 'signalled', signal: 'SIGSEGV', output: '' }, 'down: ended by SIGSEGV'],
    [NOT_RUN, 'blind: it is not there'],
  ];
  for (const [result, expected] of rows) {
    const stage = new Stage();
    await stage.last.end(result);
    t.same(stage.told.take(), [expected]);
  }
});

t.test('rise and fall count results in a row; only what changes is told', async (t) => {
  const stage = new Stage({ rise: 2, fall: 3 });
  await stage.codes(0, 1, 1, 0, 1, 1);
  t.same(stage.told.take(), ['up: exit code 0']);
  await stage.codes(2);
  t.same(stage.told.take(), ['down: exit code 2'], 'the reason is that of the last');
  await stage.codes(0, 1, 0);
  t.same(stage.told.take(), []);
  await stage.codes(0);
  t.same(stage.told.take(), ['up: exit code 0']);
});

t.test('what could not be run is no failure: nothing changes, and it is told once', async (t) => {
  const stage = new Stage({ fall: 2 });
  await stage.codes(0, 1);
  t.same(stage.told.take(), ['up: exit code 0']);
  for (let n = 0; n < 5; n += 1) {
    await stage.last.end(NOT_RUN);
    await stage.time.advance(1000);
  }
  t.same(stage.told.take(), ['blind: it is not there']);
  await stage.codes(1);
  t.same(stage.told.take(), ['down: exit code 1'], 'the failure before it still counts');
  await stage.last.end(NOT_RUN);
  t.same(stage.told.take(), ['blind: it is not there'], 'it had run in between: told anew');
});

t.test('after stop nothing runs and nothing is told', async (t) => {
  const between = new Stage();
  await between.last.end(OK);
  between.told.take();
  between.watch.stop();
  await between.time.advance(10_000);
  t.equal(between.runs.length, 1);
  t.equal(between.time.waiting, 0);

  const during = new Stage();
  during.watch.stop();
  t.ok(during.last.isStopped);
  await during.last.end(BAD);
  await during.time.advance(10_000);
  t.same(during.told.take(), []);
  t.equal(during.runs.length, 1);
});
