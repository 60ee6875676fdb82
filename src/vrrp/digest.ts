/** How late something was, over the last so many times. */
import { type Micros, type Millis, micros } from '../core/units.js';
import type { Lateness } from './status.js';

const MICROS_PER_MILLI = 1000;
/** Times in one generation; what is told is of this one and the one before. */
const GENERATION = 1024;
/** Steps within a power of two: what is told is at most 1/32 off. */
const STEPS = 16;
const OCTAVES = 28;
const BUCKETS = STEPS * OCTAVES;

/** Below STEPS every microsecond has its own bucket; then every power of two has STEPS of them. */
function bucketOf(value: number): number {
  if (value < STEPS) return Math.floor(value);
  const octave = Math.floor(Math.log2(value)) - Math.log2(STEPS);
  const step = Math.floor(value / 2 ** octave) - STEPS;
  return Math.min(STEPS + octave * STEPS + step, BUCKETS - 1);
}

/** The middle of a bucket. */
function middleOf(bucket: number): number {
  if (bucket < STEPS) return bucket;
  const octave = Math.floor(bucket / STEPS) - 1;
  const width = 2 ** octave;
  return (STEPS + (bucket % STEPS)) * width + (width - 1) / 2;
}

/**
 * Counts in buckets, so that neither recording nor reading costs much however often adverts are sent; nothing is
 * allocated while it records.
 */
export class LatenessMeter {
  #current = new Uint16Array(BUCKETS);
  #before = new Uint16Array(BUCKETS);
  #inCurrent = 0;
  #inBefore = 0;
  #count = 0;
  #max = 0;

  record(late: Millis): void {
    const value = Math.max(0, late) * MICROS_PER_MILLI;
    if (this.#inCurrent === GENERATION) this.#turnOver();
    const bucket = bucketOf(value);
    this.#current[bucket] = (this.#current[bucket] ?? 0) + 1;
    this.#inCurrent += 1;
    this.#count += 1;
    if (value > this.#max) this.#max = value;
  }

  #turnOver(): void {
    [this.#current, this.#before] = [this.#before, this.#current];
    this.#current.fill(0);
    this.#inBefore = this.#inCurrent;
    this.#inCurrent = 0;
  }

  /** p50 and p99 of the last 1024 to 2048 times; count and max of all. */
  read(): Lateness {
    const total = this.#inCurrent + this.#inBefore;
    const [p50, p99] = [this.#at(0.5 * total), this.#at(0.99 * total)];
    return { count: this.#count, p50, p99, max: micros(Math.round(this.#max)) };
  }

  /** The value that `below` of the times counted do not reach. */
  #at(below: number): Micros {
    let sum = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      sum += (this.#current[bucket] ?? 0) + (this.#before[bucket] ?? 0);
      if (sum > below) return micros(Math.round(Math.min(middleOf(bucket), this.#max)));
    }
    return micros(0);
  }
}
