/**
 * Virtual IPs that somebody else has too. It is found out by asking when an instance becomes master, and by hearing
 * others announce; neither delays anything. A director goes on as master: the other machine is in the wrong, and hosts
 * are told again where the address is (RFC 5227 2.4 c).
 */
import { LvsError } from '../core/errors.js';
import { type Family, type Ip, ipFamily } from '../core/ip.js';
import type { Mac } from '../core/mac.js';
import type { Clock, OpenPacketSocket } from '../core/ports.js';
import { type EpochMillis, type Millis, millis, seconds } from '../core/units.js';
import type { Instance } from './instance.js';
import type { Role, RoleCause } from './model.js';
import { type Claim, NeighbourSocket } from './neighbours.js';
import type { Roster } from './roster.js';
import type { Squatter } from './status.js';

/** A master that was told to go, or is lower, has the addresses for a moment after we do. */
const GRACE = seconds(1);
/** RFC 5227 1.1: DEFEND_INTERVAL. Known ones are asked as often whether they are still there. */
const DEFEND_INTERVAL = seconds(10);
/** Two questions without an answer. */
const FORGET_AFTER = millis(2.5 * DEFEND_INTERVAL);
/** Machines of one instance; more are not kept. */
const SQUATTERS_MAX = 16;
/** Addresses of one machine that it is asked about, and that are shown. */
const ADDRESSES_MAX = 16;

/** Causes after which nobody else should have the addresses any more. */
const CLEAR: ReadonlySet<RoleCause> = new Set(['owner', 'master-silent']);

interface Found {
  readonly addresses: Set<Ip>;
  readonly since: EpochMillis;
  heardAt: Millis;
  /** When it is asked, and may be answered, again. */
  askAt: Millis;
}

interface Watched {
  /** Claims do not count before. */
  readonly from: Millis;
  readonly found: Map<Mac, Found>;
}

export interface ConflictsOptions {
  readonly clock: Clock;
  readonly roster: Roster;
  readonly openSocket: OpenPacketSocket;
  /** Index and MAC of a device; undefined while it is missing. */
  readonly exitOf: (device: string) => { readonly index: number; readonly mac: Mac } | undefined;
  /** Asks once who has the addresses. */
  readonly ask: (instance: Instance, addresses: readonly Ip[]) => void;
  /** Tells hosts once where the addresses are. */
  readonly defend: (instance: Instance, addresses: readonly Ip[]) => void;
  readonly report: (instance: string | undefined, level: 'info' | 'warn' | 'error', text: string) => void;
  /** Something was heard. */
  readonly onHeard: () => void;
}

export class Conflicts {
  readonly #options: ConflictsOptions;
  readonly #masters = new Map<Instance, Watched>();
  readonly #sockets = new Map<Family, NeighbourSocket>();
  /** By virtual IP: whose it is, and on which device. */
  #owners: ReadonlyMap<Ip, { readonly name: string; readonly device: string }> = new Map();
  /** The earliest of all; `stale` where it has to be found anew. */
  #nextAt: Millis | undefined | 'stale';

  constructor(options: ConflictsOptions) {
    this.#options = options;
  }

