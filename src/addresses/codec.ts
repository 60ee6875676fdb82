/** Links and addresses between rtnetlink's values and ours. */
import { type Ip, ipFamily } from '../core/ip.js';
import { parseMac } from '../core/mac.js';
import { NLM_F } from '../wire/netlink.js';
import { RTM, readRtnl, writeRtnl } from '../wire/rtnetlink.js';
import { type Address, IFA_F, LIFETIME_FOREVER } from '../wire/rtnl-address.js';
import { IFF, kindInfo, type Link, MACVLAN_MODE, macvlanInfo, readLinkInfo } from '../wire/rtnl-link.js';
import { LVSENTRY_PROTOCOL } from './diff.js';
import type { AddressSeen, LinkSeen, Notice, ObjectSeen, VirtualAddress, VirtualLink } from './model.js';

const AF_INET = 2;
const AF_INET6 = 10;

export function linkSeen(link: Link): LinkSeen {
  const wanted = IFF.UP | IFF.RUNNING;
  return {
    index: link.index,
    name: link.name ?? '',
    up: (link.flags & IFF.UP) !== 0,
    usable: (link.flags & wanted) === wanted,
    mac: parseMac(link.hardwareAddress ?? ''),
    mtu: link.mtu ?? 0,
    parent: link.parent,
    macvlanMode: link.info === undefined ? undefined : readLinkInfo(link.info).macvlanMode,
    alias: link.alias,
  };
}

const ANY_LINK: Link = { family: 0, type: 0, index: 0, flags: 0, change: 0 };

/** The payload of the RTM_NEWLINK that makes a virtual link, down. */
export function linkToCreate({ name, mac }: VirtualLink, parent: number): Uint8Array {
  const info = macvlanInfo(MACVLAN_MODE.PRIVATE);
  return writeRtnl({ kind: 'link', link: { ...ANY_LINK, hardwareAddress: mac, parent, name, info } });
}

/** The payload of the RTM_NEWLINK that makes a tunnel's end which takes packets of anybody. The kernel loads its module. */
export function tunnelToCreate(name: string, kind: string): Uint8Array {
  return writeRtnl({ kind: 'link', link: { ...ANY_LINK, name, info: kindInfo(kind) } });
}

/** The payload of RTM_NEWLINK that changes a link: whether it is up, its MTU, its alias. */
export function linkToChange(
  index: number,
  { up, ...rest }: { readonly up?: boolean; readonly mtu?: number; readonly alias?: string },
): Uint8Array {
  const flags = up === undefined ? {} : { flags: up ? IFF.UP : 0, change: IFF.UP };
  return writeRtnl({ kind: 'link', link: { ...ANY_LINK, index, ...flags, ...rest } });
}

/** The payload of RTM_DELLINK. */
export function linkToRemove(index: number): Uint8Array {
  return writeRtnl({ kind: 'link', link: { ...ANY_LINK, index } });
}

function objectSeen(address: Address, ip: Ip, device: string): ObjectSeen {
  const flags = address.allFlags ?? address.flags;
  const isIpv6 = address.family === AF_INET6;
  return {
    object: {
      kind: 'address',
      device,
      address: ip,
      prefix: address.prefixLength,
      broadcast: address.broadcast,
      // The kernel names an address without a label after its link.
      label: address.label === device ? undefined : address.label,
      scope: address.scope,
      noDad: isIpv6 && (flags & IFA_F.NODAD) !== 0,
      deprecated: isIpv6 && (flags & IFA_F.DEPRECATED) !== 0,
    },
    protocol: address.protocol ?? 0,
    tentative: isIpv6 && (flags & IFA_F.TENTATIVE) !== 0,
    duplicate: isIpv6 && (flags & IFA_F.DADFAILED) !== 0,
  };
}

/** Undefined for an address without an address: other programs may add families. */
export function addressSeen(address: Address): AddressSeen | undefined {
  const ip = address.local ?? address.address;
  if (ip === undefined) return undefined;
  const flags = address.allFlags ?? address.flags;
  return {
    index: address.index,
    address: ip,
    prefix: address.prefixLength,
    secondary: address.family === AF_INET && (flags & IFA_F.SECONDARY) !== 0,
    tentative: (flags & (IFA_F.TENTATIVE | IFA_F.DADFAILED)) !== 0,
    seen: (device) => objectSeen(address, ip, device),
  };
}

