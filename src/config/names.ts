/** Names of servers: `resolve:` of the configuration, and what a server's own says. */
import { assert } from '../core/assert.js';
import { type Family, type Ip, ip } from '../core/ip.js';
import { formatDuration, type Millis, parseDuration, seconds } from '../core/units.js';
import type { NameRule, Resolver } from '../names/model.js';
import { type Checked, type Context, type Cursor, FAULTY, items, member, read, report } from './cursor.js';
import { onLoopback, parseEndpoint, unusable } from './endpoint.js';
import type { ServiceConfig } from './model.js';
import type { RawResolve, RawServerName } from './schema-resolve.js';

const DNS_PORT = 53;
const SERVERS = 32;

/** RFC 1035 2.3.4: 63 octets a label, 253 characters written out. Underscores are common inside. */
const HOST = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

function resolverOf(context: Context, at: Cursor<string>): Checked<Resolver> {
  const parsed = parseEndpoint(at.value);
  if (!parsed.ok) return report(context, at, parsed.problem);
  const { address, port = DNS_PORT } = parsed.value;
  const reason = unusable(address);
  if (reason !== undefined) return report(context, at, `${address} is ${reason}; nobody answers there`);
  return port === 0 ? report(context, at, 'nobody listens on port 0') : { address, port };
}

function resolversOf(context: Context, at: Cursor<RawResolve>): Checked<readonly Resolver[]> {
  const list = member(at, 'resolvers');
  if (list === undefined) return [];
  if (list === FAULTY) return FAULTY;
  if (list.value.length === 0)
    return report(context, list, 'empty; leave it out to ask those of /etc/resolv.conf');
  const all = items(list).map((item) => (item === FAULTY ? FAULTY : resolverOf(context, item)));
  const sound = all.filter((one) => one !== FAULTY);
  return sound.length === all.length ? sound : FAULTY;
}

/** What holds where `resolve:` says nothing. */
export const NAME_RULE: NameRule = {
  resolvers: [],
  timeout: seconds(3),
  minimumTtl: seconds(5),
  maximumTtl: seconds(300),
  hold: seconds(30),
};

type Duration = 'timeout' | 'minimum-ttl' | 'maximum-ttl' | 'hold';

function durationOf(at: Cursor<RawResolve>, key: Duration, otherwise: Millis): Checked<Millis> {
  const given = member(at, key);
  if (given === undefined) return otherwise;
  if (given === FAULTY) return FAULTY;
  const duration = parseDuration(given.value);
  assert(duration !== undefined, 'the schema lets only durations through');
  return duration;
}

/** Completes `resolve:` of the configuration. */
export function completeResolve(context: Context, at: Cursor<RawResolve>): Checked<NameRule> {
  const resolvers = resolversOf(context, at);
  const timeout = durationOf(at, 'timeout', NAME_RULE.timeout);
  const minimumTtl = durationOf(at, 'minimum-ttl', NAME_RULE.minimumTtl);
  const maximumTtl = durationOf(at, 'maximum-ttl', NAME_RULE.maximumTtl);
  const hold = durationOf(at, 'hold', NAME_RULE.hold);
  if (resolvers === FAULTY || timeout === FAULTY || hold === FAULTY) return FAULTY;
  if (minimumTtl === FAULTY || maximumTtl === FAULTY) return FAULTY;
  if (minimumTtl <= maximumTtl) return { resolvers, timeout, minimumTtl, maximumTtl, hold };
  const texts = `\`minimum-ttl\` (${formatDuration(minimumTtl)}) is above \`maximum-ttl\` (${formatDuration(maximumTtl)})`;
  return report(context, at, `${texts}; no TTL can be both`);
}

/** A name as a server states it. */
export interface StatedName {
  readonly at: Cursor<string>;
  readonly host: string;
  readonly family: Family;
  readonly most: number;
}

/** Stands for all addresses of a family where only the family matters (RFC 5737, RFC 3849). */
export const SAMPLES: Readonly<Record<Family, Ip>> = { ipv4: ip('192.0.2.1'), ipv6: ip('2001:db8::1') };

/** `resolve:` of a server. @param family of its service */
export function statedName(context: Context, at: Cursor<RawServerName>, family: Family): Checked<StatedName> {
  const written = member(at, 'name');
  const wanted = read(at, 'family', family);
  const most = read(at, 'servers', SERVERS);
  // A missing name was the schema's fault to tell.
  if (written === undefined || written === FAULTY || wanted === FAULTY || most === FAULTY) return FAULTY;
  const literal = parseEndpoint(written.value);
  if (literal.ok)
    return report(context, written, `"${written.value}" is an address; write it as \`address\``);
  const host = written.value.toLowerCase().replace(/\.$/, '');
  if (HOST.test(host)) return { at: written, host, family: wanted, most };
  const hint = host.includes(':') ? '; the port stands in `port`' : '';
  return report(context, written, `"${written.value}" is not a name in DNS${hint}`);
}

/** Whether a service stands on loopback: a trial, whose servers may stand there too. */
export function isOnLoopback(addresses: readonly Ip[]): boolean {
  return addresses.length > 0 && addresses.every(onLoopback);
}

/** All servers that a service may come to have: every name with as many addresses as it may have. */
export function possibleServers({
  servers,
  names = [],
}: Pick<ServiceConfig, 'servers' | 'names'>): ServiceConfig['servers'] {
  if (names.length === 0) return servers;
  const samples = names.flatMap(({ question, most, serverAt }) =>
    new Array<ServiceConfig['servers'][number]>(most).fill(serverAt(SAMPLES[question.family])),
  );
  return [...servers, ...samples];
}
