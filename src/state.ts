/** What outlives a restart, put together: the event journal, and what stands in the stores. */
import type { LvsEvent } from './alerts/model.js';
import type { Timers, Turns } from './core/ports.js';
import type { Happening } from './describe.js';
import { JournalFiles } from './events/files.js';
import { EventJournal } from './events/journal.js';
import type { StateConfig } from './store/model.js';

export interface StateOptions {
  /** Undefined: all of it is in memory alone. */
  readonly config: StateConfig | undefined;
  /** Tells runs without a journal on disk apart; letters and digits. */
  readonly run: string;
  readonly timers: Timers;
  readonly turns: Turns;
  readonly tell: (happening: Happening) => void;
}

export class StateKeeper {
  readonly journal: EventJournal;
  readonly #options: StateOptions;
  /** What was found wrong before anybody could be told. */
  #problems: readonly string[] = [];

  constructor(options: StateOptions) {
    this.#options = options;
    this.journal = new EventJournal(options.run, this.#journalFiles());
  }

  /** Reads what there is. Never rejects: what cannot be used is left aside, and told by `start`. */
  async open(): Promise<void> {
    this.#problems = await this.journal.open();
  }

  /** Events have their numbers now: tells what `open` found wrong. */
  start(): void {
    for (const message of this.#problems) this.#trouble(message);
    this.#problems = [];
  }

  /** Keeps an event. @returns it with its number in the journal */
  record(event: LvsEvent): LvsEvent {
    return this.journal.record(event);
  }

  /** The last write of everything. */
  async close(): Promise<void> {
    await this.journal.close();
  }

  #journalFiles(): JournalFiles | undefined {
    const { config, run, timers, turns } = this.#options;
    if (config?.directory === undefined) return undefined;
    return new JournalFiles({
      directory: config.directory,
      journal: run,
      timers,
      turns,
      onTrouble: (message) => this.#trouble(message),
      onWell: (message) => this.#options.tell({ kind: 'state-restored', message }),
    });
  }

  #trouble(message: string): void {
    this.#options.tell({ kind: 'state-trouble', message });
  }
}
