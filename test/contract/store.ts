/** What every store of entries does, wherever it keeps them. */
import t, { type Test } from 'tap';
import { epochMillis } from '../../src/core/units.js';
import type { EntryStore, StoredEntry, StoreEvents } from '../../src/store/model.js';

export function entry(key: string, value: unknown, at: number, director = 'a'): StoredEntry {
  return { key, value, at: epochMillis(at), director };
}

/** A place that outlives its stores; what one keeps there the next one finds. */
export interface StorePlace {
  /** A new store at that place, not opened yet. */
  store(events: StoreEvents): EntryStore;
}

/** What a store tells. */
export class Told implements StoreEvents {
  readonly entries: StoredEntry[] = [];
  readonly troubles: string[] = [];
  readonly wells: string[] = [];
  readonly #waiting = new Set<() => void>();

  onEntries(entries: readonly StoredEntry[]): void {
    this.entries.push(...entries);
    this.#look();
  }

  onTrouble(message: string): void {
    this.troubles.push(message);
    this.#look();
  }

  onWell(message: string): void {
    this.wells.push(message);
    this.#look();
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }

  /** Resolves as soon as that holds. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

/** Values that mean something to the stores of these tests. */
export const isValue = (value: unknown): boolean => typeof value === 'object' && value !== null;

const VALUE = { state: 'draining', text: 'größer "quoted"\n', list: [1, 2.5, null, true], nothing: {} };

const inOrder = (entries: readonly StoredEntry[]): StoredEntry[] =>
  [...entries].sort((a, b) => (a.key < b.key ? -1 : 1));

/** Opens a store there, puts entries, and closes it. */
async function keep(t: Test, place: StorePlace, ...puts: readonly (readonly StoredEntry[])[]): Promise<void> {
  const told = new Told();
  const store = place.store(told);
  await store.open();
  for (const entries of puts) store.put(entries);
  await store.close();
  t.same(told.troubles, []);
}

async function foundIn(t: Test, place: StorePlace): Promise<StoredEntry[]> {
  const store = place.store(new Told());
  const { entries, problems } = await store.open();
  await store.close();
  t.same(problems, []);
  return inOrder(entries);
}

type Case = readonly [string, readonly (readonly StoredEntry[])[], readonly StoredEntry[]];

const [OLD, NEW] = [entry('web/a', { n: 1 }, 100), entry('web/a', { n: 2 }, 200)];
const [OF_A, OF_B] = [entry('web/a', { n: 1 }, 100, 'a'), entry('web/a', { n: 2 }, 100, 'b')];

const CASES: readonly Case[] = [
  ['nothing was kept', [], []],
  ['one entry, with whatever its value holds', [[entry('web/a', VALUE, 100)]], [entry('web/a', VALUE, 100)]],
  ['the newer one counts', [[OLD], [NEW]], [NEW]],
  ['also where it comes first', [[NEW], [OLD]], [NEW]],
  ['also in one call', [[NEW, OLD]], [NEW]],
  ['of one moment that of the greater name counts', [[OF_A], [OF_B]], [OF_B]],
  ['also where it comes first: of one moment', [[OF_B], [OF_A]], [OF_B]],
  ['what was taken back is known as such', [[OLD], [entry('web/a', null, 200)]], [entry('web/a', null, 200)]],
  [
    'keys are texts, whatever stands in them',
    [[entry('a b/"ü"', VALUE, 1), entry('__proto__', VALUE, 1), entry('x:*?', VALUE, 1)]],
    [entry('__proto__', VALUE, 1), entry('a b/"ü"', VALUE, 1), entry('x:*?', VALUE, 1)],
  ],
];

/** Runs the suite. @param make a new place, empty */
export function storeContract(name: string, make: (t: Test) => Promise<StorePlace>): void {
  t.test(`${name}: what is kept is found again`, async (t) => {
    for (const [what, puts, expected] of CASES) {
      const place = await make(t);
      await keep(t, place, ...puts);
      t.same(await foundIn(t, place), expected, what);
      t.same(await foundIn(t, place), expected, `${what}; also by the next one`);
    }
  });

  t.test(`${name}: what stands there is not put back by an older entry`, async (t) => {
    const place = await make(t);
    await keep(t, place, [NEW, entry('web/b', { n: 1 }, 100)]);
    await keep(t, place, [OLD, entry('web/b', { n: 2 }, 300), entry('web/c', { n: 3 }, 50)]);
    t.same(await foundIn(t, place), [NEW, entry('web/b', { n: 2 }, 300), entry('web/c', { n: 3 }, 50)]);
  });

  t.test(`${name}: thousands of entries in many small calls`, async (t) => {
    const place = await make(t);
    const entries = Array.from({ length: 3000 }, (_, index) =>
      entry(`web/s${String(index).padStart(4, '0')}`, { index }, 1000 + index),
    );
    await keep(t, place, ...entries.map((each) => [each]));
    t.same(await foundIn(t, place), entries);
  });

  t.test(`${name}: values that mean nothing here are left out and told, the others are used`, async (t) => {
    const place = await make(t);
    await keep(t, place, [entry('web/a', 'no mapping', 1), entry('web/b', { n: 1 }, 1)]);
    const told = new Told();
    const store = place.store(told);
    const { entries, problems } = await store.open();
    await store.close();
    t.same(entries, [entry('web/b', { n: 1 }, 1)]);
    t.match([...problems, ...told.troubles], [/1 (entries|fields) that mean nothing/]);
  });
}
