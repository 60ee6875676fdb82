/** One real server inside its service. */
import { type Ip, ipFamily } from '../core/ip.js';
import { destText } from '../ipvs/keys.js';
import type { Dest, Forward } from '../ipvs/model.js';
import type { Defaults } from './check.js';
import { type CheckSet, checksAt } from './check-set.js';
import {
  type Checked,
  type Claims,
  type Context,
  type Cursor,
  claim,
  FAULTY,
  member,
  read,
  report,
  reportKey,
} from './cursor.js';
import { isName, parseEndpoint, splitHostPort, unusable } from './endpoint.js';
import { forwardOf } from './forward.js';
import type { FallbackServer, ServerConfig } from './model.js';
import { SAMPLES, type StatedName } from './names.js';
import type { RawServer } from './schema.js';
import type { RawServerName } from './schema-resolve.js';
import { type Aims, aimedAt, aimsOf } from './server-checks.js';
import type { KeyFacts } from './service-keys.js';

/** What a server needs to know of its service. */
export interface ServiceFacts {
  readonly name: string;
  readonly keys: Checked<KeyFacts>;
  readonly persistent: boolean;
  /** All its addresses are on loopback. */
  readonly onLoopback: boolean;
  readonly forward: Checked<Forward>;
  /** The check of the service over the defaults. */
  readonly check: Checked<Defaults>;
  /** Of its servers so far. */
  readonly names: Claims;
  readonly endpoints: EndpointClaims;
}

/** What tells the servers of a service apart in each of its entries. */
export interface EndpointClaims {
  /** Those that state a port, by endpoint. */
  readonly stated: Claims;
  /** Those that state a port that some entry has, by address. */
  readonly inEntry: Claims;
  /** Those that have the port of each entry, by address. */
  readonly following: Claims;
}

type Item = Cursor<string | RawServer>;

/** The cursor of a mapping; undefined for a server that is only an address. */
function mapping(at: Item): Cursor<RawServer> | undefined {
  return typeof at.value === 'string' ? undefined : (at as Cursor<RawServer>);
}

interface Stated {
  readonly at: Cursor<string>;
  readonly address: Ip;
  /** As stated, with the place that says it; undefined where the service's port holds. */
  readonly port: { readonly value: number; readonly at: Cursor<unknown> } | undefined;
}

function statedAddress(context: Context, item: Item): Checked<Stated> {
  const fields = mapping(item);
  const at = fields === undefined ? (item as Cursor<string>) : member(fields, 'address');
  if (at === undefined)
    return report(context, item, 'neither `address` nor `resolve`; a server needs one of them');
  if (at === FAULTY) return FAULTY;
  const parsed = parseEndpoint(at.value);
  if (!parsed.ok) {
    const { host } = splitHostPort(at.value);
    if (!isName(host)) return report(context, at, parsed.problem);
    return report(
      context,
      at,
      `"${at.value}" holds a name; write { resolve: { name: ${host} } } to have it followed`,
    );
  }
  const { address, port } = parsed.value;
  const reason = unusable(address);
  if (reason !== undefined) return report(context, at, `${address} is ${reason}; it cannot be a real server`);
  return { at, address, port: port === undefined ? undefined : { value: port, at } };
}

/** Address and port as the file states them. @param name the server's name in DNS, in place of an address */
function stated(context: Context, item: Item, name: StatedName | undefined): Checked<Stated> {
  const fields = mapping(item);
  const address: Checked<Stated> =
    name === undefined
      ? statedAddress(context, item)
      : { at: name.at, address: SAMPLES[name.family], port: undefined };
  const port = fields === undefined ? undefined : member(fields, 'port');
  if (address === FAULTY || port === FAULTY) return FAULTY;
  if (port === undefined) return address;
  if (address.port === undefined)
    return { at: address.at, address: address.address, port: { value: port.value, at: port } };
  return report(context, port, 'the address says a port already; keep one of them');
}

const keeps = (what: string): string => `the kernel changes no ports in ${what}`;
const PROBED_PORT = 'leave the port out, and say in `check` which port is probed';

function findPort(ports: ReadonlySet<number>, holds: (port: number) => boolean): number | undefined {
  for (const port of ports) if (holds(port)) return port;
  return undefined;
}

/** Only masquerade rewrites packets, so with the other methods a server sees the port the client asked for. */
function portProblem(port: number, ports: ReadonlySet<number>, forward: Forward): string | undefined {
  const other = findPort(ports, (entry) => entry !== port);
  if (other === undefined) return undefined;
  if (port === 0) return 'port 0 (the port of the packet) is for services of port 0 and for fwmark services';
  if (ports.has(0)) return `${keeps('a service of port 0')}; ${PROBED_PORT}`;
  if (forward.method === 'masquerade') return undefined;
  const rule = `with \`forward: ${forward.method}\` packets arrive unchanged, so the server listens on the service's port`;
  const its = ports.has(port)
    ? `the service has port ${other} too`
    : `port ${port} is not the service's port ${other}`;
  return `${its}; ${rule} (only masquerade changes ports)`;
}

