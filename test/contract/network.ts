/** Where the contract suite of virtual objects runs: a kernel's network, and somebody else who meddles with it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AddressClient, type ObjectChange } from '../../src/addresses/client.js';
import type { VirtualAddress, VirtualLink, VirtualObject } from '../../src/addresses/model.js';
import { nameOf } from '../../src/addresses/names.js';
import { AddressKeeper } from '../../src/addresses/reconciler.js';
import { type Family, ip } from '../../src/core/ip.js';
import type { OpenNetlink, Sysctls } from '../../src/core/ports.js';
import type { NetlinkResult } from '../../src/netlink/exchange.js';
import { systemClock, systemTimers, systemTurns } from '../../src/sys/clock.js';
import type { Assertions } from './assertions.js';

export interface LinkChange {
  readonly up?: boolean;
  readonly mtu?: number;
  /** net.ipv4.conf.*.promote_secondaries */
  readonly promote?: boolean;
  /** net.ipv6.conf.*.disable_ipv6, the other way round */
  readonly ipv6?: boolean;
}

/** What an operator or another program does, with `ip` and `sysctl`. Every call is done when it returns. */
export interface Somebody {
  /** A link of this name, up, whose other end `NAME-far` is up too. No addresses are on either. */
  addLink(name: string): void;
  /** Both ends. */
  deleteLink(name: string): void;
  changeLink(name: string, change: LinkChange): void;
  /** `words` as for `ip address add`: `192.0.2.1/24`, then for example `label v0:x`. */
  add(device: string, ...words: string[]): void;
  remove(device: string, address: string): void;
  flush(device: string): void;
  /** `words` as for `ip route`: `add`, `192.0.2.0/24`, `via` ... */
  route(...words: string[]): void;
  removeRule(family: Family, priority: number): void;
  /** So many addresses 10.A.B.C/32 come and go. */
  flood(device: string, count: number): void;
}

export interface NetworkPlace {
  readonly openNetlink: OpenNetlink;
  /** A listener that holds but few notices, so that a flood is too much for it. */
  readonly openSmall: OpenNetlink;
  readonly sysctls: Sysctls;
  readonly somebody: Somebody;
  /**
   * The global addresses of a device, as another program sees them, sorted: `192.0.2.1/24`, behind it `label X`,
   * `scope X` or `dadfailed` where there is something to say.
   */
  shown(device: string): readonly string[];
  /** `up` or `down`, its MAC, its MTU, the link below it and what is left on it; undefined where there is no such link. */
  shownLink(name: string): string | undefined;
  /** All routes but those of the kernel, sorted: `192.0.2.0/24 via 10.0.0.1 dev v0 table 254 metric 0 proto 3`. */
  shownRoutes(): readonly string[];
  /** All rules but those of the kernel, sorted: `100 from 192.0.2.1/32 to all table 10 proto 112`. */
  shownRules(): readonly string[];
}

/** A client that remembers what it was asked to change, and what came of it. */
class RecordingClient extends AddressClient {
  readonly changes: string[] = [];

  override async apply(changes: readonly ObjectChange[]): Promise<NetlinkResult[]> {
    const results = await super.apply(changes);
    for (const [index, { kind, object }] of changes.entries()) {
      const result = results[index];
      const outcome = result?.ok === false ? result.errno : 'ok';
      this.changes.push(`${kind} ${nameOf(object)} ${outcome}`);
    }
    return results;
  }
}

/** One daemon's address side, and what it told. */
export class Kept {
  readonly client: RecordingClient;
  readonly keeper: AddressKeeper;
  readonly told: string[] = [];

