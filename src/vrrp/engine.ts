/**
 * All virtual routers of this director: packets, deadlines and what the kernel tells go into the machines, effects come
 * out and are performed in their order. Adverts never wait for anything; what follows from taking or dropping virtual IPs
 * waits until the kernel has them or not.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AddressClient } from '../addresses/client.js';
import type { VirtualAddress } from '../addresses/model.js';
import { AddressKeeper } from '../addresses/reconciler.js';
import { unreachable } from '../core/assert.js';
import { errnoName } from '../core/errno.js';
import { DueHeap } from '../core/heap.js';
import type { Ip } from '../core/ip.js';
import type { Alarm, Clock, OpenAlarm, OpenPacketSocket, Timers } from '../core/ports.js';
import { type Millis, millis, seconds } from '../core/units.js';
import { peekVrid } from '../wire/vrrp.js';
import type { Hmac } from '../wire/vrrp-trailer.js';
import { DISCARD_REASONS } from './accept.js';
import { Announcing } from './announcing.js';
import { LatenessMeter } from './digest.js';
import { stepVrrp } from './fsm.js';
import { stepGroup } from './group.js';
import { Instance, type QueuedEffect } from './instance.js';
import type { AnnounceCause, Fault, Observation, VrrpEffect, VrrpEvent, VrrpReport } from './model.js';
import type { Envelope } from './packet.js';
import type { FromVrrp, VrrpNotice } from './protocol.js';
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

function reportText(report: VrrpReport): string {
  switch (report.kind) {
    case 'interval-learned':
      return `the master's interval is ${report.to} ms now, it was ${report.from} ms`;
    case 'lower-master':
      return `${report.rival.source} says it is master with the lower priority ${report.rival.priority}; it was answered`;
    case 'second-owner':
      return `${report.rival.source} says it owns the addresses too (priority 255): configure one owner`;
    case 'overslept':
      return `this machine slept: a timer was ${Math.round(report.by)} ms late`;
    default:
      return unreachable(report);
  }
}

export class VrrpEngine {
  readonly #options: EngineOptions;
  readonly #instances = new Map<string, Instance>();
  readonly #due = new DueHeap<Instance>();
  readonly #sockets: VrrpSockets;
  readonly #frames: FrameSocket;
  readonly #announcing: Announcing;
  readonly #keeper: AddressKeeper;
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
        else this.#noteSendError(instance, result, 'an announcement');
      },
    });
    this.#keeper = new AddressKeeper({
      client: options.client,
      clock: options.clock,
      timers: options.timers,
      events: {
        onNetwork: () => this.#onNetwork(),
        onPutBack: (name, addresses) => this.#onPutBack(name, addresses),
        onRefused: (name, address, errno) => this.#onRefused(name, address, errno),
        onFailure: (text) => this.#notice(undefined, 'error', 'trouble', `the kernel's addresses: ${text}`),
      },
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
    if (instance.state.kind === 'master') this.#queue(instance, { kind: 'announce', cause: 'master' });
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
    this.#notice(instance.name, 'warn', 'report', text);
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
      for (const effect of step.effects) this.#effect(instance, effect);
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
      if (owner !== undefined) this.#effect(owner, effect);
    }
  }

  #schedule(instance: Instance): void {
    if (instance.place >= 0) this.#due.remove(instance);
    const deadline = instance.deadline();
    if (deadline === undefined) return;
    instance.dueAt = deadline;
    this.#due.push(instance);
  }

  #effect(instance: Instance, effect: VrrpEffect): void {
    if (effect.kind === 'send-advert') this.#sendAdvert(instance, effect.priority);
    else this.#queue(instance, effect);
  }

  #queue(instance: Instance, effect: QueuedEffect): void {
    instance.waiting.push(effect);
    if (!instance.working) instance.work = this.#work(instance);
  }

  /** Performs what waits, in order; what changes virtual IPs is waited for. */
  async #work(instance: Instance): Promise<void> {
    instance.working = true;
    for (let effect = instance.waiting.shift(); effect !== undefined; effect = instance.waiting.shift()) {
      if (effect.kind === 'take-addresses') await this.#keeper.want(instance.name, 'present');
      else if (effect.kind === 'drop-addresses') await this.#keeper.want(instance.name, 'absent');
      else this.#perform(instance, effect);
    }
    instance.working = false;
    this.turn();
  }

  #perform(
    instance: Instance,
    effect: Exclude<QueuedEffect, { kind: 'take-addresses' | 'drop-addresses' }>,
  ): void {
    switch (effect.kind) {
      case 'announce':
        return this.#announce(instance, effect.cause);
      case 'silence':
        return this.#announcing.stop(instance.config.instance.interface, instance.name);
      case 'report':
        return this.#notice(instance.name, 'warn', 'report', reportText(effect.report));
      case 'role': {
        const { from, to, cause, priority } = effect;
        instance.enter(cause, this.#options.clock.wall());
        const { faults } = instance.state.standing;
        const change = { instance: instance.name, from, to, cause, priority, faults };
        this.#options.tell({ kind: 'role', change });
        return this.#digest();
      }
      default:
        return unreachable(effect);
    }
  }

  #announce(instance: Instance, cause: AnnounceCause): void {
    const { instance: config, addresses } = instance.config;
    const target = {
      instance: instance.name,
      addresses: addresses.map(({ address }) => address),
      rule: config.announce,
    };
    this.#announcing.start(config.interface, target, cause, this.#options.clock.monotonic());
  }

  #sendAdvert(instance: Instance, priority: number): void {
    const { interface: device, family } = instance.config.instance;
    const socket = this.#sockets.get(device, family);
    if (socket === undefined) return;
    for (const { envelope, payload } of instance.adverts(priority, this.#options.clock.wall())) {
      const result = socket.send(envelope, payload);
      if (result >= 0) instance.counters.sent += 1;
      else this.#noteSendError(instance, result, 'an advert');
    }
  }

  #noteSendError(instance: Instance, result: number, what: string): void {
    instance.counters.sendErrors += 1;
    const errno = errnoName(-result);
    if (instance.told.has(errno)) return;
    instance.told.add(errno);
    const { interface: device } = instance.config.instance;
    this.#notice(instance.name, 'error', 'trouble', `${what} was not sent on ${device}: ${errno}`);
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

  #onPutBack(name: string, addresses: readonly Ip[]): void {
    const instance = this.#instances.get(name);
    if (instance === undefined) return;
    instance.counters.putBack += addresses.length;
    const { interface: device, announce } = instance.config.instance;
    const target = { instance: name, addresses, rule: announce };
    this.#announcing.putBack(device, target, this.#options.clock.monotonic());
    const list = addresses.join(', ');
    this.#notice(name, 'warn', 'put-back', `${list}: taken away by somebody else, put back and announced`);
    this.turn();
  }

  #onRefused(name: string, address: VirtualAddress, errno: string | undefined): void {
    const why = errno === undefined ? 'another host has it' : `the kernel says ${errno}`;
    const text = `${address.address}/${address.prefix} cannot be set on ${address.device}: ${why}; it is tried again every second`;
    this.#notice(name, 'error', 'refused', text);
  }

  #notice(
    instance: string | undefined,
    level: VrrpNotice['level'],
    what: VrrpNotice['what'],
    message: string,
  ): void {
    this.#options.tell({ kind: 'notice', notice: { instance, level, what, message } });
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
