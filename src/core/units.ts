/** Branded numbers, so that milliseconds and microseconds cannot be swapped without a compile error. */

declare const unit: unique symbol;
type Unit<Name extends string> = number & { readonly [unit]: Name };

/** A duration, or a monotonic instant, in milliseconds. Fractions are allowed. */
export type Millis = Unit<'ms'>;
/** A duration in microseconds. */
export type Micros = Unit<'us'>;
/** Milliseconds since 1970 (wall clock). Only for people and peers, never for deadlines. */
export type EpochMillis = Unit<'epoch-ms'>;

export const millis = (value: number): Millis => value as Millis;
export const micros = (value: number): Micros => value as Micros;
export const epochMillis = (value: number): EpochMillis => value as EpochMillis;
export const seconds = (value: number): Millis => (value * 1000) as Millis;

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const DURATION_PATTERN = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)$/;

/**
 * Reads a duration such as `250ms`, `2s`, `1.5m`.
 * @returns undefined where the text is not one number with one of the units ms, s, m, h, d.
 */
export function parseDuration(text: string): Millis | undefined {
  const match = DURATION_PATTERN.exec(text);
  if (match === null) return undefined;
  return millis(Number(match[1]) * (DURATION_UNITS[match[2] ?? ''] ?? Number.NaN));
}

/** Writes a duration in the largest unit that keeps it whole: 90000 -> `90s`, 120000 -> `2m`. */
export function formatDuration(duration: Millis): string {
  for (const name of ['d', 'h', 'm', 's']) {
    const size = DURATION_UNITS[name] ?? Number.NaN;
    if (duration >= size && duration % size === 0) return `${duration / size}${name}`;
  }
  return `${duration}ms`;
}
