/** What the book writes down of servers and services, and what of it outlives a reload. Pure. */
import type { Check, CheckId } from '../checks/model.js';
import type { FallbackServer, ServerConfig, ServiceConfig } from '../config/model.js';
import type { Millis } from '../core/units.js';
import { destText, serviceText } from '../ipvs/keys.js';
import type { ObservedService, ObservedTable, ServiceKey } from '../ipvs/model.js';
import type { DesiredService } from '../ipvs/plan.js';
import type { ServerHealth } from '../world.js';
import { destIn, entriesOf } from './desired.js';
import { countConnections, totalOf } from './drain.js';
import { type Judgement, serverId } from './judge.js';
import { withoutLeaving } from './leaving.js';
import type { Connections, MassEffect, ServerAdmin, ServerId } from './model.js';
import type { Place } from './news.js';
import type { Remembered, Roster } from './roster.js';

export type Server = ServerConfig | FallbackServer;

/** A server and what is known of it. */
export interface Entry {
  readonly server: Server;
  /** Of the server and its checks, by id. */
  readonly health: ReadonlyMap<CheckId, ServerHealth>;
  readonly admin: ServerAdmin | undefined;
}

/** A service and what was judged of it last. */
export interface Page {
  readonly service: ServiceConfig;
  readonly judgement: Judgement;
}

/** What is written down of services, and what comes of it. */
interface Written {
  /** By name. */
  readonly pages: Map<string, Page>;
  /** By `serviceText`. */
  readonly desired: Map<string, DesiredService>;
  /** By name. */
  readonly due: Map<string, Millis>;
}

/** Takes what stands of a service over as it is. */
export function keepPage(page: Page, from: Written, into: Written): void {
  const { service } = page;
  into.pages.set(service.name, page);
  const due = from.due.get(service.name);
  if (due !== undefined) into.due.set(service.name, due);
  for (const entry of entriesOf(service)) {
    const desired = from.desired.get(entry);
    if (desired !== undefined) into.desired.set(entry, desired);
  }
}

/** Whether these are the services that there are, one after the other, with the same entries in the table. */
export function standInPlace(services: readonly ServiceConfig[], pages: ReadonlyMap<string, Page>): boolean {
  if (services.length !== pages.size) return false;
  let at = 0;
  for (const { service: before } of pages.values()) {
    const service = services[at];
    at += 1;
    if (service === before) continue;
    if (service?.name !== before.name || entriesOf(service).join() !== entriesOf(before).join()) return false;
  }
  return true;
}

/** Those of its fallback included. */
export function serversOf(service: ServiceConfig): readonly Server[] {
  return service.fallback.length === 0 ? service.servers : [...service.servers, ...service.fallback.flat()];
}

/** Whether it is the server that had this name before. */
export function sameServer(before: Server | undefined, now: Server): boolean {
  return before !== undefined && destText(before.dest.key) === destText(now.dest.key);
}

/** What a service that stays remembers: of servers that are gone nothing, and new ones come in as if they were back. */
export function remembered(
  page: Page,
  service: ServiceConfig,
  isKnown: (id: ServerId) => boolean,
): Judgement {
  const { memory } = page.judgement;
  const ids = new Set(service.servers.map((server) => serverId(service, server)));
  const out = new Set([...memory.out].filter((id) => ids.has(id)));
  for (const id of ids) if (!isKnown(id)) out.add(id);
  const taken = new Set([...memory.taken].filter((id) => ids.has(id) && isKnown(id)));
  const ramps = new Map([...memory.ramps].filter(([id]) => ids.has(id)));
  const inside = new Set([...memory.in].filter((id) => ids.has(id)));
  const fallbacks = withoutLeaving(memory.fallbacks, (id) => !isKnown(id));
  return { ...page.judgement, memory: { ...memory, out, taken, ramps, in: inside, fallbacks } };
}

/** The addresses of checks that the run before ended with, and of those that were down. */
function addressesOf(
  verdicts: ReadonlyMap<CheckId, Remembered>,
  roster: Roster,
): { readonly down: number; readonly all: number } {
  const all = new Set<string>();
  const down = new Set<string>();
  for (const [id, { verdict }] of verdicts) {
    const address = roster.placeOf(id)?.server.dest.key.address;
    if (address === undefined) continue;
    all.add(address);
    if (verdict === 'down') down.add(address);
  }
  return { down: down.size, all: all.size };
}

/** A verdict of the run before, and what it is of. */
export interface Recalled {
  readonly check: Check;
  readonly verdict: Remembered;
  readonly service: ServiceConfig;
}

/** Of the checks that there still are; where most were down these are left out. */
export function* believable(
  verdicts: ReadonlyMap<CheckId, Remembered>,
  roster: Roster,
  mass: { isMost(part: number, of: number): boolean },
): Generator<Recalled, void, undefined> {
  const { down, all } = addressesOf(verdicts, roster);
  const isDoubtful = mass.isMost(down, all);
  for (const [id, verdict] of verdicts) {
    const check = roster.checkOf(id);
    const service = roster.placeOf(id)?.service;
    if (check === undefined || service === undefined) continue;
    if (!isDoubtful || verdict.verdict === 'up') yield { check, verdict, service };
  }
}