/** ip_vs_sched_persist changes the port of packets that came to the port of the service, and a mark has none. */
function markedPortProblem(port: number, forward: Forward, persistent: boolean): string | undefined {
  if (port === 0 || forward.method !== 'masquerade' || !persistent) return undefined;
  return `${keeps('a fwmark service with `persistence`')}; ${PROBED_PORT}`;
}

function portFits(
  context: Context,
  { server, forward }: Place,
  { ports, marked }: KeyFacts,
  persistent: boolean,
): boolean {
  if (server.port === undefined) return true;
  const { value, at } = server.port;
  const problem =
    portProblem(value, ports, forward) ??
    (marked ? markedPortProblem(value, forward, persistent) : undefined);
  if (problem === undefined) return true;
  report(context, at, problem);
  return false;
}

function familyFits(context: Context, server: Stated, keys: KeyFacts, forward: Forward): boolean {
  const family = ipFamily(server.address);
  const other = family === 'ipv4' ? 'ipv6' : 'ipv4';
  if (!keys.families.has(other) || forward.method === 'tunnel') return true;
  const service = keys.families.size > 1 ? 'in a service of both families' : `in an ${other} service`;
  const fix =
    keys.marked && keys.ports.size === 0
      ? `; say \`family: ${family}\` in the service, or use a tunnel`
      : '; only a tunnel can do that';
  report(context, server.at, `an ${family} server ${service}${fix}`);
  return false;
}

interface Thresholds {
  readonly upper: number;
  readonly lower: number;
}

function thresholds(context: Context, fields: Cursor<RawServer>): Checked<Thresholds> {
  const upper = read(fields, 'upper-threshold', 0);
  const lower = member(fields, 'lower-threshold');
  if (upper === FAULTY || lower === FAULTY) return FAULTY;
  if (lower === undefined || lower.value <= upper) return { upper, lower: lower?.value ?? 0 };
  return upper === 0
    ? report(context, lower, 'only with `upper-threshold`, below which it lies')
    : report(context, lower, `${lower.value} is above \`upper-threshold\` (${upper})`);
}

interface Place {
  readonly server: Stated;
  readonly forward: Forward;
}

function placeOf(
  context: Context,
  item: Item,
  facts: ServiceFacts,
  name: StatedName | undefined,
): Checked<Place> {
  const fields = mapping(item);
  const server = stated(context, item, name);
  const forward = fields === undefined ? facts.forward : forwardOf(context, fields, facts.forward);
  if (server === FAULTY || forward === FAULTY || facts.keys === FAULTY) return FAULTY;
  const portIsFine = portFits(context, { server, forward }, facts.keys, facts.persistent);
  const familyIsFine = familyFits(context, server, facts.keys, forward);
  return portIsFine && familyIsFine ? { server, forward } : FAULTY;
}

/** A server as it stands in the first entry of its service. */
export interface Placed {
  readonly dest: Dest;
  readonly followsPort: boolean;
}

/** Where a server stands, with its settings. @param name its name in DNS, in place of an address */
export function destOf(
  context: Context,
  item: Item,
  facts: ServiceFacts,
  name?: StatedName,
): Checked<Placed> {
  const fields = mapping(item);
  const place = placeOf(context, item, facts, name);
  const limits = fields === undefined ? { upper: 0, lower: 0 } : thresholds(context, fields);
  const weight = fields === undefined ? 1 : read(fields, 'weight', 1);
  if (place === FAULTY || limits === FAULTY || weight === FAULTY || facts.keys === FAULTY) return FAULTY;
  const { first } = facts.keys;
  const port = place.server.port?.value ?? (first.kind === 'fwmark' ? 0 : first.port);
  const settings = {
    forward: place.forward,
    weight,
    upperThreshold: limits.upper,
    lowerThreshold: limits.lower,
  };
  return {
    dest: { key: { address: place.server.address, port }, settings },
    followsPort: place.server.port === undefined,
  };
}

function setOf(context: Context, item: Item, facts: ServiceFacts): Checked<CheckSet> {
  const fields = mapping(item);
  const checks = fields === undefined ? facts.check : checksAt(context, fields, facts.check);
  return checks === FAULTY ? FAULTY : checks.set;
}

/** The port that stands for a server: its own, or the first that its service has. */
function ownPort({ dest, followsPort }: Placed, { ports }: KeyFacts): number {
  return (followsPort ? findPort(ports, (port) => port !== 0) : undefined) ?? dest.key.port;
}

type Checks = Pick<ServerConfig, 'checks' | 'needed'>;

