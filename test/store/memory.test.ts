/** Entries of several directors, and the operator's words in all stores. */
import fc from 'fast-check';
import t from 'tap';
import { epochMillis } from '../../src/core/units.js';
import type { AdminWord } from '../../src/policy/model.js';
import { AdminMemory } from '../../src/store/admin.js';
import { EntryBook, entryJson, isNewer, readEntry } from '../../src/store/entries.js';
import type { EntryStore, StoredEntry, StoreEvents } from '../../src/store/model.js';
import { isWordValue, wordOf, wordValue } from '../../src/store/words.js';
import { entry } from '../contract/store.js';
import { FakeTime } from '../fakes/time.js';
import { config } from '../ipvs/build.js';
import { admin, idOf, web } from '../policy/build.js';

const someEntries = fc.array(
  fc
    .record({
      key: fc.constantFrom('a', 'b', 'c'),
      value: fc.option(fc.nat(3), { nil: null }),
      at: fc.nat(4),
      director: fc.constantFrom('x', 'y', 'z'),
    })
    .map(({ key, value, at, director }) => entry(key, value, at, director)),
  { maxLength: 12 },
);

/** Two entries of one director and moment with different values cannot be: each has its own time. */
const told = (book: EntryBook): string[] =>
  book
    .all()
    .map(({ key, at, director }) => `${key} ${at} ${director}`)
    .sort();

t.test('whoever hears of entries in whatever order, and how often, ends with the same', async (t) => {
  fc.assert(
    fc.property(someEntries, fc.infiniteStream(fc.nat()), (entries, numbers) => {
      const [one, other] = [new EntryBook(), new EntryBook()];
      for (const each of entries) one.merge([each]);
      const shuffled = [...entries, ...entries]
        .map((each) => [numbers.next().value as number, each] as const)
        .sort(([a], [b]) => a - b);
      other.merge(shuffled.map(([, each]) => each));
      t.same(told(other), told(one));
      t.equal(one.merge(other.all()).length, 0, 'and telling each other changes nothing');
    }),
    { numRuns: 200 },
  );
});

t.test('of two entries exactly one is newer, unless they are the same', async (t) => {
  fc.assert(
    fc.property(
      fc.nat(3),
      fc.nat(3),
      fc.constantFrom('x', 'y'),
      fc.constantFrom('x', 'y'),
      (at, bt, x, y) => {
        const [a, b] = [entry('k', 1, at, x), entry('k', 1, bt, y)];
        const same = at === bt && x === y;
        t.equal(isNewer(a, b) !== isNewer(b, a), !same);
      },
    ),
  );
});

t.test('a new entry is never older than what is known, whatever the clock says', async (t) => {
  const book = new EntryBook();
  t.equal(book.stamp('k', epochMillis(50)), 50);
  book.merge([entry('k', 1, 100, 'fast')]);
  const late = entry('k', null, book.stamp('k', epochMillis(50)), 'a');
  t.equal(late.at, 101);
  t.same(book.merge([late]), [late]);
  t.equal(book.stamp('k', epochMillis(500)), 500);
});

t.test('an entry comes back from its text, and nothing else is one', async (t) => {
  const one = entry('web/a', { x: [1] }, 7, 'a');
  t.same(readEntry(entryJson(one)), one);
  const good = JSON.parse(entryJson(one)) as object;
  for (const change of [
    { key: '' },
    { key: 5 },
    { key: 'k'.repeat(301) },
    { at: -1 },
    { at: 1.5 },
    { at: '7' },
    { director: null },
  ])
    t.equal(readEntry(JSON.stringify({ ...good, ...change })), undefined, JSON.stringify(change));
  for (const text of ['', '{', 'null', '[]', '5', JSON.stringify({ ...good, value: 'x'.repeat(10_000) })])
    t.equal(readEntry(text), undefined, text.slice(0, 20));
});

const DRAIN: AdminWord = {
  server: idOf(11),
  source: 'operator',
  entry: { ...admin('draining', 3), deadline: epochMillis(99), reason: 'new disk' },
};
const BACK: AdminWord = { server: idOf(11), source: 'operator', entry: undefined };
const AT = '192.0.2.11:80';

t.test('a word comes back as it was said, for the server at the address that it had', async (t) => {
  const stored = readEntry(entryJson(entry(DRAIN.server, wordValue(DRAIN, AT), 1)));
  t.ok(stored !== undefined && isWordValue(stored.value));
  t.same(stored && wordOf(stored, AT), DRAIN);
  t.equal(stored && wordOf(stored, '192.0.2.99:80'), undefined, 'the name is at another address now');
  t.same(wordOf(entry(BACK.server, wordValue(BACK, AT), 1), AT), BACK);
});

