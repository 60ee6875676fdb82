/** Looks at something when it is asked to, at every resync, and sooner after a failure. One look at a time. */
import type { Timer, Timers } from '../core/ports.js';
import { type Millis, millis } from '../core/units.js';

const RETRY_MIN = millis(100);
const RETRY_MAX = millis(5000);

/** What a look came to: all is right, something is not, or there is nothing to look at any more. */
export type Look = 'right' | 'wrong' | 'idle';

export interface LevelLoopOptions {
  readonly timers: Timers;
  /** Looks, and puts right what it finds. Must not reject. */
  readonly attempt: () => Promise<Look>;
}

export class LevelLoop {
  readonly #timers: Timers;
  readonly #attempt: () => Promise<Look>;
  /** From one look to the next while all is well. */
  resync: Millis = RETRY_MAX;
  #retryAfter: Millis = RETRY_MIN;
  #due = false;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor({ timers, attempt }: LevelLoopOptions) {
    this.#timers = timers;
    this.#attempt = attempt;
  }

  /** Asks for a look: at once, or when the one in progress is over. */
  look(): void {
    this.#due = true;
    if (this.#running !== undefined || this.#closed) return;
    this.#timer?.cancel();
    this.#running = this.#run().then((delay) => {
      this.#running = undefined;
      if (delay !== undefined && !this.#closed) this.#timer = this.#timers.after(delay, () => this.look());
    });
  }

  /** Resolves when all that was asked for is right, or when the last attempt failed and waits for its next. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** Finishes what is in progress, then never looks again. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.settled();
  }

  /** @returns the time until the next look; undefined: none is needed */
  async #run(): Promise<Millis | undefined> {
    let result: Look = 'idle';
    // What was asked for meanwhile does not wait for the next try of what was asked for before.
    while (this.#due) {
      this.#due = false;
      result = await this.#attempt();
    }
    if (result === 'wrong') return this.#backOff();
    this.#retryAfter = RETRY_MIN;
    return result === 'idle' ? undefined : this.resync;
  }

  #backOff(): Millis {
    const delay = this.#retryAfter;
    this.#retryAfter = millis(Math.min(delay * 2, RETRY_MAX, this.resync));
    return delay;
  }
}