/** How a server is probed, but for its address. */
export interface Probing {
  readonly aims: Aims;
  readonly needed: number;
}

/** How a server that stands so is probed. */
export function probingOf(
  context: Context,
  item: Item,
  placed: Placed,
  facts: ServiceFacts,
): Checked<Probing> {
  const set = setOf(context, item, facts);
  if (set === FAULTY || facts.keys === FAULTY) return FAULTY;
  const port = ownPort(placed, facts.keys);
  if (port === 0 && set.parts.some(({ template }) => template.port === undefined)) {
    return report(
      context,
      item,
      "the server has no port that could be probed; say `port` in its check or in the service's",
    );
  }
  const aims = aimsOf(context, set, { keys: facts.keys.all, placed, port });
  return aims === FAULTY ? FAULTY : { aims, needed: set.needed };
}

function checksOf(context: Context, item: Item, named: Named, facts: ServiceFacts): Checked<Checks> {
  const probing = probingOf(context, item, named, facts);
  if (probing === FAULTY) return FAULTY;
  const { aims, needed } = probing;
  return {
    checks: aimedAt(aims, { service: facts.name, server: named.name }, named.dest.key.address),
    needed,
  };
}

interface Named extends Placed {
  readonly name: string;
}

/** Where the entries of the service have several ports, a server that has them all is called by its address. */
function endpointOf({ dest, followsPort }: Placed, { ports, marked }: KeyFacts): string {
  const several = ports.size + (marked ? 1 : 0) > 1;
  return followsPort && several ? dest.key.address : destText(dest.key);
}

/** No two servers of a service may come to the same destination in one of its entries. */
function claimEndpoint(context: Context, item: Item, facts: ServiceFacts, placed: Placed): void {
  const { stated, inEntry, following } = facts.endpoints;
  const { address, port } = placed.dest.key;
  if (facts.keys === FAULTY) return;
  const endpoint = endpointOf(placed, facts.keys);
  const isEntry = facts.keys.ports.has(port) || (facts.keys.marked && port === 0);
  const own = placed.followsPort ? following : stated;
  const other = placed.followsPort ? inEntry : isEntry ? following : undefined;
  const id = placed.followsPort ? address : endpoint;
  const first = own.get(id) ?? other?.get(address);
  if (first !== undefined) {
    claim(context, new Map([[endpoint, first]]), item, 'the server', endpoint);
    return;
  }
  own.set(id, item);
  if (!placed.followsPort && isEntry) inEntry.set(address, item);
}

function namedDest(context: Context, item: Item, facts: ServiceFacts): Checked<Named> {
  const fields = mapping(item);
  const placed = destOf(context, item, facts);
  const given = fields === undefined ? undefined : member(fields, 'name');
  if (given !== undefined && given !== FAULTY) {
    claim(context, facts.names, given, 'the name', given.value);
  }
  if (placed === FAULTY || facts.keys === FAULTY) return FAULTY;
  claimEndpoint(context, item, facts, placed);
  return given === FAULTY ? FAULTY : { name: given?.value ?? endpointOf(placed, facts.keys), ...placed };
}

/** Completes one server. */
export function completeServer(context: Context, item: Item, facts: ServiceFacts): Checked<ServerConfig> {
  const named = namedDest(context, item, facts);
  // Its own faults are told even where the rest of the server is faulty.
  if (named === FAULTY) setOf(context, item, facts);
  const checks = named === FAULTY ? FAULTY : checksOf(context, item, named, facts);
  const fields = mapping(item);
  const tags = fields === undefined ? [] : read(fields, 'tags', []);
  if (named === FAULTY || checks === FAULTY || tags === FAULTY) return FAULTY;
  // Begun with a spread, each would have a hidden class of its own (see `destSeen`).
  const { name, ...placed } = named;
  return { name, ...placed, ...checks, ...(tags.length === 0 ? {} : { tags }) };
}

/** A server by its name in DNS, where the item is one. */
export function nameAt(item: Item): Checked<Cursor<RawServerName>> | undefined {
  const fields = mapping(item);
  return fields === undefined ? undefined : member(fields, 'resolve');
}

/** Completes a server of a fallback: it is probed only where it says how. */
export function completeFallback(context: Context, item: Item, facts: ServiceFacts): Checked<FallbackServer> {
  const fields = mapping(item);
  const host = nameAt(item);
  if (host !== undefined && host !== FAULTY)
    return reportKey(context, host, 'a fallback serves when other things fail; give it an address');
  const isChecked =
    fields !== undefined &&
    [member(fields, 'check'), member(fields, 'checks')].some((one) => one !== undefined);
  if (isChecked) return completeServer(context, item, facts);
  const named = namedDest(context, item, facts);
  return named === FAULTY ? FAULTY : { checks: [], needed: 0, ...named };
}
