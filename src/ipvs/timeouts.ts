/** The kernel's connection time-outs: what brings them to what is wanted, and back to what they were. Pure. */
import type { Timeouts } from './model.js';

export type TimeoutName = keyof Timeouts;

/** In the order in which ipvsadm has them. */
export const TIMEOUT_NAMES = ['tcp', 'tcpFin', 'udp'] as const satisfies readonly TimeoutName[];

/** A time-out that we set, in whole seconds. */
export interface HeldTimeout {
  /** What stood there before us. */
  readonly original: number;
  /** What we set; while one value replaces another, both. */
  readonly ours: readonly number[];
}

/** What is ours to put back. */
export type HeldTimeouts = Readonly<Partial<Record<TimeoutName, HeldTimeout>>>;

/** A change by somebody else. */
export interface TimeoutDrift {
  readonly name: TimeoutName;
  readonly found: number;
  readonly wanted: number;
}

export interface TimeoutPlan {
  /** Empty where all is right. */
  readonly set: Partial<Timeouts>;
  /** What is ours as long as nobody knows whether `set` was done: to be remembered before it is tried. */
  readonly meanwhile: HeldTimeouts;
  /** What is ours once it was done. */
  readonly after: HeldTimeouts;
  readonly drift: readonly TimeoutDrift[];
}

interface Step {
  readonly set: number | undefined;
  readonly meanwhile: HeldTimeout | undefined;
  readonly after: HeldTimeout | undefined;
}

const NOTHING: Step = { set: undefined, meanwhile: undefined, after: undefined };

function take(wanted: number, held: HeldTimeout | undefined, seen: number): Step {
  const original = held?.original ?? seen;
  const after: HeldTimeout = { original, ours: [wanted] };
  if (seen === wanted) return { set: undefined, meanwhile: after, after };
  const others = (held?.ours ?? []).filter((value) => value !== wanted);
  return { set: wanted, meanwhile: { original, ours: [...others, wanted] }, after };
}

/** What somebody else has set since is theirs, and stays. */
function giveBack(held: HeldTimeout, seen: number): Step {
  const isOurs = held.ours.includes(seen) && seen !== held.original;
  return isOurs ? { set: held.original, meanwhile: held, after: undefined } : NOTHING;
}

function stepFor(want: number | undefined, its: HeldTimeout | undefined, found: number): Step {
  if (want !== undefined) return take(want, its, found);
  return its === undefined ? NOTHING : giveBack(its, found);
}

/**
 * What there is to do, name by name. A time-out that is held and no longer wanted is put back.
 * Done again with `after`, there is nothing.
 * @param left those that are left as they are, and stay ours
 */
export function planTimeouts(
  wanted: Partial<Timeouts>,
  held: HeldTimeouts,
  seen: Timeouts,
  left: Readonly<Partial<Record<TimeoutName, unknown>>> = {},
): TimeoutPlan {
  const set: Partial<Record<TimeoutName, number>> = {};
  const meanwhile: Partial<Record<TimeoutName, HeldTimeout>> = {};
  const after: Partial<Record<TimeoutName, HeldTimeout>> = {};
  const drift: TimeoutDrift[] = [];
  for (const name of TIMEOUT_NAMES) {
    const [want, its, found] = [wanted[name], held[name], seen[name]];
    const isLeft = left[name] !== undefined;
    const step = isLeft ? { set: undefined, meanwhile: its, after: its } : stepFor(want, its, found);
    if (step.set !== undefined) set[name] = step.set;
    if (step.meanwhile !== undefined) meanwhile[name] = step.meanwhile;
    if (step.after !== undefined) after[name] = step.after;
    const isOther = want !== undefined && want !== found && its !== undefined && !its.ours.includes(found);
    if (isOther && !isLeft) drift.push({ name, found, wanted: want });
  }
  return { set, meanwhile, after, drift };
}

/** What of the held is worth remembering over the end of this process: what differs from what was there before. */
export function memorable(held: HeldTimeouts): HeldTimeouts {
  const kept: Partial<Record<TimeoutName, HeldTimeout>> = {};
  for (const name of TIMEOUT_NAMES) {
    const its = held[name];
    if (its?.ours.some((value) => value !== its.original) === true) kept[name] = its;
  }
  return kept;
}

/**
 * What a run that did not end in order left to be put back. Where the kernel has another value than that run set, somebody
 * else has chosen since, and there is nothing to put back.
 */
export function recall(remembered: HeldTimeouts, seen: Timeouts): HeldTimeouts {
  const held: Partial<Record<TimeoutName, HeldTimeout>> = {};
  for (const name of TIMEOUT_NAMES) {
    const its = remembered[name];
    if (its?.ours.includes(seen[name]) === true) held[name] = its;
  }
  return held;
}

const WORDS: Readonly<Record<TimeoutName, string>> = { tcp: 'tcp', tcpFin: 'tcp-fin', udp: 'udp' };

/** As the configuration names it. */
export function timeoutWord(name: TimeoutName): string {
  return WORDS[name];
}

/** `tcp 900s, udp 300s`; empty for none. */
export function timeoutsText(timeouts: Partial<Timeouts>): string {
  return TIMEOUT_NAMES.flatMap((name) => {
    const value = timeouts[name];
    return value === undefined ? [] : [`${WORDS[name]} ${value}s`];
  }).join(', ');
}

/**
 * Remembers over a crash what is to be put back. It is written before the kernel is: a run that finds a value of ours
 * in the kernel knows then that it is no original. Problems are the store's own to tell; neither call rejects.
 */
export interface TimeoutStore {
  load(): Promise<HeldTimeouts>;
  save(held: HeldTimeouts): Promise<void>;
}
