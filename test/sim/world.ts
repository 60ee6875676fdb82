/** The world of a scenario: time, directors and links. It drives the real machines and tells a checker what it saw. */
import type { Millis } from '../../src/core/units.js';
import { stepVrrp } from '../../src/vrrp/fsm.js';
import { stepGroup } from '../../src/vrrp/group.js';
import type { AdvertEvent, Fault, VrrpEffect, VrrpEvent } from '../../src/vrrp/model.js';
import { Director, type Instance, type Packet } from './director.js';
import { Network } from './network.js';
import { EventQueue } from './queue.js';
import { Random } from './random.js';
import type { Disturbance, Scenario } from './scenario.js';

type Happening =
  | { readonly kind: 'packet'; readonly to: Director; readonly packet: Packet }
  | { readonly kind: 'wake'; readonly director: Director }
  | { readonly kind: 'start'; readonly director: Director }
  | { readonly kind: 'ready'; readonly director: Director; readonly life: number }
  | { readonly kind: 'begin'; readonly disturbance: Disturbance }
  | { readonly kind: 'end'; readonly disturbance: Disturbance };

/** Who watches. All times are the world's, but where it says local. */
export interface Observer {
  /** Before the machine gets it. */
  heard(director: Director, instance: Instance, advert: AdvertEvent, local: Millis): void;
  /** After a step, with its effects done; without an event where the sync group made it. */
  stepped(
    director: Director,
    instance: Instance,
    event: VrrpEvent | undefined,
    effects: readonly VrrpEffect[],
  ): void;
  /** After everything that happened at one moment to one director. */
  settled(): void;
  disturbed(disturbance: Disturbance, phase: 'begin' | 'end'): void;
}

/** The machine under test: the real one, or one that was broken on purpose. */
export type StepFunction = typeof stepVrrp;

const LINK_FAULT: readonly Fault[] = [{ kind: 'link-down', name: 'eth0' }];

/** Rounding of clocks: a timer that is woken a nanosecond early would only be set again. */
const NANOSECOND = 1e-6;

export class World {
  now = 0;
  readonly directors: readonly Director[];
  readonly network: Network;
  readonly #queue = new EventQueue<Happening>();
  readonly #random: Random;
  readonly #lateness: number;
  observer: Observer | undefined;

  constructor(
    readonly scenario: Scenario,
    readonly step: StepFunction = stepVrrp,
  ) {
    this.#random = new Random(scenario.seed ^ 0x5eed);
    this.network = new Network(this.#random, scenario);
    this.directors = scenario.directors.map((spec, index) => new Director(index, spec, scenario));
    this.#lateness = scenario.calm;
    for (const director of this.directors)
      this.#queue.push(director.spec.startAt, { kind: 'start', director });
    for (const disturbance of scenario.disturbances) {
      this.#queue.push(disturbance.at, { kind: 'begin', disturbance });
      this.#queue.push(disturbance.until, { kind: 'end', disturbance });
    }
  }

  /** Lets happen what happens up to `until`. */
  run(until: number): void {
    for (;;) {
      const next = this.#queue.pop();
      if (next === undefined) break;
      if (next.at > until) {
        this.#queue.push(next.at, next.event);
        break;
      }
      this.now = next.at;
      this.#happen(next.event);
      this.observer?.settled();
    }
    this.now = until;
  }

  #happen(happening: Happening): void {
    const { kind } = happening;
    if (kind === 'packet') this.#arrive(happening.to, happening.packet);
    else if (kind === 'wake') this.#wake(happening.director);
    else if (kind === 'start') this.start(happening.director);
    else if (kind === 'begin') this.begin(happening.disturbance);
    else if (kind === 'end') this.end(happening.disturbance);
    else if (happening.life === happening.director.life) this.tell(happening.director, { kind: 'ready' });
  }

  /** One event for one instance, and all that follows from it. */
  give(director: Director, instance: Instance, event: VrrpEvent): void {
    const local = director.local(this.now);
    if (this.scenario.links === 2 && this.step === stepVrrp) {
      const { members, effects } = stepGroup(director.members(), instance.config.name, event, local);
      for (const other of director.instances) other.state = members[other.link]?.state ?? other.state;
      for (const { member, effect } of effects) {
        const owner = director.instances.find(({ config }) => config.name === member);
        if (owner !== undefined) this.#perform(director, owner, effect);
      }
      for (const other of director.instances) {
        const own = effects.filter(({ member }) => member === other.config.name);
        this.observer?.stepped(
          director,
          other,
          other === instance ? event : undefined,
          own.map(({ effect }) => effect),
        );
      }
    } else {
      const rule =
        this.step === stepVrrp ? instance.config.rule : { ...instance.config.rule, grouped: false };
      const { state, effects } = this.step(rule, instance.state, event, local);
      instance.state = state;
      for (const effect of effects) this.#perform(director, instance, effect);
      this.observer?.stepped(director, instance, event, effects);
    }
    this.#schedule(director);
  }

