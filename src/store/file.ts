/** Entries in a file of this director's own. */
import type { Timers } from '../core/ports.js';
import { readOwnFile, setAside } from '../files/disk.js';
import { documentParts, readDocument } from './document.js';
import { ENTRIES_MAX, ENTRY_LENGTH_MAX, EntryBook, entryJson, readEntry } from './entries.js';
import type { EntryStore, StoredEntry, StoreEvents, StoreFound } from './model.js';
import { SnapshotFile } from './snapshot.js';

/** A larger file was not written by us: nobody has so many servers in another state than the configured one. */
const FILE_BYTES_MAX = Math.min(ENTRIES_MAX * ENTRY_LENGTH_MAX, 64 * 1024 * 1024);

export interface FileStoreOptions {
  readonly path: string;
  readonly director: string;
  readonly timers: Timers;
  /** Whether an entry's value is one that this version understands. */
  readonly isValue: (value: unknown) => boolean;
  readonly events: Omit<StoreEvents, 'onEntries'>;
}

export class FileStore implements EntryStore {
  readonly #options: FileStoreOptions;
  readonly #book = new EntryBook();
  readonly #file: SnapshotFile;
  /** There is something to keep: a file that was never needed is not made. */
  #used = false;

  constructor(options: FileStoreOptions) {
    const { path, director, timers, events } = options;
    this.#options = options;
    this.#file = new SnapshotFile({
      path,
      parts: () => documentParts('admin', { director }, this.#book.all().map(entryJson)),
      timers,
      onTrouble: (message) => events.onTrouble(`${message}; admin state is in memory alone meanwhile`),
      onWell: (message) => events.onWell(message),
    });
  }

  async open(): Promise<StoreFound> {
    const { path } = this.#options;
    const file = await readOwnFile(path, FILE_BYTES_MAX);
    if (file.kind === 'absent') return { entries: [], problems: [] };
    const document =
      file.kind === 'text' ? readDocument('admin', file.text) : { ok: false as const, problem: file.problem };
    if (!document.ok)
      return { entries: [], problems: [`${path} ${document.problem}; ${await setAside(path)}`] };
    const entries = document.lines.map((line) => this.#entryOf(line)).filter((entry) => entry !== undefined);
    this.#used = true;
    this.#book.merge(entries);
    const strange = document.lines.length - entries.length;
    const problems =
      strange === 0 ? [] : [`${path} holds ${strange} entries that mean nothing here; they are left out`];
    return { entries, problems };
  }

  put(entries: readonly StoredEntry[]): void {
    if (this.#book.merge(entries).length === 0) return;
    this.#used = true;
    this.#file.changed();
  }

  async close(): Promise<void> {
    if (this.#used) await this.#file.close();
  }

  #entryOf(line: string): StoredEntry | undefined {
    const entry = readEntry(line);
    return entry !== undefined && (entry.value === null || this.#options.isValue(entry.value))
      ? entry
      : undefined;
  }
}
