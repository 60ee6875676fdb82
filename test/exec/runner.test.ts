/** The runner against real programs: what it says of them, and that it leaves nothing behind. */
import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { millis } from '../../src/core/units.js';
import type { Program, ProgramResult } from '../../src/exec/model.js';
import { OUTPUT_MAX } from '../../src/exec/process.js';
import { ProgramRunner } from '../../src/exec/runner.js';
import { systemTimers } from '../../src/sys/clock.js';
import { openPipe } from '../../src/sys/pipe.js';
import { eventually, lives, Scripts } from './scripts.js';

const isRoot = process.getuid?.() === 0;
const SHORT = { deadline: millis(300) };

function runnerOf(t: Test, concurrencyMax = 8): ProgramRunner {
  const runner = new ProgramRunner({ timers: systemTimers, openPipe, concurrencyMax });
  t.teardown(() => runner.close());
  return runner;
}

function run(t: Test, program: Program): Promise<ProgramResult> {
  return runnerOf(t).run(program).result;
}

const descriptors = (): number => readdirSync('/proc/self/fd').length;

const exited = (code: number, output = ''): ProgramResult => ({ kind: 'exited', code, output });

t.test('what a program comes to', async (t) => {
  const scripts = new Scripts(t);
  const rows: readonly (readonly [string, string, ProgramResult])[] = [
    ['ends well', 'exit 0', exited(0)],
    ['fails', 'exit 1', exited(1)],
    ['fails with the greatest code', 'exit 255', exited(255)],
    ['says why', 'echo no route; echo at all >&2; exit 3', exited(3, 'no route\nat all\n')],
    ['is killed', 'kill -KILL $$', { kind: 'signalled', signal: 'SIGKILL', output: '' }],
    ['opens its output anew', 'echo b > /dev/stderr; echo c > /dev/stdout', exited(0, 'b\nc\n')],
    ['reads', 'cat; read line; echo "got $? $line"', exited(0, 'got 1 \n')],
  ];
  for (const [index, [name, body, expected]] of rows.entries())
    t.same(await run(t, scripts.program(`row-${index}`, body)), expected, `a program that ${name}`);
});

t.test('what cannot be run has not failed', async (t) => {
  const scripts = new Scripts(t);
  const text = scripts.path('text');
  writeFileSync(text, 'no program\n');
  const fine = scripts.program('fine', 'exit 0');
  const rows: readonly (readonly [string, Program, string | undefined])[] = [
    ['a file that is not there', { ...fine, argv: [scripts.path('nothing')] }, 'ENOENT'],
    ['a file without permission', { ...fine, argv: [text] }, 'EACCES'],
    ['a folder', { ...fine, argv: [scripts.folder] }, 'EACCES'],
    ['an argument with a zero byte', { ...fine, argv: [...fine.argv, 'a\0b'] }, 'ERR_INVALID_ARG_VALUE'],
    ['too many arguments', { ...fine, argv: [...fine.argv, 'x'.repeat(4_000_000)] }, 'E2BIG'],
    ['a user that there is not', { ...fine, user: 'nobody-of-this-name' }, undefined],
  ];
  for (const [name, program, errno] of rows) {
    const before = descriptors();
    const result = await run(t, program);
    t.match(result, { kind: 'not-run', errno, text: program.argv[0] }, name);
    await eventually(`${name}: no descriptor is left`, () => descriptors() <= before);
  }
});

t.test('no shell reads the arguments, and the environment is clean', async (t) => {
  const scripts = new Scripts(t);
  process.env.LVSENTRY_SECRET = 'never handed on';
  t.teardown(() => delete process.env.LVSENTRY_SECRET);
  const words = ['$(id)', '*', '; exit 7', '', 'two words', "'"];
  // Names alone: tap puts the names of all test files into the environment, more than is kept of an output.
  const names = 'env -0 | cut -z -d= -f1 | sort -z | tr "\\000" "\\n"';
  const told = scripts.program('told', `for word in "$@"; do echo "<$word>"; done; ${names}; pwd`);
  const result = await run(t, { ...told, argv: [told.argv[0], ...words], environment: { LVSENTRY_X: 'y' } });
  t.match(result, { kind: 'exited', code: 0 });
  const lines = result.kind === 'exited' ? result.output.trimEnd().split('\n') : [];
  t.same(
    lines.slice(0, words.length),
    words.map((word) => `<${word}>`),
  );
  // The shell itself sets PWD; dash nothing else, bash a few more. And tap puts its own into every program's.
  t.same(
    lines.slice(words.length, -1).filter((name) => !/^(PWD|OLDPWD|SHLVL|_|NODE_OPTIONS|_?TAP.*)$/.test(name)),
    ['LANG', 'LVSENTRY_X', 'PATH'],
  );
  t.equal(lines.at(-1), '/', 'it stands in the root folder');
});

