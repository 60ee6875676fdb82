/** From times on the wire to figures. All in milliseconds. */
import { type Millis, millis } from '../../src/core/units.js';

/** Of a set of measured values. */
export interface Figures {
  readonly count: number;
  readonly min: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** The nearest-rank percentiles; NaN where there is nothing. */
export function figures(values: readonly number[]): Figures {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (share: number): number =>
    sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
  return { count: sorted.length, min: rank(0), p50: rank(0.5), p99: rank(0.99), max: rank(1) };
}

/** How far each advert came from one interval after the one before it, early or late. */
export function gapErrors(times: readonly Millis[], interval: Millis): number[] {
  return times.slice(1).map((at, index) => Math.abs(at - (times[index] ?? at) - interval));
}

/**
 * How late each advert was on a schedule that the most punctual one of them lies on. A sender that is a whole interval
 * late or more begins a new schedule; the advert that was so late counts on the old one.
 */
export function scheduleLateness(times: readonly Millis[], interval: Millis): number[] {
  const late: number[] = [];
  let offsets: number[] = [];
  let origin = times[0] ?? millis(0);
  const close = (): void => {
    const least = Math.min(...offsets);
    for (const offset of offsets) late.push(offset - least);
    offsets = [];
  };
  for (const at of times) {
    const offset = at - origin - offsets.length * interval;
    offsets.push(offset);
    if (offset < interval) continue;
    close();
    origin = millis(at + interval);
  }
  if (offsets.length > 0) close();
  return late;
}

/** Master_Down_Interval of version 3 (RFC 5798 6.1) in a backup of this priority. */
export function masterDown(interval: Millis, priority: number): Millis {
  return millis(3 * interval + ((256 - priority) * interval) / 256);
}
