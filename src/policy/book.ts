/**
 * The book of all services: what is known of their servers, what was judged of it, and what the table should hold.
 * It reads no clock and asks nobody: everything comes in by its methods, and each tells what it led to.
 */
import type { Check, CheckId, RemarkChange, Suspicion, VerdictChange } from '../checks/model.js';
import type { Config, ServerConfig, ServiceConfig } from '../config/model.js';
import { finish, type Steps } from '../core/steps.js';
import { type Millis, millis } from '../core/units.js';
import type { ObservedTable, ServiceKey } from '../ipvs/model.js';
import type { Desired, DesiredService } from '../ipvs/plan.js';
import { heldBy } from './admin.js';
import { AdminBook } from './admin-book.js';
import { ColdStart } from './cold-start.js';
import { desiredEntries, entriesOf } from './desired.js';
import { type Judgement, judge, NO_MEMORY, serverId } from './judge.js';
import { type DelayOf, MassWatch } from './mass-watch.js';
import type { AdminWord, Connections, Instant, MassEffect, MassFailureState, ServerId } from './model.js';
import { type Place, type PolicyNews, standingNews } from './news.js';
import {
  believable,
  byServers,
  byService,
  countIn,
  type Entry,
  emptied,
  heldInTable,
  inTable,
  isIdle,
  isNews,
  keepPage,
  keysOf,
  type Page,
  remembered,
  type Sight,
  sameServer,
  serversOf,
  servicesOf,
  standInPlace,
} from './pages.js';
import { degradedNews, takeRemarks } from './remarks.js';
import { type Remembered, Roster } from './roster.js';
import { BookView } from './view.js';

/** What a call of the book led to. */
export interface Outcome {
  /** The table's services that are to be looked at: keys of `desired`. */
  readonly touched: ReadonlySet<string>;
  /** In the order in which it happened. */
  readonly news: readonly PolicyNews[];
}

export class PolicyBook {
  readonly #roster = new Roster();
  readonly #admin = new AdminBook();
  #pages = new Map<string, Page>();
  /** When services are to be judged again by themselves, by name, monotonic. */
  #due = new Map<string, Millis>();
  readonly #coldStart = new ColdStart();
  readonly #mass = new MassWatch();
  /** Services that were judged while something was done about most servers failing at once. */
  #underMass = new Set<string>();
  #isRecalling = false;
  /** Services with a fallback that finishes its connections. */
  readonly #leaving = new Set<ServiceConfig>();
  #desired = new Map<string, DesiredService>();
  #observed: ObservedTable | undefined;
  /** As it was handed out since something changed. */
  #view: BookView | undefined;

  /** What the table should hold, in the order of the configuration. */
  get desired(): Desired {
    return this.#desired;
  }

  /** All that is known now: the same object until something changes. Whoever looks for longer holds it. */
  view(): BookView {
    this.#view ??= new BookView({ health: this.#roster.health, admin: this.#admin.all, pages: this.#pages });
    return this.#view;
  }

