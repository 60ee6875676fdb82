/** The journal on disk: numbers that go on, files of bounded size, and disks that fail. */
import {
  appendFileSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { JournalFiles } from '../../src/events/files.js';
import { EventJournal } from '../../src/events/journal.js';
import { FakeTime } from '../fakes/time.js';
import { folder, NO_DISK, remount, smallDisk } from '../files/places.js';
import { behind, event } from './build.js';

const TURNS = { soon: (run: () => void) => void setImmediate(run) };

interface Setting {
  readonly journal: EventJournal;
  readonly time: FakeTime;
  readonly told: string[];
  readonly problems: readonly string[];
}

async function opened(directory: string, name = 'ab12', fileBytesMax = 4000): Promise<Setting> {
  const time = new FakeTime();
  const told: string[] = [];
  const files = new JournalFiles({
    directory,
    journal: name,
    timers: time,
    turns: TURNS,
    onTrouble: (message) => told.push(message),
    onWell: (message) => told.push(message),
    fileBytesMax,
  });
  const journal = new EventJournal(name, files);
  const problems = await journal.open();
  return { journal, time, told, problems };
}

/** Waits until the disk says so. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

const current = (directory: string): string => join(directory, 'events.jsonl');
/** Between two files there may be none for a moment. */
function contentOf(directory: string): string {
  try {
    return readFileSync(current(directory), 'utf8');
  } catch {
    return '';
  }
}

const numbers = async ({ journal }: Setting, after = 0): Promise<number[]> =>
  (await journal.page(behind(after), 100_000)).events.map(({ sequence }) => sequence);
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

function record({ journal }: Setting, count: number): void {
  for (let index = 1; index <= count; index += 1) journal.record(event(index));
}

async function closed(t: Test, count: number): Promise<string> {
  const directory = folder(t);
  const first = await opened(directory);
  record(first, count);
  await first.journal.close();
  return directory;
}

t.test('numbers go on after a clean end, and the events are there again', async (t) => {
  const directory = await closed(t, 3);
  const second = await opened(directory, 'cd34');
  t.same(second.problems, []);
  t.equal(second.journal.name, 'ab12', 'the journal keeps its name');
  t.equal(second.journal.record(event(1)).sequence, 4);
  t.same(await numbers(second), [1, 2, 3, 4]);
  await second.journal.close();
  t.same(await numbers(await opened(directory)), [1, 2, 3, 4]);
});

t.test('after a kill numbers leave a gap: what the disk did not get was given already', async (t) => {
  const directory = folder(t);
  const first = await opened(directory);
  record(first, 3);
  await until(() => contentOf(directory).includes('event 3'));
  const second = await opened(directory);
  t.equal(second.journal.record(event(1)).sequence, 1004);
});

t.test('half a last line is passed over in silence, and the next event is not lost in it', async (t) => {
  const directory = await closed(t, 3);
  const text = readFileSync(current(directory), 'utf8');
  const whole = text.indexOf('\n', text.indexOf('event 3')) + 1;
  for (const cut of [1, 20]) {
    truncateSync(current(directory), whole - cut);
    const second = await opened(directory);
    t.same(second.problems, []);
    const kept = await numbers(second);
    t.same(kept, [1, 2], `cut by ${cut}`);
    const { sequence } = second.journal.record(event(1));
    await second.journal.close();
    const third = await opened(directory);
    t.same(
      (await numbers(third)).filter((number) => number > 2),
      cut === 1 ? [3, sequence] : [sequence],
    );
    await third.journal.close();
    writeFileSync(current(directory), text);
  }
});

t.test('two files of bounded size: the oldest events go', async (t) => {
  const directory = folder(t);
  const first = await opened(directory);
  for (let index = 1; index <= 200; index += 1) {
    first.journal.record(event(index));
    // A batch is what came while the one before was written.
    if (index % 10 === 0) await until(() => contentOf(directory).includes(`event ${index}"`));
  }
  await first.journal.close();
  const sizes = ['events.jsonl', 'events.1.jsonl'].map((name) => statSync(join(directory, name)).size);
  t.ok(
    sizes.every((size) => size <= 4000 + 10 * 200),
    sizes.join(' '),
  );
  const second = await opened(directory);
  const kept = await numbers(second);
  t.same(kept, range(kept[0] ?? 0, 200), 'without a hole');
  t.ok(kept.length >= 20 && kept.length < 200, `${kept.length} are left`);
});

t.test('events that memory has no more come from the disk, in order and each once', async (t) => {
  const directory = folder(t);
  const first = await opened(directory, 'ab12', 10_000_000);
  record(first, 1500);
  await until(() => contentOf(directory).includes('event 1500'));
  t.same(await numbers(first), range(1, 1500));
  t.same(await numbers(first, 499), range(500, 1500));
  t.same(await numbers(first, 1200), range(1201, 1500));
  const page = await first.journal.page(behind(10), 5);
  t.same([page.events.map(({ sequence }) => sequence), page.upTo], [range(11, 15), 15]);
  const tail = async (limit: number) =>
    (await first.journal.tail(behind(0), limit)).events.map(({ sequence }) => sequence);
  t.same(await tail(3), range(1498, 1500));
  t.same(await tail(1200), range(301, 1500));
  await first.journal.close();
});

const DAMAGES: readonly (readonly [string, (path: string) => void, RegExp])[] = [
  [
    'no journal',
    (path) => writeFileSync(path, 'hello\n'),
    /is damaged: it does not begin as a journal; it was set aside/,
  ],
  ['empty', (path) => writeFileSync(path, ''), /is damaged/],
  [
    'of a newer version',
    (path) => writeFileSync(path, '{"lvsentry":"events","format":2,"journal":"x"}\n'),
    /was written by a newer lvsentry \(format 2\); it was set aside/,
  ],
];

t.test('a file that cannot be used is set aside, said so, and a new one begins', async (t) => {
  for (const [name, damage, expected] of DAMAGES) {
    const directory = await closed(t, 3);
    damage(current(directory));
    const second = await opened(directory, 'cd34');
    t.match(second.problems, [expected], name);
    t.ok(existsSync(`${current(directory)}.aside`));
    t.equal(second.journal.name, 'cd34', 'numbers begin anew, so it is another journal');
    t.equal(second.journal.record(event(1)).sequence, 1);
    await second.journal.close();
    t.same((await opened(directory)).problems, []);
  }
});

t.test('lines that are no events are passed over and counted', async (t) => {
  const directory = await closed(t, 3);
  appendFileSync(current(directory), 'nonsense\n\n{"sequence":2}\n');
  const second = await opened(directory);
  t.match(second.problems, [/holds 2 lines that are no events/]);
  t.same(await numbers(second), [1, 2, 3]);
});

t.test(
  'a full disk is told once, events stay in memory, and all are written when there is room',
  { skip: NO_DISK },
  async (t) => {
    const disk = smallDisk(t, 64);
    const first = await opened(disk, 'ab12', 10_000_000);
    record(first, 1);
    await until(() => existsSync(current(disk)));
    writeFileSync(join(disk, 'filler'), 'x'.repeat(50_000));
    for (let index = 2; index <= 300; index += 1) first.journal.record(event(index));
    await until(() => first.told.length > 0);
    t.match(first.told, [
      /events\.jsonl cannot be written: no space left on the device; events are kept in memory/,
    ]);
    await first.time.advance(10_000);
    for (let turns = 0; turns < 50; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    t.equal(first.told.length, 1, 'told once');
    t.equal((await numbers(first)).length, 300);
    rmSync(join(disk, 'filler'));
    // The try before may not have failed yet: then the next one is due later.
    while (first.told.length < 2) {
      await first.time.advance(10_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    t.match(first.told[1], /is written again$/);
    await first.journal.close();
    t.same(await numbers(await opened(disk)), range(1, 300));
  },
);

t.test(
  'a folder that cannot be written to is no reason not to start or to stop',
  { skip: NO_DISK },
  async (t) => {
    const disk = smallDisk(t, 64);
    remount(disk, 'ro');
    const first = await opened(disk);
    record(first, 5);
    await until(() => first.told.length > 0);
    t.match(first.told, [/the file system is read-only/]);
    t.same(await numbers(first), range(1, 5));
    await first.journal.close();
    t.equal(first.told.length, 1);
  },
);

t.test('without a directory the events are in memory alone', async (t) => {
  const journal = new EventJournal('ab12', undefined);
  t.same(await journal.open(), []);
  let called = 0;
  const stop = journal.onRecord(() => {
    called += 1;
  });
  for (let index = 1; index <= 1500; index += 1) journal.record(event(index));
  stop();
  journal.record(event(1501));
  t.equal(called, 1500);
  const page = await journal.page(behind(0), 5000);
  t.same([page.events.length, page.events[0]?.sequence, page.upTo], [1000, 502, 1501]);
  await journal.close();
});
