/**
 * Holds the world, folds events into it, and decides when to reconcile. No sockets, no clock of its own:
 * everything outside comes in through `ControllerOptions`.
 */
import type { AlertRule, LvsEvent } from './alerts/model.js';
import type { Applied } from './applied.js';
import { delayOf } from './checks/budget.js';
import type { Check, CheckId, ProbeBudget, RemarkChange, Suspicion, VerdictChange } from './checks/model.js';
import type { Config } from './config/model.js';
import { LvsError } from './core/errors.js';
import type { Clock, Logger, Timer, Timers, Turns } from './core/ports.js';
import { type EpochMillis, type Millis, millis } from './core/units.js';
import { type Happening, newsHappening, serversText, stoppingHappening } from './describe.js';
import type { Preview } from './ipvs/aims.js';
import type { IpvsTable, ObservedService, ObservedTable } from './ipvs/model.js';
import { Reconciler } from './ipvs/reconciler.js';
import type { TableMemory } from './ipvs/remembered.js';
import { type Outcome, PolicyBook } from './policy/book.js';
import type { AdminWord, Instant } from './policy/model.js';
import { endedDrains, type PolicyNews } from './policy/news.js';
import { wishesOf } from './policy/ownership.js';
import { inSlices, type Slicing } from './slices.js';
import { TableJournal } from './table-journal.js';
import { Voice } from './voice.js';
import type { Beside, WorkerDigest, World } from './world.js';

/** The probe workers, as the controller sees them. */
export interface ProbeEngine {
  /** Replaces the set of checks; those that did not change go on undisturbed. */
  update(
    checks: readonly Check[],
    verdicts: Pick<ReadonlyMap<CheckId, 'up' | 'down'>, 'get'>,
    budget: ProbeBudget | undefined,
  ): void;
}

/** The alerts' outbox, as the controller sees it. Neither call waits or throws. */
export interface AlertSink {
  configure(director: string, rules: readonly AlertRule[]): void;
  offer(event: LvsEvent): void;
}

export interface ControllerOptions {
  readonly config: Config;
  readonly table: IpvsTable;
  readonly probes: ProbeEngine;
  readonly alerts: AlertSink;
  /** Drains came to their end: these words, as they are now. */
  readonly onDrained?: (words: readonly AdminWord[]) => void;
  /** What the next run should know of the table. */
  readonly onMemory?: (memory: TableMemory) => void;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly turns: Turns;
  readonly log: Logger;
}

