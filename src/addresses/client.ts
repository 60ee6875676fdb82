/** Addresses, links, routes and rules of the kernel (rtnetlink): read, changed, and heard of when somebody changes them. */
import { unreachable } from '../core/assert.js';
import { errnoValue } from '../core/errno.js';
import { LvsError } from '../core/errors.js';
import type { NetlinkSocket, OpenNetlink, Timers, Turns } from '../core/ports.js';
import { NetlinkConnection } from '../netlink/conn.js';
import type { NetlinkRequest, NetlinkResult } from '../netlink/exchange.js';
import { failureOf } from '../netlink/failure.js';
import { NETLINK, NLM_F, splitDatagram } from '../wire/netlink.js';
import { RTM, writeRtnl } from '../wire/rtnetlink.js';
import { readAddress } from '../wire/rtnl-address.js';
import { RTEXT_FILTER, readLink } from '../wire/rtnl-link.js';
import { readRoute } from '../wire/rtnl-route.js';
import { readRule } from '../wire/rtnl-rule.js';
import {
  addressSeen,
  addressToAdd,
  addressToRemove,
  linkSeen,
  linkToChange,
  linkToCreate,
  linkToRemove,
  noticeOf,
  tunnelToCreate,
} from './codec.js';
import { routeSeen, routeToAdd, routeToRemove, rulePayload, ruleSeen } from './codec-route.js';
import { LVSENTRY_PROTOCOL } from './diff.js';
import type {
  AddressSeen,
  LinkSeen,
  Notice,
  ObjectSeen,
  RouteSeen,
  VirtualLink,
  VirtualObject,
} from './model.js';

/** enum rtnetlink_groups (linux/rtnetlink.h): what a listener joins. */
const RTNLGRP = {
  LINK: 1,
  IPV4_IFADDR: 5,
  IPV4_ROUTE: 7,
  IPV4_RULE: 8,
  IPV6_IFADDR: 9,
  IPV6_ROUTE: 11,
  IPV6_RULE: 19,
} as const;

const AF_INET = 2;
const AF_INET6 = 10;
const EAGAIN = errnoValue('EAGAIN');
const EINTR = errnoValue('EINTR');

const NOTICE_BYTES = 64 * 1024;

export interface ObjectChange {
  readonly kind: 'add' | 'remove';
  readonly object: VirtualObject;
  /** Of its device; undefined where it has none. */
  readonly index: number | undefined;
  /** IFA_PROTO of a new address: who made it. Absent: the virtual routers. */
  readonly protocol?: number;
}

export interface AddressClientOptions {
  readonly openNetlink: OpenNetlink;
  readonly timers: Timers;
  readonly turns: Turns;
}

/** What no table changes in place: another program's object is never taken for ours. */
const CREATE = NLM_F.CREATE | NLM_F.EXCL;

function requestOf({ kind, object, index, protocol }: ObjectChange): NetlinkRequest {
  const isNew = kind === 'add';
  const flags = isNew ? CREATE : 0;
  switch (object.kind) {
    case 'address': {
      const at = index ?? 0;
      const payload = isNew ? addressToAdd(object, at, protocol) : addressToRemove(object, at);
      return { type: isNew ? RTM.NEWADDR : RTM.DELADDR, flags, payload };
    }
    case 'route': {
      const payload = isNew ? routeToAdd(object, index) : routeToRemove(object);
      return { type: isNew ? RTM.NEWROUTE : RTM.DELROUTE, flags, payload };
    }
    case 'rule':
      return { type: isNew ? RTM.NEWRULE : RTM.DELRULE, flags, payload: rulePayload(object) };
    default:
      return unreachable(object);
  }
}

export type LinkChange =
  | { readonly kind: 'create'; readonly link: VirtualLink; readonly parent: number }
  | { readonly kind: 'create-tunnel'; readonly name: string; readonly tunnel: string }
  | { readonly kind: 'remove'; readonly index: number }
  | {
      readonly kind: 'change';
      readonly index: number;
      readonly up?: boolean;
      readonly mtu?: number;
      readonly alias?: string;
    };

function linkRequestOf(change: LinkChange): NetlinkRequest {
  switch (change.kind) {
    case 'create':
      return { type: RTM.NEWLINK, flags: CREATE, payload: linkToCreate(change.link, change.parent) };
    case 'create-tunnel':
      return { type: RTM.NEWLINK, flags: CREATE, payload: tunnelToCreate(change.name, change.tunnel) };
    case 'remove':
      return { type: RTM.DELLINK, payload: linkToRemove(change.index) };
    case 'change': {
      const { kind: _, index, ...rest } = change;
      return { type: RTM.NEWLINK, payload: linkToChange(index, rest) };
    }
    default:
      return unreachable(change);
  }
}

export class AddressClient {
  readonly #openNetlink: OpenNetlink;
  readonly #connection: NetlinkConnection;
  readonly #notices: NetlinkSocket;
  /** Of routes and rules: apart, for routing daemons may have more to tell than anybody can read. */
  #routeNotices: NetlinkSocket | undefined;
  #listener: (() => void) | undefined;
  readonly #buffer = new Uint8Array(NOTICE_BYTES);

