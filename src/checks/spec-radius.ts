/** Checks of RADIUS servers. */
import type { Target } from './spec-target.js';
import type { Login } from './spec-text.js';

export interface RadiusCheck {
  readonly type: 'radius';
  readonly target: Target;
  /** What we and the server both know. */
  readonly secret: string;
  /** Who asks for access; undefined: Status-Server is asked instead (RFC 5997). */
  readonly login: Login | undefined;
  /** A server that refuses, or wants to know more, lives. */
  readonly rejectPasses: boolean;
}