t.test('a program has three descriptors, and a group and session of its own', async (t) => {
  const scripts = new Scripts(t);
  const program = scripts.program('inside', 'ls /proc/$$/fd | tr "\\n" " "; cut -d" " -f1,5,6 /proc/$$/stat');
  const result = await run(t, program);
  t.match(result, { kind: 'exited', code: 0 });
  const [, list = '', pid, group, session] =
    /^([\d ]*?) (\d+) (\d+) (\d+)\n$/.exec(result.kind === 'exited' ? result.output : '') ?? [];
  // The shell has the script itself open, by convention at 10 or above.
  t.same(
    list
      .trim()
      .split(' ')
      .map(Number)
      .filter((fd) => fd < 10 && fd > 2),
    [],
  );
  t.same([group, session], [pid, pid]);
});

t.test('another user, without the groups of this one', { skip: !isRoot && 'needs root' }, async (t) => {
  const scripts = new Scripts(t);
  const who = scripts.program('who', 'id -u; id -g; id -G', { user: '65534:4' });
  t.same(await run(t, who), exited(0, '65534\n4\n4\n'));
});

t.test('the deadline ends the whole group', async (t) => {
  const scripts = new Scripts(t);
  const runner = runnerOf(t);
  const body = 'sleep 1000 & echo $! > $DIR/child; echo $$ > $DIR/leader; echo begun; wait';
  const started = runner.run(scripts.program('group', body, SHORT));
  t.same(await started.result, { kind: 'timeout', output: 'begun\n' });
  await started.gone;
  const [child, leader] = ['child', 'leader'].map((name) => Number(scripts.read(name)));
  t.ok(child !== undefined && child > 0, 'it had begun');
  await eventually('nothing of it is left', () => !lives(child ?? 0) && !lives(leader ?? 0));
  t.equal(runner.running, 0);
});

t.test('a program that obeys TERM has time to put its things away', async (t) => {
  const scripts = new Scripts(t);
  const body = 'trap "echo done > $DIR/tidy; exit 0" TERM; while :; do sleep 0.05; done';
  const started = runnerOf(t).run(scripts.program('tidy-up', body, SHORT));
  t.match(await started.result, { kind: 'timeout' }, 'that it ended well after all changes nothing');
  await started.gone;
  t.equal(scripts.read('tidy'), 'done\n');
});

t.test('what a program that obeys TERM leaves behind in its group is killed', async (t) => {
  const scripts = new Scripts(t);
  const body =
    '(trap "" TERM; echo ready > $DIR/pid; while :; do sleep 0.05; done) & echo $! > $DIR/child; wait';
  const runner = runnerOf(t);
  const { result, gone } = runner.run({ ...scripts.program('leaves', body), ...SHORT });
  t.match(await result, { kind: 'timeout' });
  await gone;
  const child = Number(scripts.read('child'));
  t.ok(child > 1);
  await eventually('it does not outlive its parent', () => !lives(child));
});

t.test('a program that ignores TERM is killed; its result does not wait for that', async (t) => {
  const scripts = new Scripts(t);
  const runner = runnerOf(t, 1);
  const order: string[] = [];
  const body = 'trap "echo heard > $DIR/heard" TERM; echo $$ > $DIR/pid; while :; do sleep 0.05; done';
  const stubborn = runner.run(scripts.program('stubborn', body, SHORT));
  const next = runner.run(scripts.program('next', 'exit 0'));
  void stubborn.result.then(({ kind }) => order.push(kind));
  void stubborn.gone.then(() => order.push('gone'));
  t.same(await next.result, exited(0));
  t.same(order, ['timeout', 'gone'], 'its place is free when it is gone');
  t.equal(scripts.read('heard'), 'heard\n', 'it was asked first');
  t.notOk(lives(Number(scripts.read('pid'))));
});

t.test('one that stays in the background and keeps the output open is not waited for', async (t) => {
  const scripts = new Scripts(t);
  const body = 'setsid sleep 1000 & echo $! > $DIR/pid; echo started';
  const before = descriptors();
  const started = runnerOf(t).run(scripts.program('daemon', body));
  t.same(await started.result, exited(0, 'started\n'));
  await started.gone;
  await eventually('its output is let go', () => descriptors() <= before);
  const pid = Number(scripts.read('pid'));
  t.ok(lives(pid), 'and it is left alone');
  process.kill(pid, 'SIGKILL');
});

