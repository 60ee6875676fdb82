import type { HttpCheck, StatusRange } from '../checks/model.js';
import type { Target } from '../checks/spec-target.js';
import type { TlsSettings } from '../checks/spec-tls.js';
import { endpointText } from '../core/ip.js';
import { tlsSettings } from './check-tls.js';
import {
  type Checked,
  type Context,
  type Cursor,
  entries,
  FAULTY,
  items,
  report,
  reportKey,
} from './cursor.js';
import { parseEndpoint } from './endpoint.js';
import { type Layers, pick, pickValue } from './layers.js';
import { expandSecrets } from './secrets.js';

const BODY_LIMIT = 65_536;

function statusRange(context: Context, at: Cursor<number | string>): Checked<StatusRange> {
  if (typeof at.value === 'number') return [at.value, at.value];
  const [low = 0, high = 0] = at.value.split('-').map(Number);
  return low <= high ? [low, high] : report(context, at, `${at.value} ends before it begins`);
}

/** The statuses that are a pass; any 2xx where nothing is said. */
export function statusRanges(context: Context, layers: Layers): Checked<readonly StatusRange[]> {
  const list = pick(layers, 'status');
  if (list === undefined) return [[200, 299]];
  if (list === FAULTY) return FAULTY;
  if (list.value.length === 0) return report(context, list, 'empty; no answer would ever be a pass');
  const ranges: StatusRange[] = [];
  for (const item of items(list)) {
    const range = item === FAULTY ? FAULTY : statusRange(context, item);
    if (range === FAULTY) return FAULTY;
    ranges.push(range);
  }
  return ranges;
}

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

function contains(context: Context, layers: Layers, method: Checked<string>): Checked<string> | undefined {
  const at = pick(layers, 'contains');
  if (at === undefined || at === FAULTY) return at;
  if (method !== 'HEAD') return at.value;
  return report(context, at, 'the answer to HEAD has no body that could contain anything; use `method: GET`');
}

/** The HTTP or HTTPS check that these layers describe. */
export function httpProbe(
  context: Context,
  type: 'http' | 'https',
  layers: Layers,
): Checked<(target: Target) => HttpCheck> {
  const method = pickValue(layers, 'method', 'GET');
  const path = pickValue(layers, 'path', '/');
  const hostAt = pick(layers, 'host');
  const host = hostAt === undefined || hostAt === FAULTY ? hostAt : hostAt.value;
  const list = headers(context, layers);
  const status = statusRanges(context, layers);
  const text = contains(context, layers, method);
  const bodyLimit = pickValue(layers, 'body-limit', BODY_LIMIT);
  const tls = type === 'https' ? httpTls(context, layers, host) : undefined;
  if (method === FAULTY || path === FAULTY || host === FAULTY || list === FAULTY) return FAULTY;
  if (status === FAULTY || text === FAULTY || bodyLimit === FAULTY || tls === FAULTY) return FAULTY;
  return (target) => ({
    type,
    target,
    method,
    path,
    host: host ?? endpointText(target.address, target.port),
    headers: list,
    status,
    contains: text,
    bodyLimit,
    tls,
  });
}
