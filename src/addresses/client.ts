/** Addresses and links of the kernel (rtnetlink): read, changed, and heard of when somebody changes them. */
import { unreachable } from '../core/assert.js';
import { errnoValue } from '../core/errno.js';
import { LvsError } from '../core/errors.js';
import { type Ip, ipFamily } from '../core/ip.js';
import { parseMac } from '../core/mac.js';
import type { NetlinkSocket, OpenNetlink, Timers, Turns } from '../core/ports.js';
import { NetlinkConnection } from '../netlink/conn.js';
import type { NetlinkRequest, NetlinkResult } from '../netlink/exchange.js';
import { NETLINK, NLM_F, splitDatagram } from '../wire/netlink.js';
import { RTM, readRtnl, writeRtnl } from '../wire/rtnetlink.js';
import { type Address, IFA_F, LIFETIME_FOREVER, readAddress } from '../wire/rtnl-address.js';
import { IFF, type Link, RTEXT_FILTER, readLink } from '../wire/rtnl-link.js';
import { LVSENTRY_PROTOCOL } from './diff.js';
import type { AddressSeen, LinkSeen, Notice, ObjectSeen, VirtualAddress } from './model.js';

/** enum rtnetlink_groups (linux/rtnetlink.h): what a listener joins. */
const RTNLGRP = { LINK: 1, IPV4_IFADDR: 5, IPV6_IFADDR: 9 } as const;

const AF_INET = 2;
const AF_INET6 = 10;
const EAGAIN = errnoValue('EAGAIN');
const EINTR = errnoValue('EINTR');

const NOTICE_BYTES = 64 * 1024;

export interface AddressChange {
  readonly kind: 'add' | 'remove';
  readonly address: VirtualAddress;
  readonly index: number;
}

export interface AddressClientOptions {
  readonly openNetlink: OpenNetlink;
  readonly timers: Timers;
  readonly turns: Turns;
}

function linkSeen(link: Link): LinkSeen {
  const wanted = IFF.UP | IFF.RUNNING;
  return {
    index: link.index,
    name: link.name ?? '',
    usable: (link.flags & wanted) === wanted,
    mac: parseMac(link.hardwareAddress ?? ''),
  };
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
    duplicate: isIpv6 && (flags & IFA_F.DADFAILED) !== 0,
  };
}

/** Undefined for an address without an address: other programs may add families. */
function addressSeen(address: Address): AddressSeen | undefined {
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

function addPayload(vip: VirtualAddress, index: number): Uint8Array {
  const isIpv6 = ipFamily(vip.address) === 'ipv6';
  const flags = vip.noDad ? IFA_F.NODAD : 0;
  const address: Address = {
    family: isIpv6 ? AF_INET6 : AF_INET,
    prefixLength: vip.prefix,
    flags,
    scope: vip.scope,
    index,
    local: vip.address,
    protocol: LVSENTRY_PROTOCOL,
    ...(isIpv6 ? { allFlags: flags } : { address: vip.address }),
    ...(vip.broadcast === undefined ? {} : { broadcast: vip.broadcast }),
    ...(vip.label === undefined ? {} : { label: vip.label }),
    ...(vip.deprecated
      ? { lifetimes: { preferredSeconds: 0, validSeconds: LIFETIME_FOREVER, created: 0, updated: 0 } }
      : {}),
  };
  return writeRtnl({ kind: 'address', address });
}

function removePayload(vip: VirtualAddress, index: number): Uint8Array {
  const family = ipFamily(vip.address) === 'ipv6' ? AF_INET6 : AF_INET;
  const header = { family, prefixLength: vip.prefix, flags: 0, scope: vip.scope, index };
  return writeRtnl({ kind: 'address', address: { ...header, local: vip.address } });
}

function requestOf({ kind, address, index }: AddressChange): NetlinkRequest {
  switch (kind) {
    case 'add':
      return { type: RTM.NEWADDR, flags: NLM_F.CREATE | NLM_F.EXCL, payload: addPayload(address, index) };
    case 'remove':
      return { type: RTM.DELADDR, payload: removePayload(address, index) };
    default:
      return unreachable(kind);
  }
}

function noticeOf(type: number, payload: Uint8Array): Notice | undefined {
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

export class AddressClient {
  readonly #connection: NetlinkConnection;
  readonly #notices: NetlinkSocket;
  readonly #buffer = new Uint8Array(NOTICE_BYTES);

  /** @throws NATIVE, NETLINK, PERMISSION */
  constructor({ openNetlink, timers, turns }: AddressClientOptions) {
    this.#connection = new NetlinkConnection(openNetlink(NETLINK.ROUTE), timers, turns);
    const groups = [RTNLGRP.LINK, RTNLGRP.IPV4_IFADDR, RTNLGRP.IPV6_IFADDR];
    try {
      this.#notices = openNetlink(NETLINK.ROUTE, groups);
    } catch (thrown) {
      this.#connection.close();
      throw thrown;
    }
  }

  /** All links. @throws NETLINK (rejects) */
  links(): Promise<LinkSeen[]> {
    const any = { family: 0, type: 0, index: 0, flags: 0, change: 0 };
    const link = { ...any, extensions: RTEXT_FILTER.VF | RTEXT_FILTER.SKIP_STATS };
    const request = { type: RTM.GETLINK, payload: writeRtnl({ kind: 'link', link }) };
    return this.#connection.dump(request, (payload) => linkSeen(readLink(payload)));
  }

  /** All addresses of both families, in the kernel's order. @throws NETLINK (rejects) */
  async addresses(): Promise<AddressSeen[]> {
    const address = { family: 0, prefixLength: 0, flags: 0, scope: 0, index: 0 };
    const request = { type: RTM.GETADDR, payload: writeRtnl({ kind: 'address', address }) };
    const found = await this.#connection.dump(request, (payload) => addressSeen(readAddress(payload)));
    return found.filter((each) => each !== undefined);
  }

  /** Carries out changes in their order; an error does not stop the rest. One result for each. */
  apply(changes: readonly AddressChange[]): Promise<NetlinkResult[]> {
    return this.#connection.batch(changes.map(requestOf));
  }

  /** Calls `listener` whenever `drain` has something to give. */
  onNotice(listener: (() => void) | undefined): void {
    this.#notices.onReadable(listener);
  }

  /** What was told since the last time, at most `limit` datagrams of it. @returns whether that was all */
  drain(limit: number, onNotice: (notice: Notice) => void): boolean {
    for (let count = 0; count < limit; count += 1) {
      const size = this.#notices.receive(this.#buffer);
      if (size === -EAGAIN) return true;
      if (size >= 0) this.#read(this.#buffer.subarray(0, size), onNotice);
      else if (size !== -EINTR) onNotice({ kind: 'lost' });
    }
    return false;
  }

  #read(datagram: Uint8Array, onNotice: (notice: Notice) => void): void {
    try {
      for (const { type, payload } of splitDatagram(datagram)) {
        const notice = noticeOf(type, payload);
        if (notice !== undefined) onNotice(notice);
      }
    } catch (thrown) {
      if (!(thrown instanceof LvsError)) throw thrown;
      onNotice({ kind: 'lost' });
    }
  }

  close(): void {
    this.#notices.onReadable(undefined);
    this.#notices.close();
    this.#connection.close();
  }
}
