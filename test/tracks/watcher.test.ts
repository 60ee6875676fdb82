/** All watches together, with real programs and files: what holds, what is told, and what a new configuration disturbs. */
import { existsSync, unlinkSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { millis } from '../../src/core/units.js';
import { systemClock, systemTimers, systemTurns } from '../../src/sys/clock.js';
import { openPipe } from '../../src/sys/pipe.js';
import type { Watched, WatchedScript } from '../../src/tracks/model.js';
import { TrackWatcher } from '../../src/tracks/watcher.js';
import type { Observation } from '../../src/vrrp/model.js';
import { eventually, lives, Scripts } from '../exec/scripts.js';
import { file, processes, script } from './build.js';

const text = (seen: Observation): string => (seen.kind === 'number' ? String(seen.value) : seen.kind);

class Stage {
  readonly files: Scripts;
  readonly watcher: TrackWatcher;
  /** What instances were told. */
  readonly seen: string[] = [];
  /** What people were told. */
  readonly news: string[] = [];
  settled = 0;

  constructor(t: Test) {
    this.files = new Scripts(t);
    this.watcher = new TrackWatcher({
      clock: systemClock,
      timers: systemTimers,
      openPipe,
      turns: systemTurns,
      onSeen: (what, seen) => this.seen.push(`${what} ${text(seen)}`),
      onNews: ({ what, before, seen }) =>
        this.news.push(`${what}: ${before === undefined ? '-' : text(before)} -> ${text(seen)}`),
      onBlind: (what) => this.news.push(`${what}: blind`),
      onSettled: () => {
        this.settled += 1;
      },
    });
    t.teardown(() => this.watcher.close());
  }

  /** Passes while the file `good` is there, and counts its runs. */
  script(rest: Partial<WatchedScript> = {}): WatchedScript {
    const program = this.files.program('check', 'echo x >> $DIR/runs; [ -e $DIR/good ]');
    return script({ interval: millis(50), program, ...rest });
  }

  get runs(): number {
    return this.files.read('runs').length / 2;
  }

  good(is: boolean): void {
    const path = this.files.path('good');
    if (is) writeFileSync(path, '');
    else if (existsSync(path)) unlinkSync(path);
  }

  async until(...seen: readonly string[]): Promise<void> {
    await eventually(`it is seen: ${seen.join(', ')}`, () => seen.every((each) => this.seen.includes(each)));
  }
}

t.test('everything is looked at, and that is told once', async (t) => {
  const stage = new Stage(t);
  t.ok(stage.watcher.isSettled, 'nothing is everything');
  stage.good(true);
  const missing = script({ name: 'missing', program: { ...stage.script().program, argv: ['/no/such'] } });
  const none = processes({ program: 'nobody-calls-it-so' });
  stage.watcher.configure([stage.script(), file(stage.files.path('value')), none, missing]);
  t.notOk(stage.watcher.isSettled);
  await eventually('all have spoken', () => stage.settled > 0);
  t.ok(stage.watcher.isSettled);
  t.same([...stage.seen].sort(), ['file handicap 0', 'process router down', 'script uplink up']);
  t.same([...stage.news].sort(), [
    'file handicap: - -> 0',
    'process router: - -> down',
    'script missing: blind',
    'script uplink: - -> up',
  ]);
  stage.good(false);
  await stage.until('script uplink down');
  t.equal(stage.news.at(-1), 'script uplink: up -> down');
  t.equal(stage.settled, 1);
});

t.test('what is assumed holds until the first result, and is no news', async (t) => {
  const stage = new Stage(t);
  stage.watcher.configure([stage.script({ assume: 'up' })]);
  t.same(stage.seen, ['script uplink up']);
  t.notOk(stage.watcher.isSettled);
  await stage.until('script uplink down');
  t.same(stage.news, ['script uplink: up -> down']);
});

t.test('a configuration that changes nothing disturbs nothing', async (t) => {
  const stage = new Stage(t);
  const long = stage.script({ interval: millis(60_000) });
  stage.watcher.configure([long]);
  await stage.until('script uplink down');
  const other = stage.script({ name: 'other' });
  stage.watcher.configure([structuredClone(long), other]);
  await stage.until('script other down');
  stage.watcher.configure([structuredClone(long), other]);
  const before = stage.runs;
  await eventually('the other one goes on', () => stage.runs > before + 1);
  t.equal(stage.seen.filter((line) => line === 'script uplink down').length, 1);
});

t.test('what is defined anew holds what was seen until it is seen again', async (t) => {
  const stage = new Stage(t);
  stage.good(true);
  stage.watcher.configure([stage.script({ interval: millis(60_000), assume: 'down' })]);
  await stage.until('script uplink up');
  stage.seen.splice(0);
  stage.good(false);
  stage.watcher.configure([stage.script({ interval: millis(50), fall: 1000, assume: 'down' })]);
  t.same(stage.seen, [], 'neither unknown nor what it would be assumed to be');
  await stage.until('script uplink down');
  t.same(stage.seen, ['script uplink down'], 'the first result counts at once');
});

t.test('what is no longer defined is unknown, and its program ends', async (t) => {
  const stage = new Stage(t);
  const hangs = script({
    program: stage.files.program('hangs', 'echo $$ > $DIR/pid; exec sleep 1000'),
    assume: 'up',
  });
  stage.watcher.configure([hangs]);
  await eventually('it runs', () => stage.files.read('pid').endsWith('\n'));
  stage.watcher.configure([]);
  t.same(stage.seen, ['script uplink up', 'script uplink unknown']);
  await eventually('it is ended', () => !lives(Number(stage.files.read('pid'))));
  t.same(stage.news, []);
});

t.test('close ends what runs; nothing is told after it', async (t) => {
  const stage = new Stage(t);
  const program = stage.files.program('hangs', 'echo $$ > $DIR/pid; sleep 1000');
  const all: readonly Watched[] = [
    script({ program }),
    processes({ program: 'nobody-calls-it-so' }),
    file(stage.files.path('value')),
  ];
  stage.watcher.configure(all);
  await eventually('it runs', () => stage.files.read('pid').endsWith('\n'));
  await stage.until('process router down', 'file handicap 0');
  await stage.watcher.close();
  t.notOk(lives(Number(stage.files.read('pid'))));
  t.notOk(stage.seen.some((line) => line.startsWith('script')));
});
