/** A tracked file: real files, with a clock that stands still where the looks of the clock must not help. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { systemTurns } from '../../src/sys/clock.js';
import { FileWatch } from '../../src/tracks/file.js';
import { eventually, Scripts } from '../exec/scripts.js';
import { FakeTime } from '../fakes/time.js';
import { file, Record } from './build.js';

/** From a change to the look; far less than to the next look of the clock. */
const SETTLE = 20;
const POLL = 2000;

class Stage {
  readonly time = new FakeTime();
  readonly told = new Record();
  readonly files: Scripts;
  readonly path: string;

  constructor(t: Test, text: string | undefined, name = 'handicap') {
    this.files = new Scripts(t);
    this.path = this.files.path(name);
    if (text !== undefined) writeFileSync(this.path, text);
    const watch = this.watch(this.told);
    t.teardown(() => watch.stop());
    watch.start();
  }

  /** A watch that runs no program, as files do not. */
  watch(told: Record): FileWatch {
    const { time } = this;
    const run = (): never => {
      throw new Error('a file runs no program');
    };
    return new FileWatch(file(this.path), { clock: time, timers: time, turns: systemTurns, run }, told);
  }

  /** Puts a whole file in its place: a look between truncating and writing would find an empty one. */
  put(text: string): void {
    const whole = `${this.path}.new`;
    writeFileSync(whole, text);
    renameSync(whole, this.path);
  }

  /** Resolves with what is told next. @param tick how far time goes on between two looks of the test */
  async next(tick = 0): Promise<readonly string[]> {
    await eventually('it tells something', () => {
      void this.time.advance(tick);
      return this.told.lines.length > 0;
    });
    return this.told.take();
  }

  /** Waits until the first turn is over and the clock's next look is set. */
  async settled(): Promise<void> {
    await eventually('it waits for the next look', () => this.time.waiting > 0);
  }

  /** What the folder's changes alone lead to: less time goes by than the clock's look needs. */
  async byChange(): Promise<readonly string[]> {
    await eventually('the change is noticed', () => this.time.waiting > 1);
    await this.time.advance(SETTLE);
    return this.next();
  }

  /** What one look of the clock leads to. */
  async byClock(): Promise<readonly string[]> {
    await this.settled();
    await this.time.advance(POLL);
    return this.next();
  }
}

t.test('a file that is there when it starts', async (t) => {
  const stage = new Stage(t, '5\n');
  t.same(await stage.next(), [`5: ${stage.path} holds 5`]);
});

t.test('a file that is not there holds 0', async (t) => {
  const stage = new Stage(t, undefined);
  t.same(await stage.next(), [`0: ${stage.path} is not there`]);
  await stage.settled();
  stage.put('3');
  t.same(await stage.byChange(), [`3: ${stage.path} holds 3`]);
  unlinkSync(stage.path);
  t.same(await stage.byChange(), [`0: ${stage.path} is not there`]);
});

t.test('a file that is put in its place by a rename is seen at once', async (t) => {
  const stage = new Stage(t, '1');
  await stage.next();
  await stage.settled();
  for (const value of [2, 3]) {
    stage.put(String(value));
    t.same(await stage.byChange(), [`${value}: ${stage.path} holds ${value}`]);
  }
});

t.test('what is no number changes nothing, and is told once', async (t) => {
  const stage = new Stage(t, '7');
  await stage.next();
  await stage.settled();
  stage.put('');
  t.same(await stage.byChange(), [`blind: ${stage.path} holds no whole number`]);
  stage.put('seven');
  await eventually('the change is noticed', () => stage.time.waiting > 1);
  await stage.time.advance(SETTLE);
  stage.put('1'.repeat(100));
  t.same(await stage.next(SETTLE), [`blind: ${stage.path}: has more than 64 bytes`]);
  stage.put('7');
  await eventually('the change is noticed', () => stage.time.waiting > 1);
  await stage.time.advance(SETTLE);
  stage.put('8');
  t.same(await stage.next(SETTLE), [`8: ${stage.path} holds 8`], 'that 7 is back is no news');
});

t.test('what is no file is not opened, and what cannot be read is told', async (t) => {
  const folder = new Stage(t, undefined, 'folder');
  await folder.next();
  await folder.settled();
  mkdirSync(folder.path);
  t.same(await folder.byChange(), [`blind: ${folder.path}: is not a regular file`]);

  const pipe = new Stage(t, undefined, 'pipe');
  await pipe.next();
  await pipe.settled();
  execFileSync('mkfifo', [pipe.path]);
  t.same(await pipe.byChange(), [`blind: ${pipe.path}: is not a regular file`], 'nobody waits for a writer');

  if (process.getuid?.() !== 0) {
    const secret = new Stage(t, '1', 'secret');
    await secret.next();
    chmodSync(secret.path, 0);
    t.match(await secret.byClock(), [/^blind: .*EACCES/]);
  }
});

t.test('where no change is announced the clock finds it', async (t) => {
  const stage = new Stage(t, undefined, 'link');
  mkdirSync(stage.files.path('far'));
  writeFileSync(stage.files.path('far/value'), '1');
  await stage.next();
  symlinkSync(stage.files.path('far/value'), stage.path);
  await stage.byClock();
  writeFileSync(stage.files.path('far/value'), '2');
  t.same(await stage.byClock(), [`2: ${stage.path} holds 2`]);
});

t.test('a folder that comes, goes and comes again is followed', async (t) => {
  const stage = new Stage(t, undefined, 'folder/value');
  const folder = stage.files.path('folder');
  t.same(await stage.next(), [`0: ${stage.path} is not there`]);
  for (const value of [1, 2]) {
    mkdirSync(folder);
    writeFileSync(stage.path, String(value));
    t.same(await stage.byClock(), [`${value}: ${stage.path} holds ${value}`]);
    await stage.settled();
    stage.put(String(value + 10));
    t.same(await stage.byChange(), [`${value + 10}: ${stage.path} holds ${value + 10}`], 'its changes too');
    rmSync(folder, { recursive: true });
    t.same(await stage.next(SETTLE), [`0: ${stage.path} is not there`]);
  }
});

t.test('after stop nothing is looked at', async (t) => {
  const stage = new Stage(t, '1');
  await stage.next();
  await stage.settled();
  const second = new Record();
  const watch = stage.watch(second);
  watch.start();
  watch.stop();
  stage.put('2');
  t.same(await stage.byChange(), [`2: ${stage.path} holds 2`]);
  t.same(second.lines, []);
});
