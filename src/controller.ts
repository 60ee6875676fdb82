/**
 * Holds the world, folds events into it, and decides when to reconcile. No sockets, no clock of its own:
 * everything outside comes in through `ControllerOptions`.
 */
import type { AlertRule, LvsEvent } from './alerts/model.js';
import type { Check, CheckId, VerdictChange } from './checks/model.js';
import type { Config, ServerConfig, ServiceConfig } from './config/model.js';
import { LvsError } from './core/errors.js';
import type { Clock, Logger, Timers } from './core/ports.js';
import type { EpochMillis } from './core/units.js';
import {
  driftHappening,
  type Happening,
  LEVELS,
  refusedHappening,
  serviceHappening,
  stepText,
  verdictHappening,
} from './describe.js';
import { computeDesired, computeDesiredService } from './ipvs/desired.js';
import { type Retired, retire } from './ipvs/diff.js';
import type { Drift } from './ipvs/drift.js';
import { destText, serviceText } from './ipvs/keys.js';
import type { IpvsTable, ObservedTable, OperationResult } from './ipvs/model.js';
import type { DesiredService, PlanStep } from './ipvs/plan.js';
import { Reconciler } from './ipvs/reconciler.js';
import type { Beside, ServerHealth, TableState, WorkerDigest, World } from './world.js';

/** The probe workers, as the controller sees them. */
export interface ProbeEngine {
  /** Replaces the set of checks; those that did not change go on undisturbed. */
  update(checks: readonly Check[], verdicts: ReadonlyMap<CheckId, 'up' | 'down'>): void;
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
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
}

/** Where a check's verdict goes. */
interface Place {
  readonly service: ServiceConfig;
  readonly server: ServerConfig;
  readonly serviceKey: string;
  readonly destKey: string;
}

export class Controller {
  readonly #probes: ProbeEngine;
  readonly #alerts: AlertSink;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #reconciler: Reconciler;
  readonly #startedAt: EpochMillis;
  #config: Config;
  #configLoadedAt: EpochMillis;
  #places = new Map<CheckId, Place>();
  #health = new Map<CheckId, ServerHealth>();
  #desired = new Map<string, DesiredService>();
  #observed: ObservedTable | undefined;
  #tableState: TableState;
  #workers: readonly WorkerDigest[] = [];
  #beside: Beside = { vrrp: undefined, sync: undefined };
  /** Services all of whose servers are down, by name. */
  readonly #lost = new Set<string>();
  /** Refusals told since the table was last in sync: each is told once. */
  readonly #refusals = new Set<string>();
  #sequence = 0;
  #version = 0;
  #stopping = false;
  #snapshot: World | undefined;

