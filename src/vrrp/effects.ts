/**
 * Performs what the machines ask for, in its order. Adverts go out at once; the rest keeps its place behind changes of
 * the virtual IPs, which are waited for.
 */
import type { VirtualObject } from '../addresses/model.js';
import { nameOf } from '../addresses/names.js';
import type { RestoredCause } from '../addresses/reconciler.js';
import { unreachable } from '../core/assert.js';
import { errnoName } from '../core/errno.js';
import type { Ip } from '../core/ip.js';
import type { Clock } from '../core/ports.js';
import type { Announcing } from './announcing.js';
import type { Instance, QueuedEffect } from './instance.js';
import type { AnnounceCause, Role, RoleCause, VrrpEffect, VrrpReport } from './model.js';
import type { FromVrrp, VrrpNotice } from './protocol.js';
import type { VrrpSockets } from './sockets.js';

export interface EffectsOptions {
  readonly clock: Clock;
  readonly sockets: VrrpSockets;
  readonly announcing: Announcing;
  /** Resolves when the kernel has the virtual IPs, or has them no more. */
  readonly want: (instance: string, want: 'present' | 'absent') => Promise<void>;
  readonly tell: (message: FromVrrp) => void;
  /** An instance has a new role. */
  readonly onRole: (instance: Instance, to: Role, cause: RoleCause) => void;
  /** Nothing of an instance waits any more. */
  readonly onSettled: () => void;
}

const RESTORED: Readonly<Record<RestoredCause, string>> = {
  'put-back': 'taken away by somebody else, put back',
  late: 'in place at last',
};

