/**
 * The kernel's network in memory: links and addresses behind netlink sockets, with listeners. It has the habits of the
 * real one that matter to virtual IPs, and passes the same contract (test/contract/addresses.ts).
 */
import { errnoValue } from '../../src/core/errno.js';
import { type Ip, ip, ipFamily } from '../../src/core/ip.js';
import type { NetlinkSocket, OpenNetlink } from '../../src/core/ports.js';
import type { Message } from '../../src/wire/netlink.js';
import { RTM, writeRtnl } from '../../src/wire/rtnetlink.js';
import { type Address, IFA_F, LIFETIME_FOREVER, readAddress } from '../../src/wire/rtnl-address.js';
import { readLink } from '../../src/wire/rtnl-link.js';
import { readRoute } from '../../src/wire/rtnl-route.js';
import { readRule } from '../../src/wire/rtnl-rule.js';
import type { NetworkPlace, Somebody } from '../contract/network.js';
import { datagram } from './answers.js';
import { type Arrival, acknowledged, dumped, FakeNetlinkSocket, refused } from './netlink-socket.js';
import { type FakeLink, FakeLinks } from './rtnl-links.js';
import { AF_INET, AF_INET6, FakeRoutes, Refused, sameSubnet } from './rtnl-routes.js';
import { FakeSysctls } from './sysctls.js';

const DUMP = 0x300;
const EXCL = 0x200;
const IPV6_MTU_MIN = 1280;

/** RTNLGRP_* */
const GROUP = { [AF_INET]: 5, [AF_INET6]: 9 } as const;

interface Listener {
  readonly socket: FakeNetlinkSocket;
  readonly groups: readonly number[];
  /** Notices that it holds. */
  readonly room: number;
  overrun: boolean;
}

const localOf = (address: Address): Ip => address.local ?? address.address ?? ip('0.0.0.0');
const flagsOf = (address: Address): number => address.allFlags ?? address.flags;

function withFlags(address: Address, flags: number): Address {
  return { ...address, flags: flags & 0xff, allFlags: flags };
}