/** The weight of a server in one entry of the table; undefined where it is not there. */
function weightIn(observed: ObservedTable | undefined, key: ServiceKey, server: Server): number | undefined {
  return observed?.get(serviceText(key))?.dests.get(destText(destIn(server, key).key))?.settings.weight;
}

/** Whether the table gives a server no connections. Before the first look at the table it is not thought so. */
export function isIdle(
  observed: ObservedTable | undefined,
  service: ServiceConfig,
  server: ServerConfig,
): boolean {
  if (observed === undefined) return false;
  return service.entries.every(({ key }) => (weightIn(observed, key, server) ?? 0) === 0);
}

/** These servers by their services. */
export function byService(
  ids: Iterable<ServerId>,
  places: ReadonlyMap<ServerId, Place>,
): ReadonlyMap<ServiceConfig, readonly Server[]> {
  const found = new Map<ServiceConfig, Server[]>();
  for (const id of ids) {
    const place = places.get(id);
    if (place === undefined) continue;
    const servers = found.get(place.service);
    if (servers === undefined) found.set(place.service, [place.server]);
    else servers.push(place.server);
  }
  return found;
}

/** What the table has a server as, where this check of it assumes just that. */
export function heldInTable(
  observed: ObservedTable | undefined,
  place: Place | undefined,
  id: CheckId,
): 'up' | 'down' | undefined {
  const check = place?.server.checks.find((one) => one.id === id);
  if (place === undefined || check?.rule.assume !== 'kernel') return undefined;
  const server = place.service.servers.find((one) => one === place.server);
  if (server === undefined) return undefined;
  return isIdle(observed, place.service, server) ? 'down' : 'up';
}

/** Whether the table holds a server. @param unknown what holds before the first look at the table */
export function inTable(
  observed: ObservedTable | undefined,
  unknown: boolean,
): (service: ServiceConfig, server: Server) => boolean {
  if (observed === undefined) return () => unknown;
  return (service, server) =>
    service.entries.some(({ key }) => weightIn(observed, key, server) !== undefined);
}

/** Entries of the table as they were read (undefined: not there), by `serviceText`. */
export type Sight = ReadonlyMap<string, ObservedService | undefined>;

/** What a server has left in all entries of its service; undefined where not all were read, or it still gets clients. */
export function countIn({ service, server }: Place, seen: Sight): Connections | undefined {
  if (!entriesOf(service).every((text) => seen.has(text))) return undefined;
  return countConnections(
    service.entries.map(({ key }) =>
      seen.get(serviceText(key))?.dests.get(destText(destIn(server, key).key)),
    ),
  );
}

/** The page without the fallbacks that have no connections any more; undefined where nothing is otherwise. */
function withoutEmpty(page: Page, seen: Sight): Page | undefined {
  const { service, judgement } = page;
  const { fallbacks } = judgement.memory;
  const empty = new Set<ServerId>();
  for (const server of service.fallback.flat()) {
    const id = serverId(service, server);
    const left = fallbacks.leaving.has(id) ? countIn({ service, server }, seen) : undefined;
    if (left !== undefined && totalOf(left) === 0) empty.add(id);
  }
  if (empty.size === 0) return undefined;
  const memory = { ...judgement.memory, fallbacks: withoutLeaving(fallbacks, (id) => empty.has(id)) };
  return { service, judgement: { ...judgement, memory } };
}

/** The pages of services with a fallback that finished its connections, as they are without it. */
export function emptied(
  leaving: Iterable<ServiceConfig>,
  pages: ReadonlyMap<string, Page>,
  seen: Sight,
): readonly Page[] {
  return [...leaving].flatMap(({ name }) => {
    const page = pages.get(name);
    return (page && withoutEmpty(page, seen)) ?? [];
  });
}

/** What is done about most servers failing at once, where it is held by checks, by servers. */
export function byServers(
  effect: MassEffect | undefined,
  places: ReadonlyMap<ServerId, Place>,
): MassEffect | undefined {
  if (effect?.kind !== 'hold') return effect;
  const has = (id: ServerId): boolean =>
    places.get(id)?.server.checks.some((check) => effect.ids.has(check.id)) === true;
  return { kind: 'hold', ids: { has } };
}

/** The services of servers, one as often as it has servers among them. */
export function servicesOf(
  ids: Iterable<ServerId>,
  places: ReadonlyMap<ServerId, Place>,
): readonly ServiceConfig[] {
  return [...ids].flatMap((id) => places.get(id)?.service ?? []);
}

/** Where services stand in the table, by name: their entries by `serviceText`. */
export function keysOf(
  services: Iterable<ServiceConfig>,
): ReadonlyMap<string, ReadonlyMap<string, ServiceKey>> {
  return new Map(
    [...services].map(({ name, entries }) => [
      name,
      new Map(entries.map(({ key }) => [serviceText(key), key])),
    ]),
  );
}

/** A first verdict that only confirms what the table already does is no news. */
export function isNews(
  observed: ObservedTable | undefined,
  { service, server }: Place,
  before: 'up' | 'down' | undefined,
  held: typeof before,
): boolean {
  if (held === undefined) return false;
  if (before !== undefined) return before !== held;
  if (held === 'down') return true;
  const seen = weightIn(observed, service.entries[0].key, server);
  return seen === undefined || (seen === 0 && server.dest.settings.weight > 0);
}