/** The addresses among virtual objects, by the interface that has them. */
function byDevice(objects: readonly VirtualObject[]): ReadonlyMap<string, readonly Ip[]> {
  const found = new Map<string, Ip[]>();
  for (const object of objects) {
    if (object.kind !== 'address') continue;
    const known = found.get(object.device);
    if (known === undefined) found.set(object.device, [object.address]);
    else known.push(object.address);
  }
  return found;
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

/** How often is asked who else has the virtual IPs when an instance becomes master; RFC 5227 1.1: PROBE_NUM. */
const PROBES = 3;

export class Effects {
  readonly #options: EffectsOptions;

  constructor(options: EffectsOptions) {
    this.#options = options;
  }

  perform(instance: Instance, effect: VrrpEffect): void {
    if (effect.kind === 'send-advert') this.#sendAdvert(instance, effect.priority);
    else this.queue(instance, effect);
  }

  /** Puts an effect behind those that wait. */
  queue(instance: Instance, effect: QueuedEffect): void {
    instance.waiting.push(effect);
    if (!instance.working) instance.work = this.#work(instance);
  }

  async #work(instance: Instance): Promise<void> {
    instance.working = true;
    for (let effect = instance.waiting.shift(); effect !== undefined; effect = instance.waiting.shift()) {
      if (effect.kind === 'take-addresses') await this.#options.want(instance.name, 'present');
      else if (effect.kind === 'drop-addresses') await this.#options.want(instance.name, 'absent');
      else this.#performNow(instance, effect);
    }
    instance.working = false;
    this.#options.onSettled();
  }

  #performNow(
    instance: Instance,
    effect: Exclude<QueuedEffect, { kind: 'take-addresses' | 'drop-addresses' }>,
  ): void {
    switch (effect.kind) {
      case 'announce':
        this.#announce(instance, effect.cause);
        break;
      case 'silence':
        this.silence(instance);
        break;
      case 'report':
        this.#report(instance, effect.report);
        break;
      case 'role': {
        const { from, to, cause, priority } = effect;
        instance.enter(to, cause, this.#options.clock.wall());
        const { faults } = instance.state.standing;
        const change = { instance: instance.name, from, to, cause, priority, faults };
        this.#options.tell({ kind: 'role', change });
        this.#options.onRole(instance, to, cause);
        if (instance.state.kind === 'backup') this.#prepare(instance);
        break;
      }
      default:
        unreachable(effect);
    }
  }

  /** A rival speaks with every advert: it is told once in a role. */
  #report(instance: Instance, report: VrrpReport): void {
    const key = 'rival' in report ? `${report.kind} ${report.rival.source}` : undefined;
    if (key !== undefined && instance.told.has(key)) return;
    if (key !== undefined) instance.told.add(key);
    this.notice(instance.name, 'warn', 'report', reportText(report));
  }

  #announce(instance: Instance, cause: AnnounceCause): void {
    const { instance: config, addresses } = instance.config;
    const now = this.#options.clock.monotonic();
    for (const [device, own] of byDevice(addresses)) {
      const target = { instance: instance.name, addresses: own, rule: config.announce };
      this.#options.announcing.start(device, target, cause, now);
      if (cause !== 'lower-master') this.#options.announcing.ask(device, target, PROBES, now);
    }
  }

  /** Ends all announcements of its virtual IPs. */
  silence(instance: Instance): void {
    for (const device of instance.devices) this.#options.announcing.stop(device, instance.name);
  }

  /** What a backup will have to say first, it has ready: the network waits for that when a master dies. */
  #prepare(instance: Instance): void {
    const { interface: device, family } = instance.config.instance;
    const socket = this.#options.sockets.get(device, family);
    if (socket === undefined) return;
    const { priority } = instance.state.standing;
    const messages = instance.adverts(priority, this.#options.clock.wall());
    for (const { envelope, payload } of messages) socket.prepare(envelope, payload);
  }

  #sendAdvert(instance: Instance, priority: number): void {
    const { family } = instance.config.instance;
    const socket = this.#options.sockets.get(instance.wire, family);
    if (socket === undefined) return;
    for (const { envelope, payload } of instance.adverts(priority, this.#options.clock.wall())) {
      const result = socket.send(envelope, payload);
      if (result >= 0) instance.counters.sent += 1;
      else this.noteSendError(instance, result, 'an advert');
    }
  }

  /** Counts a packet that was not sent; each error is told once in a role. */
  noteSendError(instance: Instance, result: number, what: string): void {
    instance.counters.sendErrors += 1;
    const errno = errnoName(-result);
    if (instance.told.has(errno)) return;
    instance.told.add(errno);
    const { interface: device } = instance.config.instance;
    this.notice(instance.name, 'error', 'trouble', `${what} was not sent on ${device}: ${errno}`);
  }

  /** Announces and tells of what is in place again, or at last. */
  restored(instance: Instance, objects: readonly VirtualObject[], cause: RestoredCause): void {
    if (cause === 'put-back') instance.counters.putBack += objects.length;
    const { announce } = instance.config.instance;
    const own = byDevice(objects);
    for (const [device, addresses] of own) {
      const target = { instance: instance.name, addresses, rule: announce };
      this.#options.announcing.putBack(device, target, this.#options.clock.monotonic());
    }
    const announced = own.size === 0 ? '' : ' and announced';
    const text = `${objects.map(nameOf).join(', ')}: ${RESTORED[cause]}${announced}`;
    this.notice(instance.name, 'warn', 'put-back', text);
  }

  /** Asks once who else has virtual IPs of an instance, or tells hosts once where they are. */
  speakOf(instance: Instance, addresses: readonly Ip[], how: 'ask' | 'defend'): void {
    const { announcing, clock } = this.#options;
    const wanted = new Set(addresses);
    const own = instance.config.addresses.filter(({ address }) => wanted.has(address));
    const rule = { ...instance.config.instance.announce, repeat: 1 };
    for (const [device, some] of byDevice(own)) {
      const target = { instance: instance.name, addresses: some, rule };
      if (how === 'ask') announcing.ask(device, target, 1, clock.monotonic());
      else announcing.putBack(device, target, clock.monotonic());
    }
  }

  /** Tells of what cannot be in place. */
  refused(instance: string, what: string, why: string): void {
    const text = `${what} cannot be set: ${why}; it is tried again every second`;
    this.notice(instance, 'error', 'refused', text);
  }

  notice(
    instance: string | undefined,
    level: VrrpNotice['level'],
    what: VrrpNotice['what'],
    message: string,
  ): void {
    this.#options.tell({ kind: 'notice', notice: { instance, level, what, message } });
  }
}
