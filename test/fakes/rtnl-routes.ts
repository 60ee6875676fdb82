/** Routes and rules of the network in memory (net/ipv4/fib_trie.c, net/ipv6/route.c, net/core/fib_rules.c). */
import { type Errno, errnoValue } from '../../src/core/errno.js';
import { type Ip, ip, ipBytes, ipFamily } from '../../src/core/ip.js';
import { NLM_F } from '../../src/wire/netlink.js';
import { RTM, writeRtnl } from '../../src/wire/rtnetlink.js';
import type { Address } from '../../src/wire/rtnl-address.js';
import { type Route, RTN } from '../../src/wire/rtnl-route.js';
import type { Rule } from '../../src/wire/rtnl-rule.js';

export const AF_INET = 2;
export const AF_INET6 = 10;
const LOOPBACK = 1;
const METRIC_IPV6 = 1024;
const BOOT = 3;
const MAIN = 254;

/** What the kernel answers with an errno. */
export class Refused extends Error {
  constructor(readonly errno: Errno) {
    super(`${errno} ${errnoValue(errno)}`);
  }
}

/** What routes have to know of the rest, and how they tell. */
export interface Surroundings {
  /** Up, and its name; undefined where there is none. */
  linkAt(index: number): { readonly name: string; readonly up: boolean } | undefined;
  indexOf(name: string): number;
  addresses(): readonly Address[];
  tell(group: number, type: number, payload: Uint8Array, flags?: number): void;
}

const GROUP = { route: { [AF_INET]: 7, [AF_INET6]: 11 }, rule: { [AF_INET]: 8, [AF_INET6]: 19 } } as const;

function bitsOf(address: Ip): string {
  return Array.from(ipBytes(address), (byte) => byte.toString(2).padStart(8, '0')).join('');
}

/** Whether two addresses are in the same subnet of `length` bits. */
export function sameSubnet(a: Ip, b: Ip, length: number): boolean {
  return ipFamily(a) === ipFamily(b) && bitsOf(a).slice(0, length) === bitsOf(b).slice(0, length);
}

const ownOf = (address: Address): Ip | undefined => address.local ?? address.address;
const tableOf = ({ table, tableId }: Route | Rule): number => tableId ?? table;

function nameOf(route: Route): string {
  const { family, destination, destinationLength, priority } = route;
  return `${family} ${destination}/${destinationLength} ${tableOf(route)} ${priority}`;
}

function selectorsOf({ flags: _, protocol: __, ...rule }: Rule): string {
  return JSON.stringify(Object.entries({ ...rule, table: 0, tableId: tableOf(rule as Rule) }).sort());
}

export class FakeRoutes {
  readonly #around: Surroundings;
  #routes: Route[] = [];
  #rules: Rule[] = [];

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** The routes of a family, of one protocol where it is not 0. */
  routePayloads(family: number, protocol: number): Uint8Array[] {
    return this.#routes
      .filter((route) => route.family === family && (protocol === 0 || route.protocol === protocol))
      .map((route) => writeRtnl({ kind: 'route', route }));
  }

  rulePayloads(family: number): Uint8Array[] {
    return this.#rules
      .filter((rule) => rule.family === family)
      .map((rule) => writeRtnl({ kind: 'rule', rule }));
  }

