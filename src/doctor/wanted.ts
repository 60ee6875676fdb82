/** What a configuration, or a table, asks of the machine. */
import type { Check } from '../checks/model.js';
import type { Config } from '../config/model.js';
import { endpointText } from '../core/ip.js';
import { serviceText } from '../ipvs/keys.js';
import type { ObservedTable, Service } from '../ipvs/model.js';
import type { Wanted, WantedServer, WantedService } from './model.js';

function serviceOf(name: string, { key, settings }: Service): WantedService {
  const isAddress = key.kind === 'address';
  return {
    name,
    address: isAddress ? key.address : undefined,
    port: isAddress ? key.port : undefined,
    persistent: settings.persistence !== undefined,
  };
}

function kindsOf(services: readonly Service[]): Pick<Wanted, 'schedulers' | 'persistenceEngines'> {
  const engines = services.flatMap(({ settings: { persistenceEngine: name } }) =>
    name === undefined ? [] : [name],
  );
  return {
    schedulers: [...new Set(services.map(({ settings }) => settings.scheduler))].sort(),
    persistenceEngines: [...new Set(engines)].sort(),
  };
}

function busiestOf(checks: readonly Check[]): Wanted['busiest'] {
  const rates = new Map<string, number>();
  for (const { rule, probe, through } of checks) {
    const { address, port } = through?.dest.key ?? probe.target;
    const target = port === 0 ? address : endpointText(address, port);
    rates.set(target, (rates.get(target) ?? 0) + 1000 / rule.interval);
  }
  let busiest: Wanted['busiest'];
  for (const [target, perSecond] of rates)
    if (perSecond > (busiest?.perSecond ?? 0)) busiest = { target, perSecond };
  return busiest;
}

/** Of a configuration. */
export function wantedOf(config: Config): Wanted {
  const services = config.services.flatMap(({ name, entries }) =>
    entries.map((entry) => serviceOf(name, entry)),
  );
  const servers = config.services.flatMap(({ name, servers: own, fallback }) =>
    [...own, ...fallback.flat()].map(({ dest }): WantedServer => {
      return { service: name, address: dest.key.address, method: dest.settings.forward.method };
    }),
  );
  const checks = config.services.flatMap((each) =>
    [...each.servers, ...each.fallback.flat()].flatMap(({ checks: own }) => own),
  );
  return {
    configured: true,
    services,
    servers,
    ...kindsOf(config.services.flatMap(({ entries }) => entries)),
    routers: config.vrrp.map(({ instance, addresses }) => ({
      name: instance.name,
      interface: instance.interface,
      addresses: addresses.map(({ address }) => address),
    })),
    synchronised: config.sync !== undefined,
    checks: checks.length,
    pings: checks.filter(({ probe }) => probe.type === 'ping').length,
    busiest: busiestOf(checks),
  };
}

/** Of a table, whoever made it. */
export function wantedOfTable(table: ObservedTable): Wanted {
  const entries = [...table.values()];
  return {
    configured: false,
    services: entries.map(({ service }) => serviceOf(serviceText(service.key), service)),
    servers: entries.flatMap(({ service, dests }) =>
      [...dests.values()].map(({ key, settings }): WantedServer => {
        return { service: serviceText(service.key), address: key.address, method: settings.forward.method };
      }),
    ),
    ...kindsOf(entries.map(({ service }) => service)),
    routers: [],
    synchronised: false,
    checks: 0,
    pings: 0,
    busiest: undefined,
  };
}

/** The modules of the kernel that this takes; `ip_vs` itself is the first. */
export function modulesOf({ schedulers, persistenceEngines, services, servers }: Wanted): readonly string[] {
  const isFtp =
    services.some(({ port }) => port === 21) && servers.some(({ method }) => method === 'masquerade');
  return [
    'ip_vs',
    ...schedulers.map((name) => `ip_vs_${name}`),
    ...persistenceEngines.map((name) => `ip_vs_pe_${name}`),
    ...(isFtp ? ['ip_vs_ftp'] : []),
  ];
}
