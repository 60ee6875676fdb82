/**
 * When recurring windows begin. node-cron reads the expressions; which instants they are is worked out here, for it
 * passes over a beginning that clocks skip, and takes now the first, now the second of two where clocks are put back.
 */
import { parse } from 'node-cron';
import { type EpochMillis, epochMillis } from './core/units.js';
import type { MaintenanceWindow } from './maintenance/model.js';
import { dayAt, instantsOfDay } from './maintenance/zone.js';

/** A 29 February may be eight years away. */
const DAYS_MAX = 8 * 366 + 2;
const DAY = 24 * 3_600_000;

/** What node-cron makes of an expression; lists ascend. */
interface Fields {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly isDay: (date: Date) => boolean;
}

function fieldsOf(expression: string): Fields {
  const { minute, hour, dayOfMonth, month, dayOfWeek } = parse(expression);
  const ascending = (values: readonly number[]): number[] => [...new Set(values)].sort((a, b) => a - b);
  const [days, months, weekdays] = [new Set(dayOfMonth), new Set(month), new Set(dayOfWeek)];
  return {
    minutes: ascending(minute),
    hours: ascending(hour),
    isDay: (date) =>
      months.has(date.getUTCMonth() + 1) && days.has(date.getUTCDate()) && weekdays.has(date.getUTCDay()),
  };
}

/**
 * The instants of an expression behind `after`, in order, up to the first one behind `until`.
 * @throws Error where node-cron does not understand the expression, RangeError for an unknown zone
 */
export function occurrences(
  expression: string,
  zone: string,
  after: EpochMillis,
  until: EpochMillis,
): readonly EpochMillis[] {
  const { minutes, hours, isDay } = fieldsOf(expression);
  const { year, month, day } = dayAt(after, zone);
  const first = Date.UTC(year, month - 1, day);
  const found = new Set<EpochMillis>();
  for (let index = -1; index < DAYS_MAX; index += 1) {
    const date = new Date(first + index * DAY);
    if (!isDay(date)) continue;
    const its = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
    const instantAt = instantsOfDay(its, zone);
    for (const hour of hours)
      for (const minute of minutes) {
        const at = instantAt(hour, minute);
        if (at > after) found.add(at);
        if (at > until) return [...found].sort((a, b) => a - b);
      }
  }
  return [...found].sort((a, b) => a - b);
}

/** Beginnings of one window, kept until time has passed them. */
interface Known {
  readonly window: MaintenanceWindow;
  readonly from: EpochMillis;
  readonly to: EpochMillis;
  readonly beginnings: readonly EpochMillis[];
}

export class Schedule {
  readonly #known = new Map<string, Known>();

  /** The beginnings of a recurring window that may matter at `now`: of what may be under way, up to the next one. */
  beginnings(window: MaintenanceWindow, now: EpochMillis): readonly EpochMillis[] {
    if (window.times.kind === 'once') return [window.times.from];
    const known = this.#known.get(window.name);
    if (known?.window === window && known.from <= now && now < known.to) return known.beginnings;
    const { schedule, timezone, duration } = window.times;
    const reach = epochMillis(now + window.ahead);
    const since = epochMillis(now - duration - window.ahead - DAY);
    const beginnings = occurrences(schedule, timezone, since, reach);
    const last = beginnings.at(-1) ?? reach;
    const to = epochMillis(Math.max(now + 1, last - window.ahead));
    this.#known.set(window.name, { window, from: now, to, beginnings });
    return beginnings;
  }
}
