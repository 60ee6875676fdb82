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
import type { IpvsTable, TimeoutLeft, Timeouts, TimeoutsState } from './model.js';
import type { DriftPolicy } from './ownership.js';
import {
  afterReload,
  judgeTimeouts,
  leftOf,
  type TimeoutConcessions,
  type TimeoutView,
} from './timeout-drift.js';
import {
  type HeldTimeouts,
  memorable,
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
  /** Somebody else changed what we keep; with `repair` the repair follows. */
  onDrift(drift: readonly TimeoutDrift[], policy: DriftPolicy): void;
  /** They are not as they are wanted. Tried again by itself. */
  onFailure(message: string): void;
}

export interface TimeoutKeeperOptions {
  readonly table: Pick<IpvsTable, 'timeouts' | 'setTimeouts'>;
  readonly store: TimeoutStore;
  readonly timers: Timers;
  readonly events: TimeoutKeeperEvents;
}

/** What a look at this moment would do. */
export interface TimeoutPreview {
  /** Empty where all is right. */
  readonly set: Partial<Timeouts>;
  readonly left: readonly TimeoutLeft[];
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
  #policy: DriftPolicy = 'repair';
  #conceded: TimeoutConcessions = {};

  constructor(options: TimeoutKeeperOptions) {
    this.#options = options;
    this.#level = new LevelState(options.events);
    this.#loop = new LevelLoop({ timers: options.timers, attempt: () => this.#attempt() });
  }

  /** With every new configuration: what is done about changes by others. What was only reported is repaired now. */
  govern(policy: DriftPolicy): void {
    this.#policy = policy;
    if (isEmpty(this.#conceded)) return;
    this.#conceded = afterReload(this.#conceded, policy);
    this.#loop.look();
  }

  /** Replaces what is wanted; a time-out that is left out is put back. @param resync from one look to the next */
  aim(wanted: Partial<Timeouts>, resync: Millis): void {
    this.#loop.resync = resync;
    if (isDeepStrictEqual(wanted, this.#wanted)) return;
    this.#wanted = wanted;
    // Even where nothing is wanted: a run before this one may have left something.
    this.#loop.look();
  }

  /** What a look would do now. Nothing is remembered of it. @throws as `timeouts` of the table (rejects) */
  async preview(): Promise<TimeoutPreview> {
    if (isEmpty(this.#wanted ?? {}) && isEmpty(this.#held ?? {})) return { set: {}, left: [] };
    const seen = await this.#options.table.timeouts();
    const { plan, conceded } = judgeTimeouts(this.#view(this.#held ?? {}), seen);
    return { set: plan.set, left: leftOf(conceded) };
  }

  #view(held: HeldTimeouts): TimeoutView {
    return {
      wanted: this.#wanted ?? {},
      held,
      conceded: this.#conceded,
      policy: this.#policy,
      doubt: this.#doubt,
    };
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
      const { plan, conceded } = judgeTimeouts(this.#view(held), this.#seen);
      this.#conceded = conceded;
      const isRepair = this.#noteDrift(plan.drift);
      await this.#perform(plan, this.#seen);
      if (!isEmpty(plan.set) && !isRepair) this.#options.events.onChanged(plan.set);
      return this.#succeed(plan.after);
    } catch (thrown) {
      return this.#level.fail(errorText(thrown));
    }
  }

  /** @returns whether it is repaired */
  #noteDrift(drift: readonly TimeoutDrift[]): boolean {
    if (drift.length === 0) return false;
    const isRepair = this.#policy === 'repair';
    if (isRepair) this.#repaired += 1;
    this.#options.events.onDrift(drift, this.#policy);
    return isRepair;
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
    this.#level.inSync = !leftOf(this.#conceded).some(({ policy }) => policy === 'report');
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
      left: leftOf(this.#conceded),
    };
  }
}
