/** Hop 3: what the table should hold, from the configuration and what was judged of its servers. Pure. */
import type { CheckId } from '../checks/model.js';
import type { Config, FallbackServer, ServerConfig, ServiceConfig } from '../config/model.js';
import { millis } from '../core/units.js';
import { destText, serviceText } from '../ipvs/keys.js';
import type { Dest } from '../ipvs/model.js';
import type { Cause, Desired, DesiredDest, DesiredServer, DesiredService } from '../ipvs/plan.js';
import type { ServerHealth } from '../world.js';
import { type Judgement, judge, NO_MEMORY, serverId } from './judge.js';
import type { ServerAdmin, ServerId, Standing } from './model.js';

function withWeight(dest: Dest, weight: number): Dest {
  if (dest.settings.weight === weight) return dest;
  return { key: dest.key, settings: { ...dest.settings, weight } };
}

function want(
  server: ServerConfig | FallbackServer,
  standing: Standing | undefined,
  weight: number | undefined,
  otherwise: 'present' | 'absent',
): DesiredDest {
  // No verdict yet. What a predecessor left in the table is better knowledge than any assumption.
  if (standing === undefined || standing.kind === 'unknown')
    return { kind: 'hold', dest: server.dest, otherwise };
  if (weight === undefined) return { kind: 'absent', dest: server.dest };
  return { kind: 'present', dest: withWeight(server.dest, weight) };
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

/** One service: present always; its servers as they were judged. */
export function desiredService(
  service: ServiceConfig,
  { standing, weights }: Judgement,
  health: ReadonlyMap<CheckId, ServerHealth>,
): DesiredService {
  const servers = new Map<string, DesiredServer>();
  const add = (server: ServerConfig | FallbackServer, otherwise: 'present' | 'absent'): void => {
    const id = serverId(service, server);
    const its = standing.servers.get(id);
    servers.set(destText(server.dest.key), {
      server: server.name,
      want: want(server, its, weights.get(id), otherwise),
      cause: causeOf(service.name, server.name, its, health.get(id)),
    });
  };
  for (const server of service.servers) add(server, server.check.rule.assume === 'up' ? 'present' : 'absent');
  for (const tier of service.fallback) for (const server of tier) add(server, 'absent');
  return { name: service.name, service: service.service, servers };
}

/** Where a service stands in the table: the keys of its entries there. */
export function entriesOf(service: ServiceConfig): readonly string[] {
  return [serviceText(service.service.key)];
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
    for (const entry of entriesOf(service)) desired.set(entry, desiredService(service, judgement, health));
  }
  return desired;
}