  /** After the instances of the roster changed. */
  configure(): void {
    this.#nextAt = 'stale';
    const owners = new Map<Ip, { readonly name: string; readonly device: string }>();
    for (const { name, config } of this.#options.roster.all())
      for (const { address, device } of config.addresses) owners.set(address, { name, device });
    this.#owners = owners;
    this.#listen(new Set([...owners.keys()].map(ipFamily)));
    for (const instance of this.#masters.keys())
      if (this.#options.roster.get(instance.name) !== instance) this.#masters.delete(instance);
  }

  /** Without its socket nobody else is heard of; all else goes on. */
  #listen(families: ReadonlySet<Family>): void {
    for (const family of families) {
      if (this.#sockets.has(family)) continue;
      try {
        const socket = new NeighbourSocket(this.#options.openSocket, family);
        this.#sockets.set(family, socket);
        socket.onReadable(() => {
          socket.drain((claim) => this.heard(claim));
          this.#options.onHeard();
        });
      } catch (thrown) {
        if (!(thrown instanceof LvsError)) throw thrown;
        this.#options.report(undefined, 'warn', thrown.message);
      }
    }
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  /** An instance has a new role. */
  enter(instance: Instance, to: Role, cause: RoleCause): void {
    this.#nextAt = 'stale';
    if (to !== 'master') {
      this.#masters.delete(instance);
      return;
    }
    const from = millis(this.#options.clock.monotonic() + (CLEAR.has(cause) ? 0 : GRACE));
    this.#masters.set(instance, { from, found: new Map() });
  }

  /** Somebody says where an address is. */
  heard({ address, mac, index }: Claim): void {
    const owner = this.#owners.get(address);
    if (owner === undefined) return;
    const instance = this.#options.roster.get(owner.name);
    const watched = instance === undefined ? undefined : this.#masters.get(instance);
    const exit = this.#options.exitOf(owner.device);
    if (instance === undefined || watched === undefined || exit?.index !== index) return;
    // Its role may be over already, while what follows from that is not.
    if (instance.state.kind !== 'master' || this.#options.clock.monotonic() < watched.from) return;
    if (mac === exit.mac) this.#mirrored(instance, address, owner.device);
    else this.#squats(instance, watched, address, mac, owner.device);
  }

  /** Our own words, or those of a machine that has our MAC: which of them cannot be told. */
  #mirrored(instance: Instance, address: Ip, device: string): void {
    instance.counters.mirrored += 1;
    if (instance.told.has('mirrored')) return;
    instance.told.add('mirrored');
    const text = `an announcement of ${address} with our own MAC came in on ${device}: the network sends our frames back, or another machine has our MAC`;
    this.#options.report(instance.name, 'error', text);
  }

  #squats(instance: Instance, { found }: Watched, address: Ip, mac: Mac, device: string): void {
    const { clock, report, defend } = this.#options;
    const now = clock.monotonic();
    const known = found.get(mac);
    if (known === undefined) {
      if (found.size >= SQUATTERS_MAX) return;
      const askAt = millis(now + DEFEND_INTERVAL);
      this.#nextAt = 'stale';
      found.set(mac, { addresses: new Set([address]), since: clock.wall(), heardAt: now, askAt });
      const text = `${address} is at ${mac} too: another machine on ${device} has it. This director stays master and announces it again; take it off the other machine (ip neigh, arping, the switch's MAC table say where it is)`;
      report(instance.name, 'error', text);
      defend(instance, [address]);
      return;
    }
    known.heardAt = now;
    if (known.addresses.has(address) || known.addresses.size >= ADDRESSES_MAX) return;
    known.addresses.add(address);
    defend(instance, [address]);
  }

  /** When somebody is asked again. */
  nextAt(): Millis | undefined {
    if (this.#nextAt !== 'stale') return this.#nextAt;
    let least: Millis | undefined;
    for (const { found } of this.#masters.values())
      for (const { askAt } of found.values()) if (least === undefined || askAt < least) least = askAt;
    this.#nextAt = least;
    return least;
  }

  /** Asks those that are due whether they are still there, and tells hosts where the addresses are. */
  serve(): void {
    const now = this.#options.clock.monotonic();
    if ((this.nextAt() ?? now + 1) > now) return;
    this.#nextAt = 'stale';
    for (const [instance, { found }] of this.#masters)
      for (const [mac, each] of found) {
        if (each.askAt > now) continue;
        if (now - each.heardAt > FORGET_AFTER) {
          found.delete(mac);
          const gone = `${mac} does not answer for ${[...each.addresses].join(', ')} any more`;
          this.#options.report(instance.name, 'info', gone);
          continue;
        }
        each.askAt = millis(now + DEFEND_INTERVAL);
        this.#options.ask(instance, [...each.addresses]);
        this.#options.defend(instance, [...each.addresses]);
      }
  }

  /** Who else has virtual IPs of an instance now. */
  of(instance: Instance): readonly Squatter[] {
    const found = this.#masters.get(instance)?.found;
    if (found === undefined || found.size === 0) return [];
    return [...found].map(([mac, { addresses, since }]) => ({ mac, addresses: [...addresses], since }));
  }
}
