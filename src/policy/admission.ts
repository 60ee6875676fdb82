/** Staged admission: a server that comes back begins small. Pure. */
import { type Millis, millis } from '../core/units.js';
import type { AdmitRule } from './model.js';

/** The share of the way from the first to the whole weight, 0 to 1. */
function weightAt(rule: AdmitRule, full: number, elapsed: number): number {
  const first = Math.min(rule.canary, full);
  const share = elapsed / rule.ramp;
  if (share >= 1) return full;
  const grown =
    rule.curve === 'linear' ? first + (full - first) * share : first * (full / Math.max(first, 1)) ** share;
  // Between the two at any time, whatever the rounding.
  return Math.min(Math.max(Math.floor(grown), first), full);
}

export interface Admission {
  readonly weight: number;
  /** Until the weight changes; undefined when it is whole. */
  readonly next: Millis | undefined;
}

/** No more steps than this in one ramp: each is a message to the kernel. */
const STEPS_MAX = 20;

/**
 * The weight of a server that began to come back `elapsed` ago. It rises in at most 20 steps.
 * @param full the weight that it will have
 */
export function admission(rule: AdmitRule, full: number, elapsed: Millis): Admission {
  if (full === 0 || elapsed >= rule.ramp) return { weight: full, next: undefined };
  const step = Math.ceil(rule.ramp / STEPS_MAX);
  const index = Math.floor(elapsed / step);
  const weight = weightAt(rule, full, index * step);
  if (weight === full && rule.canary >= full) return { weight, next: undefined };
  return { weight, next: millis((index + 1) * step - elapsed) };
}