  constructor(options: ControllerOptions) {
    this.#config = options.config;
    this.#probes = options.probes;
    this.#alerts = options.alerts;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#startedAt = options.clock.wall();
    this.#configLoadedAt = this.#startedAt;
    this.#tableState = {
      kind: options.table.kind,
      inSync: false,
      lastDumpAt: undefined,
      lastError: undefined,
      driftFound: 0,
      operationsApplied: 0,
      operationsFailed: 0,
    };
    this.#reconciler = new Reconciler({
      table: options.table,
      timers: options.timers,
      resync: options.config.resync,
      events: {
        onObserved: (observed, by) => this.#onObserved(observed, by),
        onApplied: (steps, results) => this.#onApplied(steps, results),
        onDrift: (drift) => this.#onDrift(drift),
        onFailure: (message) => this.#onTableFailure(message),
        onSynced: () => this.#onSynced(),
      },
    });
    this.#adopt(options.config);
    this.#alerts.configure(options.config.name, options.config.alerts);
  }

  /** Reads the table, makes it right as far as is known without a probe, then starts the probes. */
  async start(): Promise<void> {
    this.#reconciler.configure(this.#desired, new Map(), this.#config.resync);
    await this.#reconciler.settled();
    if (this.#stopping) return;
    this.#probes.update(this.#checks(), this.#verdicts());
    this.#emit({
      kind: 'daemon-started',
      message: `${this.#config.name} watches ${this.#places.size} servers of ${this.#config.services.length} services`,
      facts: { table: this.#tableState.kind, inSync: this.#tableState.inSync },
    });
  }

  /** Everything there is to know, as of now. The same object until something changes. */
  world(): World {
    this.#snapshot ??= {
      version: this.#version,
      startedAt: this.#startedAt,
      config: this.#config,
      configLoadedAt: this.#configLoadedAt,
      health: new Map(this.#health),
      observed: this.#observed,
      table: this.#tableState,
      workers: this.#workers,
      ...this.#beside,
      stopping: this.#stopping,
    };
    return this.#snapshot;
  }

  /** Verdicts of one turn. They reach the kernel before anything else happens. */
  onVerdicts(changes: readonly VerdictChange[]): void {
    const told: (readonly [Place, VerdictChange])[] = [];
    const touched = new Map<string, ServiceConfig>();
    for (const change of changes) {
      const place = this.#places.get(change.id);
      // A verdict may cross with a reload that dropped its check.
      if (place === undefined) continue;
      if (this.#isNews(place, change)) told.push([place, change]);
      this.#health.set(change.id, {
        verdict: change.verdict,
        held: change.verdict,
        since: change.at,
        lastChange: change,
      });
      touched.set(place.serviceKey, place.service);
    }
    if (touched.size === 0 || this.#stopping) return;
    for (const [key, service] of touched)
      this.#desired.set(key, computeDesiredService(service, this.#health));
    this.#reconciler.touch(this.#desired, touched.keys());
    this.#changed();
    for (const [place, change] of told) this.#emit(verdictHappening(place.service, place.server, change));
    for (const service of touched.values()) this.#noteLoss(service);
  }

  onDigest(digest: WorkerDigest): void {
    const others = this.#workers.filter((known) => known.worker !== digest.worker);
    this.#workers = [...others, digest].sort((a, b) => a.worker - b.worker);
    this.#changed();
  }

  /** Takes what others know into the world. */
  note(known: Partial<Beside>): void {
    this.#beside = { ...this.#beside, ...known };
    this.#changed();
  }

  /** Numbers, logs and tells something that happened elsewhere. */
  tell(happening: Happening): void {
    this.#emit(happening);
  }

  /** A worker died and is being restarted; until its checks have run again their verdicts are held. */
  onWorkerDied(worker: number, ids: readonly CheckId[], why: string): void {
    for (const id of ids) {
      const health = this.#health.get(id);
      if (health !== undefined) this.#health.set(id, { ...health, verdict: 'unknown' });
    }
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
    const before = this.#desired;
    this.#adopt(next);
    const retired: Retired = retire(before, this.#desired, this.#reconciler.retired);
    this.#configLoadedAt = this.#clock.wall();
    this.#reconciler.configure(this.#desired, retired, next.resync);
    this.#probes.update(this.#checks(), this.#verdicts());
    this.#alerts.configure(next.name, next.alerts);
    this.#changed();
    this.#emit({
      kind: 'config-reloaded',
      message: `new configuration in force: ${this.#places.size} servers of ${next.services.length} services`,
    });
  }

  /** Tells that a new configuration is wrong; the old one goes on. */
  refuse(faults: readonly string[]): void {
    this.#emit({
      kind: 'config-refused',
      message: `new configuration refused, the old one stays in force: ${faults[0] ?? 'unknown fault'}`,
      facts: { faults: faults.slice(0, 20), count: faults.length },
    });
  }

  /** Finishes the batch in progress and leaves the table as it is. */
  async stop(why: string): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#changed();
    this.#emit({ kind: 'daemon-stopping', message: `stopping: ${why}; the table stays as it is` });
    await this.#reconciler.close();
  }

  /** Takes over a configuration: places, health and what is desired. Health of servers that stay is kept. */
  #adopt(config: Config): void {
    const places = new Map<CheckId, Place>();
    const health = new Map<CheckId, ServerHealth>();
    const unknown = {
      verdict: 'unknown',
      held: undefined,
      since: this.#clock.wall(),
      lastChange: undefined,
    } as const;
    for (const service of config.services) {
      const serviceKey = serviceText(service.service.key);
      for (const server of service.servers) {
        const place: Place = { service, server, serviceKey, destKey: destText(server.dest.key) };
        places.set(server.check.id, place);
        health.set(server.check.id, this.#carriedHealth(place) ?? unknown);
      }
    }
    this.#config = config;
    this.#places = places;
    this.#health = health;
    this.#desired = computeDesired(config, health);
    const names = new Set(config.services.map((service) => service.name));
    for (const name of this.#lost) if (!names.has(name)) this.#lost.delete(name);
  }

  /** The same name at another address is another server. */
  #carriedHealth(place: Place): ServerHealth | undefined {
    const before = this.#places.get(place.server.check.id);
    return before?.destKey === place.destKey ? this.#health.get(place.server.check.id) : undefined;
  }

  #refuseRestartOnly(next: Config): void {
    const now = this.#config;
    const changed: string[] = [];
    if (next.table !== now.table) changed.push('table');
    if (JSON.stringify(next.api) !== JSON.stringify(now.api)) changed.push('api.listen');
    if (changed.length === 0) return;
    throw new LvsError(
      'CONFIG',
      `${changed.join(' and ')} cannot change while running: restart lvsentry for it`,
    );
  }

  #checks(): readonly Check[] {
    return [...this.#places.values()].map((place) => place.server.check);
  }

  #verdicts(): ReadonlyMap<CheckId, 'up' | 'down'> {
    const verdicts = new Map<CheckId, 'up' | 'down'>();
    for (const [id, { held }] of this.#health) if (held !== undefined) verdicts.set(id, held);
    return verdicts;
  }

  /** A first verdict that only confirms what the table already does is no news. */
  #isNews(place: Place, change: VerdictChange): boolean {
    const held = this.#health.get(change.id)?.held;
    if (held !== undefined) return held !== change.verdict;
    if (change.verdict === 'down') return true;
    const seen = this.#observed?.get(place.serviceKey)?.dests.get(place.destKey);
    return seen === undefined || (seen.settings.weight === 0 && place.server.dest.settings.weight > 0);
  }

  #noteLoss(service: ServiceConfig): void {
    const lost =
      service.servers.length > 0 &&
      service.servers.every((server) => this.#health.get(server.check.id)?.held === 'down');
    if (lost === this.#lost.has(service.name)) return;
    if (lost) this.#lost.add(service.name);
    else this.#lost.delete(service.name);
    this.#emit(serviceHappening(service, lost));
  }

  #onObserved(observed: ObservedTable, by: 'dump' | 'apply'): void {
    this.#observed = observed;
    if (by === 'dump') this.#tableState = { ...this.#tableState, lastDumpAt: this.#clock.wall() };
    this.#changed();
  }

  #onApplied(steps: readonly PlanStep[], results: readonly OperationResult[]): void {
    const failedServices = new Set<string>();
    let applied = 0;
    for (const [index, step] of steps.entries()) {
      const result = results[index];
      if (result?.ok === true) {
        applied += 1;
        this.#logStep(step);
      } else if (!failedServices.has(step.cause.service)) {
        // The first refusal of a service explains those that follow from it.
        failedServices.add(step.cause.service);
        const { errno, message } = result ?? { errno: 'ETIMEDOUT', message: 'no answer' };
        this.#tellRefusal(refusedHappening(step, errno, message));
      }
    }
    this.#tableState = {
      ...this.#tableState,
      operationsApplied: this.#tableState.operationsApplied + applied,
      operationsFailed: this.#tableState.operationsFailed + steps.length - applied,
    };
    this.#log.info({ applied, failed: steps.length - applied }, 'table changed');
    this.#changed();
  }

  #logStep(step: PlanStep): void {
    const fields = { service: step.cause.service, server: step.cause.server, operation: step.operation.kind };
    // A load of thousands is one line; what health or drift moved is a line each.
    if (step.cause.kind === 'verdict' || step.cause.kind === 'drift') this.#log.info(fields, stepText(step));
    else this.#log.debug(fields, stepText(step));
  }

  #onDrift(drift: readonly Drift[]): void {
    const driftFound = this.#tableState.driftFound + drift.length;
    this.#tableState = { ...this.#tableState, driftFound };
    this.#emit(driftHappening(drift));
  }

  #onTableFailure(message: string): void {
    this.#tellRefusal({ kind: 'table-error', message });
  }

  #tellRefusal(happening: Happening): void {
    this.#tableState = { ...this.#tableState, inSync: false, lastError: happening.message };
    this.#changed();
    if (this.#refusals.has(happening.message)) return;
    this.#refusals.add(happening.message);
    this.#emit(happening);
  }

  #onSynced(): void {
    this.#refusals.clear();
    if (this.#tableState.inSync) return;
    this.#tableState = { ...this.#tableState, inSync: true, lastError: undefined };
    this.#changed();
  }

  #emit(happening: Happening): void {
    this.#sequence += 1;
    const event: LvsEvent = {
      sequence: this.#sequence,
      at: this.#clock.wall(),
      kind: happening.kind,
      service: happening.service,
      server: happening.server,
      message: happening.message,
      facts: happening.facts ?? {},
    };
    const { message, facts, ...fields } = event;
    const level = LEVELS[event.kind];
    this.#log[level]({ ...fields, ...facts }, message);
    this.#alerts.offer(event);
  }

  #changed(): void {
    this.#version += 1;
    this.#snapshot = undefined;
  }
}
