/** Most servers failed at once: is it they, or is it this director? Pure. */
import { type Millis, millis } from '../core/units.js';
import type { Counts } from './census.js';
import type { MassFailureRule } from './model.js';

/**
 * `armed`: most servers fail, and what is to be done about it is not due yet. `active`: it is done.
 * `settled`: the verdicts are believed, although most servers still fail.
 */
export type MassPhase = 'quiet' | 'armed' | 'active' | 'settled';

/**
 * Why it is over: they had time to be well again, all of them are, a canary says that the network was well all the
 * time, or it took too long.
 */
export type MassEnd = 'calm' | 'recovered' | 'canaries' | 'limit';

export interface MassMemory {
  readonly phase: MassPhase;
  /** Since when it is active, monotonic. */
  readonly since: Millis;
  /** Since when it looks as if it were over, monotonic: from then on servers get time to be well again. */
  readonly calmSince: Millis | undefined;
  /** Most servers had the verdict down: until then `open` only holds. */
  readonly isFull: boolean;
}

export const QUIET: MassMemory = { phase: 'quiet', since: millis(0), calmSince: undefined, isFull: false };

/** What is seen now. */
export interface MassView {
  readonly counts: Counts;
  /**
   * What canaries say since most servers fail: one was heard all the time (`well`), or one was not and is heard again
   * (`back`).
   */
  readonly canaries: 'well' | 'back' | undefined;
  /** How long servers take to be up again once the network is, at most. */
  readonly grace: Millis;
}

export interface MassStep {
  readonly memory: MassMemory;
  /** It was active and is over. */
  readonly end: MassEnd | undefined;
}

/** Whether `part` of the addresses are most of those that were well. */
export function isMost(
  rule: MassFailureRule,
  part: number,
  { failing, well }: Pick<Counts, 'failing' | 'well'>,
): boolean {
  return part >= rule.minimum && part * 100 >= rule.percent * (failing + well);
}

/** Whether what is to be done is due. Holding costs little: one verdict is enough where most others fail. */
function isDue(rule: MassFailureRule, counts: Counts): boolean {
  if (rule.action === 'hold' || rule.action === 'open') return counts.down > 0;
  return isMost(rule, counts.down, counts);
}

/** When an active one has to be looked at although nothing happens, monotonic. */
export function massDue(
  rule: MassFailureRule,
  { phase, since, calmSince }: MassMemory,
  grace: Millis,
): Millis | undefined {
  if (phase !== 'active') return undefined;
  const limit = rule.limit === undefined ? Number.POSITIVE_INFINITY : since + rule.limit;
  const calm = calmSince === undefined ? Number.POSITIVE_INFINITY : calmSince + grace;
  const due = Math.min(limit, calm);
  return due === Number.POSITIVE_INFINITY ? undefined : millis(due);
}

function stepActive(rule: MassFailureRule, before: MassMemory, view: MassView, now: Millis): MassStep {
  const { counts } = view;
  const most = isMost(rule, counts.failing, counts);
  const over = (end: MassEnd): MassStep => ({
    memory: most ? { ...before, phase: 'settled', calmSince: undefined } : QUIET,
    end,
  });
  if (counts.failing === 0) return over('recovered');
  if (view.canaries === 'well') return over('canaries');
  if (rule.limit !== undefined && now - before.since >= rule.limit) return over('limit');
  const isCalm = !most || view.canaries === 'back';
  const calmSince = isCalm ? (before.calmSince ?? now) : undefined;
  if (calmSince !== undefined && now - calmSince >= view.grace) return over('calm');
  const isFull = before.isFull || isMost(rule, counts.down, counts);
  return { memory: { ...before, calmSince, isFull }, end: undefined };
}

/**
 * The next state.
 * @param now monotonic
 */
export function stepMass(rule: MassFailureRule, before: MassMemory, view: MassView, now: Millis): MassStep {
  const { counts } = view;
  if (before.phase === 'active') return stepActive(rule, before, view, now);
  if (!isMost(rule, counts.failing, counts)) return { memory: QUIET, end: undefined };
  const isSettled = before.phase === 'settled' || view.canaries === 'well';
  const phase = isSettled ? 'settled' : isDue(rule, counts) ? 'active' : 'armed';
  const isFull = isMost(rule, counts.down, counts);
  return { memory: { phase, since: now, calmSince: undefined, isFull }, end: undefined };
}
