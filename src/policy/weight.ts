/** The weight of a server that serves wholly: the configuration, the operator and its checks taken together. Pure. */
import type { SaidWeight } from '../checks/model.js';

/** The kernel's largest. */
const WEIGHT_MAX = 2_147_483_647;

/**
 * `(base + offsets) x shares`. The base is the smallest absolute weight that a check says, else the configured one;
 * offsets are added up, shares multiplied, those by latency too. Rounded; 0 only where a check or the configuration
 * comes to 0, never by rounding. What the operator says is the weight, whatever checks say.
 * @param configured in the configuration
 * @param ordered by the operator or a maintenance window
 */
export function weightOf(
  configured: number,
  ordered: number | undefined,
  said: readonly SaidWeight[],
): number {
  if (ordered !== undefined) return ordered;
  let base: number | undefined;
  let [offset, share] = [0, 1];
  for (const { kind, value } of said) {
    if (kind === 'absolute') base = Math.min(base ?? value, value);
    else if (kind === 'offset') offset += value;
    else share *= value / 100;
  }
  const exact = ((base ?? configured) + offset) * share;
  return exact <= 0 ? 0 : Math.min(Math.max(Math.round(exact), 1), WEIGHT_MAX);
}
