/** The last verdicts in a file, for the next run of the daemon on this machine. */
import { utimes } from 'node:fs/promises';
import type { Check, CheckId } from '../checks/model.js';
import type { Clock, Timer, Timers, Turns } from '../core/ports.js';
import { type Millis, millis } from '../core/units.js';
import { readOwnFile, setAside } from '../files/disk.js';
import type { ServerHealth } from '../world.js';
import { documentParts, readDocument } from './document.js';
import type { StoreEvents } from './model.js';
import { SnapshotFile } from './snapshot.js';
import { type RememberedVerdict, readVerdicts, staleness, verdictLines } from './verdicts.js';

/** Fifty thousand servers take some six. */
const FILE_BYTES_MAX = 32 * 1024 * 1024;
/** Lines that are read before other work gets a turn. */
const LINES_A_TURN = 500;
/** How many times the file is marked as true within the age that a start allows. */
const MARKS = 4;

export interface VerdictFileOptions {
  readonly path: string;
  readonly director: string;
  /** Of the machine; undefined where it does not tell. */
  readonly boot: string | undefined;
  readonly ageMax: Millis;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly turns: Turns;
  /** What is known now. Neither changes afterwards. */
  readonly known: () => {
    readonly checks: Iterable<Check>;
    readonly health: ReadonlyMap<CheckId, ServerHealth>;
  };
  readonly events: Omit<StoreEvents, 'onEntries'>;
}

export interface VerdictsFound {
  readonly verdicts: ReadonlyMap<CheckId, RememberedVerdict>;
  /** Why nothing, or not everything, is used; a sentence. */
  readonly ignored: string | undefined;
  /** What was wrong; a sentence. */
  readonly problem: string | undefined;
}

const NOTHING: VerdictsFound = { verdicts: new Map(), ignored: undefined, problem: undefined };

export class VerdictFile {
  readonly #options: VerdictFileOptions;
  readonly #file: SnapshotFile;
  #mark: Timer | undefined;
  #closed = false;

  constructor(options: VerdictFileOptions) {
    const { path, timers, events, known, director, boot } = options;
    this.#options = options;
    this.#file = new SnapshotFile({
      path,
      parts: () => {
        const { checks, health } = known();
        return documentParts('verdicts', { director, boot: boot ?? '' }, verdictLines(checks, health));
      },
      timers,
      onTrouble: (message) => events.onTrouble(`${message}; the next start will not know the last verdicts`),
      onWell: (message) => events.onWell(message),
    });
  }

  /** Reads what the run before left, for the checks that are still the same. Never rejects. */
  async open(checks: ReadonlyMap<CheckId, Check>): Promise<VerdictsFound> {
    const { path, boot, ageMax, clock } = this.#options;
    const file = await readOwnFile(path, FILE_BYTES_MAX);
    if (file.kind === 'absent') return NOTHING;
    const document =
      file.kind === 'text'
        ? readDocument('verdicts', file.text)
        : { ok: false as const, problem: file.problem };
    if (!document.ok || file.kind !== 'text') {
      const problem = document.ok ? '' : document.problem;
      return { ...NOTHING, problem: `${path} ${problem}; ${await setAside(path)}` };
    }
    const bootThen = document.head.boot;
    const stale = staleness({ bootThen, bootNow: boot, at: file.modifiedAt, now: clock.wall(), ageMax });
    if (stale !== undefined) return { ...NOTHING, ignored: `the last verdicts are not used: ${stale}` };
    return this.#use(document.lines, checks);
  }

  /** Verdicts are kept from now on. */
  start(): void {
    this.#file.changed();
    this.#markLater();
  }

  /** There are new verdicts, or other checks. Returns at once. */
  changed(): void {
    if (!this.#closed && this.#mark !== undefined) this.#file.changed();
  }

  /** The last verdicts of this run. */
  async close(): Promise<void> {
    this.#closed = true;
    const started = this.#mark !== undefined;
    this.#mark?.cancel();
    if (started) await this.#file.close();
  }

  async #use(lines: readonly string[], checks: ReadonlyMap<CheckId, Check>): Promise<VerdictsFound> {
    const verdicts = new Map<CheckId, RememberedVerdict>();
    let others = 0;
    let count = 0;
    for (const found of readVerdicts(lines, checks)) {
      if (found === undefined) others += 1;
      else verdicts.set(...found);
      count += 1;
      if (count % LINES_A_TURN === 0) await new Promise<void>((resolve) => this.#options.turns.soon(resolve));
    }
    const ignored =
      others === 0
        ? undefined
        : `${others} of the last verdicts are not used: the configuration has no such checks any more`;
    return { verdicts, ignored, problem: undefined };
  }

  /** The file's time says until when it was true: without a change nothing is written. */
  #markLater(): void {
    const { ageMax, timers, clock, path } = this.#options;
    this.#mark = timers.after(millis(Math.max(500, ageMax / MARKS)), () => {
      const now = clock.wall() / 1000;
      // A disk that takes nothing is told where the file itself is written.
      void utimes(path, now, now).catch(() => undefined);
      if (!this.#closed) this.#markLater();
    });
  }
}
