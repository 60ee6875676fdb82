/**
 * Entries that directors share through Redis: a hash of them, and a mark that changes with every change. Each director
 * looks at the mark twice a second; that is all there is to be kept alive, so every kind of trouble ends the same way:
 * the connection is thrown away, and the next look begins with a new one and the whole hash.
 */
import type { Redis, RedisOptions } from 'ioredis';
import { errorText } from '../core/errors.js';
import type { Timer, Timers } from '../core/ports.js';
import { REDIS_CLIENT } from '../core/redis-client.js';
import { type Millis, millis, seconds } from '../core/units.js';
import { ENTRIES_MAX, EntryBook, entryJson, isNewer, readEntry } from './entries.js';
import type { EntryStore, RedisTarget, StoredEntry, StoreEvents, StoreFound } from './model.js';

const HASH = 'lvsentry:admin';
const MARK = 'lvsentry:admin:mark';
const LOOK_EVERY = millis(500);
/** Between attempts: doubled from the first to the last. */
const RETRY_FIRST = seconds(1);
const RETRY_MAX = seconds(15);
/** Milliseconds for connecting and for one answer: a server that is frozen is one that is away. */
const PATIENCE = 2000;
/** A start waits no longer for what other directors said. */
const OPEN_LIMIT = seconds(3);
/** Entries of one call: Redis does nothing else meanwhile. */
const BATCH = 500;
/** With the mark unchanged the hash is read again after so many looks: somebody may have edited it by hand. */
const LOOKS_A_READING = 60;

/**
 * Sets the entries that are newer than what the hash holds, all in one step. KEYS: hash, mark. ARGV: a new mark, then
 * field and value by turns. As `isNewer`.
 */
const SET_NEWER = `
local changed = 0
for i = 2, #ARGV, 2 do
  local new = cjson.decode(ARGV[i + 1])
  local ok, old = pcall(cjson.decode, redis.call('HGET', KEYS[1], ARGV[i]) or '')
  if not ok or type(old) ~= 'table' or type(old.at) ~= 'number' or type(old.director) ~= 'string'
    or new.at > old.at or (new.at == old.at and new.director > old.director) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
    changed = changed + 1
  end
end
if changed > 0 then redis.call('SET', KEYS[2], ARGV[1]) end
return changed
`;

/** Deletes the fields that still hold what was read. KEYS: hash. ARGV: field and text by turns. */
const DELETE_SAME = `
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then redis.call('HDEL', KEYS[1], ARGV[i]) end
end
`;

export interface RedisStoreOptions {
  readonly target: RedisTarget;
  /** Differs from call to call and from director to director. */
  readonly mark: () => string;
  readonly timers: Timers;
  readonly isValue: (value: unknown) => boolean;
  /** Whether this director needs an entry no more: it is not put back where it is missing. Default: none. */
  readonly isSpent?: (entry: StoredEntry) => boolean;
  /** Whether a spent entry is this director's to delete. Default: none. */
  readonly isOurs?: (entry: StoredEntry) => boolean;
  readonly events: StoreEvents;
}

function optionsOf({ host, port, tls }: RedisTarget): RedisOptions {
  return {
    host,
    port,
    ...(tls === undefined ? {} : { tls: tls.authorities === undefined ? {} : { ca: tls.authorities } }),
    connectionName: 'lvsentry',
    ...REDIS_CLIENT,
    connectTimeout: PATIENCE,
    commandTimeout: PATIENCE,
  };
}

export class RedisStore implements EntryStore {
  readonly #options: RedisStoreOptions;
  readonly #book = new EntryBook();
  readonly #where: string;
  #connection: Redis | undefined;
  /** Undefined: the hash is to be read. */
  #mark: string | null | undefined;
  #looks = 0;
  /** Keys of entries that Redis may not have. */
  readonly #unsent = new Set<string>();
  /** Texts that were deleted: one that is there again is of use to another director, and stays. */
  readonly #deleted = new Set<string>();
  #working: Promise<void> | undefined;
  #next: Timer | undefined;
  #retry: Millis = RETRY_FIRST;
  #troubled = false;
  #closed = false;
  #found: StoredEntry[] | undefined;
  #strange = 0;

  constructor(options: RedisStoreOptions) {
    this.#options = options;
    const { host, port } = options.target;
    this.#where = `Redis at ${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  async open(): Promise<StoreFound> {
    this.#found = [];
    const looked = this.#work();
    await new Promise<void>((resolve) => {
      const limit = this.#options.timers.after(OPEN_LIMIT, resolve);
      void looked.finally(() => {
        limit.cancel();
        resolve();
      });
    });
    const entries = this.#found;
    // What comes from now on is news.
    this.#found = undefined;
    return { entries, problems: [] };
  }