  /** Called before anything changes. */
  #leaveView(): void {
    this.#view?.leave();
    this.#view = undefined;
  }

  checks(): readonly Check[] {
    return this.#roster.checks().concat(this.#mass.checks);
  }

  /** How it stands with the failure of most servers at once; undefined where nothing is configured for it. */
  get mass(): MassFailureState | undefined {
    return this.#mass.state;
  }

  /** What each check is thought to find, for those of which something is known. */
  held(): Pick<ReadonlyMap<CheckId, 'up' | 'down'>, 'get'> {
    return {
      get: (id) =>
        this.#roster.health.get(id)?.held ?? heldInTable(this.#observed, this.#roster.placeOf(id), id),
    };
  }

  /** When `tick` is due, monotonic; undefined: not before something happens. */
  get due(): Millis | undefined {
    let due: Millis | undefined;
    for (const at of [this.#coldStart.due, this.#admin.due, this.#mass.due, ...this.#due.values()])
      if (at !== undefined && at < (due ?? Number.POSITIVE_INFINITY)) due = at;
    return due;
  }

  /**
   * Takes over a configuration. What is known of servers and services that stay is kept. A service that is the same
   * object as before is left as it was judged, the others are judged anew: a reload costs what it changes.
   */
  configure(config: Config, at: Instant): readonly PolicyNews[] {
    return finish(this.configureInSteps(config, at));
  }

  /** The same in short steps. Between them nothing else may be asked or told. */
  *configureInSteps(config: Config, at: Instant): Steps<readonly PolicyNews[]> {
    this.#leaveView();
    const before = { pages: this.#pages, desired: this.#desired, due: this.#due };
    const inPlace = standInPlace(config.services, this.#pages);
    this.#desired = new Map(inPlace ? before.desired : []);
    if (!inPlace) [this.#pages, this.#due] = [new Map(), new Map()];
    const written = { pages: this.#pages, desired: this.#desired, due: this.#due };
    const services = new Set(config.services);
    for (const service of this.#leaving) if (!services.has(service)) this.#leaving.delete(service);
    const known = this.#forget(before.pages, services);
    const wasWatching = this.#mass.isWatching;
    const effect = this.#mass.effect;
    this.#mass.configure(config.massFailure);
    this.#coldStart.configure(config.ownership.coldStart, at.now);
    for (const service of config.services)
      if (before.pages.get(service.name)?.service !== service) yield this.#takeServers(service, known, at);
    for (const id of known.keys()) if (!this.#roster.places.has(id)) this.#coldStart.heard(id);
    if (!wasWatching && this.#mass.isWatching) this.#watch(this.#roster.checks());
    const news: PolicyNews[] = [];
    const affected = this.#settleMass(effect, at.now, news);
    for (const service of config.services) {
      const page = before.pages.get(service.name);
      const isKept = page?.service === service && affected?.(service.name) !== true;
      if (!isKept)
        yield this.#judge(service, page && remembered(page, service, (id) => known.has(id)), at.now, news);
      else if (!inPlace) keepPage(page, before, written);
    }
    return news;
  }

  /** There is another probe budget. */
  readonly pace = (delayOf: DelayOf): void => this.#mass.pace(delayOf, this.#roster.checks());

  /** Takes the servers of services that are gone or changed out of the book. @returns what was known of them */
  #forget(pages: ReadonlyMap<string, Page>, kept: ReadonlySet<ServiceConfig>): ReadonlyMap<ServerId, Entry> {
    const known = new Map<ServerId, Entry>();
    for (const { service } of pages.values()) {
      if (kept.has(service)) continue;
      for (const server of serversOf(service)) {
        const id = serverId(service, server);
        known.set(id, { server, health: this.#roster.drop(id), admin: this.#admin.all.get(id) });
        this.#admin.forget(id);
        for (const check of server.checks) this.#mass.drop(check.id);
      }
    }
    return known;
  }

  #takeServers(service: ServiceConfig, known: ReadonlyMap<ServerId, Entry>, at: Instant): void {
    for (const server of serversOf(service)) {
      const id = serverId(service, server);
      // The same name at another address is another server.
      const entry = sameServer(known.get(id)?.server, server) ? known.get(id) : undefined;
      this.#roster.take(id, { service, server }, entry?.health ?? new Map(), at.wall);
      const admin = entry?.admin && heldBy(entry.admin, server.checks);
      if (admin !== undefined) this.#admin.keep(id, admin, at);
      if (this.#roster.withoutVerdict.has(id)) this.#coldStart.await(id, at.now);
      this.#watch(server.checks);
    }
  }

  #watch(checks: Iterable<Check>): void {
    for (const check of checks) this.#mass.take(check, this.#roster.health.get(check.id)?.held === 'down');
  }

  /**
   * Draws the conclusion of whether most servers fail at once.
   * @param before what was done about it
   * @returns which services have to be judged anew because of it; undefined: none
   */
  #settleMass(
    before: MassEffect | undefined,
    now: Millis,
    news: PolicyNews[],
  ): ((name: string) => boolean) | undefined {
    const told = this.#mass.settle(now);
    if (told !== undefined) news.push(told);
    const { effect } = this.#mass;
    if (before?.kind === effect?.kind) return undefined;
    const names = this.#underMass;
    this.#underMass = new Set();
    if ([before, effect].some((one) => one !== undefined && one.kind !== 'hold')) return () => true;
    for (const id of this.#mass.failing()) names.add(this.#roster.placeOf(id)?.service.name ?? '');
    return (name) => names.has(name);
  }

  /** Services of which something happened, and those that most servers failing concerns. */
  #withMass(touched: Map<string, ServiceConfig>, now: Millis, news: PolicyNews[]): Iterable<ServiceConfig> {
    const affected = this.#settleMass(this.#mass.effect, now, news);
    if (affected !== undefined)
      for (const [name, { service }] of this.#pages) if (affected(name)) touched.set(name, service);
    return touched.values();
  }

  /**
   * What was known of checks when the run before ended: it is held until there is something fresh, and is no news.
   * Where most were down it may have been this director: of those the table is held until their first verdict.
   * In steps as those of a configuration.
   */
  *recall(verdicts: ReadonlyMap<CheckId, Remembered>, at: Instant): Steps<void> {
    this.#leaveView();
    const touched = new Set<ServiceConfig>();
    for (const { check, verdict, service } of believable(verdicts, this.#roster, this.#mass)) {
      this.#mass.take(check, verdict.verdict === 'down');
      this.#roster.recall(check.id, verdict);
      touched.add(service);
      yield;
    }
    this.#isRecalling = true;
    for (const service of touched)
      yield this.#judge(service, this.#pages.get(service.name)?.judgement, at.now, []);
    this.#isRecalling = false;
  }

  /** Verdicts of one turn. */
  verdict(changes: readonly VerdictChange[], at: Instant): Outcome {
    this.#leaveView();
    const news: PolicyNews[] = [];
    const touched = new Map<string, ServiceConfig>();
    for (const change of changes) {
      const place = this.#fold(change, at.now, news);
      if (place !== undefined) touched.set(place.service.name, place.service);
    }
    return this.#judgeAll(this.#withMass(touched, at.now, news), at.now, news);
  }

  /** Takes one verdict in. @returns where its server stands */
  #fold(change: VerdictChange, now: Millis, news: PolicyNews[]): Place | undefined {
    const id = this.#roster.ownerOf(change.id);
    const place = this.#roster.places.get(id);
    // A verdict may cross with a reload that dropped its check; and canaries have no server.
    if (place === undefined || !this.#roster.health.has(change.id)) {
      this.#mass.verdict(change, now);
      return undefined;
    }
    const before = this.#roster.health.get(id)?.held;
    const warning = this.#roster.warningOf(id);
    const told = this.#roster.fold(change);
    const held = this.#roster.health.get(id)?.held;
    if (change.verdict === 'down' && held === 'up') this.#mass.excuse(change.id);
    else this.#mass.verdict(change, now);
    if (held !== undefined) this.#coldStart.heard(id);
    if (isNews(this.#observed, place, before, held)) news.push({ kind: 'verdict', ...place, change: told });
    news.push(...degradedNews(this.#roster, id, warning));
    return place;
  }

  /** What checks say beside their verdicts, of one turn. */
  remark(remarks: readonly RemarkChange[], at: Instant): Outcome {
    this.#leaveView();
    const { touched, news } = takeRemarks(this.#roster, this.#admin, remarks, at);
    return this.#judgeAll(touched.values(), at.now, news);
  }

  /** What may become verdicts, of one turn. */
  suspect(suspicions: readonly Suspicion[], at: Instant): Outcome {
    if (!this.#mass.isWatching) return { touched: new Set(), news: [] };
    for (const suspicion of suspicions) this.#mass.suspect(suspicion, at.now);
    const news: PolicyNews[] = [];
    const services = [...this.#withMass(new Map(), at.now, news)];
    if (services.length > 0) this.#leaveView();
    return this.#judgeAll(services, at.now, news);
  }

  /** Nothing fresh is known of these checks; what was known last is held. */
  doubt(ids: readonly CheckId[]): void {
    this.#leaveView();
    this.#mass.doubt(ids);
    for (const id of ids) this.#roster.doubt(id);
  }

  /** Takes words about servers; those about servers that are not configured are left out. */
  administer(words: readonly AdminWord[], at: Instant): Outcome {
    this.#leaveView();
    const news: PolicyNews[] = [];
    const touched = new Map<string, ServiceConfig>();
    for (const word of words) {
      const place = this.#roster.places.get(word.server);
      if (place === undefined) continue;
      news.push(...this.#admin.take(place, word, at));
      touched.set(place.service.name, place.service);
    }
    return this.#judgeAll(touched.values(), at.now, news);
  }

  /** Services with a server that drains or leaves, by name: their entries in the table, by `serviceText`. */
  get draining(): ReadonlyMap<string, ReadonlyMap<string, ServiceKey>> {
    const draining = servicesOf(this.#admin.draining, this.#roster.places);
    return keysOf([...draining, ...this.#leaving]);
  }

  /** Entries of the table as they are now, for the drains of their servers. */
  look(seen: Sight, at: Instant): Outcome {
    this.#leaveView();
    const drains = this.#stepDrains([...this.#admin.draining], at, (place) => countIn(place, seen));
    const pages = emptied(this.#leaving, this.#pages, seen);
    for (const page of pages) this.#pages.set(page.service.name, page);
    const emptyServices = pages.map(({ service }) => service);
    const after = this.#judgeAll(emptyServices, at.now, [...drains.news]);
    return { touched: new Set([...drains.touched, ...after.touched]), news: after.news };
  }

  #stepDrains(
    ids: readonly ServerId[],
    at: Instant,
    count: (place: Place) => Connections | undefined,
  ): Outcome {
    const news: PolicyNews[] = [];
    const touched = new Map<string, ServiceConfig>();
    for (const id of ids) {
      const place = this.#roster.places.get(id);
      if (place === undefined) continue;
      const its = this.#admin.step(place, id, count(place), at);
      if (its.some(({ what }) => what === 'drain-finished')) touched.set(place.service.name, place.service);
      news.push(...its);
    }
    return this.#judgeAll(touched.values(), at.now, news);
  }

  /** The table as it stands now. */
  observe(observed: ObservedTable): void {
    this.#observed = observed;
  }

  /** Judges what has become due. */
  tick(at: Instant): Outcome {
    this.#leaveView();
    const drains = this.#stepDrains(this.#admin.overdue(at.now), at, () => undefined);
    const over = this.#endColdStart(at.now);
    const services = new Map(over.map(({ service }) => [service.name, service]));
    for (const [name, when] of this.#due) {
      const page = this.#pages.get(name);
      if (when <= at.now && page !== undefined) services.set(name, page.service);
    }
    const news: PolicyNews[] = [...drains.news, ...over];
    const { touched } = this.#judgeAll(this.#withMass(services, at.now, news), at.now, news);
    return { touched: new Set([...drains.touched, ...touched]), news };
  }

  #endColdStart(now: Millis): readonly Extract<PolicyNews, { kind: 'cold-start' }>[] {
    const over = byService(this.#coldStart.expire(now), this.#roster.places);
    return [...over].map(([service, servers]) => ({ kind: 'cold-start', service, servers }));
  }

  #judgeAll(services: Iterable<ServiceConfig>, now: Millis, news: PolicyNews[]): Outcome {
    const touched = new Set<string>();
    for (const service of services) {
      this.#judge(service, this.#pages.get(service.name)?.judgement, now, news);
      for (const entry of entriesOf(service)) touched.add(entry);
    }
    return { touched, news };
  }

  #judge(service: ServiceConfig, before: Judgement | undefined, now: Millis, news: PolicyNews[]): void {
    const known = {
      health: this.#roster.health,
      admin: this.#admin.all,
      assumed: this.#coldStart.assumed,
      isIdle: (its: ServiceConfig, server: ServerConfig) => isIdle(this.#observed, its, server),
      isInTable: inTable(this.#observed, this.#isRecalling),
      isRecalled: this.#isRecalling,
      mass: byServers(this.#mass.effect, this.#roster.places),
    };
    if (known.mass !== undefined) this.#underMass.add(service.name);
    const judgement = judge(service, known, before?.memory ?? NO_MEMORY, now);
    this.#pages.set(service.name, { service, judgement });
    if (judgement.memory.fallbacks.leaving.size > 0) this.#leaving.add(service);
    else this.#leaving.delete(service);
    if (judgement.again === undefined) this.#due.delete(service.name);
    else this.#due.set(service.name, millis(now + judgement.again));
    for (const [text, entry] of desiredEntries(service, judgement, this.#roster.health))
      this.#desired.set(text, entry);
    news.push(...standingNews(service, before?.standing, judgement.standing));
  }
}
