/** Hop 3: what the table should hold, from the configuration and the health of its servers. Pure. */
import type { CheckId } from '../checks/model.js';
import type { Config, ServerConfig, ServiceConfig } from '../config/model.js';
import type { ServerHealth } from '../world.js';
import { destText, serviceText } from './keys.js';
import type { Dest } from './model.js';
import type { Cause, DesiredDest, DesiredServer, DesiredService } from './plan.js';

type HealthMap = ReadonlyMap<CheckId, ServerHealth>;

function withWeight(dest: Dest, weight: number): Dest {
  return { key: dest.key, settings: { ...dest.settings, weight } };
}

function want(service: ServiceConfig, server: ServerConfig, health: ServerHealth | undefined): DesiredDest {
  switch (health?.held) {
    case 'up':
      return { kind: 'present', dest: server.dest };
    case 'down':
      return service.onFailure === 'quiesce'
        ? { kind: 'present', dest: withWeight(server.dest, 0) }
        : { kind: 'absent', dest: server.dest };
    default:
      // No verdict yet. What a predecessor left in the table is better knowledge than any assumption.
      return {
        kind: 'hold',
        dest: server.dest,
        otherwise: server.check.rule.assume === 'up' ? 'present' : 'absent',
      };
  }
}

function causeOf(service: ServiceConfig, server: ServerConfig, health: ServerHealth | undefined): Cause {
  const change = health?.lastChange;
  if (change === undefined) return { kind: 'configured', service: service.name, server: server.name };
  return {
    kind: 'verdict',
    service: service.name,
    server: server.name,
    verdict: change.verdict,
    reason: change.result.reason,
  };
}

/** One service: present always; its servers as their health says. */
export function computeDesiredService(service: ServiceConfig, health: HealthMap): DesiredService {
  const servers = new Map<string, DesiredServer>();
  for (const server of service.servers) {
    const its = health.get(server.check.id);
    servers.set(destText(server.dest.key), {
      server: server.name,
      want: want(service, server, its),
      cause: causeOf(service, server, its),
    });
  }
  return { name: service.name, service: service.service, servers };
}

/** The whole configuration, in its order, by `serviceText`. */
export function computeDesired(config: Config, health: HealthMap): Map<string, DesiredService> {
  return new Map(
    config.services.map((service) => [
      serviceText(service.service.key),
      computeDesiredService(service, health),
    ]),
  );
}