/**
 * What the kernel has once it took `vip`. It tells of an IPv6 address without duplicate address detection only from a
 * work queue, some time after its answer (inet6_addr_add of net/ipv6/addrconf.c).
 */
export function addressAdded(vip: VirtualAddress, index: number): AddressSeen {
  const { address, prefix } = vip;
  const tentative = ipFamily(address) === 'ipv6' && !vip.noDad;
  const seen = { protocol: LVSENTRY_PROTOCOL, tentative, duplicate: false };
  return {
    index,
    address,
    prefix,
    secondary: false,
    tentative,
    seen: (device) => ({ object: { ...vip, device }, ...seen }),
  };
}

/** The payload of RTM_NEWADDR. @param protocol IFA_PROTO: who made it */
export function addressToAdd(
  vip: VirtualAddress,
  index: number,
  protocol: number = LVSENTRY_PROTOCOL,
): Uint8Array {
  const isIpv6 = ipFamily(vip.address) === 'ipv6';
  const flags = vip.noDad ? IFA_F.NODAD : 0;
  const address: Address = {
    family: isIpv6 ? AF_INET6 : AF_INET,
    prefixLength: vip.prefix,
    flags,
    scope: vip.scope,
    index,
    local: vip.address,
    protocol,
    ...(isIpv6 ? { allFlags: flags } : { address: vip.address }),
    ...(vip.broadcast === undefined ? {} : { broadcast: vip.broadcast }),
    ...(vip.label === undefined ? {} : { label: vip.label }),
    ...(vip.deprecated
      ? { lifetimes: { preferredSeconds: 0, validSeconds: LIFETIME_FOREVER, created: 0, updated: 0 } }
      : {}),
  };
  return writeRtnl({ kind: 'address', address });
}

/** The payload of RTM_DELADDR: the address with this prefix length, and no other. */
export function addressToRemove(vip: VirtualAddress, index: number): Uint8Array {
  const isIpv6 = ipFamily(vip.address) === 'ipv6';
  const header = { family: isIpv6 ? AF_INET6 : AF_INET, prefixLength: vip.prefix, flags: 0, index };
  const address: Address = {
    ...header,
    scope: vip.scope,
    local: vip.address,
    // The prefix length counts only beside it (inet_rtm_deladdr of net/ipv4/devinet.c).
    ...(isIpv6 ? {} : { address: vip.address }),
  };
  return writeRtnl({ kind: 'address', address });
}

/** Offset of rtm_protocol in struct rtmsg. */
const RTM_PROTOCOL_AT = 5;

/**
 * Whether a message about a route can be about one of ours: it bears our tag, or takes the place of another route.
 * Routing daemons tell of many that are not, so nothing else of those is read.
 */
function isOurRoute({ type, flags, payload }: Told): boolean {
  if (type !== RTM.NEWROUTE && type !== RTM.DELROUTE) return false;
  return payload[RTM_PROTOCOL_AT] === LVSENTRY_PROTOCOL || (flags & NLM_F.REPLACE) !== 0;
}

/** A message of a listener. */
interface Told {
  readonly type: number;
  readonly flags: number;
  readonly payload: Uint8Array;
}

/** What a notification says; undefined for one that says nothing of use. @throws TRUNCATED, MALFORMED */
export function noticeOf(told: Told): Notice | undefined {
  const { type, payload } = told;
  if (type === RTM.NEWRULE || type === RTM.DELRULE || isOurRoute(told)) return { kind: 'routes' };
  if (type === RTM.NEWROUTE || type === RTM.DELROUTE) return undefined;
  const value = readRtnl(type, payload);
  if (value === undefined || value.verb === 'get') return undefined;
  const gone = value.verb === 'delete';
  // Bridges tell of their ports in messages of AF_BRIDGE: they are not about the link itself.
  if (value.kind === 'link')
    return value.link.family === 0 ? { kind: 'link', link: linkSeen(value.link), gone } : undefined;
  if (value.kind !== 'address') return undefined;
  const address = addressSeen(value.address);
  return address === undefined ? undefined : { kind: 'address', address, gone };
}
