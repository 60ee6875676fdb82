/** What is done about time-outs that somebody else changed: put back, or let stand while the same is wanted. Pure. */
import type { TimeoutLeft, Timeouts, Tolerated } from './model.js';
import type { DriftPolicy } from './ownership.js';
import {
  type HeldTimeouts,
  planTimeouts,
  TIMEOUT_NAMES,
  type TimeoutDrift,
  type TimeoutName,
  type TimeoutPlan,
  timeoutWord,
} from './timeouts.js';

/** A change that is let stand, in whole seconds. */
export interface TimeoutConcession {
  readonly policy: Tolerated;
  /** What was wanted then. Undefined: a new configuration ended it. */
  readonly wanted: number | undefined;
  readonly found: number;
}

export type TimeoutConcessions = Readonly<Partial<Record<TimeoutName, TimeoutConcession>>>;

/** What is known before a look. */
export interface TimeoutView {
  readonly wanted: Partial<Timeouts>;
  readonly held: HeldTimeouts;
  readonly conceded: TimeoutConcessions;
  readonly policy: DriftPolicy;
  /** The last change may or may not have been made: a difference is not somebody else's. */
  readonly doubt: boolean;
}

export interface TimeoutLook {
  /** Its drift is what was not told before. */
  readonly plan: TimeoutPlan;
  readonly conceded: TimeoutConcessions;
}

/** What somebody put right, or changed once more, or what is wanted otherwise by now, is conceded no longer. */
function stillConceded({ conceded, wanted }: TimeoutView, seen: Timeouts): TimeoutConcessions {
  const kept: Partial<Record<TimeoutName, TimeoutConcession>> = {};
  for (const name of TIMEOUT_NAMES) {
    const its = conceded[name];
    if (its !== undefined && its.wanted === wanted[name] && its.found === seen[name]) kept[name] = its;
  }
  return kept;
}

/** What there is to do about what the kernel has now, and what of it is let stand. */
export function judgeTimeouts(view: TimeoutView, seen: Timeouts): TimeoutLook {
  const { wanted, held, policy } = view;
  const conceded: Partial<Record<TimeoutName, TimeoutConcession>> = { ...stillConceded(view, seen) };
  const { drift } = planTimeouts(wanted, held, seen, conceded);
  const isNews = ({ name, found }: TimeoutDrift): boolean =>
    !view.doubt && view.conceded[name]?.found !== found;
  const news = drift.filter(isNews);
  if (policy !== 'repair') for (const { name, ...its } of news) conceded[name] = { policy, ...its };
  return { plan: { ...planTimeouts(wanted, held, seen, conceded), drift: news }, conceded };
}

/**
 * What a new configuration leaves: nothing that was only reported; what was accepted where it still says `accept`.
 * What ends is not news when it is seen again.
 */
export function afterReload(conceded: TimeoutConcessions, policy: DriftPolicy): TimeoutConcessions {
  const kept: Partial<Record<TimeoutName, TimeoutConcession>> = {};
  for (const name of TIMEOUT_NAMES) {
    const its = conceded[name];
    if (its === undefined) continue;
    kept[name] = its.policy === 'accept' && policy === 'accept' ? its : { ...its, wanted: undefined };
  }
  return kept;
}

/** What is let stand, in the order of the names. */
export function leftOf(conceded: TimeoutConcessions): readonly TimeoutLeft[] {
  return TIMEOUT_NAMES.flatMap((name) => {
    const its = conceded[name];
    if (its?.wanted === undefined) return [];
    const { policy, wanted, found } = its;
    return [{ name, policy, wanted, found }];
  });
}

/** `tcp 61s, should be 60s` */
export function timeoutDriftText({ name, found, wanted }: TimeoutDrift): string {
  return `${timeoutWord(name)} ${found}s, should be ${wanted}s`;
}
