/** What is said of servers, who said it, and how their drains go on. Reads no clock; everything comes in by its methods. */
import { type Millis, millis } from '../core/units.js';
import { withWord } from './admin.js';
import { beginDrain, type DrainStep, stepDrain } from './drain.js';
import type {
  AdminEntry,
  AdminWord,
  Connections,
  DrainWatch,
  Instant,
  ServerAdmin,
  ServerId,
} from './model.js';
import type { AdminNews, Place } from './news.js';

function isDraining({ state }: AdminEntry): boolean {
  return state === 'draining';
}

/** It is the word that was taken before, and its drain is over by now: whoever keeps words knows only what was said. */
function isFinished(its: AdminEntry | undefined, said: AdminEntry | undefined): boolean {
  if (its === undefined || said === undefined) return false;
  return said.state === 'draining' && its.state === said.finish && its.since === said.since;
}

/** What a new word of a source is, beside its word before. */
function newsOf(before: AdminEntry | undefined, after: AdminEntry | undefined): AdminNews['what'][] {
  const [was, is] = [before?.state ?? 'enabled', after?.state ?? 'enabled'];
  const what: AdminNews['what'][] = [];
  const isOther = was !== is || before?.deadline !== after?.deadline || before?.finish !== after?.finish;
  if (is === 'draining' && isOther) what.push('drain-started');
  if (is === 'disabled' && was !== is) what.push('server-disabled');
  if (is === 'enabled' && was === 'disabled') what.push('server-enabled');
  if (is === 'enabled' && (was === 'draining' || was === 'drained')) what.push('drain-undone');
  if (before?.weight !== after?.weight) what.push('weight-set');
  return what;
}

/** The watch of a server's drain, after a word: a drain that begins begins it anew. */
function watchAfter(
  before: ServerAdmin | undefined,
  after: ServerAdmin,
  { now }: Instant,
): DrainWatch | undefined {
  if (!after.entries.some(isDraining))
    return after.entries.some(({ state }) => state !== 'enabled') ? before?.drain : undefined;
  return before?.entries.some(isDraining) ? before.drain : beginDrain(now);
}

export class AdminBook {
  readonly #admin = new Map<ServerId, ServerAdmin>();
  /** Servers that drain, and when the first of their deadlines comes, monotonic. */
  readonly #draining = new Map<ServerId, Millis | undefined>();

  get all(): ReadonlyMap<ServerId, ServerAdmin> {
    return this.#admin;
  }

  get draining(): Iterable<ServerId> {
    return this.#draining.keys();
  }

  /** When the next drain is given up, monotonic. */
  get due(): Millis | undefined {
    let due: number | undefined;
    for (const at of this.#draining.values()) if (at !== undefined) due = Math.min(at, due ?? at);
    return due === undefined ? undefined : millis(due);
  }

  /** Servers whose drain is to be given up by now. */
  overdue(now: Millis): readonly ServerId[] {
    return [...this.#draining].flatMap(([id, at]) => (at !== undefined && at <= now ? id : []));
  }

  forget(id: ServerId): void {
    this.#admin.delete(id);
    this.#draining.delete(id);
  }

  /** Takes back what was forgotten. */
  keep(id: ServerId, admin: ServerAdmin, at: Instant): void {
    this.#put(id, admin, at);
  }

  /** Takes one word about a server. @returns what of it is news */
  take(place: Place, word: AdminWord, at: Instant): readonly AdminNews[] {
    const before = this.#admin.get(word.server);
    const its = before?.entries.find(({ source }) => source === word.source);
    if (isFinished(its, word.entry)) return [];
    const after = withWord(before, word);
    const admin = after && { ...after, drain: watchAfter(before, after, at) };
    this.#put(word.server, admin, at);
    const entry = admin?.entries.find(({ source }) => source === word.source);
    const told = entry ?? its;
    if (told === undefined || word.told === true) return [];
    const common = { kind: 'admin', ...place, entry: told, by: word.by ?? told.by, admin } as const;
    return newsOf(its, entry).map((what) => ({ ...common, what }));
  }

  /**
   * One look at the drain of a server, or (undefined) only the time.
   * @returns what of it is news
   */
  step(place: Place, id: ServerId, seen: Connections | undefined, at: Instant): readonly AdminNews[] {
    const before = this.#admin.get(id);
    if (before === undefined) return [];
    const watch = before.drain ?? beginDrain(at.now);
    const steps = before.entries
      .filter(isDraining)
      .map((entry) => [entry, stepDrain(entry, watch, seen, at)] as const);
    let admin: ServerAdmin | undefined = before;
    const finished: (readonly [AdminEntry, DrainStep & { kind: 'drained' }])[] = [];
    for (const [entry, step] of steps) {
      if (step.kind !== 'drained') continue;
      const done: AdminEntry = { ...entry, state: entry.finish };
      admin = withWord(admin, { server: id, source: entry.source, entry: done });
      finished.push([done, step]);
    }
    const drain = steps[0]?.[1].watch ?? watch;
    this.#put(id, admin && { ...admin, drain }, at);
    const common = { kind: 'admin', ...place, admin: this.#admin.get(id) } as const;
    const news: AdminNews[] = finished.map(([entry, { how }]) => ({
      ...common,
      what: 'drain-finished',
      entry,
      by: entry.by,
      how,
    }));
    const progress = steps.find(([, { kind }]) => kind === 'progress')?.[0];
    if (progress === undefined || news.length > 0) return news;
    return [{ ...common, what: 'drain-progress', entry: progress, by: progress.by }];
  }

  #put(id: ServerId, admin: ServerAdmin | undefined, { now, wall }: Instant): void {
    this.forget(id);
    if (admin === undefined) return;
    this.#admin.set(id, admin);
    const draining = admin.entries.filter(isDraining);
    if (draining.length === 0) return;
    const deadlines = draining.flatMap(({ deadline }) => deadline ?? []);
    // Wall time may jump: the deadline is looked at again with every look at the table.
    const rest =
      deadlines.length === 0 ? undefined : millis(now + Math.max(0, Math.min(...deadlines) - wall));
    this.#draining.set(id, rest);
  }
}
