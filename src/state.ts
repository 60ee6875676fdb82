/** What outlives a restart, put together: the event journal, the operator's words and the last verdicts. */
import { join } from 'node:path';
import type { LvsEvent } from './alerts/model.js';
import type { Check, CheckId } from './checks/model.js';
import type { Config } from './config/model.js';
import type { Clock, Timers, Turns } from './core/ports.js';
import type { Millis } from './core/units.js';
import type { Happening } from './describe.js';
import { JournalFiles } from './events/files.js';
import { EventJournal } from './events/journal.js';
import { bootId } from './files/disk.js';
import type { TableMemory } from './ipvs/remembered.js';
import type { AdminWord } from './policy/model.js';
import { AdminMemory } from './store/admin.js';
import { DrainEnds } from './store/drain-ends.js';
import { FileStore } from './store/file.js';
import type { RedisTarget } from './store/model.js';
import { RedisStore } from './store/redis.js';
import { TableFile } from './store/table-file.js';
import { VerdictFile, type VerdictsFound } from './store/verdict-file.js';
import { isWordValue } from './store/words.js';
import type { World } from './world.js';

export interface StateOptions {
  readonly config: Config;
  /** Tells runs apart; letters and digits. */
  readonly run: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly turns: Turns;
  readonly tell: (happening: Happening) => void;
  readonly world: () => World;
  /** Another director said something about servers. */
  readonly onWords: (words: readonly AdminWord[]) => void;
}

function* checksOf(config: Config): Generator<Check, void, undefined> {
  for (const { servers, fallback } of config.services) {
    for (const { checks } of servers) yield* checks;
    for (const { checks } of fallback.flat()) yield* checks;
  }
}

export class StateKeeper {
  readonly journal: EventJournal;
  readonly #options: StateOptions;
  readonly #admin: AdminMemory;
  /** Undefined without a directory. */
  readonly #ends: DrainEnds | undefined;
  #verdicts: VerdictFile | undefined;
  #tableFile: TableFile | undefined;
  #table: TableMemory | undefined;
  #recalled: VerdictsFound['verdicts'] = new Map();
  /** What was found before anybody could be told. */
  #told: Happening[] = [];
  #started = false;
  #marks = 0;