export class Controller {
  readonly #probes: ProbeEngine;
  readonly #alerts: AlertSink;
  readonly #onDrained: ControllerOptions['onDrained'];
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #turns: Turns;
  readonly #voice: Voice;
  readonly #reconciler: Reconciler;
  readonly #startedAt: EpochMillis;
  #config: Config;
  #configLoadedAt: EpochMillis;
  readonly #book = new PolicyBook();
  #opened: Promise<unknown> | undefined;
  #judgeAgain: Timer | undefined;
  #observed: ObservedTable | undefined;
  readonly #table: TableJournal;
  #workers: readonly WorkerDigest[] = [];
  #beside: Beside = {
    vrrp: undefined,
    sync: undefined,
    timeouts: undefined,
    probing: undefined,
    maintenance: [],
    names: [],
    refused: { FORBIDDEN: 0, UNAUTHORIZED: 0 },
  };
  #version = 0;
  #stopping = false;
  #snapshot: World | undefined;

  constructor(options: ControllerOptions) {
    this.#config = options.config;
    this.#probes = options.probes;
    this.#alerts = options.alerts;
    this.#onDrained = options.onDrained;
    this.#clock = options.clock;
    this.#timers = options.timers;
    this.#turns = options.turns;
    this.#voice = new Voice({ ...options, offer: (event) => options.alerts.offer(event) });
    this.#startedAt = options.clock.wall();
    this.#configLoadedAt = this.#startedAt;
    this.#table = new TableJournal({
      kind: options.table.kind,
      clock: options.clock,
      log: options.log,
      tell: (happening) => this.#emit(happening),
      onObserved: (observed) => this.#onObserved(observed),
      onChange: () => this.#changed(),
      onMemory: (memory) => options.onMemory?.(memory),
    });
    const { table, clock, timers, turns } = options;
    this.#reconciler = new Reconciler({ table, clock, timers, turns, events: this.#table });
    this.#alerts.configure(options.config.name, options.config.alerts);
  }

  /**
   * First of all: judges the configuration, beside other work. Until it resolves nothing else is asked or told. Once is
   * enough; whoever asks again waits for the same.
   */
  open(): Promise<unknown> {
    this.#opened ??= inSlices(this.#book.configureInSteps(this.#config, this.#at()), this.#slicing());
    return this.#opened;
  }

  /**
   * Before the start: what the run before knew of checks and of the table, and what is said of servers. Nothing else
   * is asked or told before it resolves.
   */
  async recall(
    verdicts: Parameters<PolicyBook['recall']>[0],
    words: readonly AdminWord[],
    table?: TableMemory,
  ): Promise<void> {
    if (table !== undefined) this.#reconciler.recall(table);
    await inSlices(this.#book.recall(verdicts, this.#at()), this.#slicing());
    this.#book.administer(words, this.#at());
  }

  /** Reads the table, makes it right as far as is known without a probe, then starts the probes. */
  async start(): Promise<void> {
    await this.open();
    if (this.#stopping) return;
    this.#reconciler.configure(wishesOf(this.#config, this.#book.desired));
    await this.#reconciler.settled();
    if (this.#stopping) return;
    this.#judgeWhenDue();
    this.#probe();
    this.#emit({
      kind: 'daemon-started',
      message: `${this.#config.name} watches ${serversText(this.#config)}`,
      facts: { table: this.#table.state.kind, inSync: this.#table.state.inSync },
    });
  }

  /** As `world`, for those who go on looking when something changes: it stays as it is. */
  keptWorld(): World {
    this.#book.view().hold();
    return this.world();
  }

  /** Everything there is to know, as of now. The same object until something changes; not to be looked at later. */
  world(): World {
    const view = this.#book.view();
    this.#snapshot ??= {
      version: this.#version,
      startedAt: this.#startedAt,
      config: this.#config,
      configLoadedAt: this.#configLoadedAt,
      get health() {
        return view.health;
      },
      get admin() {
        return view.admin;
      },
      get standings() {
        return view.standings;
      },
      mass: this.#book.mass,
      observed: this.#observed,
      table: this.#table.state,
      workers: this.#workers,
      ...this.#beside,
      stopping: this.#stopping,
    };
    return this.#snapshot;
  }

  /** What there is to be done to the table as it is at this moment, which is read for it. @throws as `dump` (rejects) */
  preview(): Promise<Preview> {
    return this.#reconciler.preview();
  }

  /** What is done to the table from now on, until it is right or could not be made so. @param limit waits no longer */
  applied(limit: Millis): Promise<Applied> {
    let timer: Timer | undefined;
    const isLate = new Promise<void>((resolve) => {
      timer = this.#timers.after(limit, resolve);
    });
    return this.#table.collect(
      Promise.race([isLate, this.#reconciler.settled()]).finally(() => timer?.cancel()),
    );
  }

  /** Verdicts of one turn. They reach the kernel before anything else happens. */
  onVerdicts(changes: readonly VerdictChange[]): void {
    this.#follow(this.#book.verdict(changes, this.#at()));
  }

  /** What checks say beside their verdicts. */
  onRemarks(remarks: readonly RemarkChange[]): void {
    this.#follow(this.#book.remark(remarks, this.#at()));
  }

  /** What may become verdicts: for the failure of most servers at once. */
  onSuspicions(suspicions: readonly Suspicion[]): void {
    this.#follow(this.#book.suspect(suspicions, this.#at()));
  }

  /** Takes words of the operator, or of a maintenance window, about servers. */
  administer(words: readonly AdminWord[]): void {
    this.#follow(this.#book.administer(words, this.#at()));
  }

  /** Services with a server that drains: their entries in the table are to be looked at often. */
  get draining(): PolicyBook['draining'] {
    return this.#book.draining;
  }

  /** Entries of the table, as they are at this moment. */
  onLook(seen: ReadonlyMap<string, ObservedService | undefined>): void {
    this.#changed();
    this.#follow(this.#book.look(seen, this.#at()));
  }

  onDigest(digest: WorkerDigest): void {
    const others = this.#workers.filter((known) => known.worker !== digest.worker);
    this.#workers = [...others, digest].sort((a, b) => a.worker - b.worker);
    this.#changed();
  }

  /** Takes what others know into the world. */
  note(known: Partial<Beside>): void {
    const { pace } = this.#beside.probing?.plan ?? {};
    this.#beside = { ...this.#beside, ...known };
    const now = this.#beside.probing?.plan.pace;
    if (pace !== now) this.#book.pace((check) => delayOf(now, check));
    this.#changed();
  }

  /** Numbers, logs and tells something that happened elsewhere. */
  tell(happening: Happening): void {
    this.#emit(happening);
  }

  /** A worker died and is being restarted; until its checks have run again their verdicts are held. */
  onWorkerDied(worker: number, ids: readonly CheckId[], why: string): void {
    this.#book.doubt(ids);
    this.#changed();
    this.#emit({
      kind: 'worker-restarted',
      message: `${why}; it is restarted, and its ${ids.length} checks hold their last verdicts`,
      facts: { worker, checks: ids.length },
    });
  }

  /**
   * Puts a new configuration in force; what it does not change is not disturbed.
   * @throws LvsError CONFIG where it changes what needs a restart; nothing was applied then
   */
  reload(next: Config): void {
    this.#refuseRestartOnly(next);
    const news = this.#take(next);
    this.#configLoadedAt = this.#clock.wall();
    this.#alerts.configure(next.name, next.alerts);
    this.#emit({
      kind: 'config-reloaded',
      message: `new configuration in force: ${serversText(next)}`,
    });
    this.#emitNews(news);
  }

  /** The same configuration with other servers, as names have other addresses. @param why is told first */
  adopt(next: Config, why: readonly Happening[]): void {
    if (this.#stopping) return;
    const news = this.#take(next);
    for (const happening of why) this.#emit(happening);
    this.#emitNews(news);
  }

  #take(next: Config): ReturnType<PolicyBook['configure']> {
    const news = this.#book.configure(next, this.#at());
    this.#config = next;
    this.#reconciler.configure(wishesOf(next, this.#book.desired));
    this.#judgeWhenDue();
    // The table does not wait for the probes: what a reload changes in it is on its way before they hear of it.
    this.#turns.soon(() => this.#probe());
    this.#changed();
    return news;
  }

  /** Tells that a new configuration is wrong; the old one goes on. */
  refuse(faults: readonly string[]): void {
    this.#emit({
      kind: 'config-refused',
      message: `new configuration refused, the old one stays in force: ${faults[0] ?? 'unknown fault'}`,
      facts: { faults: faults.slice(0, 20), count: faults.length },
    });
  }

  /**
   * Finishes the batch in progress and leaves the table as it is.
   * @param limit how long what is not to be kept may take to leave it (`on-stop`); undefined: all is kept
   */
  async stop(why: string, limit?: Millis): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#judgeAgain?.cancel();
    this.#changed();
    this.#emit(stoppingHappening(why, limit === undefined ? 0 : this.#reconciler.leaving.length));
    if (limit !== undefined && !(await this.#reconciler.leave(limit)))
      this.#table.onFailure('what `on-stop` takes out of the table is not all out of it: the time is over');
    await this.#reconciler.close();
    this.#voice.finish();
  }

  #slicing(): Slicing {
    return { clock: this.#clock, turns: this.#turns };
  }

  #at(): Instant {
    return { now: this.#clock.monotonic(), wall: this.#clock.wall() };
  }

  /** The table first; then people are told. */
  #follow({ touched, news }: Outcome): void {
    if (this.#stopping) return;
    if (touched.size > 0) this.#reconciler.touch(this.#book.desired, touched);
    this.#changed();
    const ended = endedDrains(news);
    if (ended.length > 0) this.#onDrained?.(ended);
    this.#emitNews(news);
    this.#judgeWhenDue();
  }

  #judgeWhenDue(): void {
    this.#judgeAgain?.cancel();
    const { due } = this.#book;
    if (due === undefined) return;
    const delay = millis(Math.max(0, due - this.#clock.monotonic()));
    this.#judgeAgain = this.#timers.after(delay, () => this.#follow(this.#book.tick(this.#at())));
  }

  #probe(): void {
    if (this.#stopping) return;
    this.#probes.update(this.#book.checks(), this.#book.held(), this.#config.probeBudget);
  }

  #refuseRestartOnly(next: Config): void {
    const now = this.#config;
    const changed: string[] = [];
    if (next.table !== now.table) changed.push('table');
    if (JSON.stringify(next.api.listen) !== JSON.stringify(now.api.listen)) changed.push('api.listen');
    if (changed.length === 0) return;
    throw new LvsError(
      'CONFIG',
      `${changed.join(' and ')} cannot change while running: restart lvsentry for it`,
    );
  }

  #onObserved(observed: ObservedTable): void {
    this.#observed = observed;
    this.#book.observe(observed);
    this.#changed();
  }

  #emit(happening: Happening): void {
    this.#voice.tell([() => happening]);
  }

  #emitNews(news: readonly PolicyNews[]): void {
    this.#voice.tell(news.map((one) => () => newsHappening(one)));
  }

  #changed(): void {
    this.#version += 1;
    this.#snapshot = undefined;
  }
}
