/** Admin state in a file: the contract, damage of every kind, and disks that fail. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { documentParts, readDocument } from '../../src/store/document.js';
import { FileStore } from '../../src/store/file.js';
import type { StoreEvents } from '../../src/store/model.js';
import { entry, isValue, storeContract, Told } from '../contract/store.js';
import { FakeTime } from '../fakes/time.js';
import { folder, NO_DISK, remount, smallDisk } from '../files/places.js';

const WRITER = fileURLToPath(new URL('./store-writer-worker.js', import.meta.url));

function storeAt(path: string, events: StoreEvents, time = new FakeTime()): FileStore {
  return new FileStore({ path, director: 'a', timers: time, isValue, events });
}

storeContract('file', async (t) => {
  const path = join(folder(t), 'admin.jsonl');
  return { store: (events) => storeAt(path, events) };
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

async function written(t: Test, count = 20): Promise<string> {
  const path = join(folder(t), 'admin.jsonl');
  const store = storeAt(path, new Told());
  await store.open();
  store.put(Array.from({ length: count }, (_, index) => entry(`web/s${index}`, { index }, 100)));
  await store.close();
  return path;
}

t.test('a store that was never needed makes no file', async (t) => {
  const place = folder(t);
  const store = storeAt(join(place, 'admin.jsonl'), new Told());
  await store.open();
  await store.close();
  t.same(readdirSync(place), []);
});

t.test('written at once, and then at most once a second', async (t) => {
  const path = join(folder(t), 'admin.jsonl');
  const time = new FakeTime();
  const store = storeAt(path, new Told(), time);
  const has = (text: string): boolean => existsSync(path) && readFileSync(path, 'utf8').includes(text);
  await store.open();
  store.put([entry('web/a', {}, 1)]);
  await until(() => has('web/a') && time.waiting === 1);
  store.put([entry('web/b', {}, 1)]);
  store.put([entry('web/c', {}, 1)]);
  for (let turns = 0; turns < 100; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  t.notOk(has('web/b'), 'not before its second is over');
  await time.advance(1000);
  await until(() => has('web/c'));
  t.ok(has('web/b'));
  await until(() => time.waiting === 1);
  await time.advance(5000);
  t.equal(time.waiting, 0, 'and nothing runs where nothing changes');
  await store.close();
});

t.test('whatever happens to the file: it is used as it was written, or not at all', async (t) => {
  const path = await written(t);
  const text = readFileSync(path, 'utf8');
  const damaged = fc.oneof(
    fc.nat({ max: text.length - 1 }).map((end) => text.slice(0, end)),
    fc
      .tuple(fc.nat({ max: text.length - 1 }), fc.string({ minLength: 1, maxLength: 3 }))
      .map(([at, put]) => text.slice(0, at) + put + text.slice(at + put.length)),
    fc.nat({ max: 18 }).map((line) =>
      text
        .split('\n')
        .filter((_, index) => index !== line + 1)
        .join('\n'),
    ),
    fc.string({ maxLength: 200 }),
  );
  fc.assert(
    fc.property(damaged, (its) => {
      const read = readDocument('admin', its);
      t.equal(read.ok, its === text);
    }),
    { numRuns: 500 },
  );
});

t.test('a document of any lines comes back, in parts that are not long', async (t) => {
  for (const count of [0, 1, 2, 499, 500, 501, 1000, 1201]) {
    const lines = Array.from({ length: count }, (_, index) => `"line ${index}"`);
    const parts = [...documentParts('verdicts', { boot: 'x', at: 5 }, lines)];
    t.equal(parts.length, Math.floor(count / 500) + 1);
    const read = readDocument('verdicts', parts.join(''));
    t.match(read, { ok: true, head: { boot: 'x', at: 5 } });
    t.same(read.ok && read.lines, lines, `${count} lines`);
    t.equal(readDocument('admin', parts.join('')).ok, false, 'it is not one of another kind');
  }
});

const WRONG: readonly (readonly [string, (path: string) => void, RegExp])[] = [
  [
    'cut off',
    (path) => truncateSync(path, 300),
    /is damaged: its end is missing; it was set aside as .*\.aside/,
  ],
  ['empty', (path) => truncateSync(path, 0), /is damaged: it does not begin as it should; it was set aside/],
  [
    'edited',
    (path) => writeFileSync(path, readFileSync(path, 'utf8').replace('"index":3', '"index":4')),
    /is damaged: it is not what was written; it was set aside/,
  ],
  [
    'of a newer version',
    (path) => writeFileSync(path, '{"lvsentry":"admin","format":2}\n{"end":0}\n'),
    /was written by a newer lvsentry \(format 2\); it was set aside/,
  ],
  [
    'too big',
    (path) => truncateSync(path, 65 * 1024 * 1024),
    /has 68157440 bytes; more than 67108864 are not read/,
  ],
  [
    'a folder',
    (path) => {
      rmSync(path);
      mkdirSync(path);
    },
    /is not a regular file; it was set aside/,
  ],
];

t.test('a file that cannot be used is told and set aside, and the next one is fine', async (t) => {
  for (const [name, spoil, expected] of WRONG) {
    const path = await written(t);
    spoil(path);
    const store = storeAt(path, new Told());
    const { entries, problems } = await store.open();
    t.same(entries, [], name);
    t.match(problems, [expected]);
    store.put([entry('web/new', {}, 1)]);
    await store.close();
    const next = await storeAt(path, new Told()).open();
    t.same(next, { entries: [entry('web/new', {}, 1)], problems: [] });
  }
});

t.test(
  'a file of somebody else is set aside',
  { skip: process.geteuid?.() !== 0 && 'not root' },
  async (t) => {
    const path = await written(t);
    chownSync(path, 12_345, 12_345);
    const { entries, problems } = await storeAt(path, new Told()).open();
    t.same(entries, []);
    t.match(problems, [/belongs to another user \(12345\); it was set aside/]);
  },
);

t.test('killed while it writes, again and again: what is read is what one write left', async (t) => {
  const path = join(folder(t), 'admin.jsonl');
  let before = 0;
  for (let round = 0; round < 12; round += 1) {
    const child = spawn(process.execPath, [WRITER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    for (let turns = 0; turns < round * 5; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    child.kill('SIGKILL');
    await once(child, 'close');
    const { entries, problems } = await storeAt(path, new Told()).open();
    t.same(problems, [], `round ${round}`);
    const versions = new Set(entries.map(({ value }) => (value as { version: number }).version));
    t.equal(versions.size, 1, 'all entries are of one write');
    t.equal(entries.length, 1000);
    const [version = 0] = versions;
    t.ok(version > before, 'and it went on from the one before');
    before = version;
  }
});

t.test(
  'a disk that takes nothing is told once, tried again, and told when it does',
  { skip: NO_DISK },
  async (t) => {
    const disk = smallDisk(t, 64);
    const path = join(disk, 'admin.jsonl');
    const time = new FakeTime();
    const told = new Told();
    const store = storeAt(path, told, time);
    await store.open();
    writeFileSync(join(disk, 'filler'), 'x'.repeat(56_000));
    store.put(Array.from({ length: 200 }, (_, index) => entry(`web/s${index}`, { index }, 100)));
    await told.until(() => told.troubles.length === 1);
    t.match(told.troubles, [/no space left on the device; admin state is in memory alone meanwhile/]);
    await time.advance(10_000);
    await until(() => time.waiting === 1);
    rmSync(join(disk, 'filler'));
    remount(disk, 'ro');
    await time.advance(10_000);
    await until(() => time.waiting === 1);
    t.equal(told.troubles.length, 1, 'another reason is no other trouble');
    remount(disk, 'rw');
    await time.advance(10_000);
    await told.until(() => told.wells.length === 1);
    t.match(told.wells, [/is written again/]);
    await store.close();
    t.equal((await storeAt(path, new Told()).open()).entries.length, 200);
  },
);

t.test('a disk that takes nothing does not keep the daemon from stopping', { skip: NO_DISK }, async (t) => {
  const disk = smallDisk(t, 64);
  remount(disk, 'ro');
  const told = new Told();
  const store = storeAt(join(disk, 'admin.jsonl'), told);
  await store.open();
  store.put([entry('web/a', {}, 1)]);
  await store.close();
  t.match(told.troubles, [/the file system is read-only/]);
});
