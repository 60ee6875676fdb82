/** The way of packets to an address, as the kernel would have them go (rtnetlink). */
import { type Ip, ipBytes } from '../core/ip.js';
import type { OpenNetlink, Timers, Turns } from '../core/ports.js';
import { NetlinkConnection } from '../netlink/conn.js';
import { failureOf } from '../netlink/failure.js';
import { NETLINK } from '../wire/netlink.js';
import { RTM, writeRtnl } from '../wire/rtnetlink.js';
import { RTEXT_FILTER, readLink } from '../wire/rtnl-link.js';
import { readRoute } from '../wire/rtnl-route.js';

export interface WayClientOptions {
  readonly openNetlink: OpenNetlink;
  readonly timers: Timers;
  readonly turns: Turns;
}

/** Where packets leave, and what they would come from. */
export interface Way {
  readonly source: Ip;
  readonly device: string;
}

const AF_INET = 2;
const AF_INET6 = 10;
/** There is no route, or one that forbids: ip_route_output_key(), ip6_route_output(). */
const NO_ROUTE: ReadonlySet<string> = new Set(['ENETUNREACH', 'EHOSTUNREACH', 'EACCES', 'EINVAL']);

export class WayClient {
  readonly #connection: NetlinkConnection;

  /** Opens a socket in the network namespace of this thread. @throws NATIVE, NETLINK, PERMISSION */
  constructor({ openNetlink, timers, turns }: WayClientOptions) {
    this.#connection = new NetlinkConnection(openNetlink(NETLINK.ROUTE), timers, turns);
  }

  /**
   * The way to an address, from one of ours where it is given.
   * @returns undefined where there is none
   * @throws NETLINK (rejects)
   */
  async to(destination: Ip, source?: Ip): Promise<Way | undefined> {
    const bits = ipBytes(destination).length * 8;
    const route = {
      family: bits === 32 ? AF_INET : AF_INET6,
      destinationLength: bits,
      sourceLength: source === undefined ? 0 : bits,
      ...{ tos: 0, table: 0, protocol: 0, scope: 0, type: 0, flags: 0 },
      destination,
      ...(source === undefined ? {} : { source }),
    };
    const request = { type: RTM.GETROUTE, payload: writeRtnl({ kind: 'route', route }) };
    try {
      const found = await this.#connection.ask(request, readRoute);
      const from = source ?? found?.preferredSource;
      if (from === undefined || found?.outputIndex === undefined) return undefined;
      const device = await this.#nameOf(found.outputIndex);
      return device === undefined ? undefined : { source: from, device };
    } catch (thrown) {
      if (NO_ROUTE.has(failureOf(thrown)?.errno ?? '')) return undefined;
      throw thrown;
    }
  }

  async #nameOf(index: number): Promise<string | undefined> {
    const link = { family: 0, type: 0, index, flags: 0, change: 0, extensions: RTEXT_FILTER.SKIP_STATS };
    const request = { type: RTM.GETLINK, payload: writeRtnl({ kind: 'link', link }) };
    try {
      return await this.#connection.ask(request, (payload) => readLink(payload).name);
    } catch (thrown) {
      if (failureOf(thrown)?.errno === 'ENODEV') return undefined;
      throw thrown;
    }
  }

  close(): void {
    this.#connection.close();
  }
}
