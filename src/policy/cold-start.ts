/** How long checks without a verdict are waited for. Pure; it reads no clock. */
import type { CheckId } from '../checks/model.js';
import { type Millis, millis } from '../core/units.js';

export class ColdStart {
  /** Until when, monotonic, by check. */
  readonly #waiting = new Map<CheckId, Millis>();
  readonly #assumed = new Set<CheckId>();
  #limit = millis(0);
  /** The soonest or sooner: verdicts are many, and need not look for the next. */
  #due: Millis | undefined;

  /** Checks whose time is over: what they assume counts. */
  get assumed(): ReadonlySet<CheckId> {
    return this.#assumed;
  }

  /** How long what comes from now on is waited for, and at most what is waited for already. */
  configure(limit: Millis, now: Millis): void {
    const isShorter = limit < this.#limit;
    this.#limit = limit;
    if (!isShorter) return;
    const until = millis(now + limit);
    for (const [id, at] of this.#waiting) if (until < at) this.#waiting.set(id, until);
    this.#due = this.#soonest();
  }

  /** It has no verdict. Where its time runs, or is over, nothing changes. */
  await(id: CheckId, now: Millis): void {
    if (this.#waiting.has(id) || this.#assumed.has(id)) return;
    const until = millis(now + this.#limit);
    this.#waiting.set(id, until);
    this.#due = millis(Math.min(this.#due ?? until, until));
  }

  /** It has a verdict, or is gone. */
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
