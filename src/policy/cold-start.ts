/** How long checks without a verdict are waited for. Pure; it reads no clock. */
import type { CheckId } from '../checks/model.js';
import type { Steps } from '../core/steps.js';
import { type Millis, millis } from '../core/units.js';

/** Checks that are looked at in one step. */
const STEP = 256;

export class ColdStart {
  /** Until when, monotonic, by check. */
  readonly #waiting = new Map<CheckId, Millis>();
  readonly #assumed = new Set<CheckId>();
  /** As of the last `configure` or `expire`: verdicts are many, and need not look for the next. */
  #due: Millis | undefined;

  /** Checks whose time is over: what they assume counts. */
  get assumed(): ReadonlySet<CheckId> {
    return this.#assumed;
  }

  /** These have no verdict. Those that are waited for already are waited for no longer than that. In short steps. */
  *configure(without: ReadonlySet<CheckId>, limit: Millis, now: Millis): Steps<void> {
    for (const id of this.#waiting.keys()) if (!without.has(id)) this.#waiting.delete(id);
    for (const id of this.#assumed) if (!without.has(id)) this.#assumed.delete(id);
    const until = millis(now + limit);
    let count = 0;
    this.#due = undefined;
    for (const id of without) {
      count += 1;
      if (count % STEP === 0) yield;
      if (this.#assumed.has(id)) continue;
      const at = millis(Math.min(this.#waiting.get(id) ?? until, until));
      this.#waiting.set(id, at);
      this.#due = millis(Math.min(this.#due ?? at, at));
    }
  }

  /** It has a verdict. */
  heard(id: CheckId): void {
    this.#waiting.delete(id);
    this.#assumed.delete(id);
  }

  /** When `expire` is to be called next, monotonic; it may find that nothing is over. */
  get due(): Millis | undefined {
    return this.#waiting.size === 0 ? undefined : this.#due;
  }

  /** Those whose time is over since the last call. */
  expire(now: Millis): readonly CheckId[] {
    if (this.#due === undefined || now < this.#due) return [];
    const over = [...this.#waiting].filter(([, until]) => until <= now).map(([id]) => id);
    for (const id of over) {
      this.#waiting.delete(id);
      this.#assumed.add(id);
    }
    this.#due = this.#soonest();
    return over;
  }

  #soonest(): Millis | undefined {
    let due: Millis | undefined;
    for (const until of this.#waiting.values()) if (due === undefined || until < due) due = until;
    return due;
  }
}
