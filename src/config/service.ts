/** One virtual service with its servers. */
import { serviceFamily } from '../ipvs/keys.js';
import type { Service, ServiceKey } from '../ipvs/model.js';
import type { Defaults } from './check.js';
import { checksAt } from './check-set.js';
import { type Checked, type Context, type Cursor, FAULTY, items, member, read } from './cursor.js';
import { forwardOf } from './forward.js';
import type { ServerConfig, ServiceConfig } from './model.js';
import { ownershipChoice } from './ownership.js';
import { admitOf, fallbackOf, quorumOf } from './policy.js';
import { railsOf } from './rails.js';
import type { RawService } from './schema.js';
import { completeServer, type ServiceFacts } from './server.js';
import { type Keys, keyFacts, serviceKeys } from './service-keys.js';
import { type SettingsByFamily, serviceSettings } from './service-settings.js';

function completeServers(
  context: Context,
  at: Cursor<RawService>,
  facts: ServiceFacts,
): Checked<readonly ServerConfig[]> {
  const list = member(at, 'servers');
  if (list === undefined || list === FAULTY) return FAULTY;
  const all = items(list);
  const complete: ServerConfig[] = [];
  for (const item of all) {
    const server = item === FAULTY ? FAULTY : completeServer(context, item, facts);
    if (server !== FAULTY) complete.push(server);
  }
  return complete.length === all.length ? complete : FAULTY;
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
    forward,
    check,
    names: new Map(),
    endpoints: { stated: new Map(), inEntry: new Map(), following: new Map() },
  };
  const servers = completeServers(context, at, facts);
  const quorum = quorumOf(context, at, servers);
  const fallback = fallbackOf(context, at, facts);
  const admit = admitOf(at);
  const ownership = ownershipChoice(at);
  const tags = read(at, 'tags', []);
  const rails = railsOf(context, at, defaults, servers);
  if (keys === FAULTY || settings === FAULTY || onFailure === FAULTY || servers === FAULTY) return FAULTY;
  if (quorum === FAULTY || fallback === FAULTY || admit === FAULTY || ownership === FAULTY) return FAULTY;
  if (rails === FAULTY || tags === FAULTY) return FAULTY;
  return {
    name,
    entries: entriesOf(keys, settings),
    onFailure,
    servers,
    quorum,
    fallback,
    admit,
    ownership,
    rails,
    tags,
  };
}
