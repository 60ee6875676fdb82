/** Addresses and links of the kernel (rtnetlink): read, changed, and heard of when somebody changes them. */
import { unreachable } from '../core/assert.js';
import { errnoValue } from '../core/errno.js';
import { LvsError } from '../core/errors.js';
import type { NetlinkSocket, OpenNetlink, Timers, Turns } from '../core/ports.js';
import { NetlinkConnection } from '../netlink/conn.js';
import type { NetlinkRequest, NetlinkResult } from '../netlink/exchange.js';
import { NETLINK, NLM_F, splitDatagram } from '../wire/netlink.js';
import { RTM, writeRtnl } from '../wire/rtnetlink.js';
import { readAddress } from '../wire/rtnl-address.js';
import { RTEXT_FILTER, readLink } from '../wire/rtnl-link.js';
import { addressSeen, addressToAdd, addressToRemove, linkSeen, noticeOf } from './codec.js';
import type { AddressSeen, LinkSeen, Notice, VirtualAddress } from './model.js';

/** enum rtnetlink_groups (linux/rtnetlink.h): what a listener joins. */
const RTNLGRP = { LINK: 1, IPV4_IFADDR: 5, IPV6_IFADDR: 9 } as const;

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

function requestOf({ kind, address, index }: AddressChange): NetlinkRequest {
  switch (kind) {
    case 'add':
      return { type: RTM.NEWADDR, flags: NLM_F.CREATE | NLM_F.EXCL, payload: addressToAdd(address, index) };
    case 'remove':
      return { type: RTM.DELADDR, payload: addressToRemove(address, index) };
    default:
      return unreachable(kind);
  }
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
