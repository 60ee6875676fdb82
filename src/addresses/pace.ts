/** How soon something is tried or put back again: at once the first time, and ever later while it comes to nothing. */
import { type Millis, millis } from '../core/units.js';

const RETRY_DELAY = millis(1000);
const GAP_MIN = millis(10);
const GAP_MAX = RETRY_DELAY;
/** Whoever takes something away again after this long is not fighting. */
const CALM = millis(10_000);

interface Turn {
  readonly at: Millis;
  readonly gap: Millis;
}

/** Of things that have a key each. */
export class Pace {
  readonly #turns = new Map<string, Turn>();

  /** How long it has to wait; 0: its turn is now. */
  wait(key: string, now: Millis): Millis {
    const turn = this.#turns.get(key);
    return millis(turn === undefined ? 0 : Math.max(0, turn.at + turn.gap - now));
  }

  /** It is put back. The next time has to wait, twice as long as this one had to. */
  fought(key: string, now: Millis): void {
    const last = this.#turns.get(key);
    const calm = last === undefined || now - last.at > CALM;
    const gap = calm ? GAP_MIN : Math.min(Math.max(last.gap * 2, GAP_MIN), GAP_MAX);
    this.#turns.set(key, { at: now, gap: millis(gap) });
  }

  /** It was refused. */
  refused(key: string, now: Millis): void {
    this.#turns.set(key, { at: now, gap: RETRY_DELAY });
  }

  /** What was is over. */
  forget(key: string): void {
    this.#turns.delete(key);
  }

  forgetAll(): void {
    this.#turns.clear();
  }
}