  /** One event for all instances of a director. It has to run; a paused one gets it when it goes on. */
  tell(director: Director, event: VrrpEvent): void {
    if (director.power === 'paused') director.messages.push(event);
    if (director.power !== 'on') return;
    for (const instance of director.instances) this.give(director, instance, event);
  }

  #perform(director: Director, instance: Instance, effect: VrrpEffect): void {
    if (effect.kind === 'send-advert') this.#send(director, instance, effect.priority);
    else if (effect.kind === 'take-addresses') instance.addresses = true;
    else if (effect.kind === 'drop-addresses') instance.addresses = false;
  }

  #send(director: Director, instance: Instance, priority: number): void {
    const packet = director.advert(instance, priority);
    for (const to of this.directors) {
      if (to === director) continue;
      for (const delay of this.network.delays(director.index, to.index))
        this.#queue.push(this.now + delay, { kind: 'packet', to, packet });
    }
  }

  #arrive(director: Director, packet: Packet): void {
    if (director.power === 'paused') director.keep(packet);
    if (director.power !== 'on') return;
    const judged = director.judge(packet);
    if (judged === undefined) return;
    const { instance, event } = judged;
    this.observer?.heard(director, instance, event, director.local(this.now));
    this.give(director, instance, event);
  }

  #schedule(director: Director): void {
    const deadline = director.deadline();
    if (deadline === undefined || director.power !== 'on') return;
    const wait = Math.max(0, director.until(deadline, this.now)) + NANOSECOND;
    if (this.now + wait >= director.wakeAt) return;
    director.wakeAt = this.now + wait + this.#random.between(0, this.#lateness);
    this.#queue.push(director.wakeAt, { kind: 'wake', director });
  }

  #wake(director: Director): void {
    if (director.wakeAt > this.now) return;
    director.wakeAt = Number.POSITIVE_INFINITY;
    if (director.power !== 'on') return;
    const deadline = director.deadline();
    if (deadline !== undefined && deadline <= director.local(this.now))
      this.tell(director, { kind: 'timer' });
    else this.#schedule(director);
  }

  start(director: Director): void {
    if (director.power !== 'off') return;
    director.power = 'on';
    director.steadySince = this.now;
    director.reset();
    this.tell(director, { kind: 'startup' });
    const { readyAfter } = director.spec;
    this.#queue.push(this.now + readyAfter, { kind: 'ready', director, life: director.life });
  }

  /** The process is gone; what it told the kernel stays. */
  kill(director: Director): void {
    director.power = 'off';
    director.reset();
  }

  pause(director: Director): void {
    if (director.power === 'on') director.power = 'paused';
  }

  /** What waits in the socket comes before what the timer says: the order that the worker has to keep. */
  resume(director: Director, keepsPackets: boolean): void {
    if (director.power !== 'paused') return;
    director.power = 'on';
    director.steadySince = this.now;
    const waiting = keepsPackets ? director.socket.splice(0) : [];
    director.socket.length = 0;
    for (const packet of waiting) this.#arrive(director, packet);
    for (const message of director.messages.splice(0)) this.tell(director, message);
    director.wakeAt = Number.POSITIVE_INFINITY;
    this.#schedule(director);
  }

  setPriority(director: Director, priority: number): void {
    director.priority = priority;
    director.steadySince = this.now;
    this.tell(director, { kind: 'priority', priority });
  }

  /** Something goes wrong now. */
  begin(disturbance: Disturbance): void {
    this.network.begin(disturbance);
    this.observer?.disturbed(disturbance, 'begin');
    const director = 'director' in disturbance ? this.directors[disturbance.director] : undefined;
    if (director === undefined) return;
    if (disturbance.kind === 'pause') this.pause(director);
    else if (disturbance.kind === 'kill') this.kill(director);
    else if (disturbance.kind === 'stop') {
      this.resume(director, true);
      this.tell(director, { kind: 'shutdown' });
      this.kill(director);
    } else if (disturbance.kind === 'unplug') this.#plug(director, LINK_FAULT);
    else if (disturbance.kind === 'priority' && director.spec.priority !== 255)
      this.setPriority(director, disturbance.priority);
  }

  /** ... and is right again. */
  end(disturbance: Disturbance): void {
    this.network.end(disturbance);
    const director = 'director' in disturbance ? this.directors[disturbance.director] : undefined;
    if (director !== undefined) this.#recover(director, disturbance);
    this.observer?.disturbed(disturbance, 'end');
  }

  #recover(director: Director, disturbance: Disturbance): void {
    if (disturbance.kind === 'pause') this.resume(director, disturbance.keepsPackets);
    else if (disturbance.kind === 'kill' || disturbance.kind === 'stop') this.start(director);
    else if (disturbance.kind === 'unplug') this.#plug(director, []);
    else if (disturbance.kind === 'priority') this.setPriority(director, director.spec.priority);
  }

  #plug(director: Director, faults: readonly Fault[]): void {
    director.steadySince = this.now;
    this.tell(director, { kind: 'faults', faults });
  }
}
