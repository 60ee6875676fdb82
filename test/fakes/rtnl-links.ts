/** Links of the network in memory: pairs whose ends carry each other, and macvlans above them (drivers/net/macvlan.c). */
import { NLM_F } from '../../src/wire/netlink.js';
import { RTM, writeRtnl } from '../../src/wire/rtnetlink.js';
import { IFF, type Link, macvlanInfo, readLinkInfo } from '../../src/wire/rtnl-link.js';
import type { LinkChange } from '../contract/network.js';
import { Refused } from './rtnl-routes.js';

const LINK_GROUP = 1;
const IPV6_MTU_MIN = 1280;

export interface FakeLink {
  readonly index: number;
  readonly name: string;
  /** The other end. */
  readonly peer: string;
  /** Of a macvlan. */
  readonly parent: number | undefined;
  readonly mode: number | undefined;
  readonly mac: string;
  alias: string | undefined;
  up: boolean;
  mtu: number;
  promote: boolean;
  ipv6: boolean;
}

/** What links have to know of the rest, and how they tell. */
export interface Around {
  tell(group: number, type: number, payload: Uint8Array): void;
  /** The addresses of a link are gone: those of IPv6, or all. */
  lose(index: number, all: boolean): void;
  /** Nothing goes out of a link any more. */
  dark(index: number): void;
}

export class FakeLinks {
  readonly #around: Around;
  readonly #links: FakeLink[] = [];
  #lastIndex = 0;

  constructor(around: Around) {
    this.#around = around;
    this.#push({ name: 'lo', peer: 'lo', mtu: 65536, mac: '00:00:00:00:00:00', up: true });
  }

  #push(facts: Pick<FakeLink, 'name' | 'peer' | 'mtu' | 'mac' | 'up'> & Partial<FakeLink>): FakeLink {
    this.#lastIndex += 1;
    const rest = { promote: false, ipv6: true, parent: undefined, mode: undefined, alias: undefined };
    const link: FakeLink = { ...rest, ...facts, index: this.#lastIndex };
    this.#links.push(link);
    return link;
  }

  payloads(): Uint8Array[] {
    return this.#links.map((link) => this.#bytes(link));
  }

  find(index: number): FakeLink | undefined {
    return this.#links.find((each) => each.index === index);
  }

  at(index: number): FakeLink {
    const link = this.find(index);
    if (link === undefined) throw new Refused('ENODEV');
    return link;
  }

  named(name: string): FakeLink {
    const link = this.#links.find((each) => each.name === name);
    if (link === undefined) throw new Error(`no link ${name}`);
    return link;
  }

  has(name: string): boolean {
    return this.#links.some((each) => each.name === name);
  }

