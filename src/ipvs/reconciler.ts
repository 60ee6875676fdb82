/**
 * Hop 5: keeps the table equal to what is desired. Level-based: every event only marks services as dirty;
 * the loop reads what is desired now, diffs it against what is observed, and applies. Running it twice
 * changes nothing.
 */

import { errorText } from '../core/errors.js';
import type { Timer, Timers } from '../core/ports.js';
import { type Millis, millis } from '../core/units.js';
import { diffRetired, diffService, type Retired, type RetiredService } from './diff.js';
import { type Drift, type DriftMap, explainByDrift, findDrift } from './drift.js';
import type { IpvsTable, ObservedTable, Operation, OperationResult } from './model.js';
import { applyToObserved } from './observe.js';
import type { Desired, PlanStep } from './plan.js';

/** Steps of one apply: few enough that a verdict that comes meanwhile waits some milliseconds at most. */
const BATCH_STEPS_MAX = 512;
const RETRY_MIN = millis(100);
const RETRY_MAX = millis(5000);

export interface ReconcilerEvents {
  /** The table as it stands now, as a dump read it or as an apply left it. */
  onObserved(observed: ObservedTable, by: 'dump' | 'apply'): void;
  /** What one apply came to, in its order. */
  onApplied(steps: readonly PlanStep[], results: readonly OperationResult[]): void;
  /** Somebody else changed what is ours; the repair follows. */
  onDrift(drift: readonly Drift[]): void;
  /** The table could not be read or changed as a whole. Tried again by itself. */
  onFailure(message: string): void;
  /** A full dump found the table right, or everything was applied. */
  onSynced(): void;
}

export interface ReconcilerOptions {
  readonly table: IpvsTable;
  readonly timers: Timers;
  readonly resync: Millis;
  readonly events: ReconcilerEvents;
}

