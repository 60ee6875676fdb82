/** Checks of a host, not of a service on it. */
import type { Target } from './spec-target.js';

export interface PingCheck {
  readonly type: 'ping';
  /** Its port is 0. */
  readonly target: Target;
}
