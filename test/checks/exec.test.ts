/** One probe by a program, on a fake clock and with programs that end when the test says so. */
import t from 'tap';
import { execProber } from '../../src/checks/exec.js';
import type { ProbeResult } from '../../src/checks/model.js';
import { reasonText } from '../../src/checks/reason.js';
import type { ExecCheck } from '../../src/checks/spec-program.js';
import type { ProgramResult } from '../../src/exec/model.js';
import { FakeRunner, OK, STOPPED, type Started } from '../exec/fake-runner.js';
import { FakeTime, turn } from '../fakes/time.js';

const SPEC: ExecCheck = {
  type: 'exec',
  target: { address: '192.0.2.1' as never, port: 80 },
  argv: ['/usr/bin/check', '-x'],
  user: 'nobody',
  environment: { A: 'b' },
  contract: 'exit',
};

class Stage {
  readonly time = new FakeTime();
  readonly runner = new FakeRunner(this.time);
  readonly #prober = execProber({ clock: this.time, run: this.runner.run });

  get last(): Started {
    return this.runner.last;
  }

  /** Begins a probe, and lets it start its program where it can. */
  async probe(spec = SPEC, deadline = new AbortController()) {
    const result = this.#prober(spec, deadline.signal);
    await turn();
    return { result, abort: () => deadline.abort() };
  }

  /** A probe whose program comes to this, 10 ms after its start. */
  async come(told: ProgramResult, spec = SPEC): Promise<ProbeResult> {
    const { result } = await this.probe(spec);
    this.last.begin();
    await this.time.advance(10);
    await this.last.end(told);
    return result;
  }
}

t.test('what is run, and as whom', async (t) => {
  const stage = new Stage();
  await stage.come(OK);
  t.match(stage.last.program, {
    argv: ['/usr/bin/check', '-x'],
    user: 'nobody',
    environment: { A: 'b' },
    leavesNothing: true,
  });
});

const ROWS: readonly (readonly [ProgramResult, string])[] = [
  [OK, 'pass ok'],
  [{ kind: 'exited', code: 3, output: 'no route\nat all' }, 'fail rejected in run with 3: no route'],
  [{ kind: 'signalled', signal: 'SIGSEGV', output: '' }, 'fail protocol error in run: ended by SIGSEGV'],
  [
    { kind: 'signalled', signal: 'SIGKILL', output: 'was here\n' },
    'fail protocol error in run: ended by SIGKILL: was here',
  ],
  [
    { kind: 'not-run', errno: 'ENOENT', text: '/x cannot be run: spawn ENOENT' },
    'unknown not probed: /x cannot be run: spawn ENOENT',
  ],
  [STOPPED, 'unknown not probed: it was stopped'],
];

t.test('what a program comes to', async (t) => {
  for (const [told, expected] of ROWS) {
    const { outcome, reason } = await new Stage().come(told);
    t.equal(`${outcome} ${reasonText(reason)}`, expected);
  }
});

t.test('phases tell how long it waited and how long it ran', async (t) => {
  const stage = new Stage();
  const { result } = await stage.probe();
  await stage.time.advance(30);
  stage.last.begin();
  await stage.time.advance(12);
  await stage.last.end();
  t.match(await result, {
    phases: [
      ['wait', 30_000],
      ['run', 12_000],
    ],
    elapsed: 42_000,
  });
});

t.test('at the deadline it has failed, and is told to end', async (t) => {
  const stage = new Stage();
  const { result, abort } = await stage.probe();
  stage.last.begin();
  await stage.time.advance(1000);
  abort();
  t.match(await result, { outcome: 'fail', reason: { kind: 'timeout', phase: 'run' } });
  t.ok(stage.last.isStopped);
});

t.test('while it does not end no other is started; that is a time-out too', async (t) => {
  const stage = new Stage();
  const first = await stage.probe();
  stage.last.begin();
  first.abort();
  await first.result;
  const second = await stage.probe();
  await stage.time.advance(1000);
  second.abort();
  t.match(await second.result, { outcome: 'fail', reason: { kind: 'timeout', phase: 'wait' } });
  t.equal(stage.runner.runs.length, 1);
  const third = await stage.probe();
  await stage.last.leave();
  t.equal(stage.runner.runs.length, 2, 'it is started when the one before has gone');
  stage.last.begin();
  await stage.last.end();
  t.match(await third.result, { outcome: 'pass' });
});

t.test('checks do not wait for each other', async (t) => {
  const stage = new Stage();
  const first = await stage.probe();
  stage.last.begin();
  first.abort();
  await first.result;
  t.match(await stage.come(OK, { ...SPEC }), { outcome: 'pass' });
});

t.test('a deadline in the line is nobody’s failure', async (t) => {
  const stage = new Stage();
  const { result, abort } = await stage.probe();
  await stage.time.advance(1000);
  abort();
  const { outcome, reason } = await result;
  t.equal(`${outcome} ${reasonText(reason)}`, 'unknown not probed: it waited 1000 ms for other programs');
  t.ok(stage.last.isStopped, 'it leaves the line');
});

t.test('who came late has failed only after half of the time', async (t) => {
  for (const [waited, outcome] of [
    [400, 'fail'],
    [500, 'fail'],
    [501, 'unknown'],
  ] as const) {
    const stage = new Stage();
    const { result, abort } = await stage.probe();
    await stage.time.advance(waited);
    stage.last.begin();
    await stage.time.advance(1000 - waited);
    abort();
    t.match(await result, { outcome }, `${waited} ms of 1000`);
  }
});

t.test('a deadline that has passed starts nothing', async (t) => {
  const stage = new Stage();
  const passed = new AbortController();
  passed.abort();
  const { result } = await stage.probe(SPEC, passed);
  t.match(await result, { outcome: 'fail', reason: { kind: 'timeout' } });
  t.equal(stage.runner.runs.length, 0);
});

t.test('keepalived and nagios: weight and warning are handed on', async (t) => {
  const code = (value: number): ProgramResult => ({ kind: 'exited', code: value, output: 'words' });
  t.match(await new Stage().come(code(12), { ...SPEC, contract: 'keepalived' }), {
    outcome: 'pass',
    weight: { kind: 'absolute', value: 10 },
  });
  t.match(await new Stage().come(code(1), { ...SPEC, contract: 'nagios' }), {
    outcome: 'pass',
    warning: 'words',
  });
});

t.test('mon: each run hears of the one before; the operator’s variables stand above', async (t) => {
  const stage = new Stage();
  const spec: ExecCheck = { ...SPEC, contract: 'mon', environment: { MON_LAST_FAILURE: 'mine' } };
  await stage.come({ kind: 'exited', code: 1, output: 'web1\ndetail' }, spec);
  t.match(stage.last.program.environment, { MON_LAST_SUMMARY: '', MON_LAST_FAILURE: 'mine' });
  await stage.come({ kind: 'not-run', errno: 'EAGAIN', text: 'no process' }, spec);
  await stage.come(OK, spec);
  t.match(stage.last.program.environment, { MON_LAST_SUMMARY: 'web1', MON_LAST_OUTPUT: 'web1\ndetail' });
  await stage.come(OK, { ...spec });
  t.match(stage.last.program.environment, { MON_LAST_SUMMARY: '' }, 'another check has another past');
  await stage.come(OK, SPEC);
  t.notOk('MON_LAST_SUMMARY' in stage.last.program.environment, 'and the others hear nothing');
});
