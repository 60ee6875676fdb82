/** What lvsentry keeps over restarts, and where. Types only. */
import type { EpochMillis, Millis } from '../core/units.js';

/** A Redis server that directors share. */
export interface RedisTarget {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Undefined: in plain text. */
  readonly tls: { readonly authorities: string | undefined } | undefined;
}

/** `state:` of the configuration. */
export interface StateConfig {
  /** Of this director alone: its admin state, last verdicts and events. */
  readonly directory: string | undefined;
  /** Admin state that directors share. */
  readonly redis: RedisTarget | undefined;
  /** Older verdicts are not used at a start. */
  readonly verdictsAge: Millis;
}

/** A value under a key, as some director set it last. */
export interface StoredEntry {
  readonly key: string;
  /** Plain data; null: taken back, which has to be known as long as somebody may still have the value. */
  readonly value: unknown;
  /** When: of two entries the newer one counts. */
  readonly at: EpochMillis;
  /** Who: of two entries of one moment that of the greater name counts, everywhere. */
  readonly director: string;
}

/** What a store holds when it is opened. */
export interface StoreFound {
  readonly entries: readonly StoredEntry[];
  /** What was wrong with it; sentences. */
  readonly problems: readonly string[];
}

/** Where entries are kept. No call throws or rejects for what is outside; trouble is told once, and its end. */
export interface EntryStore {
  open(): Promise<StoreFound>;
  /** Keeps entries that are newer than those it has. Returns at once. */
  put(entries: readonly StoredEntry[]): void;
  /** Everything that was put is kept when this resolves, as far as that can be. */
  close(): Promise<void>;
}

/** What a store tells. */
export interface StoreEvents {
  /** Entries of other directors, newer than those that this store had. */
  onEntries(entries: readonly StoredEntry[]): void;
  onTrouble(message: string): void;
  onWell(message: string): void;
}
