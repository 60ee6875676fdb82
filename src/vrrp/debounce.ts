/** A link that flaps: its change counts only when it has lasted. Back within the delay is as if nothing had been. */
import { type Millis, millis } from '../core/units.js';
import type { DebounceRule } from './model.js';

export interface DebounceState {
  /** What counts. */
  readonly up: boolean;
  /** When the other value will count; undefined while the link is as it counts. */
  readonly changesAt: Millis | undefined;
}

/** What was seen first counts at once. */
export function newDebounce(up: boolean): DebounceState {
  return { up, changesAt: undefined };
}

/** The link was seen up or down. A value that is seen again does not begin the delay anew. */
export function seeLink(rule: DebounceRule, state: DebounceState, up: boolean, now: Millis): DebounceState {
  if (up === state.up) return newDebounce(up);
  if (state.changesAt !== undefined) return settleLink(state, now);
  return settleLink({ up: state.up, changesAt: millis(now + (up ? rule.up : rule.down)) }, now);
}

/** The time has come, or not: to be called at `changesAt`. Too early does no harm. */
export function settleLink(state: DebounceState, now: Millis): DebounceState {
  return state.changesAt !== undefined && now >= state.changesAt ? newDebounce(!state.up) : state;
}
