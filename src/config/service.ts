/** One virtual service with its servers. */
import { serviceText } from '../ipvs/keys.js';
import { checkTemplate } from './check.js';
import { type Checked, type Context, type Cursor, claim, FAULTY, items, member, read } from './cursor.js';
import { forwardOf } from './forward.js';
import type { Layers } from './layers.js';
import type { ServerConfig, ServiceConfig } from './model.js';
import type { RawService } from './schema.js';
import { completeServer, type ServiceFacts } from './server.js';
import { serviceKey } from './service-key.js';
import { serviceSettings } from './service-settings.js';

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

/**
 * Completes one service.
 * @param defaults the layers of `defaults.check`.
 */
export function completeService(
  context: Context,
  name: string,
  at: Cursor<RawService>,
  defaults: Checked<Layers>,
): Checked<ServiceConfig> {
  const key = serviceKey(context, at);
  const place = member(at, 'fwmark') ?? member(at, 'address');
  if (key !== FAULTY && place !== undefined && place !== FAULTY) {
    claim(context, context.services, place, `the service ${serviceText(key)}`);
  }
  const settings = serviceSettings(context, at, key);
  const onFailure = read(at, 'on-failure', 'remove');
  const forward = forwardOf(context, at, { method: 'direct' });
  const own = member(at, 'check');
  const layers =
    own === FAULTY || defaults === FAULTY ? FAULTY : own === undefined ? defaults : [own, ...defaults];
  const template = layers === FAULTY ? FAULTY : checkTemplate(context, layers);
  const facts: ServiceFacts = { name, key, forward, layers, template, claims: new Map() };
  const servers = completeServers(context, at, facts);
  if (key === FAULTY || settings === FAULTY || onFailure === FAULTY || servers === FAULTY) return FAULTY;
  return { name, service: { key, settings }, onFailure, servers };
}
