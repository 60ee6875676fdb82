/**
 * An instance whose virtual IPs the kernel refuses. A master without its addresses would keep directors away that could
 * have them: it stands back, and tries again when nobody else is master, at growing pauses.
 */
import { type Millis, millis, seconds } from '../core/units.js';
import type { InstanceRule, Rival } from './model.js';
import { masterDownInterval } from './timers.js';

const PAUSE_MIN = seconds(10);
const PAUSE_MAX = seconds(320);

export class Unable {
  #why: string | undefined;
  #since = millis(Number.NEGATIVE_INFINITY);
  #pause = PAUSE_MIN;

  /** What the kernel says; undefined while the addresses can be had, as far as is known. */
  get why(): string | undefined {
    return this.#why;
  }

  /** All addresses were refused. The pause doubles where the last time is not long ago. */
  begin(why: string, now: Millis): void {
    const again = now - this.#since < 3 * this.#pause;
    this.#pause = again ? millis(Math.min(2 * this.#pause, PAUSE_MAX)) : PAUSE_MIN;
    this.#why = why;
    this.#since = now;
  }

  /** Ends it where its pause is over and no other master is heard. @returns whether it ended */
  retry(rule: InstanceRule, heard: Rival | undefined, now: Millis): boolean {
    if (this.#why === undefined || now - this.#since < this.#pause) return false;
    const alive =
      heard !== undefined &&
      heard.priority > 0 &&
      now - heard.heardAt < masterDownInterval(rule, 1, heard.interval);
    if (!alive) this.#why = undefined;
    return !alive;
  }

  /** Other settings are another try. */
  forget(): void {
    this.#why = undefined;
    this.#since = millis(Number.NEGATIVE_INFINITY);
    this.#pause = PAUSE_MIN;
  }
}
