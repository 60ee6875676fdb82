/**
 * Hop 5: keeps the table equal to what is desired. Level-based: every event only marks services as dirty;
 * the loop reads what is desired now, diffs it against what is observed, and applies. Running it twice
 * changes nothing.
 */

import { errorText } from '../core/errors.js';
import type { Clock, Timer, Timers, Turns } from '../core/ports.js';
import { type Millis, millis, seconds } from '../core/units.js';
import { type Aims, condemn, entriesIn, NOBODY, type Preview, planEntry, preview } from './aims.js';
import type { Drift } from './drift.js';
import { findForeign, NOTHING_FOREIGN } from './foreign.js';
import type { IpvsTable, ObservedTable, Operation, OperationResult } from './model.js';
import { applyToObserved } from './observe.js';
import type { Foreign, OwnershipPlan } from './ownership.js';
import type { Desired, Plan, PlanStep, Wishes } from './plan.js';
import { TableReader } from './reader.js';
import { memoryOf, recallAccepted, recallLeaving, type TableMemory } from './remembered.js';
import { type Departure, isStillThere, type RetiredService, retire } from './retire.js';
import { Tolerance } from './tolerance.js';

/** Steps of one apply: few enough that a verdict that comes meanwhile waits some milliseconds at most. */
const BATCH_STEPS_MAX = 512;
/** Services compared in one turn of the event loop. */
const LOOKS_MAX = 256;
const RETRY_MIN = millis(100);
const RETRY_MAX = millis(5000);
/** From one look to the next while servers that leave finish their connections. */
const DRAIN_LOOK = seconds(2);

export interface ReconcilerEvents {
  /** The table as it stands now, as a dump read it or as an apply left it. */
  onObserved(observed: ObservedTable, by: 'dump' | 'apply'): void;
  /** What one apply came to, in its order. */
  onApplied(steps: readonly PlanStep[], results: readonly OperationResult[]): void;
  /** Somebody else changed what is ours; what is to be repaired is repaired next. */
  onDrift(drift: readonly Drift[]): void;
  /** What is foreign, as a dump found it, and whether it is to go. */
  onForeign(foreign: Foreign, exclusive: boolean): void;
  /** The table could not be read or changed as a whole. Tried again by itself. */
  onFailure(message: string): void;
  /** A full dump found the table right, or everything was applied. */
  onSynced(): void;
  /** What the next run should know of the table: after whatever may have changed it. */
  onMemory(memory: TableMemory): void;
}

export interface ReconcilerOptions {
  readonly table: IpvsTable;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly timers: Timers;
  readonly turns: Turns;
  readonly events: ReconcilerEvents;
}

export class Reconciler {
  readonly #table: IpvsTable;
  readonly #reader: TableReader;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #timers: Timers;
  readonly #turns: Turns;
  readonly #events: ReconcilerEvents;
  #resync = seconds(10);
  #ownership: OwnershipPlan | undefined;
  #desired: Desired = new Map();
  #retired = new Map<string, RetiredService>();
  #observed: ObservedTable | undefined;
  readonly #tolerance = new Tolerance();
  /** Of the run before; undefined once the table was looked at with it in mind. */
  #recalled: TableMemory | undefined;
  #foreign = NOTHING_FOREIGN;
  #condemned = NOBODY;
  /** All that this configuration wants was in the table once. */
  #complete = false;
  /** Services to look at, in this order: a verdict's before those that only a dump or a reload named. */
  readonly #urgent = new Set<string>();
  readonly #dirty = new Set<string>();
  #dumpDue = true;
  /** What we believe the table to hold may be wrong by our own doing: differences are not drift. */
  #uncertain = false;
  #retryAfter: Millis = RETRY_MIN;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #onLeft: ((isGone: boolean) => void) | undefined;
  #closed = false;

  constructor(options: ReconcilerOptions) {
    this.#table = options.table;
    this.#reader = new TableReader(options.table);
    this.#clock = options.clock;
    this.#timers = options.timers;
    this.#turns = options.turns;
    this.#events = options.events;
  }

  /** Before the first `configure`: what the run before left. */
  recall(memory: TableMemory): void {
    if (memory.leaving.length + memory.accepted.length > 0) this.#recalled = memory;
  }

