/** Watches what virtual routers track, by configuration; what did not change is not disturbed. */
import { isDeepStrictEqual } from 'node:util';
import { unreachable } from '../core/assert.js';
import type { OpenPipe } from '../core/ports.js';
import { ProgramRunner } from '../exec/runner.js';
import type { Observation } from '../vrrp/model.js';
import { FileWatch } from './file.js';
import type { Watched } from './model.js';
import { ProcessScan } from './processes.js';
import { ScriptWatch } from './script.js';
import type { Watch, WatchEvents, WatchPorts } from './watch.js';

/** Scripts at the same time. */
const SCRIPTS_MAX = 32;

/** Something that was seen of a tracked object. */
export interface TrackNews {
  /** As instances know it: `script uplink`. */
  readonly what: string;
  readonly seen: Observation;
  /** What was seen before; undefined where nothing was. */
  readonly before: Observation | undefined;
  readonly why: string;
}

export interface WatcherOptions extends Omit<WatchPorts, 'run'> {
  readonly openPipe: OpenPipe;
  /** What holds for instances now. */
  readonly onSeen: (what: string, seen: Observation) => void;
  /** For people. */
  readonly onNews: (news: TrackNews) => void;
  readonly onBlind: (what: string, problem: string) => void;
  /** Everything was looked at, or cannot be. */
  readonly onSettled: () => void;
}

interface Entry {
  readonly watched: Watched;
  readonly watch: Watch;
  /** It was seen, or told that it cannot be. */
  hasSpoken: boolean;
}

export class TrackWatcher {
  readonly #options: WatcherOptions;
  readonly #runner: ProgramRunner;
  readonly #ports: WatchPorts;
  readonly #scan: ProcessScan;
  readonly #entries = new Map<string, Entry>();
  readonly #seen = new Map<string, Observation>();

  constructor(options: WatcherOptions) {
    const { clock, timers, turns, openPipe } = options;
    this.#options = options;
    this.#runner = new ProgramRunner({ timers, openPipe, concurrencyMax: SCRIPTS_MAX });
    this.#ports = { clock, timers, turns, run: (program) => this.#runner.run(program) };
    this.#scan = new ProcessScan(this.#ports);
  }

  /** Makes `all` the whole of what is watched. What is defined anew holds what was seen of it until it is seen again. */
  configure(all: readonly Watched[]): void {
    const wanted = new Map(all.map((watched) => [`${watched.kind} ${watched.name}`, watched]));
    for (const [what, { watched, watch }] of this.#entries) {
      if (isDeepStrictEqual(watched, wanted.get(what))) continue;
      watch.stop();
      this.#entries.delete(what);
      if (!wanted.has(what)) this.#forget(what);
    }
    for (const [what, watched] of wanted) if (!this.#entries.has(what)) this.#begin(what, watched);
  }

  /** Whether everything was looked at once, or cannot be. */
  get isSettled(): boolean {
    for (const { hasSpoken } of this.#entries.values()) if (!hasSpoken) return false;
    return true;
  }

  /** Ends all watches and their programs: 3 s at most. */
  async close(): Promise<void> {
    for (const { watch } of this.#entries.values()) watch.stop();
    this.#entries.clear();
    await this.#runner.close();
  }

  #begin(what: string, watched: Watched): void {
    const entry: Entry = {
      watched,
      watch: this.#watchOf(watched, {
        onSeen: (seen, why) => this.#onSeen(what, entry, seen, why),
        onBlind: (problem) => {
          this.#options.onBlind(what, problem);
          this.#speak(entry);
        },
      }),
      hasSpoken: false,
    };
    this.#entries.set(what, entry);
    if (watched.kind === 'script' && watched.assume !== undefined && !this.#seen.has(what))
      this.#note(what, { kind: watched.assume });
    entry.watch.start();
  }

  #watchOf(watched: Watched, events: WatchEvents): Watch {
    switch (watched.kind) {
      case 'script':
        return new ScriptWatch(watched, this.#ports, events);
      case 'file':
        return new FileWatch(watched, this.#ports, events);
      case 'process':
        return this.#scan.watch(watched, events);
      default:
        return unreachable(watched);
    }
  }

  #onSeen(what: string, entry: Entry, seen: Observation, why: string): void {
    const before = this.#seen.get(what);
    this.#note(what, seen);
    if (!isDeepStrictEqual(before, seen)) this.#options.onNews({ what, seen, before, why });
    this.#speak(entry);
  }

  #note(what: string, seen: Observation): void {
    this.#seen.set(what, seen);
    this.#options.onSeen(what, seen);
  }

  #forget(what: string): void {
    this.#seen.delete(what);
    this.#options.onSeen(what, { kind: 'unknown' });
  }

  #speak(entry: Entry): void {
    if (entry.hasSpoken) return;
    entry.hasSpoken = true;
    if (this.isSettled) this.#options.onSettled();
  }
}
