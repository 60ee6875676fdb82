/** Counting processes: in a folder that looks like procfs, and in the real one. */
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { millis } from '../../src/core/units.js';
import { systemClock, systemTimers, systemTurns } from '../../src/sys/clock.js';
import type { WatchedProcess } from '../../src/tracks/model.js';
import { ProcessScan } from '../../src/tracks/processes.js';
import { eventually, Scripts } from '../exec/scripts.js';
import { FakeTime, turn } from '../fakes/time.js';
import { processes, Record } from './build.js';

class Stage {
  readonly time = new FakeTime();
  readonly files: Scripts;
  readonly scan: ProcessScan;

  constructor(t: Test) {
    this.files = new Scripts(t);
    const { time } = this;
    this.scan = new ProcessScan({ clock: time, timers: time, turns: systemTurns }, this.files.folder);
    mkdirSync(this.files.path('sys'));
    writeFileSync(this.files.path('uptime'), '1 2\n');
  }

  put(pid: number, comm: string, argv: readonly string[] = [comm], state = 'S'): void {
    mkdirSync(this.files.path(String(pid)), { recursive: true });
    writeFileSync(this.files.path(`${pid}/comm`), `${comm}\n`);
    writeFileSync(this.files.path(`${pid}/stat`), `${pid} (${comm}) ${state} 1 ${pid}`);
    writeFileSync(this.files.path(`${pid}/cmdline`), argv.map((word) => `${word}\0`).join(''));
  }

  end(pid: number): void {
    rmSync(this.files.path(String(pid)), { recursive: true });
  }

  watch(rest: Partial<WatchedProcess> = {}): { told: Record; stop: () => void } {
    const told = new Record();
    const watch = this.scan.watch(processes(rest), told);
    watch.start();
    return { told, stop: () => watch.stop() };
  }

  /** The walk that was asked for, or the next one. */
  async walk(): Promise<void> {
    await this.time.advance(1000);
    for (let n = 0; n < 10; n += 1) await turn();
  }
}

t.test('they are counted once a second, and only a change is told', async (t) => {
  const stage = new Stage(t);
  stage.put(7, 'bird');
  const { told } = stage.watch();
  await stage.walk();
  t.same(told.take(), ['up: 1 running']);
  stage.put(8, 'bird');
  await stage.walk();
  t.same(told.take(), []);
  stage.end(7);
  stage.end(8);
  await stage.walk();
  t.same(told.take(), ['down: 0 running']);
});

t.test('only those that fit count', async (t) => {
  const stage = new Stage(t);
  stage.put(1, 'birdc');
  stage.put(2, 'bird', ['bird', '-c', 'other']);
  stage.put(3, 'bird', ['bird', '-c', 'mine'], 'Z');
  stage.put(4, 'bird', [], 'S');
  stage.put(5, 'systemd-network', ['/lib/systemd/systemd-networkd']);
  stage.put(6, 'systemd-network', ['/lib/systemd/systemd-network-generator']);
  const mine = stage.watch({ arguments: ['-c', 'mine'] });
  const any = stage.watch({ minimum: 2, maximum: 2 });
  const long = stage.watch({ program: 'systemd-networkd', maximum: 1 });
  await stage.walk();
  t.same(
    [mine.told.take(), any.told.take(), long.told.take()],
    [['down: 0 running'], ['up: 2 running'], ['up: 1 running']],
  );
  stage.put(9, 'bird', ['/sbin/bird', '-c', 'mine', '-f']);
  await stage.walk();
  t.same([mine.told.take(), any.told.take(), long.told.take()], [['up: 1 running'], ['down: 3 running'], []]);
});

t.test('a walk through many takes its turns, and counts all', async (t) => {
  const stage = new Stage(t);
  for (let pid = 1; pid <= 300; pid += 1) stage.put(pid, pid % 3 === 0 ? 'bird' : 'other');
  const { told } = stage.watch({ minimum: 100, maximum: 100 });
  await stage.walk();
  t.same(told.take(), ['up: 100 running']);
});

t.test('a count that cannot be trusted changes nothing, and is told once', async (t) => {
  const stage = new Stage(t);
  stage.put(7, 'bird');
  const { told } = stage.watch();
  await stage.walk();
  told.take();
  // A file that cannot be read for a reason other than that the process has gone.
  mkdirSync(stage.files.path('8/comm'), { recursive: true });
  stage.end(7);
  await stage.walk();
  await stage.walk();
  t.match(told.take(), [/^blind: processes cannot be counted: EISDIR/]);
  stage.end(8);
  await stage.walk();
  t.same(told.take(), ['down: 0 running']);
  rmSync(stage.files.folder, { recursive: true });
  await stage.walk();
  t.match(told.take(), [/^blind: .*ENOENT/]);
});

t.test('one that ends while it is looked at is not there', async (t) => {
  const stage = new Stage(t);
  mkdirSync(stage.files.path('8'));
  stage.put(9, 'bird');
  rmSync(stage.files.path('9/stat'));
  const { told } = stage.watch();
  await stage.walk();
  t.same(told.take(), ['down: 0 running']);
});

t.test('a delay is kept, and the walks end with the last that is tracked', async (t) => {
  const stage = new Stage(t);
  const first = stage.watch({ delay: millis(2000) });
  const second = stage.watch();
  await stage.walk();
  t.same([first.told.take(), second.told.take()], [['down: 0 running'], ['down: 0 running']]);
  stage.put(7, 'bird');
  await stage.walk();
  t.same([first.told.take(), second.told.take()], [[], ['up: 1 running']]);
  second.stop();
  await stage.walk();
  await stage.walk();
  t.same([first.told.take(), second.told.take()], [['up: 1 running'], []]);
  first.stop();
  t.equal(stage.time.waiting, 0);
  stage.end(7);
  await stage.walk();
  t.same(first.told.take(), []);
});

t.test('a real process, by a name that nobody else has', async (t) => {
  const files = new Scripts(t);
  const name = `lvs-${process.pid}`;
  copyFileSync('/bin/sleep', files.path(name));
  const scan = new ProcessScan({ clock: systemClock, timers: systemTimers, turns: systemTurns });
  const told = new Record();
  const watch = scan.watch(processes({ program: name, arguments: ['1000'] }), told);
  watch.start();
  t.teardown(() => watch.stop());
  await eventually('it is not there', () => told.lines.length === 1);
  const other = spawn(files.path(name), ['2000']);
  const child = spawn(files.path(name), ['1000']);
  t.teardown(() => other.kill('SIGKILL'));
  await eventually('it is there', () => told.lines.length === 2);
  child.kill('SIGKILL');
  await eventually('it is gone', () => told.lines.length === 3);
  t.same(told.take(), ['down: 0 running', 'up: 1 running', 'down: 0 running']);
});
