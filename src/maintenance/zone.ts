/** Clocks on walls: from what they show in a time zone to the instant, and back. */
import { type EpochMillis, epochMillis } from '../core/units.js';

/** A time as a clock on a wall shows it. */
export interface WallTime {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** @throws RangeError where there is no such zone */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(zone, made);
  return made;
}

/** Whether the IANA database, as this Node has it, knows the zone. */
export function isZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

const asUtc = ({ year, month, day, hour, minute }: WallTime): number =>
  Date.UTC(year, month - 1, day, hour, minute);

/** How far clocks in the zone are ahead of UTC at an instant, in milliseconds. */
function offsetAt(at: number, zone: string): number {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = (
    ['year', 'month', 'day', 'hour', 'minute', 'second'] as const
  ).map((type) => parts.get(type));
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
}

/** The day that clocks in the zone show at an instant. */
export function dayAt(at: EpochMillis, zone: string): Pick<WallTime, 'year' | 'month' | 'day'> {
  const there = new Date(at + offsetAt(at, zone));
  return { year: there.getUTCFullYear(), month: there.getUTCMonth() + 1, day: there.getUTCDate() };
}

/** Longer than any offset, and shorter than the time between two changes of one. */
const SIX_HOURS = 6 * 3_600_000;

/**
 * The instant at which clocks in the zone show a time. Where they show it twice (they were put back) it is the first;
 * where they skip it (they were put forward) it is as much later as they were put forward. As "compatible" in the
 * Temporal proposal of ECMAScript, and RFC 5545 3.3.5.
 */
export function instantOf(time: WallTime, zone: string): EpochMillis {
  const there = asUtc(time);
  const near = there - offsetAt(there, zone);
  const [before, after] = [offsetAt(near - SIX_HOURS, zone), offsetAt(near + SIX_HOURS, zone)];
  for (const offset of [before, after])
    if (offsetAt(there - offset, zone) === offset) return epochMillis(there - offset);
  return epochMillis(there - before);
}

/** `instantOf` for the times of one day: on most days clocks are not put anywhere, and one look is enough. */
export function instantsOfDay(day: Pick<WallTime, 'year' | 'month' | 'day'>, zone: string) {
  const start = Date.UTC(day.year, day.month - 1, day.day);
  // Wide enough for every offset there is, from -12 to +14 hours.
  const [before, after] = [offsetAt(start - 4 * SIX_HOURS, zone), offsetAt(start + 8 * SIX_HOURS, zone)];
  return (hour: number, minute: number): EpochMillis =>
    before === after
      ? epochMillis(start + hour * 3_600_000 + minute * 60_000 - before)
      : instantOf({ ...day, hour, minute }, zone);
}
