/** What tells virtual objects apart, and what people call them. */
import { unreachable } from '../core/assert.js';
import { ipFamily } from '../core/ip.js';
import type { Prefix, VirtualObject, VirtualRoute, VirtualRule } from './model.js';

function prefixText(prefix: Prefix | undefined): string {
  return prefix === undefined ? '' : `${prefix.address}/${prefix.length}`;
}

/**
 * What makes an object the same object to the kernel and to us. An address is the same whatever its prefix length:
 * with another one it would still be the virtual IP on this interface.
 */
export function objectText(object: VirtualObject): string {
  switch (object.kind) {
    case 'address':
      return `address ${object.address} ${object.device}`;
    case 'route':
      return `route ${prefixText(object.destination)} table ${object.table} metric ${object.metric}`;
    case 'rule': {
      const { family, priority, from, to, inputDevice, outputDevice, mark, table } = object;
      const marked = mark === undefined ? '' : `${mark.value}/${mark.mask}`;
      const selectors = [prefixText(from), prefixText(to), inputDevice, outputDevice, marked];
      return `rule ${family} ${priority} ${selectors.map((part) => part ?? '').join(' ')} table ${table}`;
    }
    default:
      return unreachable(object);
  }
}

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
