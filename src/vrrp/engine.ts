/**
 * All virtual routers of this director: packets, deadlines and what the kernel tells go into the machines, effects come
 * out and are performed in their order. Adverts never wait for anything; what follows from taking or dropping virtual IPs
 * waits until the kernel has them or not.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AddressClient } from '../addresses/client.js';
import { AddressKeeper } from '../addresses/reconciler.js';
import type { Alarm, Clock, OpenAlarm, OpenPacketSocket, Sysctls, Timers } from '../core/ports.js';
import { type Millis, millis, seconds } from '../core/units.js';
import type { Hmac } from '../wire/vrrp-trailer.js';
import { Announcing, type Exit } from './announcing.js';
import { Conflicts } from './conflicts.js';
import { LatenessMeter } from './digest.js';
import { Effects } from './effects.js';
import { Hearing } from './hearing.js';
import { Instance } from './instance.js';
import { Machines } from './machines.js';
import type { Observation } from './model.js';
import type { FromVrrp } from './protocol.js';
import { identity, Roster } from './roster.js';
import { VrrpSockets } from './sockets.js';
import type { RouterConfig } from './status.js';
import { FrameSocket, type VrrpSocket } from './transport.js';
import { Watch } from './watch.js';

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
  /** Switches on what an interface with IPv4 virtual IPs needs. @returns a text for each setting that is missing */
  readonly prepareForVips: (device: string) => readonly string[];
  readonly sysctls: Sysctls;
  readonly tell: (message: FromVrrp) => void;
}

const DIGEST_INTERVAL = seconds(1);
/** A change of role is told at once; the picture of all instances that goes with it waits for others of the same cause. */
const DIGEST_GAP = millis(20);

export class VrrpEngine {
  readonly #options: EngineOptions;
  readonly #roster = new Roster();
  readonly #sockets: VrrpSockets;
  readonly #frames: FrameSocket;
  readonly #announcing: Announcing;
  readonly #keeper: AddressKeeper;
  readonly #effects: Effects;
  readonly #machines: Machines;
  readonly #hearing: Hearing;
  readonly #watch: Watch;
  readonly #conflicts: Conflicts;
  readonly #alarm: Alarm;
  readonly #loop = new LatenessMeter();
  #alarmAt: Millis | undefined;
  #digestAt: Millis;
  #ready = false;
  #started = false;
  #turning = false;
  #closed = false;

