/** What main asked of probe workers and is still to be answered. */
import type { Timer, Timers } from '../core/ports.js';
import { millis } from '../core/units.js';
import type { CheckSight } from './sight.js';

/** A worker answers with its next turn; one that does not is busy, or dead. */
const ANSWER_LIMIT = millis(1000);

interface Open {
  readonly limit: Timer;
  settle(sights: readonly CheckSight[]): void;
}

export class Questions {
  readonly #timers: Timers;
  readonly #open = new Map<number, Open>();
  #last = 0;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /**
   * Asks one worker. @param send gives it the question, by its number
   * @returns nothing where no answer came in time
   */
  ask(send: (question: number) => void): Promise<readonly CheckSight[]> {
    this.#last += 1;
    const question = this.#last;
    return new Promise((resolve) => {
      const settle = (sights: readonly CheckSight[]): void => {
        limit.cancel();
        this.#open.delete(question);
        resolve(sights);
      };
      const limit = this.#timers.after(ANSWER_LIMIT, () => settle([]));
      this.#open.set(question, { limit, settle });
      send(question);
    });
  }

  /** An answer came; one that nobody waits for any more is dropped. */
  answer(question: number, sights: readonly CheckSight[]): void {
    this.#open.get(question)?.settle(sights);
  }

  /** Whoever waits has waited enough. */
  close(): void {
    for (const { settle } of [...this.#open.values()]) settle([]);
  }
}
