/** What the book writes down of servers and services, and what of it outlives a reload. Pure. */
import type { CheckId } from '../checks/model.js';
import type { FallbackServer, ServerConfig, ServiceConfig } from '../config/model.js';
import type { EpochMillis } from '../core/units.js';
import { destText, serviceText } from '../ipvs/keys.js';
import type { ObservedTable, ServiceKey } from '../ipvs/model.js';
import type { ServerHealth } from '../world.js';
import { destIn } from './desired.js';
import { type Judgement, serverId } from './judge.js';
import type { ServerAdmin, ServerId } from './model.js';
import type { Place } from './news.js';

export type Server = ServerConfig | FallbackServer;

/** A server and what is known of it. */
export interface Entry {
  readonly server: Server;
  readonly health: ServerHealth | undefined;
  readonly admin: ServerAdmin | undefined;
}

/** A service and what was judged of it last. */
export interface Page {
  readonly service: ServiceConfig;
  readonly judgement: Judgement;
}

/** Those of its fallback included. */
export function serversOf(service: ServiceConfig): readonly Server[] {
  return service.fallback.length === 0 ? service.servers : [...service.servers, ...service.fallback.flat()];
}

/** Nothing is known of a check. */
export function unknownSince(since: EpochMillis): ServerHealth {
  return { verdict: 'unknown', held: undefined, since, lastChange: undefined };
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
  const ramps = new Map([...memory.ramps].filter(([id]) => ids.has(id)));
  const inside = new Set([...memory.in].filter((id) => ids.has(id)));
  return { ...page.judgement, memory: { ...memory, out, ramps, in: inside } };
}

/** The addresses of checks that the run before ended with, and of those that were down. */
export function addressesOf(
  verdicts: ReadonlyMap<CheckId, { readonly verdict: 'up' | 'down' }>,
  places: ReadonlyMap<ServerId, Place>,
): { readonly down: number; readonly all: number } {
  const all = new Set<string>();
  const down = new Set<string>();
  for (const [id, { verdict }] of verdicts) {
    const address = places.get(id)?.server.dest.key.address;
    if (address === undefined) continue;
    all.add(address);
    if (verdict === 'down') down.add(address);
  }
  return { down: down.size, all: all.size };
}

/** The weight of a server in one entry of the table; undefined where it is not there. */
export function weightIn(
  observed: ObservedTable | undefined,
  key: ServiceKey,
  server: Server,
): number | undefined {
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

/** The checked servers of these checks, by their services. */
export function byService(
  ids: Iterable<CheckId>,
  places: ReadonlyMap<ServerId, Place>,
): ReadonlyMap<ServiceConfig, readonly ServerConfig[]> {
  const found = new Map<ServiceConfig, ServerConfig[]>();
  for (const id of ids) {
    const place = places.get(id);
    const check = place?.server.check;
    if (place === undefined || check === undefined) continue;
    const servers = found.get(place.service) ?? [];
    found.set(place.service, [...servers, { ...place.server, check }]);
  }
  return found;
}

/** What the table has a server as, where its check assumes just that. */
export function heldInTable(
  observed: ObservedTable | undefined,
  place: Place | undefined,
): 'up' | 'down' | undefined {
  const server = place?.service.servers.find((one) => one === place.server);
  if (place === undefined || server?.check.rule.assume !== 'kernel') return undefined;
  return isIdle(observed, place.service, server) ? 'down' : 'up';
}