  /** @throws NATIVE, NETLINK, PERMISSION */
  constructor({ openNetlink, timers, turns }: AddressClientOptions) {
    this.#openNetlink = openNetlink;
    this.#connection = new NetlinkConnection(openNetlink(NETLINK.ROUTE), timers, turns);
    const groups = [RTNLGRP.LINK, RTNLGRP.IPV4_IFADDR, RTNLGRP.IPV6_IFADDR];
    try {
      this.#notices = openNetlink(NETLINK.ROUTE, groups);
    } catch (thrown) {
      this.#connection.close();
      throw thrown;
    }
  }

  /** From now on notices tell of routes and rules too. @throws NATIVE, NETLINK, PERMISSION */
  listenToRoutes(): void {
    if (this.#routeNotices !== undefined) return;
    const { IPV4_ROUTE, IPV6_ROUTE, IPV4_RULE, IPV6_RULE } = RTNLGRP;
    this.#routeNotices = this.#openNetlink(NETLINK.ROUTE, [IPV4_ROUTE, IPV6_ROUTE, IPV4_RULE, IPV6_RULE]);
    this.#routeNotices.onReadable(this.#listener);
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

  /** The routes of all tables that bear our tag; those of others may be very many. @throws NETLINK (rejects) */
  async routes(): Promise<RouteSeen[]> {
    const found: RouteSeen[] = [];
    for (const family of [AF_INET, AF_INET6]) {
      const header = { family, destinationLength: 0, sourceLength: 0, tos: 0, table: 0 };
      const route = { ...header, protocol: LVSENTRY_PROTOCOL, scope: 0, type: 0, flags: 0 };
      const request = { type: RTM.GETROUTE, payload: writeRtnl({ kind: 'route', route }) };
      // Kernels before 4.20 look at neither in a request.
      const read = (payload: Uint8Array) =>
        payload[0] === family && payload[5] === LVSENTRY_PROTOCOL ? routeSeen(readRoute(payload)) : undefined;
      for (const each of await this.#dumpOf(request, read)) if (each !== undefined) found.push(each);
    }
    return found;
  }

  /** The rules that bear our tag. @throws NETLINK (rejects) */
  async rules(): Promise<ObjectSeen[]> {
    const found: ObjectSeen[] = [];
    for (const family of [AF_INET, AF_INET6]) {
      const header = { family, destinationLength: 0, sourceLength: 0, tos: 0, table: 0 };
      const rule = { ...header, action: 0, flags: 0 };
      const request = { type: RTM.GETRULE, payload: writeRtnl({ kind: 'rule', rule }) };
      const read = (payload: Uint8Array) => (payload[0] === family ? ruleSeen(readRule(payload)) : undefined);
      for (const each of await this.#dumpOf(request, read))
        if (each?.protocol === LVSENTRY_PROTOCOL) found.push(each);
    }
    return found;
  }

  /** Nothing of a family that the kernel does not have. */
  async #dumpOf<Value>(request: NetlinkRequest, read: (payload: Uint8Array) => Value): Promise<Value[]> {
    try {
      return await this.#connection.dump(request, read);
    } catch (thrown) {
      const errno = failureOf(thrown)?.errno;
      if (errno === 'EOPNOTSUPP' || errno === 'EAFNOSUPPORT') return [];
      throw thrown;
    }
  }

  /** Carries out changes of links in their order; an error does not stop the rest. One result for each. */
  applyLinks(changes: readonly LinkChange[]): Promise<NetlinkResult[]> {
    return this.#connection.batch(changes.map(linkRequestOf));
  }

  /** Carries out changes in their order; an error does not stop the rest. One result for each. */
  apply(changes: readonly ObjectChange[]): Promise<NetlinkResult[]> {
    return this.#connection.batch(changes.map(requestOf));
  }

  /** Calls `listener` whenever `drain` has something to give. */
  onNotice(listener: (() => void) | undefined): void {
    this.#listener = listener;
    this.#notices.onReadable(listener);
    this.#routeNotices?.onReadable(listener);
  }

  /** What was told since the last time, at most `limit` datagrams of each kind. @returns whether that was all */
  drain(limit: number, onNotice: (notice: Notice) => void): boolean {
    const all = this.#drain(this.#notices, 'lost', limit, onNotice);
    const routes = this.#routeNotices;
    return (routes === undefined || this.#drain(routes, 'routes', limit, onNotice)) && all;
  }

  /** @param loss what it means when notices of this socket were lost */
  #drain(
    socket: NetlinkSocket,
    loss: 'lost' | 'routes',
    limit: number,
    onNotice: (notice: Notice) => void,
  ): boolean {
    for (let count = 0; count < limit; count += 1) {
      const size = socket.receive(this.#buffer);
      if (size === -EAGAIN) return true;
      if (size >= 0) this.#read(this.#buffer.subarray(0, size), loss, onNotice);
      else if (size !== -EINTR) onNotice({ kind: loss });
    }
    return false;
  }

  #read(datagram: Uint8Array, loss: 'lost' | 'routes', onNotice: (notice: Notice) => void): void {
    try {
      for (const message of splitDatagram(datagram)) {
        const notice = noticeOf(message);
        if (notice !== undefined) onNotice(notice);
      }
    } catch (thrown) {
      if (!(thrown instanceof LvsError)) throw thrown;
      onNotice({ kind: loss });
    }
  }

  close(): void {
    for (const socket of [this.#notices, this.#routeNotices]) {
      socket?.onReadable(undefined);
      socket?.close();
    }
    this.#connection.close();
  }
}
