/**
 * What must hold, judged from outside the machines: from adverts as they were heard, roles and addresses.
 * A takeover is compared with times that are computed here once more, in another way than the machine does.
 */
import type { Millis } from '../../src/core/units.js';
import { nextDeadline } from '../../src/vrrp/fsm.js';
import type { AdvertEvent, VrrpEffect, VrrpEvent } from '../../src/vrrp/model.js';
import type { Director, Instance } from './director.js';
import { type Disturbance, masterWithin, settledWithin } from './scenario.js';
import type { Observer, World } from './world.js';

export type RuleName =
  | 'two-masters'
  | 'no-master'
  | 'wrong-master'
  | 'unsettled'
  | 'too-early'
  | 'addresses'
  | 'speaks'
  | 'deadline'
  | 'group';

/** A rule that did not hold. */
export class Violation extends Error {
  constructor(
    readonly rule: RuleName,
    readonly at: number,
    text: string,
  ) {
    super(`${rule} at ${(at / 1000).toFixed(6)} s: ${text}`);
  }
}

/** What one instance heard that could hold it back. */
interface Heard {
  /** Local time before which it may not become master. */
  earliest: number;
  /** The interval of whom it follows. */
  interval: number;
  /** The priority changed since: the bound is not known here. */
  moved: boolean;
  /** World time of becoming master. */
  masterSince: number;
}

const ROUNDING = 1e-6;

export class Checker implements Observer {
  readonly #heard = new Map<Instance, Heard>();
  readonly #masters: Set<Director>[];
  readonly #active = new Set<Disturbance>();
  readonly #calm: number;
  readonly #masterWithin: number;
  readonly #settledWithin: number;
  #calmSince: number;
  #rightChecked = false;

  constructor(readonly world: World) {
    const { scenario } = world;
    this.#masters = Array.from({ length: scenario.links }, () => new Set());
    this.#calm = scenario.calm;
    this.#masterWithin = masterWithin(scenario);
    this.#settledWithin = settledWithin(scenario);
    this.#calmSince = Math.max(...scenario.directors.map(({ startAt }) => startAt));
    for (const director of world.directors) {
      for (const instance of director.instances) {
        this.#heard.set(instance, { earliest: 0, interval: 0, moved: false, masterSince: 0 });
      }
    }
  }