  constructor(options: StateOptions) {
    const { config, run, clock, onWords } = options;
    this.#options = options;
    this.journal = new EventJournal(run, this.#journalFiles());
    this.#admin = new AdminMemory({ director: config.name, clock, onWords });
    this.#admin.configure(config);
    const { directory, redis } = config.state ?? {};
    if (directory !== undefined) this.#admin.add(() => this.#adminFile(join(directory, 'admin.jsonl')));
    this.#ends = directory === undefined ? undefined : this.#drainEnds(join(directory, 'drains.jsonl'));
    if (redis !== undefined) this.#admin.add((onEntries) => this.#adminRedis(redis, onEntries));
  }

  /** Reads what there is. Never rejects: what cannot be used is left aside, and told by `start`. */
  async open(): Promise<void> {
    const { config } = this.#options;
    for (const message of await this.journal.open()) this.#trouble(message);
    for (const message of await this.#admin.open()) this.#trouble(message);
    for (const message of (await this.#ends?.open()) ?? []) this.#trouble(message);
    const { directory, verdictsAge } = config.state ?? {};
    if (directory === undefined || verdictsAge === undefined) return;
    const boot = await bootId();
    await this.#openTable(join(directory, 'table.jsonl'), boot);
    this.#verdicts = this.#verdictFile(join(directory, 'verdicts.jsonl'), verdictsAge, boot);
    const checks = new Map<CheckId, Check>();
    for (const check of checksOf(config)) checks.set(check.id, check);
    const { verdicts, ignored, problem } = await this.#verdicts.open(checks);
    this.#recalled = verdicts;
    if (problem !== undefined) this.#trouble(problem);
    if (ignored !== undefined) this.#tell({ kind: 'verdicts-ignored', message: ignored });
  }

  /** The last verdicts of the run before, as far as they may be used. */
  get recalled(): VerdictsFound['verdicts'] {
    return this.#recalled;
  }

  async #openTable(path: string, boot: string | undefined): Promise<void> {
    const { config, clock, timers } = this.#options;
    // A table in memory is empty at every start.
    if (config.table !== 'kernel') return;
    const events = this.#events();
    this.#tableFile = new TableFile({ path, director: config.name, boot, clock, timers, events });
    const { memory, problem } = await this.#tableFile.open();
    this.#table = memory;
    if (problem !== undefined) this.#trouble(problem);
  }

  /** Who of the table was leaving when the run before ended, and what of it was accepted; undefined: not known. */
  get table(): TableMemory | undefined {
    return this.#table;
  }

  /** What the next run should know of the table. */
  keepTable(memory: TableMemory): void {
    this.#tableFile?.keep(memory);
  }

  /** What is said of servers that there are, by the operator, here or at another director. */
  words(): readonly AdminWord[] {
    return this.finish(this.#admin.words());
  }

  /** The same words, of which those say that their drain is over whose drain is. */
  finish(words: readonly AdminWord[]): readonly AdminWord[] {
    return this.#ends?.finish(words) ?? words;
  }

  /** Keeps that drains came to their end here. */
  keepEnds(words: readonly AdminWord[]): void {
    this.#ends?.keep(words);
  }

  /** Events have their numbers now: tells what `open` found, and keeps verdicts from now on. */
  start(): void {
    this.#started = true;
    for (const happening of this.#told.splice(0)) this.#tell(happening);
    this.#verdicts?.start();
  }

  /** Takes over which servers there are. */
  configure(config: Config): void {
    this.#admin.configure(config);
    this.#verdicts?.changed();
  }

  /** There are new verdicts. */
  onVerdicts(): void {
    this.#verdicts?.changed();
  }

  /** Keeps what the operator said here. */
  keep(words: readonly AdminWord[]): void {
    this.#admin.keep(words);
  }

  /** Keeps an event. @returns it with its number in the journal */
  record(event: LvsEvent): LvsEvent {
    return this.journal.record(event);
  }

  /** The last write of everything. */
  async close(): Promise<void> {
    await Promise.all([
      this.#admin.close(),
      this.#ends?.close(),
      this.#tableFile?.close(),
      this.#verdicts?.close(),
    ]);
    // Last: what went wrong with the others stands in it.
    await this.journal.close();
  }

  #journalFiles(): JournalFiles | undefined {
    const { config, run, timers, turns } = this.#options;
    const directory = config.state?.directory;
    if (directory === undefined) return undefined;
    return new JournalFiles({ directory, journal: run, timers, turns, ...this.#events() });
  }

  #adminFile(path: string): FileStore {
    const { config, timers } = this.#options;
    return new FileStore({
      path,
      director: config.name,
      timers,
      isValue: isWordValue,
      events: this.#events(),
    });
  }

  #drainEnds(path: string): DrainEnds {
    const { config, timers } = this.#options;
    return new DrainEnds({ path, director: config.name, timers, events: this.#events() });
  }

  #adminRedis(
    target: RedisTarget,
    onEntries: ConstructorParameters<typeof RedisStore>[0]['events']['onEntries'],
  ) {
    const { run, timers } = this.#options;
    return new RedisStore({
      target,
      mark: () => {
        this.#marks += 1;
        return `${run}-${this.#marks}`;
      },
      timers,
      isValue: isWordValue,
      isSpent: (entry) => this.#admin.isSpent(entry),
      isOurs: (entry) => this.#admin.isOurs(entry),
      events: { ...this.#events(), onEntries },
    });
  }

  #verdictFile(path: string, ageMax: Millis, boot: string | undefined): VerdictFile {
    const { config, clock, timers, turns, world } = this.#options;
    return new VerdictFile({
      path,
      director: config.name,
      boot,
      ageMax,
      clock,
      timers,
      turns,
      known: () => {
        const { config: now, health } = world();
        return { checks: checksOf(now), health };
      },
      events: this.#events(),
    });
  }

  #events() {
    return {
      onTrouble: (message: string) => this.#trouble(message),
      onWell: (message: string) => this.#tell({ kind: 'state-restored', message }),
    };
  }

  #trouble(message: string): void {
    this.#tell({ kind: 'state-trouble', message });
  }

  #tell(happening: Happening): void {
    if (this.#started) this.#options.tell(happening);
    else this.#told.push(happening);
  }
}
