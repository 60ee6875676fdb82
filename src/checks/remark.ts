/** What a check says beside its verdict: what of it is news. */
import { type Millis, millis, seconds } from '../core/units.js';
import type { Latency } from './latency.js';
import type { ProbeResult, Remark, SaidWeight } from './model.js';

/** Nothing was said. */
export const NO_REMARK: Remark = { warning: undefined, weight: undefined, say: undefined };

/** What was said by a check of the same name before it was changed is not known: the next results are told. */
export const FORMER_REMARK: Remark = { ...NO_REMARK, warning: '' };

/** Other words for a warning that stays are told no more often than this: some hold a number that never rests. */
const WORDS_INTERVAL = seconds(60);

/** Kept for each check. */
export interface Remarking {
  remark: Remark;
  /** Passes in a row without a warning. */
  clean: number;
  /** When the words of the warning were told, monotonic. */
  wordsAt: Millis;
  /** Undefined: the time of probes is not looked at. */
  readonly latency: Latency | undefined;
}

/** The words of a warning were never told. */
export const NEVER = millis(Number.NEGATIVE_INFINITY);

function warningAfter(of: Remarking, { outcome, warning }: ProbeResult, rise: number, now: Millis) {
  const before = of.remark.warning;
  if (outcome !== 'pass') return before;
  of.clean = warning === undefined ? of.clean + 1 : 0;
  if (warning === undefined) return of.clean >= rise || before === '' ? undefined : before;
  return before === undefined || now - of.wordsAt >= WORDS_INTERVAL ? warning : before;
}

function weightAfter(before: SaidWeight | undefined, said: SaidWeight | undefined): SaidWeight | undefined {
  if (said === undefined) return before;
  return before?.kind === said.kind && before.value === said.value ? before : said;
}

/**
 * Takes one result in. A warning is there at once, and gone after `rise` passes without one.
 * @param now monotonic
 * @returns what is to be told; undefined: it is as it was, and nothing was allocated
 */
export function takeRemark(
  of: Remarking,
  result: ProbeResult,
  rise: number,
  now: Millis,
): Remark | undefined {
  if (result.outcome === 'unknown') return undefined;
  const { remark } = of;
  const warning = warningAfter(of, result, rise, now);
  const weight = weightAfter(remark.weight, result.weight);
  const say = result.say ?? remark.say;
  const latency = of.latency?.take(result, now) ?? remark.latency;
  if (
    warning === remark.warning &&
    weight === remark.weight &&
    say === remark.say &&
    latency === remark.latency
  )
    return undefined;
  if (warning !== remark.warning) of.wordsAt = now;
  const said = latency === undefined ? {} : { latency };
  of.remark = { warning: warning === '' ? undefined : warning, weight, say, ...said };
  return of.remark;
}
