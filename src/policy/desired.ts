/** Hop 3: what the table should hold, from the configuration and what was judged of its servers. Pure. */
import type { CheckId } from '../checks/model.js';
import type { Config, FallbackServer, ServerConfig, ServiceConfig } from '../config/model.js';
import { millis } from '../core/units.js';
import { destText, serviceText } from '../ipvs/keys.js';
import type { Dest, ServiceKey } from '../ipvs/model.js';
import type { Cause, Desired, DesiredDest, DesiredServer, DesiredService } from '../ipvs/plan.js';
import type { ServerHealth } from '../world.js';
import { assumedSide } from './combine.js';
import { type Judgement, judge, NO_MEMORY, serverId } from './judge.js';
import type { ServerAdmin, ServerId, Standing } from './model.js';

function withWeight(dest: Dest, weight: number): Dest {
  if (dest.settings.weight === weight) return dest;
  return { key: dest.key, settings: { ...dest.settings, weight } };
}

function want(
  dest: Dest,
  standing: Standing | undefined,
  weight: number | undefined,
  otherwise: 'present' | 'absent',
): DesiredDest {
  // No verdict yet. What a predecessor left in the table is better knowledge than any assumption.
  if (standing === undefined || standing.kind === 'unknown') return { kind: 'hold', dest, otherwise };
  // Where it is not in the table there is nothing to wait for.
  if (standing.kind === 'leaving') return { kind: 'hold', dest: withWeight(dest, 0), otherwise: 'absent' };
  if (weight === undefined) return { kind: 'absent', dest };
  return { kind: 'present', dest: withWeight(dest, weight) };
}

function causeOf(
  service: string,
  server: string,
  standing: Standing | undefined,
  health: ServerHealth | undefined,
): Cause {
  const isHealth = standing === undefined || ['unknown', 'serving', 'down'].includes(standing.kind);
  if (!isHealth) return { kind: 'policy', service, server, standing };
  const change = health?.lastChange;
  if (change === undefined) return { kind: 'configured', service, server };
  return { kind: 'verdict', service, server, verdict: change.verdict, reason: change.result.reason };
}

/** How a server stands in an entry of its service. */
export function destIn(server: ServerConfig | FallbackServer, entry: ServiceKey): Dest {
  const { dest } = server;
  const port = server.followsPort ? portOf(entry) : dest.key.port;
  if (port === dest.key.port) return dest;
  return { key: { address: dest.key.address, port }, settings: dest.settings };
}

/** The port of a server that states none. */
function portOf(entry: ServiceKey): number {
  return entry.kind === 'fwmark' ? 0 : entry.port;
}

/** The servers of a service, as they were judged, as they stand in an entry. */
function serversIn(
  entry: ServiceKey,
  service: ServiceConfig,
  { standing, weights }: Judgement,
  health: ReadonlyMap<CheckId, ServerHealth>,
): ReadonlyMap<string, DesiredServer> {
  const servers = new Map<string, DesiredServer>();
  const add = (server: ServerConfig | FallbackServer, otherwise: 'present' | 'absent'): void => {
    const id = serverId(service, server);
    const its = standing.servers.get(id);
    const dest = destIn(server, entry);
    servers.set(destText(dest.key), {
      server: server.name,
      want: want(dest, its, weights.get(id), otherwise),
      cause: causeOf(service.name, server.name, its, health.get(id)),
    });
  };
  for (const server of service.servers) add(server, assumedSide(server) === 'up' ? 'present' : 'absent');
  for (const tier of service.fallback) for (const server of tier) add(server, 'absent');
  return servers;
}

/**
 * One service, by `serviceText` of its entries: present always; its servers as they were judged.
 * Entries of the same port share what is wanted of their servers: cost is entries plus servers, not their product.
 */
export function desiredEntries(
  service: ServiceConfig,
  judgement: Judgement,
  health: ReadonlyMap<CheckId, ServerHealth>,
): ReadonlyMap<string, DesiredService> {
  const byPort = new Map<number, ReadonlyMap<string, DesiredServer>>();
  const desired = new Map<string, DesiredService>();
  for (const entry of service.entries) {
    const port = portOf(entry.key);
    const servers = byPort.get(port) ?? serversIn(entry.key, service, judgement, health);
    byPort.set(port, servers);
    desired.set(serviceText(entry.key), { name: service.name, service: entry, servers });
  }
  return desired;
}

/** Where a service stands in the table: the keys of its entries there. */
export function entriesOf(service: ServiceConfig): readonly string[] {
  return service.entries.map(({ key }) => serviceText(key));
}

/** The whole configuration as it is judged without a memory: what a daemon that starts now wants. By `serviceText`. */
export function computeDesired(
  config: Config,
  health: ReadonlyMap<CheckId, ServerHealth>,
  admin: ReadonlyMap<ServerId, ServerAdmin> = new Map(),
): Desired {
  const desired = new Map<string, DesiredService>();
  for (const service of config.services) {
    const judgement = judge(service, { health, admin }, NO_MEMORY, millis(0));
    for (const [text, entry] of desiredEntries(service, judgement, health)) desired.set(text, entry);
  }
  return desired;
}
