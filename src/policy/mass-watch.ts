/** Watches all checks for the failure of most servers at once, and the canaries beside them. It reads no clock. */
import type { Check, CheckId, PaceDelay, Reason, Suspicion, VerdictChange } from '../checks/model.js';
import { type Millis, millis } from '../core/units.js';
import { Census } from './census.js';
import {
  isMost,
  type MassEnd,
  type MassMemory,
  type MassView,
  massDue,
  QUIET,
  stepMass,
} from './mass-failure.js';
import { graceOf, NO_DELAY, spreadOf } from './mass-times.js';
import type { CanaryVoice, MassEffect, MassFailureRule, MassFailureState } from './model.js';

/** It began, or is over. */
export type MassNews =
  | { readonly kind: 'mass-failure'; readonly state: MassFailureState }
  | {
      readonly kind: 'mass-failure-over';
      readonly state: MassFailureState;
      readonly end: MassEnd;
      readonly after: Millis;
    };

/** What the probe budget does to a check. */
export type DelayOf = (check: Check) => PaceDelay;

interface CanaryState {
  readonly name: string;
  readonly rise: number;
  /** In a row, since most servers fail. */
  passes: number;
  isFailing: boolean;
  /** It failed since most servers fail, or shortly before. */
  hasFailed: boolean;
}

/** The server itself said what is wrong with it: no director is sick that hears this. */
const ANSWERS: ReadonlySet<Reason['kind']> = new Set([
  'bad-status',
  'bad-content',
  'protocol-error',
  'rejected',
  'too-long',
]);

function voiceOf({ passes, rise, isFailing }: CanaryState): CanaryVoice {
  if (isFailing) return 'down';
  return passes >= rise ? 'up' : 'silent';
}

export class MassWatch {
  readonly #census = new Census();
  readonly #canaries = new Map<CheckId, CanaryState>();
  #rule: MassFailureRule | undefined;
  #memory: MassMemory = QUIET;
  #spread = 0;
  #grace = 0;
  #delayOf: DelayOf = () => NO_DELAY;
  #count = 0;

  /** Whether servers are to be taken in. */
  get isWatching(): boolean {
    return this.#rule !== undefined;
  }

  /** The checks of canaries. */
  get checks(): readonly Check[] {
    return this.#rule?.canaries.map(({ check }) => check) ?? [];
  }

  /** When `settle` is due, monotonic; undefined: not before something happens. */
  get due(): Millis | undefined {
    return this.#rule && massDue(this.#rule, this.#memory, this.#graceOf(this.#rule));
  }