  #tellRoute(route: Route, type: number, flags = 0): void {
    const family = route.family === AF_INET ? AF_INET : AF_INET6;
    this.#around.tell(GROUP.route[family], type, writeRtnl({ kind: 'route', route }), flags);
  }

  #tellRule(rule: Rule, type: number): void {
    const family = rule.family === AF_INET ? AF_INET : AF_INET6;
    this.#around.tell(GROUP.rule[family], type, writeRtnl({ kind: 'rule', rule }));
  }

  /** The link that a gateway is on: a subnet of one of its addresses. */
  #linkTo(gateway: Ip): number | undefined {
    return this.#around.addresses().find((address) => {
      const own = ownOf(address);
      const isUp = this.#around.linkAt(address.index)?.up === true;
      return isUp && own !== undefined && sameSubnet(own, gateway, address.prefixLength);
    })?.index;
  }

  /** Fills in what the request leaves open. */
  #complete(given: Route): Route {
    const { family, gateway, preferredSource } = given;
    const isIpv6 = family === AF_INET6;
    const leadsNowhere = given.type !== RTN.UNICAST;
    const found = gateway === undefined ? given.outputIndex : this.#linkTo(gateway);
    if (!leadsNowhere) {
      if (found === undefined) throw new Refused(isIpv6 ? 'EHOSTUNREACH' : 'ENETUNREACH');
      const link = this.#around.linkAt(found);
      if (link === undefined) throw new Refused('ENODEV');
      if (!link.up) throw new Refused('ENETDOWN');
    }
    if (preferredSource !== undefined) {
      const isOwn = this.#around.addresses().some((address) => ownOf(address) === preferredSource);
      if (!isOwn) throw new Refused('EINVAL');
    }
    const outputIndex = leadsNowhere ? (isIpv6 ? LOOPBACK : undefined) : found;
    const metric = given.priority ?? 0;
    const { outputIndex: _, priority: __, ...rest } = given;
    return {
      ...rest,
      priority: metric === 0 && isIpv6 ? METRIC_IPV6 : metric,
      ...(outputIndex === undefined ? {} : { outputIndex }),
    };
  }

  addRoute(given: Route, flags: number): void {
    const route = this.#complete(given);
    const same = this.#routes.find((each) => nameOf(each) === nameOf(route));
    if (same === undefined) this.#routes.push(route);
    else if ((flags & NLM_F.REPLACE) === 0) throw new Refused('EEXIST');
    else this.#routes = this.#routes.map((each) => (each === same ? route : each));
    this.#tellRoute(route, RTM.NEWROUTE, same === undefined ? 0 : NLM_F.REPLACE);
  }

  removeRoute(given: Route): void {
    const isIpv6 = given.family === AF_INET6;
    const metric = given.priority === 0 && isIpv6 ? METRIC_IPV6 : (given.priority ?? 0);
    const found = this.#routes.find(
      (each) =>
        nameOf(each) === nameOf({ ...given, priority: metric }) &&
        (given.protocol === 0 || each.protocol === given.protocol),
    );
    if (found === undefined) throw new Refused('ESRCH');
    this.#routes = this.#routes.filter((each) => each !== found);
    this.#tellRoute(found, RTM.DELROUTE);
  }

  addRule(rule: Rule): void {
    const same = (each: Rule) => each.protocol === rule.protocol && selectorsOf(each) === selectorsOf(rule);
    if (this.#rules.some(same)) throw new Refused('EEXIST');
    this.#rules.push(rule);
    this.#tellRule(rule, RTM.NEWRULE);
  }

  removeRule(rule: Rule): void {
    const found = this.#rules.find(
      (each) =>
        selectorsOf(each) === selectorsOf(rule) &&
        (rule.protocol === undefined || rule.protocol === each.protocol),
    );
    if (found === undefined) throw new Refused('ENOENT');
    this.#rules = this.#rules.filter((each) => each !== found);
    this.#tellRule(found, RTM.DELRULE);
  }

  /** A link is down or gone: of IPv4 nothing is said. */
  linkLost(index: number): void {
    const gone = this.#routes.filter((route) => route.outputIndex === index);
    this.#routes = this.#routes.filter((route) => !gone.includes(route));
    for (const route of gone) if (route.family === AF_INET6) this.#tellRoute(route, RTM.DELROUTE);
  }

  /** An address is gone: routes of IPv4 from it go, without a word; those of IPv6 lose the source. */
  addressLost(address: Ip, index: number): void {
    const isLast = !this.#around.addresses().some((each) => each.index === index && each.family === AF_INET);
    // fib_disable_ip: a link without an address has no IPv4.
    if (isLast && ipFamily(address) === 'ipv4')
      this.#routes = this.#routes.filter((route) => route.family !== AF_INET || route.outputIndex !== index);
    if (this.#around.addresses().some((each) => ownOf(each) === address)) return;
    this.#routes = this.#routes.flatMap((route) => {
      if (route.preferredSource !== address) return [route];
      if (route.family === AF_INET) return [];
      const { preferredSource: _, ...rest } = route;
      return [rest];
    });
  }

  /** `ip route ...` */
  route(words: readonly string[]): void {
    const [verb, target] = words;
    const word = (name: string) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined);
    const [address, length] = (target ?? '').split('/');
    const destination = ip(address ?? '');
    const [via, dev] = [word('via'), word('dev')];
    const route: Route = {
      family: ipFamily(destination) === 'ipv4' ? AF_INET : AF_INET6,
      destinationLength: Number(length),
      sourceLength: 0,
      tos: 0,
      table: 0,
      tableId: Number(word('table') ?? MAIN),
      protocol: verb === 'del' ? 0 : BOOT,
      scope: 0,
      type: RTN.UNICAST,
      flags: 0,
      ...(Number(length) === 0 ? {} : { destination }),
      priority: Number(word('metric') ?? 0),
      ...(via === undefined ? {} : { gateway: ip(via) }),
      ...(dev === undefined ? {} : { outputIndex: this.#around.indexOf(dev) }),
    };
    if (verb === 'del') this.removeRoute(route);
    else this.addRoute(route, verb === 'replace' ? NLM_F.REPLACE : 0);
  }

  /** `ip rule del priority N`, of any family. */
  removeRuleAt(priority: number): void {
    const found = this.#rules.find((rule) => rule.priority === priority);
    if (found !== undefined) this.removeRule(found);
  }

  shownRoutes(): string[] {
    const text = (route: Route) => {
      const { destination, destinationLength, gateway, outputIndex, preferredSource } = route;
      const { family, priority, protocol, type } = route;
      const any = family === AF_INET ? '0.0.0.0/0' : '::/0';
      const kind = { 6: 'blackhole ', 7: 'unreachable ', 8: 'prohibit ' }[type] ?? '';
      const device = outputIndex === undefined ? undefined : this.#around.linkAt(outputIndex)?.name;
      return [
        `${kind}${destination === undefined ? any : `${destination}/${destinationLength}`}`,
        ...(gateway === undefined ? [] : [`via ${gateway}`]),
        ...(device === undefined ? [] : [`dev ${device}`]),
        ...(preferredSource === undefined ? [] : [`src ${preferredSource}`]),
        `table ${tableOf(route)} metric ${priority ?? 0} proto ${protocol}`,
      ].join(' ');
    };
    return this.#routes.map(text).sort();
  }

  shownRules(): string[] {
    const text = (rule: Rule) => {
      const { priority, source, sourceLength, destination, destinationLength, mark, markMask } = rule;
      const prefix = (address: Ip | undefined, length: number) =>
        address === undefined ? 'all' : `${address}/${length}`;
      return [
        `${priority} from ${prefix(source, sourceLength)} to ${prefix(destination, destinationLength)}`,
        ...(mark === undefined ? [] : [`fwmark ${mark}/${markMask ?? 0xffffffff}`]),
        ...(rule.inputName === undefined ? [] : [`iif ${rule.inputName}`]),
        ...(rule.outputName === undefined ? [] : [`oif ${rule.outputName}`]),
        `table ${tableOf(rule)} proto ${rule.protocol ?? 0}`,
      ].join(' ');
    };
    return this.#rules.map(text).sort();
  }
}
