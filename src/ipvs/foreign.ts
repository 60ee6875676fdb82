/** What of the table is not ours: neither in the configuration nor left over from an earlier one. Pure. */
import type { ObservedTable } from './model.js';
import type { Foreign, ForeignServer, ForeignService } from './ownership.js';
import type { Desired } from './plan.js';
import type { Retired } from './retire.js';

export const NOTHING_FOREIGN: Foreign = { services: [], servers: [] };

/** All that is foreign in a table. Cost: one pass over it. */
export function findForeign(desired: Desired, retired: Retired, observed: ObservedTable): Foreign {
  const services: ForeignService[] = [];
  const servers: ForeignServer[] = [];
  for (const [service, { service: its, dests }] of observed) {
    const ours = desired.get(service)?.servers;
    const gone = retired.get(service);
    if (ours === undefined && gone === undefined) {
      services.push({ service, key: its.key, servers: dests.size });
      continue;
    }
    for (const [server, { key }] of dests) {
      if (ours?.has(server) === true || gone?.dests.has(server) === true) continue;
      servers.push({ service, serviceKey: its.key, server, key });
    }
  }
  return services.length + servers.length === 0 ? NOTHING_FOREIGN : { services, servers };
}

/** `tcp 192.0.2.9:80` or `192.0.2.9:80 in tcp 192.0.2.1:80`: unique, for sets and people. */
export function foreignTexts({ services, servers }: Foreign): string[] {
  return [
    ...services.map(({ service }) => service),
    ...servers.map(({ service, server }) => `${server} in ${service}`),
  ];
}

/** The first `most` of what is foreign. */
export function firstForeign({ services, servers }: Foreign, most: number): Foreign {
  const first = services.slice(0, most);
  return { services: first, servers: servers.slice(0, most - first.length) };
}

/** By the `serviceText` of the service of ours that they are in. */
export function foreignServersByService(
  foreign: Foreign = NOTHING_FOREIGN,
): ReadonlyMap<string, readonly ForeignServer[]> {
  const found = new Map<string, ForeignServer[]>();
  for (const server of foreign.servers) {
    const others = found.get(server.service);
    if (others === undefined) found.set(server.service, [server]);
    else others.push(server);
  }
  return found;
}
