/** rtnetlink (linux/rtnetlink.h): which message carries what. The kinds are in rtnl-*.ts. */

import { unreachable } from '../core/assert.js';
import { type Address, readAddress, writeAddress } from './rtnl-address.js';
import { type Link, readLink, writeLink } from './rtnl-link.js';
import { type Neighbour, readNeighbour, writeNeighbour } from './rtnl-neighbour.js';
import { type Route, readRoute, writeRoute } from './rtnl-route.js';
import { type Rule, readRule, writeRule } from './rtnl-rule.js';

/** RTM_*: message types. */
export const RTM = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWROUTE: 24,
  DELROUTE: 25,
  GETROUTE: 26,
  NEWNEIGH: 28,
  DELNEIGH: 29,
  GETNEIGH: 30,
  NEWRULE: 32,
  DELRULE: 33,
  GETRULE: 34,
} as const;

/** What one message is about. */
export type RtnlValue =
  | { readonly kind: 'link'; readonly link: Link }
  | { readonly kind: 'address'; readonly address: Address }
  | { readonly kind: 'route'; readonly route: Route }
  | { readonly kind: 'neighbour'; readonly neighbour: Neighbour }
  | { readonly kind: 'rule'; readonly rule: Rule };

/** What a message does with it. */
export type RtnlVerb = 'new' | 'delete' | 'get';

const VERBS: readonly (RtnlVerb | undefined)[] = ['new', 'delete', 'get', undefined];

const READERS: readonly (readonly [number, (payload: Uint8Array) => RtnlValue])[] = [
  [RTM.NEWLINK, (payload) => ({ kind: 'link', link: readLink(payload) })],
  [RTM.NEWADDR, (payload) => ({ kind: 'address', address: readAddress(payload) })],
  [RTM.NEWROUTE, (payload) => ({ kind: 'route', route: readRoute(payload) })],
  [RTM.NEWNEIGH, (payload) => ({ kind: 'neighbour', neighbour: readNeighbour(payload) })],
  [RTM.NEWRULE, (payload) => ({ kind: 'rule', rule: readRule(payload) })],
];

/**
 * Reads a message by its type. Each kind has four types: new, delete, get, set (linux/rtnetlink.h RTM_FAM).
 * @returns undefined for a type that lvsentry has no use for
 * @throws TRUNCATED, MALFORMED
 */
export function readRtnl(type: number, payload: Uint8Array): (RtnlValue & { verb: RtnlVerb }) | undefined {
  const verb = VERBS[type & 3];
  const read = READERS.find(([first]) => first === (type & ~3))?.[1];
  return verb === undefined || read === undefined ? undefined : { verb, ...read(payload) };
}

/** The payload of a message about `value`. @throws MALFORMED */
export function writeRtnl(value: RtnlValue): Uint8Array {
  switch (value.kind) {
    case 'link':
      return writeLink(value.link);
    case 'address':
      return writeAddress(value.address);
    case 'route':
      return writeRoute(value.route);
    case 'neighbour':
      return writeNeighbour(value.neighbour);
    case 'rule':
      return writeRule(value.rule);
    default:
      return unreachable(value);
  }
}