  get effect(): MassEffect | undefined {
    const { phase, isFull } = this.#memory;
    if (phase !== 'active') return undefined;
    const action = this.#rule?.action;
    if (action === 'hold' || (action === 'open' && !isFull)) return { kind: 'hold', ids: this.#census };
    return action === 'open' || action === 'fallback' ? { kind: action } : undefined;
  }

  get state(): MassFailureState | undefined {
    if (this.#rule === undefined) return undefined;
    const { failing, well } = this.#census.counts;
    return {
      rule: this.#rule,
      isActive: this.#memory.phase === 'active',
      failing,
      of: failing + well,
      canaries: [...this.#canaries.values()].map((canary) => ({ name: canary.name, voice: voiceOf(canary) })),
      count: this.#count,
    };
  }

  /** Whether so many of so many addresses are most. */
  isMost(part: number, of: number): boolean {
    return this.#rule !== undefined && isMost(this.#rule, part, { failing: part, well: of - part });
  }

  /** Checks that fail of late. */
  failing(): Iterable<CheckId> {
    return this.#census.failing();
  }

  /** Takes over a rule. Servers are taken in and dropped apart from it. */
  configure(rule: MassFailureRule | undefined): void {
    this.#rule = rule;
    const before = new Map(this.#canaries);
    this.#canaries.clear();
    for (const { name, check } of rule?.canaries ?? []) {
      const fresh = { passes: 0, isFailing: false, hasFailed: false };
      this.#canaries.set(check.id, { ...fresh, ...before.get(check.id), name, rise: check.rule.rise });
    }
    if (rule === undefined) this.#memory = QUIET;
  }

  /** Takes the check of a server in. */
  take(check: Check, isDown: boolean): void {
    if (this.#rule === undefined) return;
    this.#widen(check);
    this.#census.add(check.id, check.through?.dest.key.address ?? check.probe.target.address, isDown);
  }

  /** There is another budget for probes. @param checks all that were taken in */
  pace(delayOf: DelayOf, checks: Iterable<Check>): void {
    this.#delayOf = delayOf;
    this.#spread = 0;
    this.#grace = 0;
    for (const check of checks) this.#widen(check);
  }

  #widen(check: Check): void {
    const delay = this.#delayOf(check);
    this.#spread = Math.max(this.#spread, spreadOf(check, delay));
    this.#grace = Math.max(this.#grace, graceOf(check, delay));
  }

  drop(id: CheckId): void {
    this.#census.drop(id);
  }

  /** It is down, and its server is not: other checks of it pass. */
  excuse(id: CheckId): void {
    this.#census.lose(id);
  }

  suspect({ id, reason }: Suspicion, now: Millis): void {
    if (reason === undefined) this.#census.pass(id);
    else if (!ANSWERS.has(reason.kind)) this.#census.fail(id, false, now);
    this.#hear(id, reason === undefined);
  }

  verdict({ id, verdict, result }: VerdictChange, now: Millis): void {
    if (verdict === 'up') this.#census.pass(id);
    else if (ANSWERS.has(result.reason.kind)) this.#census.lose(id);
    else this.#census.fail(id, true, now);
    this.#hear(id, verdict === 'up');
  }

  /** Nothing fresh is known of these checks: what was suspected of them is forgotten. */
  doubt(ids: readonly CheckId[]): void {
    for (const id of ids) this.#census.absolve(id);
  }

  /** Draws the conclusion from all that came in. @returns what is to be told */
  settle(now: Millis): MassNews | undefined {
    const rule = this.#rule;
    if (rule === undefined) return undefined;
    const before = this.#memory;
    // While most fail, those that began it are of it however long it takes.
    if (before.phase === 'quiet' || before.phase === 'settled')
      this.#census.expire(millis(now - rule.within - this.#spread));
    if (before.phase === 'quiet') this.#listenAnew();
    const view: MassView = {
      counts: this.#census.counts,
      canaries: this.#heard(),
      grace: this.#graceOf(rule),
    };
    const { memory, end } = stepMass(rule, before, view, now);
    this.#memory = memory;
    const { state } = this;
    if (state === undefined) return undefined;
    if (end !== undefined)
      return { kind: 'mass-failure-over', state, end, after: millis(now - before.since) };
    if (memory.phase !== 'active' || before.phase === 'active') return undefined;
    this.#count += 1;
    return { kind: 'mass-failure', state: { ...state, count: this.#count } };
  }

  /** What failed at once comes back at once, but no more at once than that. */
  #graceOf({ within }: MassFailureRule): Millis {
    return millis(this.#grace + within);
  }

  #listenAnew(): void {
    for (const canary of this.#canaries.values()) {
      canary.passes = 0;
      canary.hasFailed = canary.isFailing;
    }
  }

  #heard(): MassView['canaries'] {
    const heard = [...this.#canaries.values()].filter((canary) => voiceOf(canary) === 'up');
    if (heard.some(({ hasFailed }) => !hasFailed)) return 'well';
    return heard.length > 0 ? 'back' : undefined;
  }

  #hear(id: CheckId, isPass: boolean): void {
    const canary = this.#canaries.get(id);
    if (canary === undefined) return;
    canary.isFailing = !isPass;
    canary.hasFailed ||= !isPass;
    canary.passes = isPass ? canary.passes + 1 : 0;
  }
}
