/** The servers of the configuration with their checks, and what is known of both. It reads no clock. */
import type { Check, CheckId, Remark, VerdictChange } from '../checks/model.js';
import type { EpochMillis } from '../core/units.js';
import type { ServerHealth } from '../world.js';
import { combine, warningOf } from './combine.js';
import type { ServerId } from './model.js';
import type { Place } from './news.js';
import { pathChanges } from './paths.js';

/** What of a remark outlives the worker that told it. */
function forgotten({ weight, say }: Remark): Remark {
  return { warning: undefined, weight, say };
}

/** A verdict of another run. */
export interface Remembered {
  readonly verdict: 'up' | 'down';
  readonly since: EpochMillis;
}

function unknownSince(since: EpochMillis): ServerHealth {
  return { verdict: 'unknown', held: undefined, since, lastChange: undefined };
}

/**
 * The only check of a server has the server's id, and its health is the server's. Of a server with several there is an
 * entry for each, and one for the server.
 */
export class Roster {
  readonly #places = new Map<ServerId, Place>();
  readonly #health = new Map<CheckId, ServerHealth>();
  /** The servers of checks whose ids are not theirs. */
  readonly #owners = new Map<CheckId, ServerId>();
  readonly #withoutVerdict = new Set<ServerId>();

  get places(): ReadonlyMap<ServerId, Place> {
    return this.#places;
  }

  /** By the ids of checks, and of servers with several. */
  get health(): ReadonlyMap<CheckId, ServerHealth> {
    return this.#health;
  }

  /** Of all servers, in an array of its own. */
  checks(): Check[] {
    const all: Check[] = [];
    for (const { server } of this.#places.values()) for (const check of server.checks) all.push(check);
    return all;
  }

  /** The server that a check belongs to; a check that is not known is taken for a server's only one. */
  ownerOf(id: CheckId): ServerId {
    return this.#owners.get(id) ?? id;
  }

  /** Where the server of a check stands. */
  placeOf(id: CheckId): Place | undefined {
    return this.#places.get(this.ownerOf(id));
  }

  checkOf(id: CheckId): Check | undefined {
    return this.placeOf(id)?.server.checks.find((check) => check.id === id);
  }

  /** Servers that are checked and have no verdict. */
  get withoutVerdict(): ReadonlySet<ServerId> {
    return this.#withoutVerdict;
  }

  /** Takes a server in. @param known what was known of it and of its checks before, by id */
  take(id: ServerId, place: Place, known: ReadonlyMap<CheckId, ServerHealth>, wall: EpochMillis): void {
    this.#places.set(id, place);
    for (const check of place.server.checks) {
      this.#health.set(check.id, known.get(check.id) ?? unknownSince(wall));
      if (check.id !== id) this.#owners.set(check.id, id);
    }
    const before = known.get(id);
    if (this.#isCombined(id)) this.#combine(id, before?.since ?? wall, before);
    if (place.server.checks.length > 0) this.#noteVerdict(id);
  }

  /** Takes a server out. @returns what was known of it and of its checks */
  drop(id: ServerId): ReadonlyMap<CheckId, ServerHealth> {
    const known = new Map<CheckId, ServerHealth>();
    for (const one of [id, ...(this.#places.get(id)?.server.checks ?? []).map((check) => check.id)]) {
      const health = this.#health.get(one);
      if (health !== undefined) known.set(one, health);
      this.#health.delete(one);
      this.#owners.delete(one);
    }
    this.#places.delete(id);
    this.#withoutVerdict.delete(id);
    return known;
  }

  /** A check has a verdict. @returns the change as it is to be told */
  fold(change: VerdictChange): VerdictChange {
    const { id, verdict, at } = change;
    this.#set(id, { verdict, held: verdict, since: at, lastChange: change, ...this.#said(id) }, at);
    this.#tellPaths(this.ownerOf(id), at);
    return this.#health.get(id)?.lastChange ?? change;
  }

  /** Says of checks that go through the service whether it is their way that is broken, or its end. */
  #tellPaths(owner: ServerId, at: EpochMillis): void {
    const checks = this.#places.get(owner)?.server.checks ?? [];
    for (const [id, change] of pathChanges(checks, this.#health)) {
      const health = this.#health.get(id);
      if (health !== undefined) this.#set(id, { ...health, lastChange: change }, at);
    }
  }

  /** The run before had a verdict. */
  recall(id: CheckId, { verdict, since }: Remembered): void {
    this.#set(id, { verdict: 'unknown', held: verdict, since, lastChange: undefined }, since);
  }

  /**
   * Nothing fresh is known of a check; what was known last is held. A warning is told anew by whoever runs the check
   * next; what is said of weight and state is said again only where it changes. Whoever measures its probes next begins
   * with the whole weight.
   */
  doubt(id: CheckId): void {
    const health = this.#health.get(id);
    if (health === undefined) return;
    const { remark, held, since, lastChange } = health;
    const said = remark === undefined ? {} : { remark: forgotten(remark) };
    this.#set(id, { verdict: 'unknown', held, since, lastChange, ...said }, since);
  }

  /** A check says something beside its verdict. */
  remark(id: CheckId, remark: Remark): void {
    const health = this.#health.get(id);
    if (health === undefined) return;
    const { verdict, held, since, lastChange } = health;
    this.#set(id, { verdict, held, since, lastChange, remark }, since);
  }

  /** Why a server that is up is degraded. */
  warningOf(id: ServerId): string | undefined {
    const server = this.#places.get(id)?.server;
    return server === undefined ? undefined : warningOf(server, id, this.#health);
  }

  #said(id: CheckId): Pick<ServerHealth, 'remark'> {
    const remark = this.#health.get(id)?.remark;
    return remark === undefined ? {} : { remark };
  }

  #set(id: CheckId, health: ServerHealth, at: EpochMillis): void {
    this.#health.set(id, health);
    const owner = this.#owners.get(id);
    if (owner !== undefined) this.#combine(owner, at, this.#health.get(owner));
    this.#noteVerdict(owner ?? id);
  }

  #noteVerdict(id: ServerId): void {
    if (this.#health.get(id)?.held === undefined) this.#withoutVerdict.add(id);
    else this.#withoutVerdict.delete(id);
  }

  #isCombined(id: ServerId): boolean {
    const [first] = this.#places.get(id)?.server.checks ?? [];
    return first !== undefined && first.id !== id;
  }

  #combine(id: ServerId, at: EpochMillis, before: ServerHealth | undefined): void {
    const server = this.#places.get(id)?.server;
    if (server === undefined) return;
    const parts = server.checks.map((check) => this.#health.get(check.id) ?? unknownSince(at));
    this.#health.set(id, combine(server, parts, before, at));
  }
}