  #hasCarrier({ parent, peer }: FakeLink): boolean {
    if (parent !== undefined) return this.#isUsable(this.at(parent));
    return this.#links.find((other) => other.name === peer)?.up === true;
  }

  #isUsable(link: FakeLink): boolean {
    return link.up && this.#hasCarrier(link);
  }

  #bytes(link: FakeLink): Uint8Array {
    const { index, name, up, mtu, mac, parent, mode, alias } = link;
    const flags = (up ? IFF.UP : 0) | (this.#isUsable(link) ? IFF.RUNNING | IFF.LOWER_UP : 0);
    const wire: Link = {
      ...{ family: 0, type: 1, index, flags, change: 0, name, mtu, hardwareAddress: mac },
      ...(parent === undefined ? {} : { parent }),
      ...(mode === undefined ? {} : { info: macvlanInfo(mode) }),
      ...(alias === undefined ? {} : { alias }),
    };
    return writeRtnl({ kind: 'link', link: wire });
  }

  /** Those above hear of what happens below. */
  #tell(link: FakeLink): void {
    this.#around.tell(LINK_GROUP, RTM.NEWLINK, this.#bytes(link));
    for (const above of this.#above(link)) this.#tell(above);
  }

  #above({ index }: FakeLink): FakeLink[] {
    return this.#links.filter(({ parent }) => parent === index);
  }

  /** A pair of links, up. */
  add(name: string): void {
    const peer = `${name}-far`;
    const mac = (last: number) => `02:00:00:00:00:${(this.#lastIndex + last).toString(16).padStart(2, '0')}`;
    const made = [
      this.#push({ name: peer, peer: name, mtu: 1500, mac: mac(1), up: true }),
      this.#push({ name, peer, mtu: 1500, mac: mac(1), up: true }),
    ];
    for (const each of made) this.#tell(each);
  }

  /** Both ends of a pair, or a macvlan, and what is above them. */
  delete(name: string): void {
    for (const link of this.#links.filter((each) => each.name === name || each.peer === name))
      this.#remove(link);
  }

  #remove(link: FakeLink): void {
    for (const above of this.#above(link)) this.#remove(above);
    this.#around.lose(link.index, true);
    this.#around.dark(link.index);
    const payload = this.#bytes(link);
    this.#links.splice(this.#links.indexOf(link), 1);
    this.#around.tell(LINK_GROUP, RTM.DELLINK, payload);
  }

  change(name: string, { up, mtu, promote, ipv6 }: LinkChange): void {
    const link = this.named(name);
    link.mtu = mtu ?? link.mtu;
    for (const above of this.#above(link)) above.mtu = Math.min(above.mtu, link.mtu);
    link.up = up ?? link.up;
    link.promote = promote ?? link.promote;
    link.ipv6 = ipv6 ?? link.ipv6;
    for (const each of [link, ...this.#above(link)])
      if (!each.up || !each.ipv6 || each.mtu < IPV6_MTU_MIN) this.#around.lose(each.index, false);
    if (!link.up) this.#around.dark(link.index);
    this.#tell(link);
    if (up !== undefined && this.has(link.peer)) this.#tell(this.named(link.peer));
  }

  /** RTM_NEWLINK of a program: makes a macvlan, or changes a link. */
  set(given: Link, flags: number): void {
    if ((flags & NLM_F.CREATE) !== 0) this.#create(given);
    else this.#alter(this.at(given.index), given);
  }

  #create({ name = '', hardwareAddress = '', parent, info }: Link): void {
    if (this.has(name)) throw new Refused('EEXIST');
    const mode = info === undefined ? undefined : readLinkInfo(info).macvlanMode;
    if (parent === undefined || mode === undefined) throw new Refused('EINVAL');
    const { mtu } = this.at(parent);
    this.#tell(this.#push({ name, peer: name, mtu, mac: hardwareAddress, parent, mode, up: false }));
  }

  /** Two macvlans with one address on one parent are not up together. */
  #alter(link: FakeLink, { flags, change, mtu, alias }: Link): void {
    const twin = this.#links.some(
      (other) => other !== link && other.up && other.parent === link.parent && other.mac === link.mac,
    );
    const up = (change & IFF.UP) === 0 ? undefined : (flags & IFF.UP) !== 0;
    if (up === true && link.parent !== undefined && twin) throw new Refused('EADDRINUSE');
    if (up === true && link.parent !== undefined && !this.at(link.parent).up) throw new Refused('ENETDOWN');
    link.alias = alias ?? link.alias;
    this.change(link.name, {
      ...(mtu === undefined ? {} : { mtu }),
      ...(up === undefined ? {} : { up }),
    });
  }

  shown(name: string): string | undefined {
    if (!this.has(name)) return undefined;
    const { up, mac, mtu, parent, alias } = this.named(name);
    return [
      `${up ? 'up' : 'down'} ${mac} mtu ${mtu}`,
      ...(parent === undefined ? [] : [`private on ${this.at(parent).name}`]),
      ...(alias === undefined ? [] : [alias]),
    ].join(' ');
  }

  /** RTM_DELLINK of a program. */
  unset(index: number): void {
    this.#remove(this.at(index));
  }
}