export class Reconciler {
  readonly #table: IpvsTable;
  readonly #timers: Timers;
  readonly #events: ReconcilerEvents;
  #resync: Millis;
  #desired: Desired = new Map();
  #retired = new Map<string, RetiredService>();
  #observed: ObservedTable | undefined;
  #drift: DriftMap = new Map();
  /** Services to look at, in this order: a verdict's before those that only a dump or a reload named. */
  readonly #urgent = new Set<string>();
  readonly #dirty = new Set<string>();
  #dumpDue = true;
  /** What we believe the table to hold may be wrong by our own doing: differences are not drift. */
  #uncertain = false;
  #retryAfter: Millis = RETRY_MIN;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(options: ReconcilerOptions) {
    this.#table = options.table;
    this.#timers = options.timers;
    this.#events = options.events;
    this.#resync = options.resync;
  }

  /** Replaces all that is desired; `retired` is all that earlier configurations had and this one has not. */
  configure(desired: Desired, retired: Retired, resync: Millis): void {
    this.#desired = desired;
    this.#retired = new Map(retired);
    this.#resync = resync;
    for (const text of desired.keys()) this.#dirty.add(text);
    for (const text of retired.keys()) this.#dirty.add(text);
    // A service that goes may hold servers of others by now: look before deleting.
    if (retired.size > 0) this.#dumpDue = true;
    this.#wake();
  }

  /** Replaces what is desired after verdicts that touched some services: these go first. */
  touch(desired: Desired, services: Iterable<string>): void {
    this.#desired = desired;
    for (const text of services) this.#urgent.add(text);
    this.#wake();
  }

  /** What was dropped from the configuration and is still in the table. */
  get retired(): Retired {
    return this.#retired;
  }

  /** Resolves when everything is applied, or when the last attempt failed and waits for its next. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** Finishes the batch in progress, then never touches the table again. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.settled();
  }

  #wake(): void {
    if (this.#running !== undefined || this.#closed) return;
    this.#timer?.cancel();
    this.#running = this.#run().then((delay) => {
      this.#running = undefined;
      if (!this.#closed) this.#timer = this.#timers.after(delay, () => this.#dumpAgain());
    });
  }

  #dumpAgain(): void {
    this.#dumpDue = true;
    this.#wake();
  }

  #pending(): boolean {
    return this.#urgent.size > 0 || this.#dirty.size > 0 || this.#dumpDue;
  }

  /** Works until nothing is pending or an attempt failed. @returns the time until the next dump */
  async #run(): Promise<Millis> {
    let applied = true;
    // A failed batch must not hold up a verdict that came meanwhile; a table that cannot be read holds up all.
    while (this.#pending() && (applied || this.#urgent.size > 0) && !this.#closed) {
      if (this.#dumpDue && !(await this.#dump())) return this.#backOff();
      applied = await this.#apply(this.#nextSteps());
    }
    if (!applied) return this.#backOff();
    this.#retryAfter = RETRY_MIN;
    this.#drift = new Map();
    if (!this.#closed) this.#events.onSynced();
    return this.#resync;
  }

  #backOff(): Millis {
    const delay = this.#retryAfter;
    this.#retryAfter = millis(Math.min(delay * 2, RETRY_MAX, this.#resync));
    return delay;
  }

  /** Reads the whole table and marks everything that is ours for a look. */
  async #dump(): Promise<boolean> {
    try {
      const observed = await this.#table.dump();
      this.#noteDrift(observed);
      this.#observed = observed;
      this.#dumpDue = false;
      for (const text of this.#desired.keys()) this.#dirty.add(text);
      for (const text of this.#retired.keys()) this.#dirty.add(text);
      this.#events.onObserved(observed, 'dump');
      return true;
    } catch (thrown) {
      this.#events.onFailure(`cannot read the table: ${errorText(thrown)}`);
      return false;
    }
  }

  #noteDrift(observed: ObservedTable): void {
    // After a failed batch what we believed is not what we left.
    if (this.#observed === undefined || this.#uncertain) this.#drift = new Map();
    else this.#drift = findDrift(this.#desired, this.#observed, observed);
    this.#uncertain = false;
    if (this.#drift.size > 0) this.#events.onDrift([...this.#drift.values()]);
  }

  #nextSteps(): readonly PlanStep[] {
    const steps: PlanStep[] = [];
    for (const set of [this.#urgent, this.#dirty]) {
      for (const text of set) {
        if (steps.length >= BATCH_STEPS_MAX) return steps;
        set.delete(text);
        for (const step of this.#plan(text)) steps.push(step);
      }
    }
    return steps;
  }

  #plan(text: string): readonly PlanStep[] {
    const desired = this.#desired.get(text);
    const retired = this.#retired.get(text);
    const observed = this.#observed?.get(text);
    const plan =
      desired !== undefined
        ? diffService(desired, observed, retired)
        : retired !== undefined
          ? diffRetired(retired, observed)
          : [];
    if (plan.length === 0) this.#retired.delete(text);
    return explainByDrift(plan, this.#drift);
  }

  async #apply(steps: readonly PlanStep[]): Promise<boolean> {
    if (steps.length === 0) return true;
    const operations = steps.map((step) => step.operation);
    const results = await this.#attempt(operations);
    if (results === undefined) return false;
    const done = operations.filter((_, index) => results[index]?.ok === true);
    this.#observed = applyToObserved(this.#observed ?? new Map(), done);
    this.#events.onObserved(this.#observed, 'apply');
    this.#events.onApplied(steps, results);
    if (done.length === steps.length) return true;
    this.#doubt();
    return false;
  }

  async #attempt(operations: readonly Operation[]): Promise<readonly OperationResult[] | undefined> {
    try {
      return await this.#table.apply(operations);
    } catch (thrown) {
      this.#doubt();
      this.#events.onFailure(`cannot change the table: ${errorText(thrown)}`);
      return undefined;
    }
  }

  #doubt(): void {
    this.#dumpDue = true;
    this.#uncertain = true;
  }
}
