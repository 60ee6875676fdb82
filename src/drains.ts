/** Looks at the services whose servers drain, more often than the whole table is read. */
import type { Controller } from './controller.js';
import { errorText } from './core/errors.js';
import type { Logger, Timer, Timers } from './core/ports.js';
import { seconds } from './core/units.js';
import type { IpvsTable, ObservedService } from './ipvs/model.js';

const INTERVAL = seconds(1);
/** Entries of the table that are read at one look; where there are more they take turns. */
const ENTRIES_MAX = 64;

export interface DrainWatcherOptions {
  readonly table: Pick<IpvsTable, 'read'>;
  readonly controller: Pick<Controller, 'draining' | 'onLook'>;
  readonly timers: Timers;
  readonly log: Logger;
}

export class DrainWatcher {
  readonly #options: DrainWatcherOptions;
  #timer: Timer | undefined;
  /** The service that was read last: the next look goes on behind it. */
  #last: string | undefined;
  #closed = false;

  constructor(options: DrainWatcherOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#closed) return;
    this.#timer = this.#options.timers.after(INTERVAL, () => {
      void this.#look().then(() => this.start());
    });
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /** Services whole, for a server is counted in all entries of its service; at least one. */
  #turn(): readonly (readonly [string, ReadonlyMap<string, Parameters<IpvsTable['read']>[0]>])[] {
    const all = [...this.#options.controller.draining];
    const start = all.findIndex(([name]) => name === this.#last) + 1;
    let entries = 0;
    return [...all.slice(start), ...all.slice(0, start)].filter(([, its], index) => {
      entries += its.size;
      return index === 0 || entries <= ENTRIES_MAX;
    });
  }

  async #look(): Promise<void> {
    const { table, controller, log } = this.#options;
    const seen = new Map<string, ObservedService | undefined>();
    try {
      for (const [name, entries] of this.#turn()) {
        // One after the other: a verdict's change of the table goes in between.
        for (const [text, key] of entries) seen.set(text, await table.read(key));
        this.#last = name;
      }
    } catch (thrown) {
      // The table tells its troubles by itself. The drain goes on when it can be read again.
      log.debug({}, `cannot look at what drains: ${errorText(thrown)}`);
      return;
    }
    if (seen.size > 0 && !this.#closed) controller.onLook(seen);
  }
}
