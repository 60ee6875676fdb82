/** Skew and master-down intervals, exact: every value is a whole number of milliseconds over 256. */
import { assert } from '../core/assert.js';
import { type Millis, millis } from '../core/units.js';
import type { InstanceRule } from './model.js';

const SECOND = 1000;
const PRIORITY_RANGE = 256;

/**
 * Skew_Time: (256 - priority) / 256 of a second (RFC 3768 6.1), or of the master's interval
 * (RFC 5798 6.1, RFC 9568 6.1). The higher the priority, the sooner a backup takes over.
 */
export function skewTime(rule: InstanceRule, priority: number, masterInterval: Millis): Millis {
  assert(priority >= 1 && priority <= 255, `a priority of 1-255, not ${priority}`);
  const unit = rule.version === 2 ? SECOND : masterInterval;
  return millis(((PRIORITY_RANGE - priority) * unit) / PRIORITY_RANGE);
}

/** Master_Down_Interval: so long without an advert, and the master is taken for dead (RFC 5798 6.1). */
export function masterDownInterval(rule: InstanceRule, priority: number, masterInterval: Millis): Millis {
  return millis(rule.downAdverts * masterInterval + skewTime(rule, priority, masterInterval));
}
