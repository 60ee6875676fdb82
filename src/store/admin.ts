/** The operator's words in all stores there are: what one of them hears the others get, and the newest counts. */
import type { Config } from '../config/model.js';
import type { Clock } from '../core/ports.js';
import { destText } from '../ipvs/keys.js';
import type { AdminWord, ServerId } from '../policy/model.js';
import { EntryBook } from './entries.js';
import type { EntryStore, StoredEntry, StoreEvents } from './model.js';
import { STORED_SOURCE, wordOf, wordValue } from './words.js';

/**
 * A word that was taken back is forgotten after this: nobody has the old one any more. So is one of a server that is in
 * no configuration. Milliseconds.
 */
const SPENT_AFTER = 30 * 24 * 3600 * 1000;

export interface AdminMemoryOptions {
  readonly director: string;
  readonly clock: Clock;
  /** Another director said something. */
  readonly onWords: (words: readonly AdminWord[]) => void;
}

export class AdminMemory {
  readonly #options: AdminMemoryOptions;
  readonly #book = new EntryBook();
  readonly #stores: EntryStore[] = [];
  #config: Pick<Config, 'services'> = { services: [] };
  /** Of the servers of `#config`; undefined until somebody asks: mostly nobody said anything of any server. */
  #endpoints: ReadonlyMap<ServerId, string> | undefined;

  constructor(options: AdminMemoryOptions) {
    this.#options = options;
  }

  /** Adds a store, before `open`. @param make is given what the store calls for what others said */
  add(make: (onEntries: StoreEvents['onEntries']) => EntryStore): void {
    const index = this.#stores.length;
    this.#stores.push(make((entries) => this.#hear(entries, index)));
  }

  /** Reads all stores. Never rejects. @returns what was wrong; sentences */
  async open(): Promise<readonly string[]> {
    const found = await Promise.all(this.#stores.map((store) => store.open()));
    const oldest = this.#options.clock.wall() - SPENT_AFTER;
    for (const { entries } of found)
      this.#book.merge(entries.filter(({ value, at }) => value !== null || at > oldest));
    for (const store of this.#stores) store.put(this.#book.all());
    return found.flatMap(({ problems }) => problems);
  }

  /** Takes over which servers there are. */
  configure(config: Pick<Config, 'services'>): void {
    this.#config = config;
    this.#endpoints = undefined;
  }

  /** Whether an entry is of no use to this director: long since said, and taken back or of a server that it does not have. */
  isSpent(entry: StoredEntry): boolean {
    if (entry.at > this.#options.clock.wall() - SPENT_AFTER) return false;
    const endpoint = this.#endpointOf(entry.key);
    return entry.value === null || endpoint === undefined || wordOf(entry, endpoint) === undefined;
  }

  /** Whether it is for this director to delete a spent entry: nobody needs what was taken back; the rest was said here. */
  isOurs({ value, director }: StoredEntry): boolean {
    return value === null || director === this.#options.director;
  }

  #endpointOf(server: ServerId): string | undefined {
    this.#endpoints ??= this.#readEndpoints();
    return this.#endpoints.get(server);
  }

  #readEndpoints(): ReadonlyMap<ServerId, string> {
    const endpoints = new Map<ServerId, string>();
    for (const service of this.#config.services)
      for (const { name, dest } of [...service.servers, ...service.fallback.flat()])
        endpoints.set(`${service.name}/${name}`, destText(dest.key));
    return endpoints;
  }

  /** All that is said of servers that there are. */
  words(): readonly AdminWord[] {
    return this.#wordsOf(this.#book.all());
  }

  /** Keeps what was said here. Returns at once. */
  keep(words: readonly AdminWord[]): void {
    const { clock, director } = this.#options;
    const entries: StoredEntry[] = [];
    for (const word of words) {
      const endpoint = this.#endpointOf(word.server);
      if (word.source !== STORED_SOURCE || endpoint === undefined) continue;
      const at = this.#book.stamp(word.server, clock.wall());
      entries.push({ key: word.server, value: wordValue(word, endpoint), at, director });
    }
    const news = this.#book.merge(entries);
    for (const store of this.#stores) store.put(news);
  }

  async close(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close()));
  }

  #hear(entries: readonly StoredEntry[], from: number): void {
    const news = this.#book.merge(entries);
    for (const [index, store] of this.#stores.entries()) if (index !== from) store.put(news);
    const words = this.#wordsOf(news);
    if (words.length > 0) this.#options.onWords(words);
  }

  #wordsOf(entries: readonly StoredEntry[]): readonly AdminWord[] {
    return entries.flatMap((entry) => {
      const endpoint = this.#endpointOf(entry.key);
      const word = endpoint === undefined ? undefined : wordOf(entry, endpoint);
      return word === undefined ? [] : [word];
    });
  }
}
