/** Completes `maintenance:`. */
import { type EpochMillis, type Millis, millis, parseDuration } from '../core/units.js';
import type { MaintenanceWindow, WindowTimes } from '../maintenance/model.js';
import type { ServerId } from '../policy/model.js';
import { cronProblem } from './cron.js';
import {
  type Checked,
  type Context,
  type Cursor,
  FAULTY,
  items,
  member,
  read,
  report,
  reportKey,
} from './cursor.js';
import type { ServiceConfig } from './model.js';
import type { RawWindow } from './schema-maintenance.js';
import { suggestion } from './suggest.js';

type At = Cursor<RawWindow>;

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})$/;

function timeOf(context: Context, at: Cursor<string>): Checked<EpochMillis> {
  const time = TIME.test(at.value) ? Date.parse(at.value) : Number.NaN;
  if (!Number.isNaN(time)) return time as EpochMillis;
  return report(context, at, `"${at.value}" is not a time with its zone, such as 2026-12-01T03:00:00+01:00`);
}

function onceOf(context: Context, at: At): Checked<WindowTimes> {
  const from = member(at, 'from');
  const until = member(at, 'until');
  if (from === FAULTY || until === FAULTY) return FAULTY;
  for (const key of ['schedule', 'timezone', 'duration'] as const) {
    const other = member(at, key);
    if (other !== undefined && other !== FAULTY)
      return reportKey(context, other, 'a window with `from` and `until` comes once; leave it out');
  }
  if (from === undefined || until === undefined)
    return report(context, at, 'a window that comes once has both `from` and `until`');
  const begins = timeOf(context, from);
  const ends = timeOf(context, until);
  if (begins === FAULTY || ends === FAULTY) return FAULTY;
  if (ends <= begins) return report(context, until, 'it is not behind `from`');
  return { kind: 'once', from: begins, until: ends };
}

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
}

function recurringOf(context: Context, at: At, schedule: Cursor<string>): Checked<WindowTimes> {
  const problem = cronProblem(schedule.value);
  if (problem !== undefined) return report(context, schedule, problem);
  const zone = member(at, 'timezone');
  const length = member(at, 'duration');
  if (zone === FAULTY || length === FAULTY) return FAULTY;
  if (zone !== undefined && !isZone(zone.value))
    return report(context, zone, `"${zone.value}" is not a time zone such as Europe/Berlin`);
  if (length === undefined)
    return report(context, at, 'a `schedule` says when the window begins; say `duration`, too');
  const timezone = zone?.value ?? 'UTC';
  return {
    kind: 'recurring',
    schedule: schedule.value.trim().replaceAll(/ +/g, ' '),
    timezone,
    duration: parseDuration(length.value) as Millis,
  };
}

function timesOf(context: Context, at: At): Checked<WindowTimes> {
  const schedule = member(at, 'schedule');
  if (schedule === FAULTY) return FAULTY;
  const once = member(at, 'from') !== undefined || member(at, 'until') !== undefined;
  if (once) return onceOf(context, at);
  if (schedule !== undefined) return recurringOf(context, at, schedule);
  return report(context, at, 'it does not say when: `schedule` and `duration`, or `from` and `until`');
}

/** A server as a window may name it. */
interface Candidate {
  readonly id: ServerId;
  readonly service: string;
  readonly words: readonly string[];
  readonly tags: readonly string[];
}

/** All servers that a window may name. Made once for all windows. */
export class Candidates {
  readonly #all: readonly Candidate[];
  readonly #services: readonly string[];
  readonly #tags: ReadonlySet<string>;
  readonly #words: ReadonlySet<string>;
  /** All services are known: otherwise a name that is not there may be that of one with a fault. */
  readonly #certain: boolean;

  constructor(services: readonly ServiceConfig[], certain: boolean) {
    this.#certain = certain;
    this.#services = services.map(({ name }) => name);
    this.#all = services.flatMap((service) => {
      const candidate = (name: string, address: string, tags: readonly string[] = []): Candidate => {
        const id = `${service.name}/${name}`;
        const words = [...new Set([name, address, id])];
        return { id, service: service.name, words, tags: [...service.tags, ...tags] };
      };
      return [
        ...service.servers.map(({ name, dest, tags }) => candidate(name, dest.key.address, tags)),
        // A name stands for all servers that it has.
        ...(service.names ?? []).map(({ name, question, tags }) => candidate(name, question.host, tags)),
      ];
    });
    this.#tags = new Set(this.#all.flatMap(({ tags }) => tags));
    this.#words = new Set(this.#all.flatMap(({ words }) => words));
  }

  /** What a window names, in the order of the configuration. */
  of(context: Context, at: At): Checked<readonly ServerId[]> {
    const servers = this.#named(context, at, 'servers', (word) => this.#words.has(word), [...this.#words]);
    const services = this.#named(
      context,
      at,
      'services',
      (word) => this.#services.includes(word),
      this.#services,
    );
    const tags = this.#named(context, at, 'tags', (word) => this.#tags.has(word), [...this.#tags]);
    if (servers === FAULTY || services === FAULTY || tags === FAULTY) return FAULTY;
    if (servers.size + services.size + tags.size === 0)
      return report(context, at, 'it names nothing; say `servers`, `services` or `tags`');
    return this.#all
      .filter(
        (one) =>
          services.has(one.service) ||
          one.words.some((word) => servers.has(word)) ||
          one.tags.some((tag) => tags.has(tag)),
      )
      .map(({ id }) => id);
  }

  #named(
    context: Context,
    at: At,
    key: 'servers' | 'services' | 'tags',
    isThere: (word: string) => boolean,
    known: readonly string[],
  ): Checked<ReadonlySet<string>> {
    const list = member(at, key);
    if (list === FAULTY) return FAULTY;
    const names = new Set<string>();
    for (const item of list === undefined ? [] : items(list)) {
      if (item === FAULTY) return FAULTY;
      if (this.#certain && !isThere(item.value))
        return report(
          context,
          item,
          `no ${key.slice(0, -1)} is "${item.value}"${suggestion(item.value, known)}`,
        );
      names.add(item.value);
    }
    return names;
  }
}

/** Completes one entry of `maintenance`. */
export function completeWindow(
  context: Context,
  name: string,
  at: At,
  candidates: Candidates,
): Checked<MaintenanceWindow> {
  const times = timesOf(context, at);
  const servers = candidates.of(context, at);
  const ahead = read(at, 'ahead', '0s');
  const reason = member(at, 'reason');
  if (times === FAULTY || servers === FAULTY || ahead === FAULTY || reason === FAULTY) return FAULTY;
  return { name, times, servers, ahead: parseDuration(ahead) ?? millis(0), reason: reason?.value };
}
