/** What the kernel counts of services and servers: the sums over their entries in the table. */
import type { FallbackServer, ServerConfig, ServiceConfig } from '../config/model.js';
import { destText } from '../ipvs/keys.js';
import type { DestSeen, ObservedService, Stats } from '../ipvs/model.js';
import { ZERO_STATS } from '../ipvs/observe.js';
import { destIn } from '../policy/desired.js';

type Connections = Pick<DestSeen, 'active' | 'inactive' | 'persistent'>;

/** Counters keep their 64 bits. */
export interface Traffic extends Connections {
  readonly stats: Stats;
}

export interface TrafficStatus extends Readonly<Record<keyof Stats, number>>, Connections {}

const NAMES = Object.keys(ZERO_STATS) as readonly (keyof Stats)[];

function sumStats(all: readonly Stats[]): Stats {
  const [first = ZERO_STATS, ...rest] = all;
  if (rest.length === 0) return first;
  const sums: Record<keyof Stats, bigint> = { ...first };
  for (const stats of rest) for (const name of NAMES) sums[name] += stats[name];
  return sums;
}

function sumConnections(all: Iterable<Connections>): Connections {
  let [active, inactive, persistent] = [0, 0, 0];
  for (const each of all) {
    active += each.active;
    inactive += each.inactive;
    persistent += each.persistent;
  }
  return { active, inactive, persistent };
}

/** A server in each entry of its service that has it. */
export function destsOf(
  service: ServiceConfig,
  server: ServerConfig | FallbackServer,
  seen: readonly (ObservedService | undefined)[],
): readonly DestSeen[] {
  return service.entries.flatMap(
    ({ key }, index) => seen[index]?.dests.get(destText(destIn(server, key).key)) ?? [],
  );
}

/** Of one server in all entries that hold it; undefined where none does. */
export function serverTraffic(seen: readonly DestSeen[]): Traffic | undefined {
  if (seen.length === 0) return undefined;
  return { ...sumConnections(seen), stats: sumStats(seen.map(({ stats }) => stats)) };
}

/** Of a service in all entries that it has in the table; undefined where it has none. */
export function serviceTraffic(entries: readonly (ObservedService | undefined)[]): Traffic | undefined {
  const seen = entries.filter((entry) => entry !== undefined);
  if (seen.length === 0) return undefined;
  // The kernel counts connections for servers alone.
  const connections = sumConnections(seen.flatMap(({ dests }) => [...dests.values()]));
  return { ...connections, stats: sumStats(seen.map(({ service }) => service.stats)) };
}

/** As answers have it. */
export function trafficStatus(traffic: Traffic | undefined): TrafficStatus | null {
  if (traffic === undefined) return null;
  const { active, inactive, persistent, stats } = traffic;
  return {
    active,
    inactive,
    persistent,
    connections: Number(stats.connections),
    packetsIn: Number(stats.packetsIn),
    packetsOut: Number(stats.packetsOut),
    bytesIn: Number(stats.bytesIn),
    bytesOut: Number(stats.bytesOut),
    connectionsPerSecond: Number(stats.connectionsPerSecond),
    packetsInPerSecond: Number(stats.packetsInPerSecond),
    packetsOutPerSecond: Number(stats.packetsOutPerSecond),
    bytesInPerSecond: Number(stats.bytesInPerSecond),
    bytesOutPerSecond: Number(stats.bytesOutPerSecond),
  };
}

/** The weight of a server in the entries of its service: the smallest, where they differ; undefined where it is in none. */
export function weightOf(dests: readonly DestSeen[]): number | undefined {
  let least: number | undefined;
  for (const { settings } of dests) least = Math.min(settings.weight, least ?? settings.weight);
  return least;
}