t.test('output is bounded: the beginning is kept, more than a little is read, endless is not', async (t) => {
  const scripts = new Scripts(t);
  const long = 'head -c 500000 /dev/zero | tr "\\0" x; exit 4';
  t.same(await run(t, scripts.program('long', long)), exited(4, 'x'.repeat(OUTPUT_MAX)));
  const endless = await run(t, scripts.program('endless', 'exec yes', { deadline: millis(1000) }));
  t.same(endless, { kind: 'timeout', output: 'y\n'.repeat(OUTPUT_MAX / 2) });
  const cut = await run(t, scripts.program('cut', `printf '%${OUTPUT_MAX - 1}sä'`));
  t.match(cut, { kind: 'exited', code: 0, output: /\ufffd$/ }, 'a character that is cut shows as such');
});

t.test('so many at a time; the others wait in their order', async (t) => {
  const scripts = new Scripts(t);
  const runner = runnerOf(t, 2);
  const body = (n: number): string =>
    `echo ${n} >> $DIR/begun; while [ ! -e $DIR/go-${n} ]; do sleep 0.02; done`;
  const runs = [1, 2, 3].map((n) => runner.run(scripts.program(`p${n}`, body(n))));
  await eventually('two have begun', () => scripts.read('begun').length === 4);
  t.equal(runner.running, 2);
  writeFileSync(scripts.path('go-2'), '');
  t.same(await runs[1]?.result, exited(0));
  await eventually('the third begins', () => scripts.read('begun').endsWith('3\n'));
  t.equal(runner.running, 2);
  for (const n of [1, 3]) writeFileSync(scripts.path(`go-${n}`), '');
  t.same(await Promise.all(runs.map(({ result }) => result)), [exited(0), exited(0), exited(0)]);
});

t.test('a turn of the loop starts a few; who is asked for says when its turn has come', async (t) => {
  const scripts = new Scripts(t);
  const runner = runnerOf(t, 100);
  const program = { ...scripts.program('unused', ''), argv: ['/bin/true'] } as const;
  const order: string[] = [];
  const runs = Array.from({ length: 40 }, (_, n) =>
    runner.run({ ...program, argv: [...program.argv] }, () => order.push(`start ${n}`)),
  );
  t.ok(order.length > 0 && order.length < 40, 'not all at once');
  t.equal(order[0], 'start 0');
  t.equal(runner.running, order.length);
  t.same(
    new Set(await Promise.all(runs.map(async ({ result }) => (await result).kind))),
    new Set(['exited']),
  );
  t.same(
    order,
    runs.map((_, n) => `start ${n}`),
    'in their order',
  );
});

t.test('what is left of a group that leaves nothing is killed when its program has ended', async (t) => {
  const scripts = new Scripts(t);
  const body = 'sleep 1000 & echo $! > $DIR/left; echo done';
  const program = scripts.program('leaver', body, { leavesNothing: true });
  t.same(await run(t, program), exited(0, 'done\n'));
  await eventually('it is gone', () => !lives(Number(scripts.read('left'))));
});

t.test('the groups of what runs are written down, until nothing runs any more', async (t) => {
  const scripts = new Scripts(t);
  const told: string[] = [];
  const groups = {
    add: (group: number) => void told.push(`add ${group}`),
    delete: (group: number) => void told.push(`delete ${group}`),
  };
  const runner = new ProgramRunner({ timers: systemTimers, openPipe, concurrencyMax: 1, groups });
  await runner.run(scripts.program('says', 'echo $$ > $DIR/says.pid')).gone;
  await runner.run({ ...scripts.program('unused', ''), argv: [scripts.path('nothing')] }).gone;
  const pid = Number(scripts.read('says.pid'));
  t.same(told, [`add ${pid}`, `delete ${pid}`]);
  await runner.close();
});

t.test('a line of programs that cannot be run is served to its end', async (t) => {
  const scripts = new Scripts(t);
  const runner = runnerOf(t, 1);
  const first = runner.run(scripts.program('slow', 'sleep 0.1'));
  const bad = { ...scripts.program('bad', ''), user: 'nobody-of-this-name' };
  const runs = Array.from({ length: 5000 }, () => runner.run(bad));
  const last = runner.run(scripts.program('last', 'exit 5'));
  t.same(await first.result, exited(0));
  const kinds = await Promise.all(runs.map(async ({ result }) => (await result).kind));
  t.same(new Set(kinds), new Set(['not-run']));
  t.same(await last.result, exited(5));
});