  /**
   * Replaces all that is desired. What was ours and is no longer named leaves as its service's `onRemove` said. Does
   * nothing after `leave`.
   */
  configure({ desired, ownership, resync }: Wishes): void {
    if (this.#onLeft !== undefined) return;
    const rules = this.#ownership ?? ownership;
    // A service that is the same object as before needs no look, unless something of it was let stand.
    for (const [text, service] of desired) if (this.#desired.get(text) !== service) this.#dirty.add(text);
    for (const text of this.#tolerance.conceded.keys()) this.#dirty.add(text);
    this.#tolerance.reload(this.#desired, desired, (text) => ownership.of(text).drift);
    this.#retire(desired, {
      why: 'unconfigured',
      leaving: (text) => (desired.has(text) ? ownership : rules).of(text).onRemove,
      now: this.#clock.monotonic(),
    });
    this.#ownership = ownership;
    this.#resync = resync;
    this.#complete = false;
    this.#condemned = NOBODY;
    for (const text of this.#retired.keys()) this.#dirty.add(text);
    this.#remember();
    this.#wake();
  }

  #remember(): void {
    if (this.#recalled === undefined)
      this.#events.onMemory(memoryOf(this.#retired, this.#tolerance.conceded));
  }

  #takeBack(memory: TableMemory, observed: ObservedTable, ownership: OwnershipPlan): void {
    this.#recalled = undefined;
    const known = new Map([...recallLeaving(memory, observed), ...this.#retired]);
    this.#retired = new Map(retire(new Map(), this.#desired, known));
    this.#tolerance.recall(
      recallAccepted(memory, this.#desired, observed, (text) => ownership.of(text).drift),
    );
  }

  #retire(desired: Desired, departure: Departure): void {
    this.#retired = new Map(retire(this.#desired, desired, this.#retired, departure));
    this.#desired = desired;
    // A service that goes may hold servers of others by now: look before deleting.
    if (this.#retired.size > 0) this.#dumpDue = true;
  }

  #markAll(): void {
    for (const text of entriesIn(this.#aims)) this.#dirty.add(text);
  }

  /** Replaces what is desired after verdicts that touched some services: these go first. */
  touch(desired: Desired, services: Iterable<string>): void {
    this.#desired = desired;
    for (const text of services) this.#urgent.add(text);
    this.#wake();
  }

  /** What is to be done to the table as it is at this moment: it is read, and nothing is done. @throws as `dump` */
  async preview(): Promise<Preview> {
    const observed = await this.#reader.read();
    const believed = this.#uncertain ? undefined : this.#observed;
    return preview(this.#aims, this.#ownership, [believed, observed]);
  }

  /** Resolves when everything is applied, or when the last attempt failed and waits for its next. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** The services that a stop takes out of the table, by `serviceText`. */
  get leaving(): readonly string[] {
    const ownership = this.#ownership;
    return [...this.#desired.keys()].filter((text) => ownership?.of(text).onStop.kind !== 'keep');
  }

  /**
   * Takes what is not to be kept at a stop out of the table, each as its `onStop` says.
   * @returns whether it is gone; false at the limit, and where `close` came before
   */
  async leave(limit: Millis): Promise<boolean> {
    const [ownership, leaving] = [this.#ownership, new Set(this.leaving)];
    if (ownership === undefined || this.#closed) return false;
    if (leaving.size === 0) return true;
    const left = new Promise<boolean>((resolve) => {
      this.#onLeft = resolve;
    });
    const timer = this.#timers.after(limit, () => this.#onLeft?.(false));
    this.#ownership = { ...ownership, exclusive: false };
    this.#condemned = NOBODY;
    this.#retire(new Map([...this.#desired].filter(([text]) => !leaving.has(text))), {
      why: 'stopping',
      leaving: (text) => ownership.of(text).onStop,
      now: this.#clock.monotonic(),
    });
    this.#markAll();
    this.#wake();
    const isGone = await left;
    timer.cancel();
    return isGone;
  }

  /** Finishes the batch in progress, then never touches the table again. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#onLeft?.(false);
    await this.settled();
  }

  #wake(): void {
    if (this.#running !== undefined || this.#closed) return;
    this.#timer?.cancel();
    this.#running = this.#run().then((delay) => {
      this.#running = undefined;
      if (![...this.#retired.values()].some(({ why }) => why === 'stopping')) this.#onLeft?.(true);
      if (!this.#closed) this.#timer = this.#timers.after(delay, () => this.#dumpAgain());
    });
  }

  #dumpAgain(): void {
    this.#dumpDue = true;
    this.#wake();
  }

  #hasWork(): boolean {
    return this.#urgent.size > 0 || this.#dirty.size > 0 || this.#dumpDue;
  }

  /** Works until nothing is pending or an attempt failed. @returns the time until the next dump */
  async #run(): Promise<Millis> {
    do {
      let applied = true;
      // A failed batch must not hold up a verdict that came meanwhile; a table that cannot be read holds up all.
      while (this.#hasWork() && (applied || this.#urgent.size > 0) && !this.#closed) {
        if (this.#dumpDue) {
          if (!(await this.#dump())) return this.#backOff();
          continue;
        }
        applied = await this.#apply(this.#nextSteps());
        if (this.#dirty.size > 0) await new Promise<void>((resolve) => this.#turns.soon(resolve));
      }
      if (!applied) return this.#backOff();
    } while (this.#isNewlyComplete());
    this.#retryAfter = RETRY_MIN;
    this.#tolerance.settled();
    this.#forgetGone();
    if (!this.#closed) this.#events.onSynced();
    const drains = [...this.#retired.values()].some(({ dests }) => dests.size > 0);
    return drains ? millis(Math.min(DRAIN_LOOK, this.#resync)) : this.#resync;
  }

  /** What is ours is in. Only now may what is foreign go: whether there is work for another look. */
  #isNewlyComplete(): boolean {
    if (this.#complete || this.#closed) return false;
    this.#complete = true;
    this.#dumpDue = this.#ownership?.exclusive === true && this.#foreign !== NOTHING_FOREIGN;
    return this.#dumpDue;
  }

  #backOff(): Millis {
    const delay = this.#retryAfter;
    this.#retryAfter = millis(Math.min(delay * 2, RETRY_MAX, this.#resync));
    return delay;
  }

  /** Reads the whole table and marks everything that is ours for a look. */
  async #dump(): Promise<boolean> {
    // A configuration that comes meanwhile may ask for another one.
    this.#dumpDue = false;
    try {
      const observed = await this.#reader.read(() => this.#serveUrgent());
      if (this.#recalled !== undefined && this.#ownership !== undefined)
        this.#takeBack(this.#recalled, observed, this.#ownership);
      this.#noteDrift(observed);
      this.#observed = observed;
      this.#noteForeign(observed);
      this.#remember();
      this.#markAll();
      this.#events.onObserved(observed, 'dump');
      return true;
    } catch (thrown) {
      this.#dumpDue = true;
      this.#events.onFailure(`cannot read the table: ${errorText(thrown)}`);
      return false;
    }
  }

  /**
   * Applies what verdicts ask for to the table as it is believed to be. What it is not believed to be waits for the
   * dump, and so does what leaves: it is looked at afresh.
   */
  async #serveUrgent(): Promise<void> {
    if (this.#urgent.size === 0 || this.#uncertain || this.#observed === undefined || this.#closed) return;
    const steps: PlanStep[] = [];
    for (const text of this.#urgent) {
      if (steps.length >= BATCH_STEPS_MAX) break;
      if (this.#retired.has(text)) continue;
      this.#urgent.delete(text);
      this.#dirty.delete(text);
      steps.push(...this.#plan(text));
    }
    await this.#apply(steps);
  }

  #noteDrift(observed: ObservedTable): void {
    const ownership = this.#ownership;
    // After a failed batch what we believed is not what we left.
    const believed = this.#uncertain ? undefined : this.#observed;
    this.#uncertain = false;
    if (ownership === undefined) return;
    const policies = (text: string) => ownership.of(text).drift;
    const drift = this.#tolerance.look(this.#desired, believed, observed, policies);
    if (drift.length > 0) this.#events.onDrift(drift);
  }

  #noteForeign(observed: ObservedTable): void {
    this.#foreign = findForeign(this.#desired, this.#retired, observed);
    this.#events.onForeign(this.#foreign, this.#ownership?.exclusive === true);
    const goes = this.#complete && this.#ownership?.exclusive === true;
    this.#condemned = goes ? condemn(this.#foreign) : NOBODY;
  }

  #nextSteps(): readonly PlanStep[] {
    const steps: PlanStep[] = [];
    let looks = 0;
    for (const set of [this.#urgent, this.#dirty]) {
      for (const text of set) {
        if (steps.length >= BATCH_STEPS_MAX || looks >= LOOKS_MAX) return steps;
        looks += 1;
        // It may be in both: twice in one batch would be refused.
        this.#urgent.delete(text);
        this.#dirty.delete(text);
        for (const step of this.#plan(text)) steps.push(step);
      }
    }
    return steps;
  }

  get #aims(): Aims {
    return {
      desired: this.#desired,
      retired: this.#retired,
      condemned: this.#condemned,
      tolerance: this.#tolerance,
      now: this.#clock.monotonic(),
    };
  }

  #plan(text: string): Plan {
    return planEntry(text, this.#aims, this.#observed?.get(text));
  }

  #forgetGone(): void {
    for (const [text, retired] of this.#retired)
      if (!isStillThere(retired, this.#observed?.get(text))) this.#retired.delete(text);
    this.#remember();
  }

  async #apply(steps: readonly PlanStep[]): Promise<boolean> {
    if (steps.length === 0) return true;
    const operations = steps.map((step) => step.operation);
    this.#reader.changing(operations);
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
