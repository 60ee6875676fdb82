/** One real server inside its service. */
import type { Check } from '../checks/model.js';
import { type Ip, ipFamily } from '../core/ip.js';
import { destText, serviceFamily } from '../ipvs/keys.js';
import type { Dest, Forward, ServiceKey } from '../ipvs/model.js';
import { type CheckTemplate, checkTemplate, type Defaults } from './check.js';
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
} from './cursor.js';
import { parseEndpoint, unusable } from './endpoint.js';
import { forwardOf } from './forward.js';
import type { FallbackServer, ServerConfig } from './model.js';
import type { RawServer } from './schema.js';

/** What a server needs to know of its service. */
export interface ServiceFacts {
  readonly name: string;
  readonly key: Checked<ServiceKey>;
  readonly persistent: boolean;
  readonly forward: Checked<Forward>;
  /** The check of the service over the defaults. */
  readonly check: Checked<Defaults>;
  /** Of its servers so far. */
  readonly names: Claims;
  readonly endpoints: Claims;
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
  const at =
    mapping(item) === undefined ? (item as Cursor<string>) : member(item as Cursor<RawServer>, 'address');
  // A missing address was the schema's fault to tell.
  if (at === undefined || at === FAULTY) return FAULTY;
  const parsed = parseEndpoint(at.value);
  if (!parsed.ok) return report(context, at, parsed.problem);
  const { address, port } = parsed.value;
  const reason = unusable(address);
  if (reason !== undefined) return report(context, at, `${address} is ${reason}; it cannot be a real server`);
  return { at, address, port: port === undefined ? undefined : { value: port, at } };
}

/** Address and port as the file states them. */
function stated(context: Context, item: Item): Checked<Stated> {
  const fields = mapping(item);
  const address = statedAddress(context, item);
  const port = fields === undefined ? undefined : member(fields, 'port');
  if (address === FAULTY || port === FAULTY) return FAULTY;
  if (port === undefined) return address;
  if (address.port === undefined)
    return { at: address.at, address: address.address, port: { value: port.value, at: port } };
  return report(context, port, 'the address says a port already; keep one of them');
}

/** Only masquerade rewrites packets, so with the other methods a server sees the port the client asked for. */
function portProblem(port: number, servicePort: number, forward: Forward): string | undefined {
  if (port === servicePort) return undefined;
  if (port === 0) return 'port 0 (the port of the packet) is for services of port 0 and for fwmark services';
  if (servicePort === 0) return `${keeps('a service of port 0')}; ${PROBED_PORT}`;
  if (forward.method === 'masquerade') return undefined;
  const rule = `with \`forward: ${forward.method}\` packets arrive unchanged, so the server listens on the service's port`;
  return `port ${port} is not the service's port ${servicePort}; ${rule} (only masquerade changes ports)`;
}

const keeps = (what: string): string => `the kernel changes no ports in ${what}`;
const PROBED_PORT = 'leave the port out, and say in `check` which port is probed';

/** ip_vs_sched_persist changes the port of packets that came to the port of the service, and a mark has none. */
function markedPortProblem(port: number, forward: Forward, persistent: boolean): string | undefined {
  if (port === 0 || forward.method !== 'masquerade' || !persistent) return undefined;
  return `${keeps('a fwmark service with `persistence`')}; ${PROBED_PORT}`;
}

function portFits(
  context: Context,
  { server, forward }: Place,
  key: ServiceKey,
  persistent: boolean,
): boolean {
  if (server.port === undefined) return true;
  const { value, at } = server.port;
  const problem =
    key.kind === 'fwmark'
      ? markedPortProblem(value, forward, persistent)
      : portProblem(value, key.port, forward);
  if (problem === undefined) return true;
  report(context, at, problem);
  return false;
}

