/** Which windows are under way, until when, and what that says of servers. Pure: occurrences come from outside. */
import { type EpochMillis, epochMillis } from '../core/units.js';
import type { AdminEntry, AdminSource, AdminWord, ServerId } from '../policy/model.js';
import type { MaintenanceWindow, Stretch, WindowState } from './model.js';

/** The beginnings of a window from some time before `now` on, ascending, up to one behind `now` where there is one. */
export type Beginnings = (window: MaintenanceWindow) => readonly EpochMillis[];

/** One stretch for one beginning. */
function stretchFrom({ times, ahead }: MaintenanceWindow, from: EpochMillis): Stretch {
  const until = times.kind === 'once' ? times.until : epochMillis(from + times.duration);
  return { drainFrom: epochMillis(from - ahead), from, until };
}

/** Those that overlap or touch are one: a window that is longer than its period does not end in between. */
function joined(stretches: readonly Stretch[]): readonly Stretch[] {
  const all: Stretch[] = [];
  for (const one of stretches) {
    const last = all.at(-1);
    if (last === undefined || one.drainFrom > last.until) all.push(one);
    else all[all.length - 1] = { ...last, until: epochMillis(Math.max(last.until, one.until)) };
  }
  return all;
}

/** How it stands with each window at `now`. */
export function windowsAt(
  windows: readonly MaintenanceWindow[],
  beginnings: Beginnings,
  now: EpochMillis,
): readonly WindowState[] {
  return windows.map((window) => {
    const starts = window.times.kind === 'once' ? [window.times.from] : beginnings(window);
    const stretches = joined(starts.map((from) => stretchFrom(window, from)));
    const current = stretches.find(({ drainFrom, until }) => drainFrom <= now && now < until);
    const next = stretches.find(({ drainFrom }) => drainFrom > now);
    return { window, current, next };
  });
}

/** When something changes next; undefined: never. A stretch also changes where draining becomes the window itself. */
export function nextChange(states: readonly WindowState[], now: EpochMillis): EpochMillis | undefined {
  let soonest: EpochMillis | undefined;
  for (const { current, next } of states)
    for (const at of [current?.from, current?.until, next?.drainFrom])
      if (at !== undefined && at > now && (soonest === undefined || at < soonest)) soonest = at;
  return soonest;
}

function sourceOf({ name }: MaintenanceWindow): AdminSource {
  return `maintenance ${name}`;
}

function entryOf(window: MaintenanceWindow, { drainFrom, from }: Stretch): AdminEntry {
  const source = sourceOf(window);
  return {
    source,
    state: 'draining',
    weight: undefined,
    since: drainFrom,
    // The window itself waits for nobody.
    deadline: window.ahead > 0 ? from : undefined,
    finish: 'drained',
    by: source,
    reason: window.reason,
  };
}

/** What all windows say of servers, by server and source. */
function wanted(states: readonly WindowState[]): ReadonlyMap<ServerId, ReadonlyMap<AdminSource, AdminEntry>> {
  const all = new Map<ServerId, Map<AdminSource, AdminEntry>>();
  for (const { window, current } of states) {
    if (current === undefined) continue;
    const entry = entryOf(window, current);
    for (const server of window.servers) {
      const words = all.get(server) ?? new Map<AdminSource, AdminEntry>();
      words.set(entry.source, entry);
      all.set(server, words);
    }
  }
  return all;
}

/** What is said of servers already, by whomever. */
export type Said = ReadonlyMap<ServerId, { readonly entries: readonly Pick<AdminEntry, 'source'>[] }>;

/** The words that are missing, and those of windows that are over. What is said already is not said again. */
export function wordsFor(states: readonly WindowState[], said: Said): readonly AdminWord[] {
  const words: AdminWord[] = [];
  const all = wanted(states);
  for (const [server, { entries }] of said)
    for (const { source } of entries)
      if (source !== 'operator' && all.get(server)?.has(source) !== true)
        words.push({ server, source, entry: undefined });
  for (const [server, entries] of all) {
    const known = new Set(said.get(server)?.entries.map(({ source }) => source));
    for (const [source, entry] of entries) if (!known.has(source)) words.push({ server, source, entry });
  }
  return words;
}

/** The windows that have a server out now, by server: its alerts are expected. */
export function coveredServers(states: readonly WindowState[]): ReadonlyMap<ServerId, string> {
  const covered = new Map<ServerId, string>();
  for (const { window, current } of states)
    if (current !== undefined) for (const server of window.servers) covered.set(server, window.name);
  return covered;
}
