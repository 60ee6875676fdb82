/**
 * Keeps the kernel's connection time-outs as they are wanted, and puts them back in the end. Level-based: it looks at them
 * whenever something else is wanted, at every resync, and after an error.
 */
import { isDeepStrictEqual } from 'node:util';
import { errorText } from '../core/errors.js';
import type { Timers } from '../core/ports.js';
import type { Millis } from '../core/units.js';
import { LevelLoop, type Look } from './level-loop.js';
import { LevelState } from './level-state.js';
import type { IpvsTable, Timeouts, TimeoutsState } from './model.js';
import {
  type HeldTimeouts,
  memorable,
  planTimeouts,
  recall,
  TIMEOUT_NAMES,
  type TimeoutDrift,
  type TimeoutPlan,
  type TimeoutStore,
} from './timeouts.js';

/** Remembers nothing: after a crash the next run takes what this one set for what was there. */
export const FORGETFUL: TimeoutStore = {
  load: async () => ({}),
  save: async () => undefined,
};

export interface TimeoutKeeperEvents {
  /** Something of the state is different. Undefined: nothing is wanted or held any more. */
  onState(state: TimeoutsState | undefined): void;
  /** The kernel was given these. */
  onChanged(set: Partial<Timeouts>): void;
  /** Somebody else changed what we keep; the repair follows. */
  onDrift(drift: readonly TimeoutDrift[]): void;
  /** They are not as they are wanted. Tried again by itself. */
  onFailure(message: string): void;
}

export interface TimeoutKeeperOptions {
  readonly table: Pick<IpvsTable, 'timeouts' | 'setTimeouts'>;
  readonly store: TimeoutStore;
  readonly timers: Timers;
  readonly events: TimeoutKeeperEvents;
}

const isEmpty = (value: object): boolean => Object.keys(value).length === 0;

export class TimeoutKeeper {
  readonly #options: TimeoutKeeperOptions;
  readonly #loop: LevelLoop;
  /** Undefined before anything was asked for. */
  #wanted: Partial<Timeouts> | undefined;
  /** Undefined before the first look: what a run before this one left is not known yet. */
  #held: HeldTimeouts | undefined;
  #remembered: HeldTimeouts | undefined;
  #seen: Timeouts | undefined;
  /** The last change may or may not have been made: a difference is not somebody else's. */
  #doubt = false;
  readonly #level: LevelState<TimeoutsState>;
  #repaired = 0;

  constructor(options: TimeoutKeeperOptions) {
    this.#options = options;
    this.#level = new LevelState(options.events);
    this.#loop = new LevelLoop({ timers: options.timers, attempt: () => this.#attempt() });
  }

  /** Replaces what is wanted; a time-out that is left out is put back. @param resync from one look to the next */
  aim(wanted: Partial<Timeouts>, resync: Millis): void {
    this.#loop.resync = resync;
    if (isDeepStrictEqual(wanted, this.#wanted)) return;
    this.#wanted = wanted;
    // Even where nothing is wanted: a run before this one may have left something.
    this.#loop.look();
  }

  /** Resolves when they are as they are wanted, or when the last attempt failed and waits for its next. */
  settled(): Promise<void> {
    return this.#loop.settled();
  }

  /** Puts back what is ours, with one attempt; what fails is put back by the next run, where there is a store. */
  async close(): Promise<void> {
    if (this.#wanted !== undefined) this.aim({}, this.#loop.resync);
    await this.#loop.settled();
    await this.#loop.close();
  }

  async #attempt(): Promise<Look> {
    const wanted = this.#wanted ?? {};
    const right = await this.#keep(wanted);
    this.#level.tell(this.#state());
    if (!right) return 'wrong';
    return isEmpty(wanted) ? 'idle' : 'right';
  }

  async #keep(wanted: Partial<Timeouts>): Promise<boolean> {
    this.#remembered ??= await this.#options.store.load();
    // Nothing is ours, and nothing should be: the kernel is not even asked.
    if (isEmpty(wanted) && isEmpty(this.#held ?? this.#remembered)) return this.#succeed({});
    try {
      this.#seen = await this.#options.table.timeouts();
      const held = this.#held ?? recall(this.#remembered, this.#seen);
      const plan = planTimeouts(wanted, held, this.#seen);
      const drift = this.#doubt ? [] : plan.drift;
      this.#noteDrift(drift);
      await this.#perform(plan, this.#seen);
      if (!isEmpty(plan.set) && drift.length === 0) this.#options.events.onChanged(plan.set);
      return this.#succeed(plan.after);
    } catch (thrown) {
      return this.#level.fail(errorText(thrown));
    }
  }

  #noteDrift(drift: readonly TimeoutDrift[]): void {
    if (drift.length === 0) return;
    this.#repaired += 1;
    this.#options.events.onDrift(drift);
  }

  /** @throws what the kernel answers (rejects); what is held then is what may be ours */
  async #perform({ set, meanwhile }: TimeoutPlan, seen: Timeouts): Promise<void> {
    this.#held = meanwhile;
    await this.#remember(meanwhile);
    if (isEmpty(set)) return;
    this.#doubt = true;
    await this.#options.table.setTimeouts(set);
    this.#seen = { ...seen, ...set };
  }

  async #remember(held: HeldTimeouts): Promise<void> {
    const worth = memorable(held);
    if (isDeepStrictEqual(worth, this.#remembered)) return;
    this.#remembered = worth;
    await this.#options.store.save(worth);
  }

  async #succeed(held: HeldTimeouts): Promise<true> {
    this.#held = held;
    this.#doubt = false;
    this.#level.inSync = true;
    this.#level.lastError = undefined;
    await this.#remember(held);
    return true;
  }

  #state(): TimeoutsState | undefined {
    const held = this.#held ?? {};
    const wanted = this.#wanted ?? {};
    if (isEmpty(wanted) && isEmpty(held)) return undefined;
    const originals = TIMEOUT_NAMES.flatMap((name) => {
      const its = held[name];
      return its === undefined ? [] : [[name, its.original] as const];
    });
    return {
      wanted,
      seen: this.#seen,
      original: Object.fromEntries(originals),
      inSync: this.#level.inSync,
      lastError: this.#level.lastError,
      repaired: this.#repaired,
    };
  }
}
