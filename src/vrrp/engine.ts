/**
 * All virtual routers of this director: packets, deadlines and what the kernel tells go into the machines, effects come
 * out and are performed in their order. Adverts never wait for anything; what follows from taking or dropping virtual IPs
 * waits until the kernel has them or not.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AddressClient } from '../addresses/client.js';
import { AddressKeeper } from '../addresses/reconciler.js';
import { DueHeap } from '../core/heap.js';
import type { Ip } from '../core/ip.js';
import type { Alarm, Clock, OpenAlarm, OpenPacketSocket, Timers } from '../core/ports.js';
import { type Millis, millis, seconds } from '../core/units.js';
import { peekVrid } from '../wire/vrrp.js';
import type { Hmac } from '../wire/vrrp-trailer.js';
import { DISCARD_REASONS } from './accept.js';
import { Announcing } from './announcing.js';
import { LatenessMeter } from './digest.js';
import { Effects } from './effects.js';
import { stepVrrp } from './fsm.js';
import { stepGroup } from './group.js';
import { Instance } from './instance.js';
import type { Fault, Observation, VrrpEvent } from './model.js';
import type { Envelope } from './packet.js';
import type { FromVrrp } from './protocol.js';
import { linkFaults, sourceOf } from './sight.js';
import { VrrpSockets } from './sockets.js';
import type { RouterConfig } from './status.js';
import { FrameSocket, type Place } from './transport.js';

export interface EngineOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly client: AddressClient;
  readonly openSocket: OpenPacketSocket;
  readonly openAlarm: OpenAlarm;
  /** HMAC-SHA-256 with one of these keys. */
  readonly hmacOf: (keys: ReadonlyMap<number, string>) => Hmac;
  /** Whether this machine forwards IPv6 on an interface. */
  readonly forwards: (device: string) => boolean;
  readonly tell: (message: FromVrrp) => void;
}

const DIGEST_INTERVAL = seconds(1);
/** Deadlines that are served before packets get their turn again. */
const DEADLINES_MAX = 1024;

/** What makes it the same virtual router with other settings, and not another one. */
function identity({ instance, group }: RouterConfig): string {
  const { name, vrid, family, rule, cast } = instance;
  return [name, instance.interface, vrid, family, rule.version, cast.kind, group ?? ''].join(' ');
}

export class VrrpEngine {
  readonly #options: EngineOptions;
  readonly #instances = new Map<string, Instance>();
  readonly #due = new DueHeap<Instance>();
  readonly #sockets: VrrpSockets;
  readonly #frames: FrameSocket;
  readonly #announcing: Announcing;
  readonly #keeper: AddressKeeper;
  readonly #effects: Effects;
  readonly #alarm: Alarm;
  readonly #loop = new LatenessMeter();
  #alarmAt: Millis | undefined;
  #digestAt: Millis;
  #virtual: ReadonlySet<Ip> = new Set();
  #ready = false;
  #strangers = 0;
  #started = false;
  #turning = false;
  #closed = false;

