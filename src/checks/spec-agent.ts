/** Checks that ask an agent on the server. */
import type { Target } from './spec-target.js';

export interface AgentCheck {
  readonly type: 'agent';
  readonly target: Target;
  /** What is said first; undefined: nothing, the agent speaks as soon as the connection stands. */
  readonly send: string | undefined;
}
