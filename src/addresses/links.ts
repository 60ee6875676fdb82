/** One link of the kernel at a time (rtnetlink), for those who need to know no more. */
import type { OpenNetlink, Timers, Turns } from '../core/ports.js';
import { NetlinkConnection } from '../netlink/conn.js';
import { failureOf } from '../netlink/failure.js';
import { NETLINK } from '../wire/netlink.js';
import { RTM, writeRtnl } from '../wire/rtnetlink.js';
import { RTEXT_FILTER, readLink } from '../wire/rtnl-link.js';

export interface LinkClientOptions {
  readonly openNetlink: OpenNetlink;
  readonly timers: Timers;
  readonly turns: Turns;
}

export class LinkClient {
  readonly #connection: NetlinkConnection;

  /** Opens a socket in the network namespace of this thread. @throws NATIVE, NETLINK, PERMISSION */
  constructor({ openNetlink, timers, turns }: LinkClientOptions) {
    this.#connection = new NetlinkConnection(openNetlink(NETLINK.ROUTE), timers, turns);
  }

  /** The index of a link: another one each time that it is made anew. Undefined: there is none. @throws NETLINK (rejects) */
  async indexOf(name: string): Promise<number | undefined> {
    const any = { family: 0, type: 0, index: 0, flags: 0, change: 0 };
    const link = { ...any, name, extensions: RTEXT_FILTER.SKIP_STATS };
    const request = { type: RTM.GETLINK, payload: writeRtnl({ kind: 'link', link }) };
    try {
      return await this.#connection.ask(request, (payload) => readLink(payload).index);
    } catch (thrown) {
      if (failureOf(thrown)?.errno === 'ENODEV') return undefined;
      throw thrown;
    }
  }

  close(): void {
    this.#connection.close();
  }
}
