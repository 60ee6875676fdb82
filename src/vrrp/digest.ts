/** How late something was, over the last so many times. */
import { type Micros, type Millis, micros } from '../core/units.js';
import type { Lateness } from './status.js';

const SAMPLES_MAX = 1024;
const MICROS_PER_MILLI = 1000;

/** Keeps the newest samples and the greatest of all; nothing is allocated while it records. */
export class LatenessMeter {
  readonly #samples = new Float64Array(SAMPLES_MAX);
  #count = 0;
  #max = 0;

  record(late: Millis): void {
    const value = Math.max(0, late) * MICROS_PER_MILLI;
    this.#samples[this.#count % SAMPLES_MAX] = value;
    this.#count += 1;
    if (value > this.#max) this.#max = value;
  }

  /** p50 and p99 of the newest samples; count and max of all. */
  read(): Lateness {
    const sorted = this.#samples.slice(0, Math.min(this.#count, SAMPLES_MAX)).sort();
    const at = (share: number): Micros =>
      micros(Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0));
    return { count: this.#count, p50: at(0.5), p99: at(0.99), max: micros(Math.round(this.#max)) };
  }
}
