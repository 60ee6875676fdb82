/** How many servers of a service health may take out: never below a minimum, never more than so many in a minute. Pure. */
import { type Millis, millis, seconds } from '../core/units.js';
import type { MinimumHealthy, RailsRule, ServerId } from './model.js';

/** The window of `maximum-removals`. */
const WINDOW = seconds(60);

/** A service at the moment at which servers of it are to be taken out. Servers of weight 0 count nowhere. */
export interface RailsCase {
  /** Those that went down and still serve, the one that failed first at the head. */
  readonly leaving: readonly ServerId[];
  /** How many serve that are not among them. */
  readonly staying: number;
  /** How many the operator lets serve, whatever their health. */
  readonly eligible: number;
}

export interface RailsStep {
  /** Those of `leaving` that stay, and by which rail. */
  readonly held: ReadonlyMap<ServerId, 'minimum-healthy' | 'maximum-removals'>;
  /** When servers were taken out within the last minute, the oldest first, this step included. */
  readonly removals: readonly Millis[];
  /** Until there is room for another removal that waits; undefined: none waits. */
  readonly again: Millis | undefined;
}

/** How many servers must serve. A share is rounded up, so that any share above 0% keeps one. */
export function minimumOf(rule: MinimumHealthy, eligible: number): number {
  return rule.kind === 'count' ? rule.count : Math.ceil((eligible * rule.percent) / 100);
}

/**
 * Decides who of those that are down may go. Whoever failed last stays: it is the likeliest to be alive, or to be
 * back soon.
 * @param before `removals` of the step before
 * @param now monotonic
 */
export function stepRails(
  rule: RailsRule,
  { leaving, staying, eligible }: RailsCase,
  before: readonly Millis[],
  now: Millis,
): RailsStep {
  const held = new Map<ServerId, 'minimum-healthy' | 'maximum-removals'>();
  const short = rule.minimum === undefined ? 0 : minimumOf(rule.minimum, eligible) - staying;
  const spare = Math.max(0, leaving.length - Math.max(0, short));
  for (const id of leaving.slice(spare)) held.set(id, 'minimum-healthy');
  const recent = before.filter((at) => now - at < WINDOW);
  const most = rule.maximumRemovals;
  if (most === undefined) return { held, removals: [], again: undefined };
  const room = Math.min(Math.max(0, most - recent.length), spare);
  for (const id of leaving.slice(room, spare)) held.set(id, 'maximum-removals');
  const removals = [...recent, ...Array.from({ length: room }, () => now)];
  // The removal that has to leave the window before the next one fits in.
  const blocking = removals[removals.length - most];
  const waits = room < spare && blocking !== undefined;
  return { held, removals, again: waits ? millis(blocking + WINDOW - now) : undefined };
}
