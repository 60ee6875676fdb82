import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { runSuite } from './guest/harness.js';
import { findKernel, type GuestJob, makeSharedFolder, runInGuest } from './lab.js';

const kernel = findKernel();
const inLab = kernel.kind === 'none' ? { skip: kernel.reason } : { timeout: 60_000 };

async function runAndListen(job: Omit<GuestJob, 'onLine'>) {
  const lines: string[] = [];
  const run = await runInGuest({ ...job, onLine: (line) => lines.push(line) }, kernel);
  return { ...run, lines };
}

const EXPECTED_TAP = `TAP version 14
# Subtest: outer \\# one
    ok 1 - is true
    # Subtest: inner
        ok 1 - same letters
        # two
        # lines
        1..1
    ok 2 - inner # time=0ms
    1..2
ok 1 - outer \\# one # time=0ms
# Subtest: empty
    not ok 1 - has at least one assertion
    1..1
not ok 2 - empty # time=0ms
# Subtest: rejects
    not ok 1 - runs to its end
      ---
      message: |
        no
      facts: |
        {"errno":"ESRCH"}
      stack
      ...
    1..1
not ok 3 - rejects # time=0ms
not ok 4 - zero
  ---
  message: |
    Expected values to be strictly equal:
    
    false !== true
    
  stack
  ...
1..4`;

t.test('the lab runs a command: its lines, its exit code, its files', inLab, async (t) => {
  const shared = makeSharedFolder();
  t.teardown(() => rmSync(shared, { recursive: true, force: true }));
  writeFileSync(join(shared, 'question'), 'six times seven\n');
  const run = await runAndListen({
    command: `
      cat "$LAB_SHARED/question"; echo 42 >"$LAB_SHARED/answer"
      echo "$WORD"; pwd; echo to stderr >&2; ipvsadm -Sn; printf 'no newline'; exit 7`,
    env: { WORD: "it's $HOME" },
    cwd: '/usr',
    timeoutMs: 50_000,
    shared,
  });
  t.strictSame(run.lines, ['six times seven', "it's $HOME", '/usr', 'to stderr', 'no newline']);
  t.match(run, { exitCode: 7, end: 'finished' });
  t.equal(readFileSync(join(shared, 'answer'), 'utf8'), '42\n');
});

t.test('a line arrives while the command still runs; an abort ends it', inLab, async (t) => {
  const abort = new AbortController();
  const run = await runInGuest(
    {
      command: 'echo ready; exec sleep 1000',
      timeoutMs: 50_000,
      signal: abort.signal,
      onLine: () => abort.abort(),
    },
    kernel,
  );
  t.match(run, { exitCode: undefined, end: 'aborted' });
});

t.test('a command that hangs ends at its time limit', inLab, async (t) => {
  const run = await runAndListen({ command: 'exec sleep 1000', timeoutMs: 6000 });
  t.match(run, { exitCode: undefined, end: 'timed-out' });
});

t.test('a guest whose kernel crashes says so, with its last words', async (t) => {
  if (kernel.kind !== 'guest') return void t.pass('only where the kernel is a guest');
  const run = await runAndListen({ command: 'echo c >/proc/sysrq-trigger; sleep 5', timeoutMs: 50_000 });
  t.match(run, { exitCode: undefined, end: 'crashed', console: /sysrq triggered crash/ });
});

t.test(
  'what a guest writes outside the shared folder does not reach the host, and that folder goes',
  async (t) => {
    if (kernel.kind !== 'guest') return void t.pass('only where the kernel is a guest');
    const stray = join(tmpdir(), `lvsentry-stray-${process.pid}`);
    const command = `echo stray >'${stray}'; cat '${stray}'; echo "$LAB_SHARED"`;
    const { lines } = await runAndListen({ command, timeoutMs: 50_000 });
    t.equal(lines[0], 'stray', 'the guest reads what it wrote');
    t.notOk(existsSync(stray), 'the host does not see it');
    t.match(lines[1], /lvsentry-lab-/);
    t.notOk(existsSync(lines[1] ?? ''), 'the folder that was made for this run is gone');
  },
);

/** Gone, or dead and not yet collected by its parent. */
function isOver(pid: number): boolean {
  try {
    return /^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

t.test('a lab whose host side is killed does not live on', inLab, async (t) => {
  const shared = makeSharedFolder();
  t.teardown(() => rmSync(shared, { recursive: true, force: true }));
  const job = { command: 'echo ready; exec sleep 1000', timeoutMs: 50_000, shared };
  const script = `
    import { runInGuest } from ${JSON.stringify(new URL('./lab.js', import.meta.url).href)};
    await runInGuest({ ...${JSON.stringify(job)}, onLine: console.log });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script]);
  await once(child.stdout, 'data');
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ');
  t.equal(children.length, 1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  while (!children.every((pid) => isOver(Number(pid)))) await pause(50);
});

t.test('without a kernel there is a reason instead of a run', async (t) => {
  await t.rejects(runInGuest({ command: 'true', timeoutMs: 1 }, { kind: 'none', reason: 'not root' }), {
    message: 'no kernel with IPVS: not root',
  });
});

t.test('the guest’s harness prints TAP that tap can read', async (t) => {
  const lines: string[] = [];
  const passed = await runSuite(
    async (t) => {
      await t.test('outer # one', async (t) => {
        t.ok(1);
        await t.test('inner', async (t) => {
          t.equal('a', 'a', 'same\nletters');
          t.comment('two\nlines');
        });
      });
      await t.test('empty', async () => undefined);
      await t.test('rejects', async () => {
        throw Object.assign(new Error('no'), { facts: { errno: 'ESRCH' } });
      });
      t.ok(0, 'zero');
    },
    (line) => lines.push(line.replace(/time=\d+/, 'time=0')),
  );
  t.notOk(passed);
  const text = lines.join('\n').replaceAll(/^( *)stack: \|\n(?:\1 {2}.*\n?)*/gm, '$1stack\n');
  t.equal(text, EXPECTED_TAP);
});