  put(entries: readonly StoredEntry[]): void {
    for (const entry of this.#book.merge(entries)) if (!this.#isSpent(entry)) this.#unsent.add(entry.key);
    if (this.#unsent.size > 0 && !this.#troubled && !this.#closed) this.#lookAfter(millis(0));
  }

  #isSpent(entry: StoredEntry): boolean {
    return this.#options.isSpent?.(entry) === true;
  }

  async close(): Promise<void> {
    this.#next?.cancel();
    await this.#working;
    this.#next?.cancel();
    if (!this.#troubled && this.#unsent.size > 0) await this.#work();
    this.#closed = true;
    this.#next?.cancel();
    this.#connection?.disconnect();
  }

  #lookAfter(time: Millis): void {
    if (this.#closed) return;
    this.#next?.cancel();
    this.#next = this.#options.timers.after(time, () => void this.#work());
  }

  /** One look, and what follows from it. Never rejects. */
  #work(): Promise<void> {
    this.#working ??= this.#look()
      .then(
        () => this.#onWell(),
        (thrown: unknown) => this.#onTrouble(thrown),
      )
      .finally(() => {
        this.#working = undefined;
      });
    return this.#working;
  }

  #onWell(): void {
    this.#retry = RETRY_FIRST;
    if (this.#troubled) this.#options.events.onWell(`${this.#where} answers again; admin state is shared`);
    this.#troubled = false;
    this.#lookAfter(this.#unsent.size > 0 ? millis(0) : LOOK_EVERY);
  }

  #onTrouble(thrown: unknown): void {
    this.#connection?.disconnect();
    this.#connection = undefined;
    this.#mark = undefined;
    if (!this.#troubled)
      this.#options.events.onTrouble(
        `${this.#where} is of no use: ${errorText(thrown)}; admin state is not shared with other directors meanwhile`,
      );
    this.#troubled = true;
    this.#lookAfter(this.#retry);
    this.#retry = millis(Math.min(RETRY_MAX, this.#retry * 2));
  }

  async #look(): Promise<void> {
    this.#connection ??= await this.#connect();
    const mark = await this.#connection.get(MARK);
    this.#looks += 1;
    if (mark !== this.#mark || this.#looks % LOOKS_A_READING === 0) {
      await this.#read(this.#connection);
      this.#mark = mark;
    }
    await this.#send(this.#connection);
  }

  async #connect(): Promise<Redis> {
    // Large, and most directors need none of it. In a bundle it has its default export only.
    const { Redis: Client } = (await import('ioredis')).default;
    const connection = new Client(optionsOf(this.#options.target));
    let last: unknown;
    // Each failure comes back as that of a command; what says more of it comes here first.
    connection.on('error', (error: unknown) => {
      last = error;
    });
    try {
      await connection.connect();
      await this.#enter(connection);
    } catch (thrown) {
      connection.disconnect();
      throw last ?? thrown;
    }
    return connection;
  }

  /** By hand: where the client does it, a database that is not there leaves it in another one. */
  async #enter(connection: Redis): Promise<void> {
    const { username, password, database } = this.#options.target;
    if (password !== undefined)
      await (username === undefined ? connection.auth(password) : connection.auth(username, password));
    if (database > 0) await connection.select(database);
    await connection.ping();
  }

  /** Takes what is newer there; what is newer here, or missing there, is sent. */
  async #read(connection: Redis): Promise<void> {
    const count = await connection.hlen(HASH);
    if (count > ENTRIES_MAX) throw new Error(`${HASH} has ${count} fields, more than there can be servers`);
    const hash = await connection.hgetall(HASH);
    const there = new Map<string, StoredEntry>();
    let strange = 0;
    for (const [key, text] of Object.entries(hash)) {
      const entry = readEntry(text);
      const isOurs = entry?.key === key && (entry.value === null || this.#options.isValue(entry.value));
      if (entry !== undefined && isOurs) there.set(key, entry);
      else strange += 1;
    }
    this.#tellStrange(strange);
    const news = this.#book.merge(there.values());
    for (const entry of this.#book.all())
      if (isNewer(entry, there.get(entry.key)) && !this.#isSpent(entry)) this.#unsent.add(entry.key);
    await this.#clean(connection, hash, there);
    if (news.length === 0) return;
    if (this.#found !== undefined) this.#found.push(...news);
    else this.#options.events.onEntries(news);
  }

  /** Deletes what is ours and of no use to us any more, each text once. */
  async #clean(
    connection: Redis,
    hash: Readonly<Record<string, string>>,
    there: ReadonlyMap<string, StoredEntry>,
  ): Promise<void> {
    const fields: string[] = [];
    for (const [key, entry] of there) {
      const text = hash[key];
      if (fields.length >= 2 * BATCH || this.#deleted.size >= ENTRIES_MAX) break;
      if (text === undefined || !this.#isSpent(entry) || this.#options.isOurs?.(entry) !== true) continue;
      if (this.#deleted.has(text)) continue;
      this.#deleted.add(text);
      fields.push(key, text);
    }
    if (fields.length > 0) await connection.eval(DELETE_SAME, 1, HASH, ...fields);
  }

  #tellStrange(strange: number): void {
    if (strange > this.#strange)
      this.#options.events.onTrouble(
        `${this.#where}: ${HASH} has ${strange} fields that mean nothing to this version; they are left out`,
      );
    this.#strange = strange;
  }

  async #send(connection: Redis): Promise<void> {
    while (this.#unsent.size > 0) {
      const keys = [...this.#unsent].slice(0, BATCH);
      const fields = keys.flatMap((key) => {
        const entry = this.#book.get(key);
        return entry === undefined ? [] : [key, entryJson(entry)];
      });
      const sent = keys.map((key) => this.#book.get(key));
      await connection.eval(SET_NEWER, 2, HASH, MARK, this.#options.mark(), ...fields);
      // One that was put meanwhile is still to be sent.
      for (const [index, key] of keys.entries())
        if (this.#book.get(key) === sent[index]) this.#unsent.delete(key);
    }
  }
}
