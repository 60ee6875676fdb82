/** A clock and timers that move only when a test moves them. */
import type { Clock, Timer, Timers } from '../../src/core/ports.js';
import { epochMillis, type Millis, millis } from '../../src/core/units.js';

interface Due {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class FakeTime implements Clock, Timers {
  #now = 0;
  #order = 0;
  readonly #due = new Set<Due>();

  monotonic(): Millis {
    return millis(this.#now);
  }

  wall(): ReturnType<Clock['wall']> {
    return epochMillis(1_700_000_000_000 + this.#now);
  }

  after(delay: Millis, run: () => void): Timer {
    this.#order += 1;
    const due = { at: this.#now + delay, order: this.#order, run };
    this.#due.add(due);
    return { cancel: () => this.#due.delete(due) };
  }

  /** How many timers wait. */
  get waiting(): number {
    return this.#due.size;
  }

  /** Moves time on and runs what falls due, in order; promises get a turn after each. */
  async advance(by: number): Promise<void> {
    const end = this.#now + by;
    for (;;) {
      const next = [...this.#due]
        .filter((due) => due.at <= end)
        .sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (next === undefined) break;
      this.#due.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
      await turn();
    }
    this.#now = end;
    await turn();
  }

  /** Time goes by while nothing runs, as for a process that is stopped. What fell due comes with the next `advance`. */
  stall(by: number): void {
    this.#now += by;
  }
}

/** Lets all promises that can settle do so. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
