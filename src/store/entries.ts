/** Entries of several directors: which of two counts, and what is left when all were told of all. */
import { type EpochMillis, epochMillis } from '../core/units.js';
import type { StoredEntry } from './model.js';

/** Longer ones are nobody's. Characters. */
const KEY_LENGTH_MAX = 300;
export const ENTRY_LENGTH_MAX = 10_000;
/** More entries than servers that there can be. */
export const ENTRIES_MAX = 100_000;

/** Whether `a` counts, of two entries under one key. The same on every director, whoever hears of which first. */
export function isNewer(a: StoredEntry, b: StoredEntry | undefined): boolean {
  if (b === undefined) return true;
  return a.at === b.at ? a.director > b.director : a.at > b.at;
}

/** The entry as JSON. */
export function entryJson({ key, value, at, director }: StoredEntry): string {
  return JSON.stringify({ key, value, at, director });
}

/** @returns undefined where the text is no entry */
export function readEntry(text: string): StoredEntry | undefined {
  if (text.length > ENTRY_LENGTH_MAX) return undefined;
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof found !== 'object' || found === null) return undefined;
  const { key, value = null, at, director } = found as Readonly<Record<string, unknown>>;
  if (typeof key !== 'string' || key === '' || key.length > KEY_LENGTH_MAX) return undefined;
  if (!Number.isSafeInteger(at) || Number(at) < 0 || typeof director !== 'string') return undefined;
  return { key, value, at: epochMillis(Number(at)), director };
}

/** The newest entry of each key. */
export class EntryBook {
  readonly #entries = new Map<string, StoredEntry>();

  get(key: string): StoredEntry | undefined {
    return this.#entries.get(key);
  }

  all(): readonly StoredEntry[] {
    return [...this.#entries.values()];
  }

  /** Takes those that are newer. @returns these */
  merge(entries: Iterable<StoredEntry>): readonly StoredEntry[] {
    const news: StoredEntry[] = [];
    for (const entry of entries) {
      const known = this.#entries.get(entry.key);
      if (!isNewer(entry, known)) continue;
      if (known === undefined && this.#entries.size >= ENTRIES_MAX) continue;
      this.#entries.set(entry.key, entry);
      news.push(entry);
    }
    return news;
  }

  /**
   * The time for a new entry: now, but never before what is known of the key. A director whose clock is behind can
   * still take back what another one said.
   */
  stamp(key: string, now: EpochMillis): EpochMillis {
    const known = this.#entries.get(key);
    return known === undefined || known.at < now ? now : epochMillis(known.at + 1);
  }
}