  constructor(openNetlink: OpenNetlink, sysctls: Sysctls) {
    this.client = new RecordingClient({ openNetlink, timers: systemTimers, turns: systemTurns });
    const list = (objects: readonly VirtualObject[]) => objects.map(nameOf).sort().join(', ');
    this.keeper = new AddressKeeper({
      client: this.client,
      clock: systemClock,
      timers: systemTimers,
      sysctls,
      events: {
        onNetwork: () => undefined,
        onRestored: (instance, objects, cause) => this.told.push(`${instance}: ${cause} ${list(objects)}`),
        onRefused: (instance, what, why) => this.told.push(`${instance}: ${what}: ${why}`),
        onFailure: (text) => this.told.push(`failure: ${text}`),
      },
    });
  }

  /** These are the virtual objects of one instance, `a`, from now on. */
  configure(...objects: readonly VirtualObject[]): Promise<void> {
    this.keeper.configure(objects.map((object) => ({ instance: 'a', object, native: false })));
    return this.keeper.look();
  }

  /** The same, with a virtual link. */
  configureOn(link: VirtualLink, ...objects: readonly VirtualObject[]): Promise<void> {
    const kept = objects.map((object) => ({ instance: 'a', object, native: false }));
    this.keeper.configure(kept, [{ instance: 'a', link }]);
    return this.keeper.look();
  }

  master(): Promise<void> {
    return this.keeper.want('a', 'present');
  }

  backup(): Promise<void> {
    return this.keeper.want('a', 'absent');
  }
}

/** A network of its own for one subtest, with a link v0. */
export interface Scene {
  readonly place: NetworkPlace;
  readonly somebody: Somebody;
  /** Starts a daemon's address side; it ends with the subtest, or by `keeper.close`, as in a crash. */
  start(openNetlink?: OpenNetlink): Kept;
  /** The addresses of v0. */
  shown(): readonly string[];
  /** Waits until these are all routes. */
  routesBecome(what: string, ...routes: readonly string[]): Promise<void>;
  /** Waits until v0 shows these. */
  becomes(what: string, ...addresses: readonly string[]): Promise<void>;
  /** Waits until something holds. */
  until(what: string, holds: () => boolean): Promise<void>;
}

/** What a subtest does. */
export type Body = (t: Assertions, scene: Scene) => Promise<void>;

const LIMIT = 10_000;

async function until(t: Assertions, what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + LIMIT;
  while (!holds() && performance.now() < end) await sleep(2);
  t.ok(holds(), what);
}

async function become(
  t: Assertions,
  what: string,
  read: () => readonly string[],
  lines: readonly string[],
): Promise<void> {
  const wanted = [...lines].sort();
  const end = performance.now() + LIMIT;
  while (read().join('\n') !== wanted.join('\n') && performance.now() < end) await sleep(2);
  t.strictSame(read(), wanted, what);
}

/** One subtest on a fresh link v0. */
export async function onScene(t: Assertions, place: NetworkPlace, name: string, body: Body): Promise<void> {
  await t.test(name, async (t) => {
    const { somebody } = place;
    const started: Kept[] = [];
    const shown = () => place.shown('v0');
    somebody.addLink('v0');
    try {
      await body(t, {
        place,
        somebody,
        shown,
        start: (openNetlink = place.openNetlink) => {
          const kept = new Kept(openNetlink, place.sysctls);
          started.push(kept);
          return kept;
        },
        becomes: (what, ...addresses) => become(t, what, shown, addresses),
        routesBecome: (what, ...routes) => become(t, what, place.shownRoutes, routes),
        until: (what, holds) => until(t, what, holds),
      });
    } finally {
      for (const { keeper } of started) keeper.close();
      somebody.deleteLink('v0');
    }
  });
}

/** A virtual IP of v0, as the configuration makes them. */
export function vip(text: string, changes: Partial<VirtualAddress> = {}): VirtualAddress {
  const [address, prefix] = text.split('/');
  const isIpv6 = text.includes(':');
  return {
    kind: 'address',
    device: 'v0',
    address: ip(address ?? ''),
    prefix: Number(prefix),
    broadcast: undefined,
    label: undefined,
    scope: 0,
    noDad: isIpv6,
    deprecated: false,
    ...changes,
  };
}