  /** @throws VRRP, PERMISSION, NATIVE where announcements cannot be sent at all */
  constructor(options: EngineOptions) {
    const { clock, openSocket, tell } = options;
    const roster = this.#roster;
    this.#options = options;
    this.#sockets = new VrrpSockets(openSocket, (socket) => this.turn(socket));
    this.#frames = FrameSocket.open(openSocket);
    this.#announcing = this.#openAnnouncing();
    this.#keeper = this.#openKeeper();
    this.#effects = new Effects({
      clock,
      sockets: this.#sockets,
      announcing: this.#announcing,
      want: (name, want) => this.#keeper.want(name, want),
      tell,
      onRole: (instance, to, cause) => {
        this.#conflicts.enter(instance, to, cause);
        this.#digestSoon();
      },
      onSettled: () => this.turn(),
    });
    this.#machines = new Machines({
      clock,
      roster,
      perform: (instance, effect) => this.#effects.perform(instance, effect),
    });
    this.#hearing = new Hearing({
      clock,
      roster,
      sockets: this.#sockets,
      give: (instance, advert) => this.#machines.give(instance, advert),
      report: (instance, text) => this.#effects.notice(instance.name, 'warn', 'report', text),
    });
    this.#watch = new Watch({
      clock,
      roster,
      sockets: this.#sockets,
      view: this.#keeper.view,
      give: (instance, event) => this.#machines.give(instance, event),
      prepareForVips: (device) => {
        for (const text of options.prepareForVips(device))
          this.#effects.notice(undefined, 'warn', 'trouble', text);
      },
      linkTrouble: (name) => this.#keeper.linkTrouble(name),
    });
    this.#conflicts = new Conflicts({
      clock,
      roster,
      openSocket,
      exitOf: (device) => this.#exitOf(device),
      ask: (instance, addresses) => this.#effects.speakOf(instance, addresses, 'ask'),
      defend: (instance, addresses) => this.#effects.speakOf(instance, addresses, 'defend'),
      report: (name, level, text) => this.#effects.notice(name, level, 'report', text),
      onHeard: () => this.turn(),
    });
    this.#alarm = options.openAlarm(() => this.#onAlarm());
    this.#digestAt = millis(clock.monotonic() + DIGEST_INTERVAL);
  }

  /** Where frames for a device go out. */
  #exitOf(device: string): Exit | undefined {
    const link = this.#keeper.view.link(device);
    return link?.mac === undefined ? undefined : { index: link.index, mac: link.mac };
  }

  #openAnnouncing(): Announcing {
    return new Announcing({
      frames: this.#frames,
      exitOf: (device) => this.#exitOf(device),
      forwards: this.#options.forwards,
      onSent: (name, result) => {
        const instance = this.#roster.get(name);
        if (instance === undefined) return;
        if (result >= 0) instance.counters.announced += 1;
        else this.#effects.noteSendError(instance, result, 'an announcement');
      },
    });
  }

  #openKeeper(): AddressKeeper {
    const { client, clock, timers, sysctls } = this.#options;
    return new AddressKeeper({
      client,
      clock,
      timers,
      sysctls,
      events: {
        onNetwork: () => this.#onNetwork(),
        onRestored: (name, objects, cause) => {
          const instance = this.#roster.get(name);
          if (instance === undefined) return;
          this.#effects.restored(instance, objects, cause);
          this.turn();
        },
        onRefused: (name, what, why) => {
          this.#effects.refused(name, what, why);
          const instance = this.#roster.get(name);
          if (instance === undefined || !this.#keeper.hasNothing(name)) return;
          this.#watch.refused(instance, why);
          this.turn();
        },
        onFailure: (text) =>
          this.#effects.notice(undefined, 'error', 'trouble', `the kernel's addresses: ${text}`),
      },
    });
  }

  /**
   * Makes `routers` the whole of what is run; those that did not change go on undisturbed.
   * @param resumed who of those that are new was master when the thread before this one died
   */
  async configure(routers: readonly RouterConfig[], resumed: ReadonlySet<string> = new Set()): Promise<void> {
    const wanted = new Map(routers.map((router) => [router.instance.name, router]));
    const gone = [...this.#roster.all()].filter((instance) => {
      const next = wanted.get(instance.name);
      return next === undefined || identity(next) !== identity(instance.config);
    });
    await Promise.all(gone.map((instance) => this.#leave(instance)));
    this.#watch.configure(routers);
    const fresh: Instance[] = [];
    for (const router of routers) {
      const known = this.#roster.get(router.instance.name);
      if (known === undefined) fresh.push(this.#add(router));
      else if (!isDeepStrictEqual(known.config, router)) this.#change(known, router);
    }
    this.#keeper.configure(
      routers.flatMap(({ instance, addresses, routes, rules }) =>
        [...addresses, ...routes, ...rules].map((object) => ({
          instance: instance.name,
          object,
          native: instance.priority === 255 && object.kind === 'address',
          keepLast:
            instance.cast.kind === 'multicast' &&
            object.kind === 'address' &&
            object.device === instance.interface,
        })),
      ),
      routers.flatMap(({ instance, virtualLink }) =>
        virtualLink === undefined ? [] : [{ instance: instance.name, link: virtualLink }],
      ),
    );
    const goOn = new Set(
      fresh.filter((instance) => this.#withItsGroup(instance).every(({ name }) => resumed.has(name))),
    );
    // Before the first look, which takes away what nobody wants.
    for (const { name } of goOn) void this.#keeper.want(name, 'present');
    this.#conflicts.configure();
    await this.#keeper.look();
    this.#onNetwork();
    for (const instance of fresh)
      this.#machines.give(instance, { kind: goOn.has(instance) ? 'resume' : 'startup' });
    this.#started = true;
    this.turn();
  }

  #withItsGroup(instance: Instance): readonly Instance[] {
    const { group } = instance.config;
    return group === undefined ? [instance] : this.#roster.membersOf(group);
  }

  #add(router: RouterConfig): Instance {
    const { clock, hmacOf } = this.#options;
    const { priority } = router.instance;
    const standing = { priority, source: undefined, faults: [], ready: this.#ready };
    const instance = new Instance(router, hmacOf(router.keys), standing, clock.wall());
    this.#roster.add(instance);
    this.#watch.introduce(instance);
    return instance;
  }

  #change(instance: Instance, router: RouterConfig): void {
    // Virtual IPs may move to other interfaces; those of a master are announced anew.
    this.#effects.silence(instance);
    instance.reconfigure(router, this.#options.hmacOf(router.keys));
    this.#machines.give(instance, { kind: 'priority', priority: instance.priority().effective });
    this.#machines.give(instance, { kind: 'reconfigured' });
    if (instance.state.kind === 'master')
      this.#effects.queue(instance, { kind: 'announce', cause: 'master' });
  }

  async #leave(instance: Instance): Promise<void> {
    this.#machines.give(instance, { kind: 'shutdown' });
    await instance.work;
    this.#machines.forget(instance);
    this.#effects.silence(instance);
    this.#watch.forget(instance);
    this.#roster.remove(instance);
  }

  /** A tracked object that main watches. */
  observe(what: string, seen: Observation): void {
    this.#watch.observe(what, seen);
    this.turn();
  }

  /** The first verdicts are in. */
  ready(): void {
    this.#ready = true;
    for (const instance of this.#roster.all()) this.#machines.give(instance, { kind: 'ready' });
    this.turn();
  }

  /** Says priority 0 where it is master, takes the virtual IPs away, and closes everything. */
  async stop(): Promise<void> {
    if (this.#closed) return;
    for (const instance of this.#roster.all()) this.#machines.give(instance, { kind: 'shutdown' });
    await Promise.all([...this.#roster.all()].map(({ work }) => work));
    this.#keeper.configure([]);
    await this.#keeper.look();
    this.#digest();
    this.#closed = true;
    this.#alarm.close();
    this.#sockets.close();
    this.#frames.close();
    this.#conflicts.close();
    this.#keeper.close();
  }

  /**
   * One turn: some of what has come on the socket that woke us, then the deadlines, then announcements, then what is
   * told of all this. Every part is bounded; what is left wakes us again.
   */
  turn(woken?: VrrpSocket): void {
    // What an effect sets off within a turn is served by the rest of it.
    if (this.#closed || !this.#started || this.#turning) return;
    this.#turning = true;
    this.#hearing.begin();
    if (woken !== undefined) this.#hearing.read(woken);
    this.#watch.settle();
    this.#machines.serve((instance) => this.#hearing.hear(instance));
    this.#conflicts.serve();
    const now = this.#options.clock.monotonic();
    this.#announcing.send(now);
    if (now >= this.#digestAt) {
      // What could not be opened is tried again as often as that is told.
      if (this.#sockets.hasTrouble) this.#watch.look();
      this.#watch.retry();
      this.#digest();
    }
    this.#setAlarm();
    this.#turning = false;
  }

  #onAlarm(): void {
    if (this.#alarmAt !== undefined)
      this.#loop.record(millis(this.#options.clock.monotonic() - this.#alarmAt));
    this.#alarmAt = undefined;
    this.turn();
  }

  #setAlarm(): void {
    const announceAt = this.#announcing.nextAt() ?? Number.POSITIVE_INFINITY;
    const dueAt = this.#machines.nextAt() ?? Number.POSITIVE_INFINITY;
    const settleAt = this.#watch.nextAt() ?? Number.POSITIVE_INFINITY;
    const askAt = this.#conflicts.nextAt() ?? Number.POSITIVE_INFINITY;
    const next = millis(Math.min(announceAt, dueAt, settleAt, askAt, this.#digestAt));
    if (next === this.#alarmAt) return;
    this.#alarmAt = next;
    this.#alarm.set(next);
  }

  #onNetwork(): void {
    this.#watch.look();
    this.turn();
  }

  #digestSoon(): void {
    this.#digestAt = millis(Math.min(this.#digestAt, this.#options.clock.monotonic() + DIGEST_GAP));
  }

  #digest(): void {
    this.#digestAt = millis(this.#options.clock.monotonic() + DIGEST_INTERVAL);
    const routers = [...this.#roster.all()].map((instance) => instance.status(this.#conflicts.of(instance)));
    const loop = this.#loop.read();
    const { strangers } = this.#hearing;
    const { unreadable } = this.#sockets;
    const at = this.#options.clock.wall();
    this.#options.tell({ kind: 'digest', digest: { at, routers, loop, strangers, unreadable } });
  }
}
