/** What the keys come to that all checks of web servers share: headers, who asks, TLS. */
import type { TlsSettings } from '../checks/spec-tls.js';
import type { HttpCheck, HttpCredentials } from '../checks/spec-web.js';
import { login } from './check-login.js';
import { tlsUse } from './check-tls.js';
import { type Checked, type Context, type Cursor, entries, FAULTY, report, reportKey } from './cursor.js';
import { parseEndpoint } from './endpoint.js';
import { type Layers, pick } from './layers.js';
import { expandSecrets } from './secrets.js';

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

/** Further headers of a request. */
export function headers(context: Context, layers: Layers): Checked<HttpCheck['headers']> {
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

/** Settings in which the name in `host` stands for a server name that is not said. */
export function named(tls: TlsSettings, host: string | undefined): TlsSettings {
  return { ...tls, serverName: tls.serverName ?? (host === undefined ? undefined : hostName(host)) };
}

/** Where TLS is a choice, and begins with the connection or not at all. @param alpn what is offered */
export function webTls(
  context: Context,
  layers: Layers,
  host: string | undefined,
  alpn: readonly string[],
): Checked<TlsSettings | undefined> {
  const use = tlsUse(context, layers);
  if (use === FAULTY || use === undefined) return use;
  const { start, ...settings } = use;
  if (start === 'implicit') return named({ ...settings, alpn }, host);
  const at = pick(layers, 'tls');
  return at === undefined || at === FAULTY
    ? FAULTY
    : report(context, at, 'nothing is spoken before TLS here; use implicit, or none');
}

/** Who asks: a name with its password, or a token; not both, and not beside a header that says the same. */
export function credentials(
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