  #fail(rule: RuleName, text: string): never {
    throw new Violation(rule, this.world.now, text);
  }

  #of(instance: Instance): Heard {
    const heard = this.#heard.get(instance);
    if (heard === undefined) throw new Error('an instance of another world');
    return heard;
  }

  disturbed(disturbance: Disturbance, phase: 'begin' | 'end'): void {
    if (phase === 'begin') this.#active.add(disturbance);
    else this.#active.delete(disturbance);
    this.#calmSince = Math.max(this.world.now, this.world.network.ghostsUntil);
    this.#rightChecked = false;
    // A process that is gone is master of nothing, though its kernel may still have the addresses.
    if (disturbance.kind === 'kill' && phase === 'begin') {
      const killed = this.world.directors[disturbance.director];
      for (const masters of this.#masters) if (killed !== undefined) masters.delete(killed);
    }
  }

  heard(_: Director, instance: Instance, advert: AdvertEvent, local: Millis): void {
    const heard = this.#of(instance);
    const { priority } = instance.state.standing;
    const { preempt, version, interval } = instance.config.rule;
    if (advert.priority === 0) {
      heard.earliest = Math.min(heard.earliest, local + this.#skew(instance, heard.interval));
      return;
    }
    const told = version === 2 ? interval : advert.interval;
    const whole = local + this.#down(instance, told);
    const counts = advert.priority >= priority || (!preempt && priority !== 255);
    // A lower one counts too while the instance may not preempt yet; then the sooner of both is right.
    heard.earliest = counts ? whole : Math.min(heard.earliest, whole);
    heard.interval = counts ? told : Math.min(heard.interval, told);
    if (counts) heard.moved = false;
  }

  #skew(instance: Instance, interval: number): number {
    const unit = instance.config.rule.version === 2 ? 1000 : interval;
    return unit - (instance.state.standing.priority * unit) / 256;
  }

  #down(instance: Instance, interval: number): number {
    return interval + interval + interval + this.#skew(instance, interval);
  }

  stepped(
    director: Director,
    instance: Instance,
    event: VrrpEvent | undefined,
    effects: readonly VrrpEffect[],
  ): void {
    const { state } = instance;
    if (event?.kind === 'priority') this.#of(instance).moved = true;
    const isMaster = state.kind === 'master';
    const name = `${director.spec.name} (${state.kind})`;
    const started = event !== undefined || state.kind !== 'initialize';
    if (started && instance.addresses !== isMaster)
      this.#fail('addresses', `${name} has ${instance.addresses}`);
    // One that yields speaks a last time.
    const wasMaster = effects.some((effect) => effect.kind === 'role' && effect.from === 'master');
    for (const effect of effects) {
      if (effect.kind === 'send-advert' && effect.priority > 0 && !isMaster && !wasMaster)
        this.#fail('speaks', name);
      if (effect.kind === 'role') this.#role(director, instance, effect);
    }
    const deadline = nextDeadline(state);
    const local = director.local(this.world.now);
    if (event?.kind === 'timer' && deadline !== undefined && deadline <= local)
      this.#fail('deadline', `${name} did not set its timer`);
    if (deadline !== undefined && deadline > local + 200_000)
      this.#fail('deadline', `${name} sleeps for ever`);
    if (effects.length > 0 && director.instances.length > 1) this.#group(director);
  }

  #role(director: Director, instance: Instance, effect: Extract<VrrpEffect, { kind: 'role' }>): void {
    const { now } = this.world;
    const heard = this.#of(instance);
    const masters = this.#masters[instance.link];
    if (effect.to === 'master') {
      if (effect.cause !== 'owner') this.#checkTakeover(director, heard);
      heard.masterSince = now;
      masters?.add(director);
    } else masters?.delete(director);
    if (effect.to === 'backup' && (effect.from !== 'master' || effect.cause === 'group')) {
      heard.interval = instance.config.rule.interval;
      heard.earliest = director.local(now) + this.#down(instance, heard.interval);
      heard.moved = false;
    }
    const quiet = this.#active.size === 0 && now > this.#calmSince + this.#settledWithin;
    if (quiet) this.#fail('unsettled', `${director.spec.name} becomes ${effect.to}: ${effect.cause}`);
  }

  /** Never before the master-down interval after what counts, or the skew after a resignation. */
  #checkTakeover(director: Director, heard: Heard): void {
    const early = heard.earliest - director.local(this.world.now);
    if (early > ROUNDING && !heard.moved)
      this.#fail('too-early', `${director.spec.name} takes over ${early.toFixed(3)} ms before it may`);
  }

  #group(director: Director): void {
    const kinds = new Set(director.instances.map(({ state }) => state.kind === 'master'));
    if (kinds.size > 1) this.#fail('group', `${director.spec.name} is master on one link alone`);
  }

  settled(): void {
    for (const [link, masters] of this.#masters.entries()) {
      if (masters.size > 1) this.#checkPairs(link, [...masters]);
      else if (masters.size === 0) this.#checkAbsence(link);
    }
    const quiet = this.#active.size === 0 && this.world.now > this.#calmSince + this.#settledWithin;
    if (quiet && !this.#rightChecked) this.#checkRight();
  }

  /** Two masters that hear each other are one after the next advert. */
  #checkPairs(link: number, masters: readonly Director[]): void {
    const { now, network } = this.world;
    for (const [at, a] of masters.entries()) {
      for (const b of masters.slice(at + 1)) {
        if (a.power !== 'on' || b.power !== 'on') continue;
        const [one, other] = [a.instances[link], b.instances[link]];
        if (one === undefined || other === undefined) continue;
        const since = Math.max(
          ...[this.#of(one).masterSince, this.#of(other).masterSince],
          ...[a.steadySince, b.steadySince, network.cleanSince(a.index, b.index)],
        );
        const interval = Math.max(a.spec.interval, b.spec.interval);
        if (now > since + interval * 1.002 + 3 * this.#calm)
          this.#fail(
            'two-masters',
            `${a.spec.name} and ${b.spec.name} on link ${link} for ${now - since} ms`,
          );
      }
    }
  }

  #checkAbsence(link: number): void {
    const { now } = this.world;
    const due = this.#active.size === 0 && now > this.#calmSince + this.#masterWithin;
    if (due)
      this.#fail(
        'no-master',
        `on link ${link}, ${(now - this.#calmSince).toFixed(0)} ms after the last trouble`,
      );
  }

  /** Where everybody preempts, the highest priority is master. */
  #checkRight(): void {
    this.#rightChecked = true;
    const { directors } = this.world;
    if (directors.some(({ spec, priority }) => !spec.preempt && priority !== 255)) return;
    const highest = Math.max(...directors.map(({ priority }) => priority));
    for (const masters of this.#masters) {
      const [master] = masters;
      if (masters.size !== 1 || master?.priority !== highest)
        this.#fail(
          'wrong-master',
          `${[...masters].map(({ spec }) => spec.name).join()}, highest is ${highest}`,
        );
    }
  }
}
