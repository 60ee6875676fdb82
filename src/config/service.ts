/** One virtual service with its servers. */
import { serviceFamily } from '../ipvs/keys.js';
import type { Service, ServiceKey } from '../ipvs/model.js';
import type { Defaults } from './check.js';
import { checksAt } from './check-set.js';
import { type Checked, type Context, type Cursor, FAULTY, items, member, read } from './cursor.js';
import { forwardOf } from './forward.js';
import type { NamedServers, ServerConfig, ServiceConfig } from './model.js';
import { isOnLoopback, possibleServers } from './names.js';
import { ownershipChoice } from './ownership.js';
import { admitOf, fallbackOf, quorumOf } from './policy.js';
import { railsOf } from './rails.js';
import type { RawService } from './schema.js';
import { completeServer, nameAt, type ServiceFacts } from './server.js';
import { completeNamed } from './server-named.js';
import { type Keys, keyFacts, serviceKeys } from './service-keys.js';
import { type SettingsByFamily, serviceSettings } from './service-settings.js';

interface Servers {
  readonly servers: readonly ServerConfig[];
  readonly names: readonly NamedServers[];
}

function completeServers(context: Context, at: Cursor<RawService>, facts: ServiceFacts): Checked<Servers> {
  const list = member(at, 'servers');
  if (list === undefined || list === FAULTY) return FAULTY;
  const all = items(list);
  const servers: ServerConfig[] = [];
  const names: NamedServers[] = [];
  for (const item of all) {
    const host = item === FAULTY ? FAULTY : nameAt(item);
    if (item === FAULTY || host === FAULTY) continue;
    const one =
      host === undefined ? completeServer(context, item, facts) : completeNamed(context, item, host, facts);
    if (one === FAULTY) continue;
    if ('serverAt' in one) names.push(one);
    else servers.push(one);
  }
  return servers.length + names.length === all.length ? { servers, names } : FAULTY;
}

function standsOnLoopback(keys: Keys): boolean {
  return isOnLoopback(keys.flatMap((key) => (key.kind === 'address' ? [key.address] : [])));
}

function entriesOf(keys: Keys, settings: SettingsByFamily): ServiceConfig['entries'] {
  const entry = (key: ServiceKey): Service => ({ key, settings: settings[serviceFamily(key)] });
  const [first, ...others] = keys;
  return [entry(first), ...others.map(entry)];
}

/** Completes one service. */
export function completeService(
  context: Context,
  name: string,
  at: Cursor<RawService>,
  defaults: Checked<Defaults>,
): Checked<ServiceConfig> {
  const keys = serviceKeys(context, at);
  const settings = serviceSettings(context, at, keys);
  const onFailure = read(at, 'on-failure', 'remove');
  const forward = forwardOf(context, at, { method: 'direct' });
  const check = checksAt(context, at, defaults);
  const facts: ServiceFacts = {
    name,
    keys: keys === FAULTY ? FAULTY : keyFacts(keys),
    persistent: member(at, 'persistence') !== undefined,
    onLoopback: keys !== FAULTY && standsOnLoopback(keys),
    forward,
    check,
    names: new Map(),
    endpoints: { stated: new Map(), inEntry: new Map(), following: new Map() },
  };
  const servers = completeServers(context, at, facts);
  const possible = servers === FAULTY ? FAULTY : possibleServers(servers);
  const quorum = quorumOf(context, at, possible);
  const fallback = fallbackOf(context, at, facts);
  const admit = admitOf(at);
  const ownership = ownershipChoice(at);
  const tags = read(at, 'tags', []);
  const rails = railsOf(context, at, defaults, possible);
  if (keys === FAULTY || settings === FAULTY || onFailure === FAULTY || servers === FAULTY) return FAULTY;
  if (quorum === FAULTY || fallback === FAULTY || admit === FAULTY || ownership === FAULTY) return FAULTY;
  if (rails === FAULTY || tags === FAULTY) return FAULTY;
  return {
    name,
    entries: entriesOf(keys, settings),
    onFailure,
    servers: servers.servers,
    ...(servers.names.length === 0 ? {} : { names: servers.names }),
    quorum,
    fallback,
    admit,
    ownership,
    rails,
    tags,
  };
}
