/** Virtual objects, and why they cannot be in place, in words for people. */
import { unreachable } from '../core/assert.js';
import { ipFamily } from '../core/ip.js';
import type { LinkSeen, Prefix, VirtualObject, VirtualRoute, VirtualRule } from './model.js';

/** RFC 8200 section 5: the kernel takes IPv6 away from links with less. */
const IPV6_MTU_MIN = 1280;

const TABLE_MAIN = 254;
const METRIC_IPV6 = 1024;
/** RTN_* of routes that lead nowhere. */
const NOWHERE: ReadonlyMap<number, string> = new Map([
  [6, 'blackhole'],
  [7, 'unreachable'],
  [8, 'prohibit'],
]);

function words(parts: readonly (readonly [string, string | number | undefined])[]): string {
  return parts.flatMap(([word, value]) => (value === undefined ? [] : [` ${word} ${value}`])).join('');
}

function routeName({ destination, gateway, device, table, metric, type }: VirtualRoute): string {
  const { address, length } = destination;
  const usual = ipFamily(address) === 'ipv6' ? METRIC_IPV6 : 0;
  const kind = NOWHERE.get(type);
  const rest = words([
    ['via', gateway],
    ['dev', device],
    ['table', table === TABLE_MAIN ? undefined : table],
    ['metric', metric === usual ? undefined : metric],
  ]);
  return `route ${kind === undefined ? '' : `${kind} `}${length === 0 ? 'default' : `${address}/${length}`}${rest}`;
}

function ruleName({ priority, from, to, inputDevice, outputDevice, mark, table }: VirtualRule): string {
  const text = (prefix: Prefix | undefined) => prefix && `${prefix.address}/${prefix.length}`;
  const rest = words([
    ['to', text(to)],
    ['fwmark', mark && `0x${mark.value.toString(16)}/0x${mark.mask.toString(16)}`],
    ['iif', inputDevice],
    ['oif', outputDevice],
  ]);
  return `rule ${priority} from ${text(from) ?? 'all'}${rest} lookup ${table}`;
}

/** As `ip` would say it. */
export function nameOf(object: VirtualObject): string {
  switch (object.kind) {
    case 'address':
      return `${object.address}/${object.prefix} on ${object.device}`;
    case 'route':
      return routeName(object);
    case 'rule':
      return ruleName(object);
    default:
      return unreachable(object);
  }
}

/** What the kernel answered: the name of the error, and its own words where it had some. */
export interface Refusal {
  readonly errno: string;
  readonly text: string | undefined;
}

/** What an errno means for an object on this link, where more is known than the kernel says. */
function meaning(object: VirtualObject, errno: string, link: LinkSeen | undefined): string | undefined {
  if (object.kind !== 'address')
    return errno === 'EEXIST'
      ? `somebody else has set a ${object.kind} like it, which is left alone`
      : undefined;
  const isIpv6 = ipFamily(object.address) === 'ipv6';
  if (isIpv6 && errno === 'EINVAL' && link !== undefined && link.mtu < IPV6_MTU_MIN)
    return `the MTU of ${object.device} is ${link.mtu}, and IPv6 needs ${IPV6_MTU_MIN}`;
  if (isIpv6 && errno === 'EACCES')
    return `IPv6 is switched off there (net.ipv6.conf.${object.device}.disable_ipv6)`;
  return undefined;
}

/** Why an object cannot be in place; without a refusal another host has the address. */
export function refusalText(
  object: VirtualObject,
  refusal: Refusal | undefined,
  link: LinkSeen | undefined,
): string {
  if (refusal === undefined) return 'another host has it';
  const { errno, text } = refusal;
  const more = meaning(object, errno, link) ?? text;
  return more === undefined ? `the kernel says ${errno}` : `the kernel says ${errno}: ${more}`;
}
