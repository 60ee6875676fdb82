/** Drives the state machines: events go in, effects come out in their order, deadlines are served when they come. */
import { DueHeap } from '../core/heap.js';
import type { Clock } from '../core/ports.js';
import { type Millis, millis } from '../core/units.js';
import { stepVrrp } from './fsm.js';
import { stepGroup } from './group.js';
import type { Instance } from './instance.js';
import type { VrrpEffect, VrrpEvent } from './model.js';
import type { Roster } from './roster.js';

/** Deadlines that are served before anything else gets its turn again. */
const DEADLINES_MAX = 1024;

export interface MachinesOptions {
  readonly clock: Clock;
  readonly roster: Roster;
  readonly perform: (instance: Instance, effect: VrrpEffect) => void;
}

/**
 * A silence is believed only after everything that has come was heard: we may have slept, and the packets lie in the
 * socket. A master that is on time need not hear anybody first.
 */
function mustHear({ state, config, dueAt }: Instance, now: Millis): boolean {
  return state.kind !== 'master' || now - dueAt >= config.instance.rule.interval;
}

export class Machines {
  readonly #options: MachinesOptions;
  readonly #due = new DueHeap<Instance>();

  constructor(options: MachinesOptions) {
    this.#options = options;
  }

  /** One event for one instance, and all that follows from it. */
  give(instance: Instance, event: VrrpEvent): void {
    const { clock, roster, perform } = this.#options;
    const now = clock.monotonic();
    const { group } = instance.config;
    if (group === undefined) {
      const step = stepVrrp(instance.config.instance.rule, instance.state, event, now);
      instance.state = step.state;
      this.#schedule(instance);
      for (const effect of step.effects) perform(instance, effect);
      return;
    }
    const members = roster.membersOf(group);
    const before = members.map(({ name, state, config }) => ({ name, state, rule: config.instance.rule }));
    const step = stepGroup(before, instance.name, event, now);
    for (const [at, member] of members.entries()) {
      member.state = step.members[at]?.state ?? member.state;
      this.#schedule(member);
    }
    for (const { member, effect } of step.effects) {
      const owner = roster.get(member);
      if (owner !== undefined) perform(owner, effect);
    }
  }

  /** Forgets the deadline of an instance that leaves. */
  forget(instance: Instance): void {
    if (instance.place >= 0) this.#due.remove(instance);
  }

  /** The earliest deadline of all. */
  nextAt(): Millis | undefined {
    return this.#due.peek()?.dueAt;
  }

  /**
   * Serves what is due. @param hear takes some of what has come for the instance; true when there was nothing left to
   * take, or when so much came that waiting for the end of it would be wrong
   */
  serve(hear: (instance: Instance) => boolean): void {
    for (let count = 0; count < DEADLINES_MAX; count += 1) {
      const first = this.#due.peek();
      const now = this.#options.clock.monotonic();
      if (first === undefined || first.dueAt > now) return;
      if (mustHear(first, now) && !hear(first)) this.#behind(first, now);
      else this.#ring(first);
    }
  }

  #ring(instance: Instance): void {
    const deadline = instance.deadline();
    const sends = instance.state.kind === 'master';
    this.give(instance, { kind: 'timer' });
    if (sends && deadline !== undefined)
      instance.lateness.record(millis(this.#options.clock.monotonic() - deadline));
  }

  /** Everybody else who is due now comes first, unless what was heard moved the deadline. */
  #behind(instance: Instance, now: Millis): void {
    const deadline = instance.deadline();
    if (instance.place < 0 || deadline === undefined || deadline > now) return;
    this.#due.remove(instance);
    instance.dueAt = now;
    this.#due.push(instance);
  }

  #schedule(instance: Instance): void {
    this.forget(instance);
    const deadline = instance.deadline();
    if (deadline === undefined) return;
    instance.dueAt = deadline;
    this.#due.push(instance);
  }
}
