/** Any table, any configuration: for laws. */
import fc from 'fast-check';
import type { ObservedTable } from '../../src/ipvs/model.js';
import { computeDesired } from '../../src/policy/desired.js';
import type { ServerHealth } from '../../src/world.js';
import { config, dest, health, key, service, serviceConfig, table } from './build.js';

const hosts = fc.integer({ min: 1, max: 6 }).map((host) => `192.0.2.${host}`);
const weights = fc.integer({ min: 0, max: 3 });
const dests = fc
  .uniqueArray(fc.tuple(hosts, weights, fc.constantFrom('direct', 'masquerade')), {
    selector: ([host]) => host,
  })
  .map((list) =>
    list.map(([host, weight, method]) =>
      dest(host, { weight, forward: { method: method === 'direct' ? 'direct' : 'masquerade' } }),
    ),
  );
export const services = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom('wlc', 'rr'), dests), {
    selector: ([last]) => last,
  })
  .map((list) =>
    list.map(([last, scheduler, its]) => [service(key(`198.51.100.${last}`), { scheduler }), its] as const),
  );
const helds = fc.constantFrom<'up' | 'down' | undefined>('up', 'down', undefined);

/** A table, what is desired of it, and what an earlier configuration desired. */
export const worlds = fc.record({
  observed: services.map((list) => table(...list)),
  configured: fc
    .tuple(services, fc.array(helds, { minLength: 24, maxLength: 24 }), fc.constantFrom('remove', 'quiesce'))
    .map(([list, states, onFailure]) => {
      const its = list.map(([one, servers], index) =>
        serviceConfig(`s${index}`, one, servers, {
          onFailure: onFailure === 'remove' ? 'remove' : 'quiesce',
        }),
      );
      const known = new Map<string, ServerHealth>();
      let next = 0;
      for (const one of its) {
        for (const server of one.servers)
          known.set(server.checks[0].id, health(states[next++ % states.length]));
      }
      return computeDesired(config(...its), known);
    }),
  before: services.map((list) =>
    computeDesired(config(...list.map(([one, its], i) => serviceConfig(`b${i}`, one, its))), new Map()),
  ),
});

/** How many servers of a service get new connections. */
export function inService(observed: ObservedTable, text: string): number {
  return [...(observed.get(text)?.dests.values() ?? [])].filter((one) => one.settings.weight > 0).length;
}
