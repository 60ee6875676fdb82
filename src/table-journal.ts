/** What happens to the table, as the controller tells it: the table's state, its log, and the events about it. */
import { type Applied, AppliedSteps } from './applied.js';
import type { Clock, Logger } from './core/ports.js';
import { driftHappenings, foreignHappening, type Happening, refusedHappening, stepText } from './describe.js';
import type { Drift } from './ipvs/drift.js';
import { foreignTexts, NOTHING_FOREIGN } from './ipvs/foreign.js';
import type { ObservedTable, OperationResult } from './ipvs/model.js';
import type { Foreign } from './ipvs/ownership.js';
import type { PlanStep } from './ipvs/plan.js';
import type { ReconcilerEvents } from './ipvs/reconciler.js';
import type { TableMemory } from './ipvs/remembered.js';
import type { TableState } from './world.js';

/** Foreign entries of which it is known that they were told; with more it is begun anew. */
const FOREIGN_KNOWN_MAX = 10_000;
/** Causes whose steps are a line each in the log: the rest may be thousands. */
const TOLD_CAUSES: ReadonlySet<string> = new Set(['verdict', 'drift', 'exclusive']);

export interface TableJournalOptions {
  readonly kind: TableState['kind'];
  readonly clock: Pick<Clock, 'wall'>;
  readonly log: Logger;
  readonly tell: (happening: Happening) => void;
  readonly onObserved: (observed: ObservedTable) => void;
  /** The state is another one. */
  readonly onChange: () => void;
  /** What the next run should know of the table. */
  readonly onMemory: (memory: TableMemory) => void;
}

export class TableJournal implements ReconcilerEvents {
  readonly #options: TableJournalOptions;
  #state: TableState;
  /** Refusals told since the table was last in sync: each is told once. */
  readonly #refusals = new Set<string>();
  readonly #collections = new Set<AppliedSteps>();
  #foreignKnown = new Set<string>();

  constructor(options: TableJournalOptions) {
    this.#options = options;
    this.#state = {
      kind: options.kind,
      inSync: false,
      lastDumpAt: undefined,
      lastError: undefined,
      driftFound: 0,
      foreign: NOTHING_FOREIGN,
      operationsApplied: 0,
      operationsFailed: 0,
    };
  }

  get state(): TableState {
    return this.#state;
  }

  /** Collects what is applied until `isOver` settles. */
  async collect(isOver: Promise<unknown>): Promise<Applied> {
    const collection = new AppliedSteps();
    this.#collections.add(collection);
    await isOver.catch(() => undefined);
    this.#collections.delete(collection);
    return collection;
  }

  onMemory(memory: TableMemory): void {
    this.#options.onMemory(memory);
  }

  #put(change: Partial<TableState>): void {
    this.#state = { ...this.#state, ...change };
  }

  onObserved(observed: ObservedTable, by: 'dump' | 'apply'): void {
    if (by === 'dump') this.#put({ lastDumpAt: this.#options.clock.wall() });
    this.#options.onObserved(observed);
  }

  onApplied(steps: readonly PlanStep[], results: readonly OperationResult[]): void {
    for (const collection of this.#collections) collection.take(steps, results);
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
    const failed = steps.length - applied;
    this.#put({
      operationsApplied: this.#state.operationsApplied + applied,
      operationsFailed: this.#state.operationsFailed + failed,
    });
    this.#options.log.info({ applied, failed }, 'table changed');
    this.#options.onChange();
  }

  #logStep(step: PlanStep): void {
    const { log } = this.#options;
    const fields = { service: step.cause.service, server: step.cause.server, operation: step.operation.kind };
    if (TOLD_CAUSES.has(step.cause.kind)) log.info(fields, stepText(step));
    else log.debug(fields, stepText(step));
  }

  onDrift(drift: readonly Drift[]): void {
    this.#put({ driftFound: this.#state.driftFound + drift.length });
    this.#options.onChange();
    for (const happening of driftHappenings(drift)) this.#options.tell(happening);
  }

  onForeign(foreign: Foreign, exclusive: boolean): void {
    if (foreign === this.#state.foreign) return;
    this.#put({ foreign });
    this.#options.onChange();
    const texts = foreignTexts(foreign);
    const news = texts.filter((text) => !this.#foreignKnown.has(text));
    if (this.#foreignKnown.size + news.length > FOREIGN_KNOWN_MAX) this.#foreignKnown = new Set();
    for (const text of news) this.#foreignKnown.add(text);
    if (news.length > 0) this.#options.tell(foreignHappening(news, exclusive));
  }

  onFailure(message: string): void {
    this.#tellRefusal({ kind: 'table-error', message });
  }

  #tellRefusal(happening: Happening): void {
    this.#put({ inSync: false, lastError: happening.message });
    this.#options.onChange();
    if (this.#refusals.has(happening.message)) return;
    this.#refusals.add(happening.message);
    this.#options.tell(happening);
  }

  onSynced(): void {
    this.#refusals.clear();
    if (this.#state.inSync) return;
    this.#put({ inSync: true, lastError: undefined });
    this.#options.onChange();
  }
}
