import type { Target } from '../checks/spec-target.js';
import type { TlsSettings } from '../checks/spec-tls.js';
import type { HttpCheck, HttpCredentials, HttpUrl } from '../checks/spec-web.js';
import { endpointText } from '../core/ip.js';
import { httpUrls } from './check-http-urls.js';
import { login } from './check-login.js';
import { tlsSettings } from './check-tls.js';
import { type Checked, type Context, type Cursor, entries, FAULTY, report, reportKey } from './cursor.js';
import { parseEndpoint } from './endpoint.js';
import { type Layers, pick, pickValue } from './layers.js';
import { expandSecrets } from './secrets.js';

const BODY_LIMIT = 65_536;
const VERSIONS = { 1: '1.0', 1.1: '1.1' } as const;

/** They frame the message or name the server: the probe writes them itself (RFC 9110 7.2, RFC 9112 6). */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
]);

function header(context: Context, name: string, at: Cursor<string>): Checked<readonly [string, string]> {
  const lower = name.toLowerCase();
  if (OWN_HEADERS.has(lower)) {
    const instead = lower === 'host' ? 'use the key `host` of the check' : 'the probe writes it itself';
    return reportKey(context, at, `the header ${name} cannot be set here; ${instead}`);
  }
  const value = expandSecrets(context, at);
  if (value === FAULTY) return FAULTY;
  return /^[\x20-\x7e]*$/.test(value)
    ? [lower, value]
    : report(context, at, 'what it stands for is not printable ASCII on one line');
}

function headers(context: Context, layers: Layers): Checked<HttpCheck['headers']> {
  const given = pick(layers, 'headers');
  if (given === undefined) return [];
  if (given === FAULTY) return FAULTY;
  const list: (readonly [string, string])[] = [];
  for (const [name, at] of entries(given)) {
    const pair = header(context, name, at);
    if (pair === FAULTY) return FAULTY;
    list.push(pair);
  }
  return list;
}

/** The name in a Host header; undefined where that is an address. */
function hostName(host: string): string | undefined {
  if (parseEndpoint(host).ok || host.startsWith('[')) return undefined;
  return host.replace(/:\d*$/, '');
}

/** The name in `host` stands for a server name that is not said. */
function httpTls(
  context: Context,
  layers: Layers,
  host: Checked<string> | undefined,
): Checked<TlsSettings> | undefined {
  const tls = tlsSettings(context, layers, ['http/1.1']);
  if (tls === FAULTY || host === FAULTY) return FAULTY;
  return { ...tls, serverName: tls.serverName ?? (host === undefined ? undefined : hostName(host)) };
}

/** Who asks: a name with its password, or a token; not both, and not beside a header that says the same. */
function credentials(
  context: Context,
  layers: Layers,
  list: Checked<HttpCheck['headers']>,
): Checked<HttpCredentials | undefined> {
  const who = login(context, layers);
  const token = pick(layers, 'token');
  if (who === FAULTY || token === FAULTY || list === FAULTY) return FAULTY;
  if (who === undefined && token === undefined) return undefined;
  const at = token ?? pick(layers, 'user');
  if (at === undefined || at === FAULTY) return FAULTY;
  if (who !== undefined && token !== undefined)
    return reportKey(context, at, 'there is a `user` already; keep one of them');
  if (list.some(([name]) => name === 'authorization'))
    return reportKey(context, at, 'there is a header `authorization` already; keep one of them');
  if (who === undefined) return bearer(context, at);
  return who.user.includes(':')
    ? report(context, at, 'a name with a colon cannot be told in HTTP (RFC 7617 2)')
    : { kind: 'basic', ...who };
}

function bearer(context: Context, at: Cursor<string>): Checked<HttpCredentials> {
  const token = expandSecrets(context, at);
  if (token === FAULTY) return FAULTY;
  return /^[\x21-\x7e]+$/.test(token)
    ? { kind: 'bearer', token }
    : report(context, at, 'what it stands for is no token: printable ASCII without blanks');
}

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
  const tls = type === 'https' ? httpTls(context, layers, host) : undefined;
  if (host === FAULTY || list === FAULTY || who === FAULTY || bodyLimit === FAULTY) return FAULTY;
  if (redirects === FAULTY || version === FAULTY || urls === FAULTY || tls === FAULTY) return FAULTY;
  return (target) => {
    const named = (url: Omit<HttpUrl, 'host'>): HttpUrl => ({
      ...url,
      host: host ?? endpointText(target.address, target.port),
    });
    const [first, ...further] = urls;
    const rest = { headers: list, credentials: who, bodyLimit, redirects, further: further.map(named), tls };
    return { type, target, version: VERSIONS[version], ...named(first), ...rest };
  };
}
