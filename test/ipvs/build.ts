/** Short ways to write services, servers and tables in tests. */

import type { CheckRule, VerdictChange } from '../../src/checks/model.js';
import type { Config, OnFailure, ServerConfig, ServiceConfig } from '../../src/config/model.js';
import { NAME_RULE } from '../../src/config/names.js';
import { ip } from '../../src/core/ip.js';
import { epochMillis, micros, millis } from '../../src/core/units.js';
import { destText, serviceText } from '../../src/ipvs/keys.js';
import type {
  Dest,
  DestSeen,
  DestSettings,
  ObservedService,
  ObservedTable,
  Service,
  ServiceKey,
  ServiceSettings,
  SyncDaemon,
} from '../../src/ipvs/model.js';
import { ZERO_STATS } from '../../src/ipvs/observe.js';
import type {
  DriftPolicies,
  DriftPolicy,
  OwnershipChoice,
  OwnershipRules,
} from '../../src/ipvs/ownership.js';
import type { ServerHealth } from '../../src/world.js';
import { EVEN } from '../checks/rule.js';

export const SETTINGS: ServiceSettings = {
  scheduler: 'wlc',
  schedulerFlags: { flag1: false, flag2: false, flag3: false },
  onePacket: false,
  persistence: undefined,
  persistenceEngine: undefined,
};

export function key(address = '192.0.2.1', port = 80): ServiceKey {
  return { kind: 'address', protocol: 'tcp', address: ip(address), port };
}

export function service(serviceKey: ServiceKey = key(), settings: Partial<ServiceSettings> = {}): Service {
  return { key: serviceKey, settings: { ...SETTINGS, ...settings } };
}

export function dest(address: string, settings: Partial<DestSettings> = {}, port = 80): Dest {
  return {
    key: { address: ip(address), port },
    settings: { forward: { method: 'direct' }, weight: 1, upperThreshold: 0, lowerThreshold: 0, ...settings },
  };
}

export function seen(its: Dest): DestSeen {
  return { ...its, active: 0, inactive: 0, persistent: 0, stats: ZERO_STATS };
}

function observedService(its: Service, dests: readonly Dest[]): ObservedService {
  return {
    service: { ...its, stats: ZERO_STATS },
    dests: new Map(dests.map((one) => [destText(one.key), seen(one)])),
  };
}

export function table(...services: readonly (readonly [Service, readonly Dest[]])[]): ObservedTable {
  return new Map(services.map(([its, dests]) => [serviceText(its.key), observedService(its, dests)]));
}

const RULE: CheckRule = {
  ...EVEN,
  interval: millis(2000),
  timeout: millis(1000),
  rise: 2,
  fall: 3,
};

function serverConfig(serviceName: string, its: Dest, rule: Partial<CheckRule> = {}): ServerConfig {
  const name = destText(its.key);
  return {
    name,
    dest: its,
    followsPort: false,
    checks: [
      {
        id: `${serviceName}/${name}`,
        rule: { ...RULE, ...rule },
        probe: { type: 'tcp', target: { address: its.key.address, port: its.key.port } },
      },
    ],
    needed: 1,
  };
}

export function serviceConfig(
  name: string,
  its: Service,
  dests: readonly Dest[],
  options: { onFailure?: OnFailure; rule?: Partial<CheckRule>; ownership?: Partial<OwnershipChoice> } = {},
): ServiceConfig {
  return {
    name,
    entries: [its],
    onFailure: options.onFailure ?? 'remove',
    servers: dests.map((one) => serverConfig(name, one, options.rule)),
    quorum: { weight: 1, hysteresis: 0 },
    fallback: [],
    admit: undefined,
    tags: [],
    rails: { minimum: undefined, maximumRemovals: undefined },
    ownership: { drift: {}, onStop: undefined, onRemove: undefined, ...options.ownership },
  };
}

export function everyDrift(policy: DriftPolicy): DriftPolicies {
  return { service: policy, removed: policy, added: policy, weight: policy, settings: policy };
}

/** What holds where a configuration says nothing of ownership. */
export const RULES: OwnershipRules = {
  drift: everyDrift('repair'),
  besideDrift: { timeouts: 'repair', sync: 'repair' },
  onStop: { kind: 'keep' },
  onRemove: { kind: 'remove' },
  exclusive: false,
  coldStart: millis(60_000),
};

export function config(...services: readonly ServiceConfig[]): Config {
  return {
    name: 'director-test',
    table: 'memory',
    resync: millis(10_000),
    pathMarks: 0x4c56_0000,
    ownership: RULES,
    api: { listen: { kind: 'tcp', host: '127.0.0.1', port: 8405 }, tokens: [] },
    services,
    resolve: NAME_RULE,
    massFailure: undefined,
    probeBudget: undefined,
    alerts: [],
    vrrp: [],
    sync: undefined,
    timeouts: {},
    tracks: [],
    hooks: { all: undefined, single: new Map(), groups: new Map() },
    maintenance: [],
    state: undefined,
  };
}

export function change(
  id: string,
  verdict: 'up' | 'down',
  previous: VerdictChange['previous'],
): VerdictChange {
  return {
    id,
    verdict,
    previous,
    at: epochMillis(1_000_000),
    result: {
      outcome: verdict === 'up' ? 'pass' : 'fail',
      reason: verdict === 'up' ? { kind: 'ok' } : { kind: 'refused', phase: 'connect' },
      phases: [['connect', micros(120)]],
      elapsed: micros(120),
    },
  };
}

export function health(held: 'up' | 'down' | undefined): ServerHealth {
  return {
    verdict: held ?? 'unknown',
    held,
    since: epochMillis(0),
    lastChange: held === undefined ? undefined : change('any', held, 'unknown'),
  };
}

/** With everything but the length, which is the kernel's choice. */
export function syncDaemon(role: SyncDaemon['role'], more: Partial<SyncDaemon> = {}): SyncDaemon {
  return {
    role,
    interface: 'eth1',
    syncId: 51,
    maxLength: undefined,
    group: ip('224.0.0.81'),
    port: 8848,
    ttl: 1,
    ...more,
  };
}
