/** Counts processes for all tracked ones together: one walk through /proc a second, in slices. */
import { readdirSync, readFileSync } from 'node:fs';
import { errorText } from '../core/errors.js';
import type { Timer } from '../core/ports.js';
import { type Millis, seconds } from '../core/units.js';
import { type CountState, commOf, fitsArguments, isDead, needsArguments, stepCount } from './count.js';
import type { WatchedProcess } from './model.js';
import type { Watch, WatchEvents, WatchPorts } from './watch.js';

const INTERVAL = seconds(1);
/** Processes that are looked at before others of this thread get their turn: about a millisecond. */
const SLICE = 64;
/** The process has ended, or hides from us. */
const GONE = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

interface Entry {
  readonly watched: WatchedProcess;
  readonly events: WatchEvents;
  state: CountState | undefined;
  count: number;
}

function groupByComm(entries: readonly Entry[]): ReadonlyMap<string, readonly Entry[]> {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const comm = commOf(entry.watched.program);
    const group = groups.get(comm);
    if (group === undefined) groups.set(comm, [entry]);
    else group.push(entry);
  }
  return groups;
}

export class ProcessScan {
  readonly #ports: Pick<WatchPorts, 'clock' | 'timers' | 'turns'>;
  readonly #root: string;
  readonly #entries = new Set<Entry>();
  #next: Timer | undefined;
  #isWalking = false;
  #isBlind = false;

  /** @param root where procfs is mounted */
  constructor(ports: Pick<WatchPorts, 'clock' | 'timers' | 'turns'>, root = '/proc') {
    this.#ports = ports;
    this.#root = root;
  }

  /** One tracked process; the walks begin with the first and end with the last. */
  watch(watched: WatchedProcess, events: WatchEvents): Watch {
    const entry: Entry = { watched, events, state: undefined, count: 0 };
    return {
      start: () => {
        this.#entries.add(entry);
        this.#next?.cancel();
        this.#next = undefined;
        // What starts in one turn is counted by one walk.
        this.#ports.turns.soon(() => this.#walk());
      },
      stop: () => {
        this.#entries.delete(entry);
        if (this.#entries.size > 0) return;
        this.#next?.cancel();
        this.#next = undefined;
      },
    };
  }

  #walk(): void {
    if (this.#isWalking || this.#next !== undefined || this.#entries.size === 0) return;
    this.#isWalking = true;
    const startedAt = this.#ports.clock.monotonic();
    const entries = [...this.#entries];
    for (const entry of entries) entry.count = 0;
    const byComm = groupByComm(entries);
    let pids: readonly string[];
    try {
      pids = readdirSync(this.#root).filter((name) => /^\d+$/.test(name));
    } catch (thrown) {
      this.#finish(startedAt, entries, errorText(thrown));
      return;
    }
    let at = 0;
    const slice = (): void => {
      try {
        for (const pid of pids.slice(at, at + SLICE)) this.#count(pid, byComm);
      } catch (thrown) {
        this.#finish(startedAt, entries, errorText(thrown));
        return;
      }
      at += SLICE;
      if (at < pids.length) this.#ports.turns.soon(slice);
      else this.#finish(startedAt, entries, undefined);
    };
    slice();
  }

  #finish(startedAt: Millis, entries: readonly Entry[], problem: string | undefined): void {
    this.#isWalking = false;
    if (problem === undefined) this.#tell(startedAt, entries);
    else if (!this.#isBlind)
      for (const { events } of entries) events.onBlind(`processes cannot be counted: ${problem}`);
    this.#isBlind = problem !== undefined;
    if (this.#entries.size === 0) return;
    this.#next = this.#ports.timers.after(INTERVAL, () => {
      this.#next = undefined;
      this.#walk();
    });
  }

  #tell(now: Millis, entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (!this.#entries.has(entry)) continue;
      const before = entry.state?.up;
      entry.state = stepCount(entry.watched, entry.state, entry.count, now);
      const { up } = entry.state;
      if (up !== before) entry.events.onSeen({ kind: up ? 'up' : 'down' }, `${entry.count} running`);
    }
  }

  #read(pid: string, file: string): string {
    return readFileSync(`${this.#root}/${pid}/${file}`, 'utf8');
  }

  /** @throws what makes the whole count doubtful */
  #count(pid: string, byComm: ReadonlyMap<string, readonly Entry[]>): void {
    try {
      const candidates = byComm.get(this.#read(pid, 'comm').replace(/\n$/, ''));
      if (candidates === undefined || isDead(this.#read(pid, 'stat'))) return;
      const argv = candidates.some(({ watched }) => needsArguments(watched))
        ? this.#read(pid, 'cmdline').replace(/\0$/, '').split('\0')
        : [];
      for (const entry of candidates)
        if (!needsArguments(entry.watched) || fitsArguments(entry.watched, argv)) entry.count += 1;
    } catch (thrown) {
      const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
      if (!GONE.has(code)) throw thrown;
    }
  }
}
