/** Whether a service has servers enough. Pure. */
import type { QuorumRule, QuorumState } from './model.js';

/** The weights of a service's servers, summed up. */
export interface Weights {
  /** Of all servers that are configured, whatever their health. */
  readonly total: number;
  /** Of those that serve. */
  readonly serving: number;
  /** Of those of which nothing is known yet. */
  readonly unknown: number;
}

/** What the quorum asks for: never more than there is, so that a service of weights 0 has nothing to lose. */
export function neededWeight(rule: QuorumRule, total: number): number {
  return Math.min(rule.weight, total);
}

/**
 * The next state. A service without a state gets one as soon as what is unknown cannot change the answer; hysteresis
 * holds from then on: lost below `weight - hysteresis` or at nothing, met again at `weight + hysteresis`.
 * @param before undefined while nothing was decided yet
 */
export function stepQuorum(
  rule: QuorumRule,
  before: QuorumState | undefined,
  { total, serving, unknown }: Weights,
): QuorumState | undefined {
  const needed = neededWeight(rule, total);
  const most = serving + unknown;
  if (before === 'lost') return serving >= Math.min(rule.weight + rule.hysteresis, total) ? 'met' : 'lost';
  if (before === 'met') {
    const least = needed - rule.hysteresis;
    return most < least || (most === 0 && needed > 0) ? 'lost' : 'met';
  }
  if (serving >= needed) return 'met';
  return most < needed ? 'lost' : undefined;
}