t.test('stop: what runs is ended, what waits never begins, what comes is refused', async (t) => {
  const scripts = new Scripts(t);
  const runner = new ProgramRunner({ timers: systemTimers, openPipe, concurrencyMax: 1 });
  const running = runner.run(scripts.program('runs', 'echo $$ > $DIR/pid; sleep 1000'));
  const waiting = runner.run(scripts.program('waits', 'echo begun > $DIR/waited'));
  await eventually('it runs', () => scripts.read('pid').endsWith('\n'));
  await runner.close();
  const stopped = { kind: 'not-run', errno: 'ECANCELED' };
  t.match(await running.result, stopped);
  t.match(await waiting.result, stopped);
  await Promise.all([running.gone, waiting.gone]);
  t.notOk(lives(Number(scripts.read('pid'))));
  const late = runner.run(scripts.program('late', 'echo begun > $DIR/waited'));
  t.match(await late.result, stopped);
  await late.gone;
  t.equal(scripts.read('waited'), '');
  running.stop();
  await runner.close();
});

t.test('one of many can be stopped, before it begins and after', async (t) => {
  const scripts = new Scripts(t);
  const runner = runnerOf(t, 1);
  const first = runner.run(scripts.program('first', 'echo $$ > $DIR/pid; sleep 1000'));
  const second = runner.run(scripts.program('second', 'echo begun > $DIR/second-ran'));
  const third = runner.run(scripts.program('third', 'exit 6'));
  second.stop();
  t.match(await second.result, { kind: 'not-run', text: /second was stopped$/ });
  first.stop();
  first.stop();
  t.match(await first.result, { kind: 'not-run' });
  t.same(await third.result, exited(6));
  t.equal(scripts.read('second-ran'), '');
});

t.test('a thousand programs leave no descriptor, no process and no zombie', async (t) => {
  const scripts = new Scripts(t);
  const runner = runnerOf(t, 4);
  const program: Program = { ...scripts.program('unused', ''), argv: ['/bin/true'] };
  const missing: Program = { ...program, argv: [scripts.path('nothing')] };
  const round = async (count: number): Promise<void> => {
    const runs = Array.from({ length: count }, (_, n) => runner.run(n % 4 === 3 ? missing : program));
    await Promise.all(runs.map(({ gone }) => gone));
  };
  await round(8);
  const before = descriptors();
  await round(1000);
  await eventually('no more descriptors than before', () => descriptors() <= before);
  const children = execFileSync('ps', ['-o', 'stat=', '--ppid', String(process.pid)], { encoding: 'utf8' });
  t.notMatch(children, /Z/);
  t.equal(runner.running, 0);
});

/** A process of its own that runs out of something, and then has it again. */
function inTrouble(prefix: readonly string[], body: string): string {
  const [model, clock, pipe] = ['exec/runner.js', 'sys/clock.js', 'sys/pipe.js'].map((file) =>
    JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href),
  );
  const text = `
    import { closeSync, openSync } from 'node:fs';
    import { execFileSync } from 'node:child_process';
    const { ProgramRunner } = await import(${model});
    const { systemTimers } = await import(${clock});
    const { openPipe } = await import(${pipe});
    const runner = new ProgramRunner({ timers: systemTimers, openPipe, concurrencyMax: 4 });
    const run = async () => {
      const { kind, errno, code } = await runner.run(
        { argv: ['/bin/true'], user: undefined, deadline: 5000, environment: {} },
      ).result;
      process.stdout.write([kind, errno ?? code].join(' ') + '\\n');
    };
    ${body}`;
  const [file, ...rest] = [...prefix, process.execPath, '--input-type=module', '-e', text];
  return execFileSync(file ?? '', rest, { encoding: 'utf8' });
}

t.test('no descriptor left: not run, and run again when there is one', async (t) => {
  const body = `
    await run();
    const held = [];
    try { for (;;) held.push(openSync('/dev/null')); } catch {}
    await run();
    for (const spare of held.splice(0, 3)) closeSync(spare);
    await run();
    for (const fd of held) closeSync(fd);
    await run();`;
  const lines = inTrouble(['prlimit', '--nofile=128'], body).trim().split('\n');
  t.same(lines, ['exited 0', 'not-run EMFILE', 'not-run EMFILE', 'exited 0']);
});

t.test('no process left: not run', { skip: !isRoot && 'needs root' }, async (t) => {
  const body = `
    await run();
    execFileSync('prlimit', ['--pid', String(process.pid), '--nproc=1']);
    await run();
    await run();`;
  const prefix = ['setpriv', '--reuid=64123', '--regid=64123', '--clear-groups'];
  t.equal(inTrouble(prefix, body), 'exited 0\nnot-run EAGAIN\nnot-run EAGAIN\n');
});
