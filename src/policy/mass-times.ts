/** How far apart in time checks see what happens to all of them at once. Pure. */
import type { Check, PaceDelay } from '../checks/model.js';
import { seconds } from '../core/units.js';

/** Without a budget. */
export const NO_DELAY: PaceDelay = { stretch: 1, queues: 0 };

/** Checks that are rarer than this do not widen the window further. */
const LONGEST = seconds(60);

/** In intervals: a queue is at most one long, and a probe that begins late in its slot leaves out the next. */
const QUEUE = 1.5;

const bounded = (span: number): number => Math.min(span, LONGEST);

/** From one probe to the next, at most, where `span` is configured: with what chance adds, and with the wait for others. */
function stepOf({ rule }: Check, span: number, { stretch, queues }: PaceDelay): number {
  return bounded((span * (1 + rule.jitter) + rule.interval * QUEUE * queues) * stretch);
}

/**
 * From the moment at which a server that was well dies to the end of the first probe that finds it dead, at most. Only
 * `interval` counts: the others are for servers that fail already. In ms.
 */
export function spreadOf(check: Check, delay: PaceDelay): number {
  return stepOf(check, check.rule.interval, delay) + bounded(check.rule.timeout);
}

/**
 * From the moment at which the network is back to the verdict up, at most: a server that is down is probed every
 * `down-interval`, and once it passed, every `fast-interval`. In ms.
 */
export function graceOf(check: Check, delay: PaceDelay): number {
  const { interval, fastInterval = interval, downInterval = interval, rise, timeout } = check.rule;
  const first = stepOf(check, Math.max(interval, downInterval), delay);
  return 2 * first + (rise - 1) * stepOf(check, fastInterval, delay) + bounded(timeout);
}
