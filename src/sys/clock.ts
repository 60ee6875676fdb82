/** The real clock, timers and chance. */
import { assert } from '../core/assert.js';
import type { Clock, Entropy, Timer, Timers, Turns } from '../core/ports.js';
import { epochMillis, type Millis, millis } from '../core/units.js';

/** `monotonic` is CLOCK_MONOTONIC: the same in every thread of the process, and that of the native timers. */
export const systemClock: Clock = {
  monotonic() {
    const [seconds, nanoseconds] = process.hrtime();
    return millis(seconds * 1000 + nanoseconds / 1e6);
  },
  wall() {
    return epochMillis(Date.now());
  },
};

/** setTimeout takes no more than this; what is longer fires at once, with a warning. */
const TIMEOUT_MAX = 2 ** 31 - 1;

class SystemTimer implements Timer {
  #handle: NodeJS.Timeout | undefined;
  readonly #due: number;

  constructor(
    delay: Millis,
    readonly run: () => void,
  ) {
    assert(!Number.isNaN(delay), 'a timer has a delay');
    this.#due = systemClock.monotonic() + Math.max(0, delay);
    this.#arm();
  }

  // A timeout of node counts from the loop's cached time and rounds down, so it may come early: then wait for the rest.
  #arm(): void {
    const left = this.#due - systemClock.monotonic();
    if (left <= 0 && this.#handle !== undefined) this.run();
    else this.#handle = setTimeout(() => this.#arm(), Math.min(Math.max(1, Math.ceil(left)), TIMEOUT_MAX));
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }
}

/** Timers of the thread's event loop, of any length; a running one keeps the process alive. */
export const systemTimers: Timers = {
  after: (delay, run) => new SystemTimer(delay, run),
};

/** Turns of the thread's event loop. */
export const systemTurns: Turns = {
  soon(run) {
    setImmediate(run);
  },
};

/** Good enough to spread starts and retries; not for secrets. */
export const systemEntropy: Entropy = {
  uniform: () => Math.random(),
};
