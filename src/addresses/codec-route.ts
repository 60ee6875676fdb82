/** Virtual routes and rules between rtnetlink's values and ours. */
import { type Family, type Ip, ip, ipFamily } from '../core/ip.js';
import { writeRtnl } from '../wire/rtnetlink.js';
import { type Route, RT_SCOPE, RT_TABLE, RTN } from '../wire/rtnl-route.js';
import { FR_ACT, type Rule } from '../wire/rtnl-rule.js';
import { LVSENTRY_PROTOCOL } from './diff.js';
import type { ObjectSeen, Prefix, RouteSeen, VirtualRoute, VirtualRule } from './model.js';

const AF = { ipv4: 2, ipv6: 10 } as const;
const FAMILIES: ReadonlyMap<number, Family> = new Map([
  [AF.ipv4, 'ipv4'],
  [AF.ipv6, 'ipv6'],
]);
const ANY: Readonly<Record<Family, Ip>> = { ipv4: ip('0.0.0.0'), ipv6: ip('::') };
const TABLE_BYTE_MAX = 255;
const MARK_MASK_ALL = 0xffffffff;

const SEEN = { tentative: false, duplicate: false } as const;

/** The byte of the header, and the attribute for tables that do not fit into it. */
function tableOf(table: number): { readonly table: number; readonly tableId: number } {
  return { table: table > TABLE_BYTE_MAX ? RT_TABLE.UNSPEC : table, tableId: table };
}

/** What names a route, and what it is. Whoever deletes has to name it only. */
function routeNamed(route: VirtualRoute): Route {
  const { address, length } = route.destination;
  return {
    family: AF[ipFamily(address)],
    destinationLength: length,
    sourceLength: 0,
    tos: 0,
    protocol: LVSENTRY_PROTOCOL,
    scope: RT_SCOPE.NOWHERE,
    type: RTN.UNSPEC,
    flags: 0,
    ...tableOf(route.table),
    priority: route.metric,
    ...(length === 0 ? {} : { destination: address }),
  };
}

/** As `ip route` works it out: a gateway is elsewhere, what has none is on the link. */
function scopeOf({ destination, gateway, type }: VirtualRoute): number {
  const isDirect = gateway === undefined && type === RTN.UNICAST;
  return isDirect && ipFamily(destination.address) === 'ipv4' ? RT_SCOPE.LINK : RT_SCOPE.UNIVERSE;
}

/** The payload of RTM_NEWROUTE. @param index of its device, where it has one */
export function routeToAdd(object: VirtualRoute, index: number | undefined): Uint8Array {
  const route: Route = {
    ...routeNamed(object),
    scope: scopeOf(object),
    type: object.type,
    ...(object.gateway === undefined ? {} : { gateway: object.gateway }),
    ...(object.source === undefined ? {} : { preferredSource: object.source }),
    ...(index === undefined ? {} : { outputIndex: index }),
  };
  return writeRtnl({ kind: 'route', route });
}

/** The payload of RTM_DELROUTE: the route of this destination, table and metric that bears our tag, and no other. */
export function routeToRemove(route: VirtualRoute): Uint8Array {
  return writeRtnl({ kind: 'route', route: routeNamed(route) });
}

/** Undefined for routes of other kinds: multicast, and what is cloned. */
export function routeSeen(route: Route): RouteSeen | undefined {
  const family = FAMILIES.get(route.family);
  if (family === undefined) return undefined;
  const destination = { address: route.destination ?? ANY[family], length: route.destinationLength };
  const rest = {
    destination,
    gateway: route.gateway,
    source: route.preferredSource,
    table: route.tableId ?? route.table,
    metric: route.priority ?? 0,
    type: route.type,
  };
  return {
    index: route.outputIndex,
    seen: (device) => ({
      object: { kind: 'route', device, ...rest },
      protocol: route.protocol,
      ...SEEN,
    }),
  };
}

function rulePrefix(prefix: Prefix | undefined): { readonly length: number; readonly address?: Ip } {
  return prefix ?? { length: 0 };
}

/** The payload of RTM_NEWRULE and of RTM_DELRULE, which wants the same selectors. */
export function rulePayload(object: VirtualRule): Uint8Array {
  const { family, priority, inputDevice, outputDevice, mark, table } = object;
  const from = rulePrefix(object.from);
  const to = rulePrefix(object.to);
  const rule: Rule = {
    family: AF[family],
    destinationLength: to.length,
    sourceLength: from.length,
    tos: 0,
    action: FR_ACT.TO_TBL,
    flags: 0,
    ...tableOf(table),
    priority,
    protocol: LVSENTRY_PROTOCOL,
    ...(to.address === undefined ? {} : { destination: to.address }),
    ...(from.address === undefined ? {} : { source: from.address }),
    ...(inputDevice === undefined ? {} : { inputName: inputDevice }),
    ...(outputDevice === undefined ? {} : { outputName: outputDevice }),
    ...(mark === undefined ? {} : { mark: mark.value, markMask: mark.mask }),
  };
  return writeRtnl({ kind: 'rule', rule });
}

function prefixOf(address: Ip | undefined, length: number): Prefix | undefined {
  return address === undefined || length === 0 ? undefined : { address, length };
}

/** Undefined for rules that are not of IP, or that do something else than look into a table. */
export function ruleSeen(rule: Rule): ObjectSeen | undefined {
  const family = FAMILIES.get(rule.family);
  if (family === undefined || rule.action !== FR_ACT.TO_TBL) return undefined;
  const mask = rule.markMask ?? MARK_MASK_ALL;
  const object: VirtualRule = {
    kind: 'rule',
    family,
    priority: rule.priority ?? 0,
    from: prefixOf(rule.source, rule.sourceLength),
    to: prefixOf(rule.destination, rule.destinationLength),
    inputDevice: rule.inputName,
    outputDevice: rule.outputName,
    mark: rule.mark === undefined ? undefined : { value: rule.mark, mask },
    table: rule.tableId ?? rule.table,
  };
  return { object, protocol: rule.protocol ?? 0, ...SEEN };
}