export class FakeNetwork {
  readonly #links = new FakeLinks({
    tell: (group, type, payload) => this.#tell(group, type, payload),
    lose: (index, all) => this.#loseAll(index, all ? undefined : AF_INET6),
    dark: (index) => this.#routes.linkLost(index),
  });
  #addresses: Address[] = [];
  readonly #listeners: Listener[] = [];
  /** Answers for the next changes, instead of carrying them out. */
  readonly failures: Refused['errno'][] = [];
  readonly #routes = new FakeRoutes({
    linkAt: (index) => this.#links.find(index),
    indexOf: (name) => this.#links.named(name).index,
    addresses: () => this.#addresses,
    tell: (group, type, payload, flags) => this.#tell(group, type, payload, flags),
  });

  readonly sysctls = new FakeSysctls();

  /** Listeners are told nothing. */
  isMute = false;

  /** Opens sockets whose listeners hold `room` notices. */
  opener(room = 100_000): OpenNetlink {
    return (_protocol, groups = []): NetlinkSocket => {
      const socket = new FakeNetlinkSocket((request) => this.#handle(request));
      if (groups.length > 0) this.#listeners.push({ socket, groups, room, overrun: false });
      return socket;
    };
  }

  #handle(request: Message): readonly Arrival[] {
    if ((request.flags & DUMP) === DUMP) return this.#dump(request);
    const failure = this.failures.shift();
    try {
      if (failure !== undefined) throw new Refused(failure);
      this.#change(request);
      return acknowledged(request);
    } catch (thrown) {
      if (!(thrown instanceof Refused)) throw thrown;
      return refused(request, errnoValue(thrown.errno));
    }
  }

  #dump(request: Message): readonly Arrival[] {
    const { type, payload } = request;
    const [family = 0, , , , , protocol = 0] = payload;
    const order = [...this.#addresses].sort((a, b) => a.family - b.family || a.index - b.index);
    const found: ReadonlyMap<number, readonly Uint8Array[]> = new Map([
      [RTM.GETLINK, this.#links.payloads()],
      [RTM.GETADDR, order.map((address) => writeRtnl({ kind: 'address', address }))],
      [RTM.GETROUTE, this.#routes.routePayloads(family, protocol)],
      [RTM.GETRULE, this.#routes.rulePayloads(family)],
    ]);
    // Each kind has four types: new, delete, get, set.
    return dumped({ ...request, type: type & ~3 }, found.get(type) ?? [], 8);
  }

  #change({ type, flags, payload }: Message): void {
    if (type === RTM.NEWADDR) this.#add(readAddress(payload), (flags & EXCL) !== 0);
    else if (type === RTM.NEWLINK) this.#links.set(readLink(payload), flags);
    else if (type === RTM.DELLINK) this.#links.unset(readLink(payload).index);
    else if (type === RTM.DELADDR) this.#delete(readAddress(payload));
    else if (type === RTM.NEWROUTE) this.#routes.addRoute(readRoute(payload), flags);
    else if (type === RTM.DELROUTE) this.#routes.removeRoute(readRoute(payload));
    else if (type === RTM.NEWRULE) this.#routes.addRule(readRule(payload));
    else if (type === RTM.DELRULE) this.#routes.removeRule(readRule(payload));
    else throw new Refused('EINVAL');
  }

  #tell(group: number, type: number, payload: Uint8Array, flags = 0): void {
    const message = { type, flags, sequence: 0, portId: 0, payload };
    for (const listener of this.#listeners) {
      const { socket, groups, room } = listener;
      if (this.isMute || !groups.includes(group) || socket.closed > 0) continue;
      if (socket.unread === 0) listener.overrun = false;
      if (socket.unread < room) socket.deliver(datagram(message));
      else if (!listener.overrun) {
        listener.overrun = true;
        socket.deliver(-errnoValue('ENOBUFS'));
      }
    }
  }

  #tellAddress(address: Address, type: number = RTM.NEWADDR): void {
    const group = address.family === AF_INET ? GROUP[AF_INET] : GROUP[AF_INET6];
    this.#tell(group, type, writeRtnl({ kind: 'address', address }));
  }

  #add(given: Address, exclusive: boolean): void {
    const link = this.#links.at(given.index);
    if (given.local === undefined) throw new Refused('EINVAL');
    if (given.family === AF_INET) this.#addIpv4(given, link);
    else this.#addIpv6(given, link);
    if (!exclusive) throw new Refused('EINVAL');
  }

  /** __inet_insert_ifa */
  #addIpv4(given: Address, link: FakeLink): void {
    const local = localOf(given);
    if (given.prefixLength > 32) throw new Refused('EINVAL');
    let secondary = false;
    for (const other of this.#addresses) {
      if (other.family !== AF_INET || other.index !== link.index) continue;
      if (other.prefixLength !== given.prefixLength || !sameSubnet(localOf(other), local, given.prefixLength))
        continue;
      if (localOf(other) === local) throw new Refused('EEXIST');
      if (other.scope !== given.scope) throw new Refused('EINVAL');
      secondary = true;
    }
    const flags = IFA_F.PERMANENT | (secondary ? IFA_F.SECONDARY : 0);
    const address = withFlags({ ...given, address: local, label: given.label ?? link.name }, flags);
    this.#addresses.push(address);
    this.#tellAddress(address);
  }

  /** inet6_addr_add: without duplicate address detection it is told of later, from a work queue. */
  #addIpv6(given: Address, link: FakeLink): void {
    const local = localOf(given);
    if (link.mtu < IPV6_MTU_MIN) throw new Refused('EINVAL');
    if (!link.ipv6) throw new Refused('EACCES');
    const same = (other: Address) => other.index === link.index && localOf(other) === local;
    if (this.#addresses.some(same)) throw new Refused('EEXIST');
    const asked = flagsOf(given) & IFA_F.NODAD;
    const deprecated = given.lifetimes?.preferredSeconds === 0 ? IFA_F.DEPRECATED : 0;
    const tentative = asked === 0 ? IFA_F.TENTATIVE : 0;
    const { local: _, ...rest } = given;
    const lifetimes = given.lifetimes ?? {
      preferredSeconds: LIFETIME_FOREVER,
      validSeconds: LIFETIME_FOREVER,
      created: 0,
      updated: 0,
    };
    const address = withFlags(
      { ...rest, address: local, scope: 0, lifetimes },
      IFA_F.PERMANENT | asked | deprecated | tentative,
    );
    this.#addresses.push(address);
    if (tentative !== 0) this.#tellAddress(address);
    setImmediate(() => this.#detected(address));
  }

  /** Duplicate address detection is over: whether the other end has the address. */
  #detected(address: Address): void {
    if (!this.#addresses.includes(address)) return;
    const link = this.#links.find(address.index);
    const peer = link !== undefined && this.#links.has(link.peer) ? this.#links.named(link.peer) : undefined;
    const taken = this.#addresses.some(
      (other) => other.index === peer?.index && peer !== link && localOf(other) === localOf(address),
    );
    const isTentative = (flagsOf(address) & IFA_F.TENTATIVE) !== 0;
    const failed = isTentative && taken ? IFA_F.DADFAILED : 0;
    const flags = failed === 0 ? flagsOf(address) & ~IFA_F.TENTATIVE : flagsOf(address) | failed;
    const after = withFlags(address, flags);
    this.#addresses = this.#addresses.map((each) => (each === address ? after : each));
    this.#tellAddress(after);
  }

  /** inet_rtm_deladdr, inet6_addr_del */
  #delete(given: Address): void {
    const link = this.#links.at(given.index);
    const local = localOf(given);
    const found = this.#addresses.find(
      (each) =>
        each.index === link.index &&
        localOf(each) === local &&
        (each.prefixLength === given.prefixLength ||
          (given.family === AF_INET && given.address === undefined)),
    );
    if (found === undefined) throw new Refused('EADDRNOTAVAIL');
    this.#take(found);
  }

  /** __inet_del_ifa: with the first of a subnet its others go, or the next one becomes the first. */
  #take(gone: Address): void {
    const isFirst = gone.family === AF_INET && (flagsOf(gone) & IFA_F.SECONDARY) === 0;
    const others = this.#addresses.filter(
      (each) =>
        isFirst &&
        each !== gone &&
        each.family === AF_INET &&
        each.index === gone.index &&
        each.prefixLength === gone.prefixLength &&
        sameSubnet(localOf(each), localOf(gone), gone.prefixLength),
    );
    const [heir] = others;
    if (heir !== undefined && this.#links.at(gone.index).promote) {
      const promoted = withFlags(heir, flagsOf(heir) & ~IFA_F.SECONDARY);
      this.#addresses = this.#addresses.map((each) => (each === heir ? promoted : each));
      this.#lose(gone);
      this.#tellAddress(promoted);
      return;
    }
    for (const each of [...others, gone]) this.#lose(each);
  }

  #lose(address: Address): void {
    this.#addresses = this.#addresses.filter((each) => each !== address);
    this.#tellAddress(address, RTM.DELADDR);
    this.#routes.addressLost(localOf(address), address.index);
  }

  #loseAll(index: number, family: number | undefined): void {
    for (const address of this.#addresses.filter((each) => each.index === index))
      if (family === undefined || address.family === family) this.#lose(address);
  }

  #somebodyAdds(device: string, words: readonly string[]): void {
    const [local, prefix] = (words[0] ?? '').split('/');
    const word = (name: string) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined);
    const flags = words.includes('nodad') ? IFA_F.NODAD : 0;
    const label = word('label');
    const header = { flags, allFlags: flags, scope: word('scope') === 'link' ? 253 : 0 };
    const address: Address = {
      family: ipFamily(ip(local ?? '')) === 'ipv4' ? AF_INET : AF_INET6,
      prefixLength: Number(prefix),
      index: this.#links.named(device).index,
      local: ip(local ?? ''),
      ...header,
      ...(label === undefined ? {} : { label }),
    };
    this.#add(address, true);
  }

  #somebodyRemoves(device: string, text: string): void {
    const [local, prefix] = text.split('/');
    const { index } = this.#links.named(device);
    const address = ip(local ?? '');
    const family = ipFamily(address) === 'ipv4' ? AF_INET : AF_INET6;
    this.#delete({
      family,
      prefixLength: Number(prefix),
      flags: 0,
      scope: 0,
      index,
      local: address,
      address,
    });
  }

  readonly somebody: Somebody = {
    addLink: (name) => this.#links.add(name),
    deleteLink: (name) => this.#links.delete(name),
    changeLink: (name, change) => this.#links.change(name, change),
    add: (device, ...words) => this.#somebodyAdds(device, words),
    remove: (device, address) => this.#somebodyRemoves(device, address),
    route: (...words) => this.#routes.route(words),
    removeRule: (_family, priority) => this.#routes.removeRuleAt(priority),
    flush: (device) => this.#loseAll(this.#links.named(device).index, undefined),
    flood: (device, count) => {
      for (let at = 0; at < count; at += 1) {
        const address = `10.${at >> 8}.${at & 0xff}.1/32`;
        this.#somebodyAdds(device, [address]);
        this.#somebodyRemoves(device, address);
      }
    },
  };

  indexOf(device: string): number {
    return this.#links.named(device).index;
  }

  shown(device: string): readonly string[] {
    if (!this.#links.has(device)) return [];
    const { index } = this.#links.named(device);
    return this.#addresses
      .filter((address) => address.index === index)
      .map((address) => {
        const label =
          address.label === undefined || address.label === device ? '' : ` label ${address.label}`;
        const scope = address.scope === 253 ? ' scope link' : '';
        const failed = (flagsOf(address) & IFA_F.DADFAILED) === 0 ? '' : ' dadfailed';
        return `${localOf(address)}/${address.prefixLength}${label}${scope}${failed}`;
      })
      .sort();
  }

  get place(): NetworkPlace {
    const { somebody } = this;
    const shown = (device: string) => this.shown(device);
    const shownRoutes = () => this.#routes.shownRoutes();
    const shownRules = () => this.#routes.shownRules();
    const sockets = { openNetlink: this.opener(), openSmall: this.opener(16), sysctls: this.sysctls };
    const shownLink = (name: string) => this.#links.shown(name);
    return { ...sockets, somebody, shown, shownLink, shownRoutes, shownRules };
  }
}
