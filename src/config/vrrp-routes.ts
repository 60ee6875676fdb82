/** The virtual routes and rules of one entry of `vrrp:`. */
import type { Prefix, VirtualRoute, VirtualRule } from '../addresses/model.js';
import { type Family, type Ip, ip, ipFamily, isLinkLocal, parseIp } from '../core/ip.js';
import { type Checked, type Context, type Cursor, FAULTY, items, member, read, report } from './cursor.js';
import { parseNetwork } from './prefix.js';
import type { RawRouter } from './schema-vrrp.js';
import type { RawRoute, RawRule } from './schema-vrrp-routes.js';

type At = Cursor<RawRouter>;

const TABLE_MAIN = 254;
const METRIC_IPV6 = 1024;
const MARK_MAX = 0xffffffff;
/** RTN_* of linux/rtnetlink.h. */
const TYPES = { unicast: 1, blackhole: 6, unreachable: 7, prohibit: 8 } as const;
const ANY: Readonly<Record<Family, Ip>> = { ipv4: ip('0.0.0.0'), ipv6: ip('::') };

function networkAt(context: Context, at: Cursor<string>): Checked<Prefix> {
  const parsed = parseNetwork(at.value);
  return parsed.ok ? parsed.value : report(context, at, parsed.problem);
}

/** An address under a key; undefined where it is left out. */
function addressAt(context: Context, at: Cursor<RawRoute>, key: 'via' | 'source'): Checked<Ip | undefined> {
  const stated = member(at, key);
  if (stated === undefined) return undefined;
  if (stated === FAULTY) return FAULTY;
  const address = parseIp(stated.value);
  return address ?? report(context, stated, `"${stated.value}" is not an address`);
}

function destinationOf(context: Context, at: Cursor<RawRoute>, family: Family): Checked<Prefix> {
  const to = member(at, 'to');
  if (to === undefined || to === FAULTY) return FAULTY;
  return to.value === 'default' ? { address: ANY[family], length: 0 } : networkAt(context, to);
}

/** What the parts of a route have to do with each other. */
function checkRoute(context: Context, at: Cursor<RawRoute>, route: VirtualRoute): Checked<VirtualRoute> {
  const { destination, gateway, device, source, type } = route;
  const family = ipFamily(destination.address);
  for (const each of [gateway, source])
    if (each !== undefined && ipFamily(each) !== family)
      return report(context, at, `${each} is not of the family of the destination, ${destination.address}`);
  const leads = gateway !== undefined || device !== undefined;
  if (type === TYPES.unicast && !leads)
    return report(context, at, 'leads nowhere; say `via` or `device`, or another `type`');
  if (type !== TYPES.unicast && leads)
    return report(context, at, 'a route that is not `unicast` has neither `via` nor `device`');
  if (gateway !== undefined && device === undefined && isLinkLocal(gateway))
    return report(context, at, `${gateway} is link-local; say the \`device\` that it is on`);
  return route;
}

function routeOf(context: Context, at: Cursor<RawRoute>, usual: Family): Checked<VirtualRoute> {
  const gateway = addressAt(context, at, 'via');
  const source = addressAt(context, at, 'source');
  if (gateway === FAULTY || source === FAULTY) return FAULTY;
  const named = gateway ?? source;
  const destination = destinationOf(context, at, named === undefined ? usual : ipFamily(named));
  const device = member(at, 'device');
  const table = read(at, 'table', TABLE_MAIN);
  const metric = read(at, 'metric', 0);
  const type = read(at, 'type', 'unicast');
  if (destination === FAULTY || device === FAULTY || table === FAULTY || metric === FAULTY) return FAULTY;
  if (type === FAULTY) return FAULTY;
  const isIpv6 = ipFamily(destination.address) === 'ipv6';
  return checkRoute(context, at, {
    kind: 'route',
    destination,
    gateway,
    device: device?.value,
    source,
    table,
    // The kernel makes the one of the other.
    metric: isIpv6 && metric === 0 ? METRIC_IPV6 : metric,
    type: TYPES[type],
  });
}

type Mark = NonNullable<VirtualRule['mark']>;

function markOf(context: Context, at: Cursor<RawRule>): Checked<Mark | undefined> {
  const stated = member(at, 'mark');
  if (stated === undefined) return undefined;
  if (stated === FAULTY) return FAULTY;
  const [value = 0, mask = MARK_MAX] = String(stated.value).split('/').map(Number);
  if (value > MARK_MAX || mask > MARK_MAX) return report(context, stated, 'more than 0xffffffff');
  // The kernel keeps what the mask leaves: it could never be compared.
  if ((value & mask) >>> 0 !== value) return report(context, stated, 'the mask covers a part of the mark');
  return { value, mask };
}

function selector(context: Context, at: Cursor<RawRule>, key: 'from' | 'to'): Checked<Prefix | undefined> {
  const stated = member(at, key);
  if (stated === undefined) return undefined;
  return stated === FAULTY ? FAULTY : networkAt(context, stated);
}

/** A network of length 0 is all there is, which the kernel does not tell from none. */
function unlessAll(prefix: Prefix | undefined): Prefix | undefined {
  return prefix?.length === 0 ? undefined : prefix;
}

function ruleOf(context: Context, at: Cursor<RawRule>, usual: Family): Checked<VirtualRule> {
  const from = selector(context, at, 'from');
  const to = selector(context, at, 'to');
  const mark = markOf(context, at);
  const input = member(at, 'in');
  const output = member(at, 'out');
  const table = read(at, 'table', TABLE_MAIN);
  const priority = read(at, 'priority', 0);
  if (from === FAULTY || to === FAULTY || mark === FAULTY || input === FAULTY) return FAULTY;
  if (output === FAULTY || table === FAULTY || priority === FAULTY) return FAULTY;
  const named = from ?? to;
  const family = named === undefined ? usual : ipFamily(named.address);
  if (to !== undefined && ipFamily(to.address) !== family)
    return report(context, at, '`from` and `to` are of two families');
  return {
    kind: 'rule',
    family,
    priority,
    from: unlessAll(from),
    to: unlessAll(to),
    inputDevice: input?.value,
    outputDevice: output?.value,
    mark,
    table,
  };
}

/** The items of a list, completed; FAULTY where one of them is. */
function listOf<Raw, Item>(
  list: Checked<Cursor<readonly Raw[]>> | undefined,
  complete: (at: Cursor<Raw>) => Checked<Item>,
): Checked<readonly Item[]> {
  if (list === undefined) return [];
  if (list === FAULTY) return FAULTY;
  const found = items(list).map((item) => (item === FAULTY ? FAULTY : complete(item)));
  return found.includes(FAULTY) ? FAULTY : (found as Item[]);
}

/** @param family of the virtual router, for what does not show its own */
export function routesOf(context: Context, at: At, family: Family): Checked<readonly VirtualRoute[]> {
  return listOf(member(at, 'routes'), (item: Cursor<RawRoute>) => routeOf(context, item, family));
}

/** @param family of the virtual router, for what does not show its own */
export function rulesOf(context: Context, at: At, family: Family): Checked<readonly VirtualRule[]> {
  return listOf(member(at, 'rules'), (item: Cursor<RawRule>) => ruleOf(context, item, family));
}
