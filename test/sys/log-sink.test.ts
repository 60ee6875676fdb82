/** A log whose reader is slow, stands still, or is gone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

const SINK = fileURLToPath(new URL('../../src/sys/log-sink.js', import.meta.url));

/** Writes lines of 100 characters to a pipe that Node has made non-blocking, then says on stderr how long it took. */
const WRITER = `
import { LogSink } from ${JSON.stringify(SINK)};
process.stdout.on('error', () => undefined);
const sink = new LogSink(1);
const count = process.argv.at(-1);
let ticks = 0;
const ticking = setInterval(() => { ticks += 1; }, 1);
for (let line = 0; line < Number(count); line += 1) sink.write(String(line).padEnd(99) + '\\n');
process.stderr.write('written\\n');
process.stdin.once('data', () => {
  clearInterval(ticking);
  process.stderr.write('ticks ' + ticks + '\\n');
  process.stdin.destroy();
});
`;

function writer(t: Test, count: number, stdout: 'pipe' | number = 'pipe'): ChildProcess {
  const words = ['--input-type=module', '-e', WRITER, '--', String(count)];
  const child = spawn(process.execPath, words, { stdio: ['pipe', stdout, 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

async function said(child: ChildProcess, words: RegExp): Promise<string> {
  let text = '';
  while (!words.test(text)) text += String((await once(child.stderr as NodeJS.ReadableStream, 'data'))[0]);
  return text;
}

async function read(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const part of child.stdout as AsyncIterable<Buffer>) text += part.toString();
  return text;
}

/** What comes out once it has written everything, and is then read. */
async function linesOf(child: ChildProcess): Promise<readonly string[]> {
  await said(child, /written/);
  const all = read(child);
  child.stdin?.write('end\n');
  return (await all).trim().split('\n');
}

t.test('nobody reads: the writer goes on, and all of it is there when somebody does', async (t) => {
  // Ten times what a pipe holds.
  const child = writer(t, 10_000);
  const lines = await linesOf(child);
  t.equal(lines.length, 10_000);
  t.ok(
    lines.every((line, index) => line.trim() === String(index)),
    'in their order, whole',
  );
});

t.test('more than is kept: the oldest are there, and how many are lost is told', async (t) => {
  const child = writer(t, 200_000);
  const lines = await linesOf(child);
  const last = JSON.parse(lines.at(-1) ?? '{}') as { readonly level: string; readonly msg: string };
  t.equal(last.level, 'warn');
  t.equal(Number(/^\d+/.exec(last.msg)?.[0]) + lines.length - 1, 200_000);
  t.ok(lines.slice(0, -1).every((line, index) => line.trim() === String(index)));
});

t.test('the reader is gone: the writer lives', async (t) => {
  const child = writer(t, 5000);
  child.stdout?.destroy();
  await said(child, /written/);
  child.stdin?.write('end\n');
  await said(child, /ticks/);
  t.same(await once(child, 'exit'), [0, null]);
});

t.test('a file has all of it at once', async (t) => {
  const path = join(t.testdir(), 'log');
  const fd = openSync(path, 'w');
  const child = writer(t, 1000, fd);
  closeSync(fd);
  await said(child, /written/);
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.equal(readFileSync(path, 'utf8').split('\n').length, 1001);
});
