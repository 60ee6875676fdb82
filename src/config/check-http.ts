import type { Target } from '../checks/spec-target.js';
import type { HttpCheck, HttpUrl } from '../checks/spec-web.js';
import { endpointText } from '../core/ip.js';
import { httpUrls } from './check-http-urls.js';
import { tlsSettings } from './check-tls.js';
import { credentials, headers, named } from './check-web.js';
import { type Checked, type Context, FAULTY } from './cursor.js';
import { type Layers, pick, pickValue } from './layers.js';

const BODY_LIMIT = 65_536;
const VERSIONS = { 1: '1.0', 1.1: '1.1', 2: '2' } as const;

/** The HTTP or HTTPS check that these layers describe. */
export function httpProbe(
  context: Context,
  type: 'http' | 'https',
  layers: Layers,
): Checked<(target: Target) => HttpCheck> {
  const hostAt = pick(layers, 'host');
  const host = hostAt === undefined || hostAt === FAULTY ? hostAt : hostAt.value;
  const list = headers(context, layers);
  const who = credentials(context, layers, list);
  const bodyLimit = pickValue(layers, 'body-limit', BODY_LIMIT);
  const redirects = pickValue(layers, 'redirects', 0);
  const version = pickValue(layers, 'version', 1.1);
  const urls = httpUrls(context, layers, bodyLimit);
  const tls =
    type === 'https' ? tlsSettings(context, layers, [version === 2 ? 'h2' : 'http/1.1']) : undefined;
  if (host === FAULTY || list === FAULTY || who === FAULTY || bodyLimit === FAULTY) return FAULTY;
  if (redirects === FAULTY || version === FAULTY || urls === FAULTY || tls === FAULTY) return FAULTY;
  return (target) => {
    const at = (url: Omit<HttpUrl, 'host'>): HttpUrl => ({
      ...url,
      host: host ?? endpointText(target.address, target.port),
    });
    const [first, ...further] = urls;
    const rest = {
      headers: list,
      credentials: who,
      bodyLimit,
      redirects,
      further: further.map(at),
      tls: tls && named(tls, host),
    };
    return { type, target, version: VERSIONS[version], ...at(first), ...rest };
  };
}