t.test('values that are no words of this version are seen', async (t) => {
  const good = wordValue(DRAIN, AT) as object;
  t.ok(isWordValue(JSON.parse(JSON.stringify(good))));
  const wrong = [
    { state: 'paused' },
    { finish: 'x' },
    { weight: -1 },
    { weight: 2 ** 31 },
    { weight: '3' },
    { since: undefined },
    { deadline: 'soon' },
    { by: 5 },
    { by: 'x'.repeat(1001) },
    { reason: {} },
    { endpoint: undefined },
  ];
  for (const change of wrong) t.notOk(isWordValue({ ...good, ...change }), JSON.stringify(change));
  for (const value of [undefined, 'x', 5, [], {}]) t.notOk(isWordValue(value));
});

/** A store in the test's hands. */
class FakeStore implements EntryStore {
  readonly put = (entries: readonly StoredEntry[]): void => void this.kept.push(...entries);
  readonly kept: StoredEntry[] = [];
  closed = false;
  hear: StoreEvents['onEntries'] = () => undefined;

  constructor(
    readonly before: readonly StoredEntry[] = [],
    readonly problems: readonly string[] = [],
  ) {}

  async open() {
    return { entries: this.before, problems: this.problems };
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

function memoryOf(...stores: readonly FakeStore[]) {
  const heard: AdminWord[] = [];
  const time = new FakeTime();
  const memory = new AdminMemory({ director: 'a', clock: time, onWords: (words) => heard.push(...words) });
  for (const store of stores)
    memory.add((onEntries) => {
      store.hear = onEntries;
      return store;
    });
  memory.configure(config(web([1, 1])));
  return { memory, heard, time };
}

const stored = (word: AdminWord, at: number, director = 'b'): StoredEntry =>
  entry(word.server, wordValue(word, AT), at, director);

t.test('what is said here goes to all stores, and what a window says to none', async (t) => {
  const [file, redis] = [new FakeStore(), new FakeStore()];
  const { memory, heard, time } = memoryOf(file, redis);
  await memory.open();
  memory.keep([
    DRAIN,
    { ...DRAIN, server: idOf(12), source: 'maintenance x' },
    { ...DRAIN, server: 'web/nobody' },
  ]);
  for (const store of [file, redis]) t.same(store.kept, [stored(DRAIN, time.wall(), 'a')]);
  t.same(memory.words(), [DRAIN]);
  t.same(heard, [], 'and is not told back');
});

t.test('what another director says is told here and kept in the other store', async (t) => {
  const [file, redis] = [new FakeStore(), new FakeStore()];
  const { memory, heard, time } = memoryOf(file, redis);
  await memory.open();
  const theirs = stored(DRAIN, time.wall() + 5000);
  redis.hear([theirs, entry('web/unknown', wordValue(DRAIN, AT), 5)]);
  t.same(heard, [DRAIN], 'of servers that there are');
  t.same(file.kept[0], theirs);
  t.equal(file.kept.length, 2, 'of others, too: a reload may bring them');
  t.same(redis.kept, []);
  memory.keep([BACK]);
  t.ok(isNewer(redis.kept[0] ?? theirs, theirs), 'their clock is ahead, and still ours is the later word');
});

t.test('what stores disagree about is settled at the start: the newer counts, and all get it', async (t) => {
  const file = new FakeStore([stored(DRAIN, 100)], ['the file was strange']);
  const redis = new FakeStore([stored(BACK, 200)]);
  const { memory, heard, time } = memoryOf(file, redis);
  await time.advance(0);
  t.same(await memory.open(), ['the file was strange']);
  t.same(heard, []);
  // Taken back long ago: forgotten, and so the older word would count. That is why it is kept for a month.
  t.same(memory.words(), [DRAIN]);
  const now = time.wall();
  const fresh = memoryOf(new FakeStore([stored(DRAIN, now - 100)]), new FakeStore([stored(BACK, now - 50)]));
  await fresh.memory.open();
  t.same(fresh.memory.words(), [BACK]);
});

t.test('words wait for their server, and leave it alone when it is another one', async (t) => {
  const { memory } = memoryOf(new FakeStore([stored(DRAIN, 100)]));
  await memory.open();
  memory.configure(config());
  t.same(memory.words(), []);
  memory.configure(config(web([1])));
  t.same(memory.words(), [DRAIN]);
  const [first] = web([1]).servers;
  if (first === undefined) throw new Error('no server');
  const moved = { ...first, dest: { ...first.dest, key: { ...first.dest.key, port: 81 } } };
  memory.configure(config({ ...web([1]), servers: [moved] }));
  t.same(memory.words(), []);
});

t.test('without a store words are in memory, and closing closes all', async (t) => {
  const alone = memoryOf();
  t.same(await alone.memory.open(), []);
  alone.memory.keep([DRAIN]);
  t.same(alone.memory.words(), [DRAIN]);
  const stores = [new FakeStore(), new FakeStore()];
  await memoryOf(...stores).memory.close();
  t.ok(stores.every(({ closed }) => closed));
});
