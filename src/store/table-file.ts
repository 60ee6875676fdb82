/**
 * Who was leaving the table, and what of it was accepted, in a file for the next run of the daemon on this machine. A boot
 * empties the table, and with it the file has nothing more to say.
 */
import type { Clock, Timers } from '../core/ports.js';
import { epochMillis, type Millis, millis } from '../core/units.js';
import { readOwnFile, setAside } from '../files/disk.js';
import type { Accepted, LeavingServer, LeavingService, TableMemory } from '../ipvs/remembered.js';
import { documentParts, mappingOf, readDocument } from './document.js';
import type { StoreEvents } from './model.js';
import { SnapshotFile } from './snapshot.js';

const FILE_BYTES_MAX = 32 * 1024 * 1024;
const TEXT_LENGTH_MAX = 1000;
const NOTHING: TableMemory = { leaving: [], accepted: [] };
const KINDS: readonly unknown[] = ['service', 'removed', 'weight', 'settings'] satisfies Accepted['kind'][];

export interface TableFileOptions {
  readonly path: string;
  readonly director: string;
  /** Of the machine; undefined where it does not tell. */
  readonly boot: string | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly events: Omit<StoreEvents, 'onEntries'>;
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= TEXT_LENGTH_MAX;

function acceptedOf(line: Readonly<Record<string, unknown>>): Accepted | undefined {
  const { accepted: service, dest, kind, wanted, found, difference } = line;
  const isOne =
    isText(service) &&
    (dest === undefined || isText(dest)) &&
    KINDS.includes(kind) &&
    (kind === 'service') === (dest === undefined) &&
    isText(wanted) &&
    (found === undefined || isText(found)) &&
    isText(difference);
  if (!isOne) return undefined;
  if (kind === 'weight' && ![wanted, found].every((weight) => /^\d{1,10}$/.test(weight ?? '')))
    return undefined;
  return { service, dest, kind: kind as Accepted['kind'], wanted, found, difference };
}

export class TableFile {
  readonly #options: TableFileOptions;
  readonly #file: SnapshotFile;
  /** The lines of the file, with times of the wall clock. */
  #lines: readonly string[] = [];
  /** There is something to keep: a file that was never needed is not made. */
  #used = false;

  constructor(options: TableFileOptions) {
    const { path, director, boot, timers, events } = options;
    this.#options = options;
    this.#file = new SnapshotFile({
      path,
      parts: () => documentParts('table', { director, boot: boot ?? '' }, this.#lines),
      timers,
      onTrouble: (message) =>
        events.onTrouble(`${message}; the next start will not know who was leaving, nor what was accepted`),
      onWell: (message) => events.onWell(message),
    });
  }

  /** What the run before left. Never rejects. */
  async open(): Promise<{ readonly memory: TableMemory; readonly problem: string | undefined }> {
    const { path, boot } = this.#options;
    const file = await readOwnFile(path, FILE_BYTES_MAX);
    if (file.kind === 'absent') return { memory: NOTHING, problem: undefined };
    const document =
      file.kind === 'text' ? readDocument('table', file.text) : { ok: false as const, problem: file.problem };
    if (!document.ok)
      return { memory: NOTHING, problem: `${path} ${document.problem}; ${await setAside(path)}` };
    this.#used = true;
    if (boot === undefined || document.head.boot !== boot) return { memory: NOTHING, problem: undefined };
    this.#lines = document.lines;
    return { memory: this.#read(document.lines), problem: undefined };
  }

  /** Keeps what the table is known by now. Returns at once; the same as before costs no write. */
  keep(memory: TableMemory): void {
    const lines = [...this.#write(memory)];
    if (lines.length === this.#lines.length && lines.every((line, index) => line === this.#lines[index]))
      return;
    this.#lines = lines;
    this.#used = true;
    this.#file.changed();
  }

  async close(): Promise<void> {
    if (this.#used) await this.#file.close();
  }

  *#write({ leaving, accepted }: TableMemory): Generator<string, void, undefined> {
    const { clock } = this.#options;
    // To whole seconds: the clocks drift apart, and every look would be a change.
    const wallOf = (at: Millis): number => Math.round((at + clock.wall() - clock.monotonic()) / 1000) * 1000;
    for (const { service, name, whole, servers } of leaving) {
      const its = servers.map(({ dest, server, until }) => [dest, server, wallOf(until)]);
      yield JSON.stringify({ leaving: service, name, whole, servers: its });
    }
    for (const { service, ...rest } of accepted) yield JSON.stringify({ accepted: service, ...rest });
  }

  #read(lines: readonly string[]): TableMemory {
    const leaving: LeavingService[] = [];
    const accepted: Accepted[] = [];
    for (const line of lines) {
      const value = mappingOf(line);
      const one = value.leaving === undefined ? acceptedOf(value) : undefined;
      if (one !== undefined) accepted.push(one);
      const gone = value.leaving === undefined ? undefined : this.#leavingOf(value);
      if (gone !== undefined) leaving.push(gone);
    }
    return { leaving, accepted };
  }

  #leavingOf({
    leaving,
    name,
    whole,
    servers,
  }: Readonly<Record<string, unknown>>): LeavingService | undefined {
    if (!isText(leaving) || !isText(name) || typeof whole !== 'boolean' || !Array.isArray(servers))
      return undefined;
    const its = servers.map((server) => this.#serverOf(server)).filter((server) => server !== undefined);
    return { service: leaving, name, whole, servers: its };
  }

  #serverOf(value: unknown): LeavingServer | undefined {
    if (!Array.isArray(value)) return undefined;
    const [dest, server, until] = value as readonly unknown[];
    if (!isText(dest) || !isText(server) || !Number.isSafeInteger(until) || Number(until) < 0)
      return undefined;
    const { clock } = this.#options;
    const rest = epochMillis(Number(until)) - clock.wall();
    return { dest, server, until: millis(Math.max(0, clock.monotonic() + rest)) };
  }
}