  /** @throws VRRP, PERMISSION, NATIVE where announcements cannot be sent at all */
  constructor(options: EngineOptions) {
    this.#options = options;
    this.#sockets = new VrrpSockets(options.openSocket, () => this.turn());
    this.#frames = FrameSocket.open(options.openSocket);
    this.#announcing = new Announcing({
      frames: this.#frames,
      exitOf: (device) => {
        const link = this.#keeper.view.link(device);
        return link?.mac === undefined ? undefined : { index: link.index, mac: link.mac };
      },
      forwards: options.forwards,
      onSent: (name, result) => {
        const instance = this.#instances.get(name);
        if (instance === undefined) return;
        if (result >= 0) instance.counters.announced += 1;
        else this.#effects.noteSendError(instance, result, 'an announcement');
      },
    });
    this.#keeper = new AddressKeeper({
      client: options.client,
      clock: options.clock,
      timers: options.timers,
      events: {
        onNetwork: () => this.#onNetwork(),
        onPutBack: (name, addresses) => {
          const instance = this.#instances.get(name);
          if (instance === undefined) return;
          this.#effects.putBack(instance, addresses);
          this.turn();
        },
        onRefused: (name, address, errno) => this.#effects.refused(name, address, errno),
        onFailure: (text) =>
          this.#effects.notice(undefined, 'error', 'trouble', `the kernel's addresses: ${text}`),
      },
    });
    this.#effects = new Effects({
      clock: options.clock,
      sockets: this.#sockets,
      announcing: this.#announcing,
      want: (name, want) => this.#keeper.want(name, want),
      tell: options.tell,
      onRole: () => this.#digest(),
      onSettled: () => this.turn(),
    });
    this.#alarm = options.openAlarm(() => this.#onAlarm());
    this.#digestAt = millis(options.clock.monotonic() + DIGEST_INTERVAL);
  }

  /** Makes `routers` the whole of what is run; those that did not change go on undisturbed. */
  async configure(routers: readonly RouterConfig[]): Promise<void> {
    const wanted = new Map(routers.map((router) => [router.instance.name, router]));
    const gone = [...this.#instances.values()].filter((instance) => {
      const next = wanted.get(instance.name);
      return next === undefined || identity(next) !== identity(instance.config);
    });
    await Promise.all(gone.map((instance) => this.#leave(instance)));
    this.#virtual = new Set(routers.flatMap(({ addresses }) => addresses.map(({ address }) => address)));
    const fresh: Instance[] = [];
    for (const router of routers) {
      const known = this.#instances.get(router.instance.name);
      if (known === undefined) fresh.push(this.#add(router));
      else if (!isDeepStrictEqual(known.config, router)) this.#change(known, router);
    }
    this.#keeper.configure(
      routers.flatMap(({ instance, addresses }) =>
        addresses.map((address) => ({
          instance: instance.name,
          address,
          native: instance.priority === 255,
        })),
      ),
    );
    await this.#keeper.look();
    this.#onNetwork();
    for (const instance of fresh) this.#give(instance, { kind: 'startup' });
    this.#started = true;
    this.turn();
  }

  #add(router: RouterConfig): Instance {
    const { clock, hmacOf } = this.#options;
    const { priority } = router.instance;
    const standing = { priority, source: undefined, faults: [], ready: this.#ready };
    const instance = new Instance(router, hmacOf(router.keys), standing, clock.wall());
    this.#instances.set(router.instance.name, instance);
    return instance;
  }

  #change(instance: Instance, router: RouterConfig): void {
    instance.reconfigure(router, this.#options.hmacOf(router.keys));
    this.#give(instance, { kind: 'priority', priority: instance.priority().effective });
    this.#give(instance, { kind: 'reconfigured' });
    if (instance.state.kind === 'master')
      this.#effects.queue(instance, { kind: 'announce', cause: 'master' });
  }

  async #leave(instance: Instance): Promise<void> {
    this.#give(instance, { kind: 'shutdown' });
    await instance.work;
    if (instance.place >= 0) this.#due.remove(instance);
    this.#announcing.stop(instance.config.instance.interface, instance.name);
    this.#instances.delete(instance.name);
  }

  /** A tracked object that main watches. */
  observe(what: string, seen: Observation): void {
    for (const instance of this.#instances.values()) {
      instance.observations.set(what, seen);
      this.#refresh(instance);
    }
    this.turn();
  }

  /** The first verdicts are in. */
  ready(): void {
    this.#ready = true;
    for (const instance of this.#instances.values()) this.#give(instance, { kind: 'ready' });
    this.turn();
  }

  /** Says priority 0 where it is master, takes the virtual IPs away, and closes everything. */
  async stop(): Promise<void> {
    if (this.#closed) return;
    for (const instance of this.#instances.values()) this.#give(instance, { kind: 'shutdown' });
    await Promise.all([...this.#instances.values()].map(({ work }) => work));
    this.#digest();
    this.#closed = true;
    this.#alarm.close();
    this.#sockets.close();
    this.#frames.close();
    this.#keeper.close();
  }

  /**
   * One turn: what was heard comes before what the clock says, so that after a sleep nobody concludes from a silence
   * that there was none. Announcements come last.
   */
  turn(): void {
    // What an effect sets off within a turn is served by the rest of it.
    if (this.#closed || !this.#started || this.#turning) return;
    this.#turning = true;
    this.#sockets.drain((place, envelope, payload) => this.#onPacket(place, envelope, payload));
    this.#serveDeadlines();
    const now = this.#options.clock.monotonic();
    this.#announcing.send(now);
    if (now >= this.#digestAt) this.#digest();
    this.#setAlarm();
    this.#turning = false;
  }

  #serveDeadlines(): void {
    for (let count = 0; count < DEADLINES_MAX; count += 1) {
      const first = this.#due.peek();
      if (first === undefined || first.dueAt > this.#options.clock.monotonic()) return;
      const wasMaster = first.state.kind === 'master';
      const deadline = first.dueAt;
      this.#give(first, { kind: 'timer' });
      if (wasMaster) first.lateness.record(millis(this.#options.clock.monotonic() - deadline));
    }
  }

  #onAlarm(): void {
    if (this.#alarmAt !== undefined)
      this.#loop.record(millis(this.#options.clock.monotonic() - this.#alarmAt));
    this.#alarmAt = undefined;
    this.turn();
  }

  #setAlarm(): void {
    const announceAt = this.#announcing.nextAt() ?? Number.POSITIVE_INFINITY;
    const dueAt = this.#due.peek()?.dueAt ?? Number.POSITIVE_INFINITY;
    const next = millis(Math.min(announceAt, dueAt, this.#digestAt));
    if (next === this.#alarmAt) return;
    this.#alarmAt = next;
    this.#alarm.set(next);
  }

  #onPacket(place: Place, envelope: Envelope, payload: Uint8Array): void {
    const vrid = peekVrid(payload);
    let known = false;
    for (const instance of this.#instances.values()) {
      const { interface: device, vrid: own } = instance.config.instance;
      if (own !== vrid || device !== place.device || !instance.listensTo(envelope)) continue;
      known = true;
      this.#judge(instance, envelope, payload);
    }
    if (!known) this.#strangers += 1;
  }

  #judge(instance: Instance, envelope: Envelope, payload: Uint8Array): void {
    const judgement = instance.judge(envelope, payload, this.#options.clock.wall());
    if (judgement.kind === 'accepted') {
      const { source, priority, interval } = judgement.advert;
      instance.heard = { source, priority, interval, heardAt: this.#options.clock.monotonic() };
      this.#give(instance, judgement.advert);
      return;
    }
    const key = `${judgement.reason} ${envelope.source}`;
    // A bound: a flood of forged senders is counted, not told.
    if (instance.told.has(key) || instance.told.size >= 64) return;
    instance.told.add(key);
    const text = `a packet of ${envelope.source} is ignored: ${DISCARD_REASONS[judgement.reason]}`;
    this.#effects.notice(instance.name, 'warn', 'report', text);
  }

  #membersOf(instance: Instance): readonly Instance[] {
    const { group } = instance.config;
    return [...this.#instances.values()].filter((other) => other.config.group === group);
  }

  /** One event for one instance, and all that follows from it. */
  #give(instance: Instance, event: VrrpEvent): void {
    const now = this.#options.clock.monotonic();
    if (instance.config.group === undefined) {
      const step = stepVrrp(instance.config.instance.rule, instance.state, event, now);
      instance.state = step.state;
      this.#schedule(instance);
      for (const effect of step.effects) this.#effects.perform(instance, effect);
      return;
    }
    const members = this.#membersOf(instance);
    const before = members.map(({ name, state, config }) => ({ name, state, rule: config.instance.rule }));
    const step = stepGroup(before, instance.name, event, now);
    for (const [at, member] of members.entries()) {
      member.state = step.members[at]?.state ?? member.state;
      this.#schedule(member);
    }
    for (const { member, effect } of step.effects) {
      const owner = this.#instances.get(member);
      if (owner !== undefined) this.#effects.perform(owner, effect);
    }
  }

  #schedule(instance: Instance): void {
    if (instance.place >= 0) this.#due.remove(instance);
    const deadline = instance.deadline();
    if (deadline === undefined) return;
    instance.dueAt = deadline;
    this.#due.push(instance);
  }

  /** Links or addresses changed: sockets first, then what it means for each instance. */
  #onNetwork(): void {
    const { view } = this.#keeper;
    const places = new Map<string, Place>();
    for (const { config } of this.#instances.values()) {
      const { interface: device, family } = config.instance;
      const link = view.link(device);
      if (link !== undefined) places.set(`${family} ${device}`, { device, index: link.index, family });
    }
    this.#sockets.set([...places.values()]);
    for (const instance of this.#instances.values()) this.#refresh(instance);
    this.turn();
  }

  /** Gives the instance what is new about its priority, its source and its faults. */
  #refresh(instance: Instance): void {
    const { view } = this.#keeper;
    const { instance: config, tracks } = instance.config;
    for (const track of tracks) {
      if (track.kind !== 'interface') continue;
      const up = view.link(track.name)?.usable === true;
      instance.observations.set(`interface ${track.name}`, { kind: up ? 'up' : 'down' });
    }
    const { effective, faults: tracked } = instance.priority();
    const trouble = this.#sockets.trouble(config.interface, config.family);
    const sockets: readonly Fault[] = trouble === undefined ? [] : [{ kind: 'sockets', name: trouble.text }];
    const faults = [...linkFaults(view, config), ...sockets, ...tracked];
    const source = sourceOf(view, config, this.#virtual);
    const { standing } = instance.state;
    const own = standing.faults.filter(({ kind }) => kind !== 'group');
    // A fault first, so that a resignation still goes out from the old source.
    if (!isDeepStrictEqual(own, faults)) this.#give(instance, { kind: 'faults', faults });
    if (standing.source !== source) this.#give(instance, { kind: 'source', source });
    if (standing.priority !== effective) this.#give(instance, { kind: 'priority', priority: effective });
  }

  #digest(): void {
    this.#digestAt = millis(this.#options.clock.monotonic() + DIGEST_INTERVAL);
    const routers = [...this.#instances.values()].map((instance) => instance.status());
    const loop = this.#loop.read();
    const digest = {
      routers,
      loop,
      strangers: this.#strangers,
      unreadable: this.#sockets.unreadable,
    };
    this.#options.tell({ kind: 'digest', digest });
  }
}
