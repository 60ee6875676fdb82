/**
 * Drains that came to their end here, in a file of this director's own. What was said of a server is shared, and says
 * that it drains; when it has drained every director sees for itself, by its own connections.
 */
import type { Timers } from '../core/ports.js';
import { type EpochMillis, epochMillis } from '../core/units.js';
import { readOwnFile, setAside } from '../files/disk.js';
import type { AdminWord } from '../policy/model.js';
import { documentParts, readDocument } from './document.js';
import type { StoreEvents } from './model.js';
import { SnapshotFile } from './snapshot.js';

/** More than there can be servers. */
const ENDS_MAX = 100_000;
const LINE_LENGTH_MAX = 1000;
const FILE_BYTES_MAX = 16 * 1024 * 1024;

export interface DrainEndsOptions {
  readonly path: string;
  readonly director: string;
  readonly timers: Timers;
  readonly events: Omit<StoreEvents, 'onEntries'>;
}

const keyOf = ({ server, source }: Pick<AdminWord, 'server' | 'source'>): string => `${server} ${source}`;

/** A key, and when the word was said whose drain is over. */
function readEnd(line: string): readonly [string, EpochMillis] | undefined {
  if (line.length > LINE_LENGTH_MAX) return undefined;
  try {
    const { key, since } = (JSON.parse(line) ?? {}) as { readonly key?: unknown; readonly since?: unknown };
    return typeof key === 'string' && Number.isSafeInteger(since)
      ? [key, epochMillis(Number(since))]
      : undefined;
  } catch {
    return undefined;
  }
}

export class DrainEnds {
  readonly #options: DrainEndsOptions;
  readonly #ends = new Map<string, EpochMillis>();
  readonly #file: SnapshotFile;
  /** There is something to keep: a file that was never needed is not made. */
  #used = false;

  constructor(options: DrainEndsOptions) {
    const { path, director, timers, events } = options;
    this.#options = options;
    this.#file = new SnapshotFile({
      path,
      parts: () => documentParts('drains', { director }, this.#lines()),
      timers,
      onTrouble: (message) => events.onTrouble(`${message}; the next start drains again what has drained`),
      onWell: (message) => events.onWell(message),
    });
  }

  /** Reads what the run before left. Never rejects. @returns what was wrong; sentences */
  async open(): Promise<readonly string[]> {
    const { path } = this.#options;
    const file = await readOwnFile(path, FILE_BYTES_MAX);
    if (file.kind === 'absent') return [];
    const document =
      file.kind === 'text'
        ? readDocument('drains', file.text)
        : { ok: false as const, problem: file.problem };
    if (!document.ok) return [`${path} ${document.problem}; ${await setAside(path)}`];
    this.#used = true;
    for (const end of document.lines.slice(-ENDS_MAX).map(readEnd))
      if (end !== undefined) this.#ends.set(...end);
    return [];
  }

  /** The same words; those whose drain is over say so. */
  finish(words: readonly AdminWord[]): readonly AdminWord[] {
    if (this.#ends.size === 0) return words;
    return words.map((word) => {
      const { entry } = word;
      if (entry?.state !== 'draining' || this.#ends.get(keyOf(word)) !== entry.since) return word;
      return { ...word, entry: { ...entry, state: entry.finish } };
    });
  }

  /** Keeps that the drains of these words are over. Returns at once. */
  keep(words: readonly AdminWord[]): void {
    for (const word of words) {
      if (word.entry === undefined) continue;
      const key = keyOf(word);
      // Behind all others: the oldest goes first where there are too many.
      this.#ends.delete(key);
      this.#ends.set(key, word.entry.since);
    }
    for (const key of this.#ends.keys()) {
      if (this.#ends.size <= ENDS_MAX) break;
      this.#ends.delete(key);
    }
    if (words.length === 0) return;
    this.#used = true;
    this.#file.changed();
  }

  async close(): Promise<void> {
    if (this.#used) await this.#file.close();
  }

  *#lines(): Generator<string, void, undefined> {
    for (const [key, since] of this.#ends) yield JSON.stringify({ key, since });
  }
}