function familyFits(context: Context, server: Stated, key: ServiceKey, forward: Forward): boolean {
  const family = ipFamily(server.address);
  if (family === serviceFamily(key) || forward.method === 'tunnel') return true;
  const fix =
    key.kind === 'fwmark'
      ? `; say \`family: ${family}\` in the service, or use a tunnel`
      : '; only a tunnel can do that';
  report(context, server.at, `an ${family} server in an ${serviceFamily(key)} service${fix}`);
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

function placeOf(context: Context, item: Item, facts: ServiceFacts): Checked<Place> {
  const fields = mapping(item);
  const server = stated(context, item);
  const forward = fields === undefined ? facts.forward : forwardOf(context, fields, facts.forward);
  if (server === FAULTY || forward === FAULTY || facts.key === FAULTY) return FAULTY;
  const portIsFine = portFits(context, { server, forward }, facts.key, facts.persistent);
  const familyIsFine = familyFits(context, server, facts.key, forward);
  return portIsFine && familyIsFine ? { server, forward } : FAULTY;
}

function destOf(context: Context, item: Item, facts: ServiceFacts): Checked<Dest> {
  const fields = mapping(item);
  const place = placeOf(context, item, facts);
  const limits = fields === undefined ? { upper: 0, lower: 0 } : thresholds(context, fields);
  const weight = fields === undefined ? 1 : read(fields, 'weight', 1);
  if (place === FAULTY || limits === FAULTY || weight === FAULTY || facts.key === FAULTY) return FAULTY;
  const port = place.server.port?.value ?? (facts.key.kind === 'fwmark' ? 0 : facts.key.port);
  return {
    key: { address: place.server.address, port },
    settings: {
      forward: place.forward,
      weight,
      upperThreshold: limits.upper,
      lowerThreshold: limits.lower,
    },
  };
}

function templateOf(context: Context, item: Item, facts: ServiceFacts): Checked<CheckTemplate> {
  const fields = mapping(item);
  const own = fields === undefined ? undefined : member(fields, 'check');
  if (own === FAULTY || facts.check === FAULTY) return FAULTY;
  if (own === undefined) return facts.check.template;
  return checkTemplate(context, [own, ...facts.check.layers]);
}

function checkOf(
  context: Context,
  item: Item,
  id: string,
  dest: Dest,
  template: CheckTemplate,
): Checked<Check> {
  const port = template.port ?? dest.key.port;
  if (port === 0) {
    return report(
      context,
      item,
      "the server has no port that could be probed; say `port` in its check or in the service's",
    );
  }
  return { id, rule: template.rule, probe: template.probe({ address: dest.key.address, port }) };
}

interface Named {
  readonly name: string;
  readonly dest: Dest;
}

function namedDest(context: Context, item: Item, facts: ServiceFacts): Checked<Named> {
  const fields = mapping(item);
  const dest = destOf(context, item, facts);
  const given = fields === undefined ? undefined : member(fields, 'name');
  if (given !== undefined && given !== FAULTY) {
    claim(context, facts.names, given, 'the name', given.value);
  }
  const endpoint = dest === FAULTY ? '' : destText(dest.key);
  if (dest !== FAULTY) claim(context, facts.endpoints, item, 'the server', endpoint);
  return dest === FAULTY || given === FAULTY ? FAULTY : { name: given?.value ?? endpoint, dest };
}

function idOf(facts: ServiceFacts, { name }: Named): string {
  return `${facts.name}/${name}`;
}

/** Completes one server. */
export function completeServer(context: Context, item: Item, facts: ServiceFacts): Checked<ServerConfig> {
  const named = namedDest(context, item, facts);
  const template = templateOf(context, item, facts);
  if (named === FAULTY || template === FAULTY) return FAULTY;
  const check = checkOf(context, item, idOf(facts, named), named.dest, template);
  return check === FAULTY ? FAULTY : { ...named, check };
}

/** Completes a server of a fallback: it is probed only where it says how. */
export function completeFallback(context: Context, item: Item, facts: ServiceFacts): Checked<FallbackServer> {
  const fields = mapping(item);
  const isChecked = fields !== undefined && member(fields, 'check') !== undefined;
  if (isChecked) return completeServer(context, item, facts);
  const named = namedDest(context, item, facts);
  return named === FAULTY ? FAULTY : { ...named, check: undefined };
}
