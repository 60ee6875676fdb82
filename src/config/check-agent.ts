/** agent checks. */
import type { AgentCheck } from '../checks/spec-agent.js';
import type { Target } from '../checks/spec-target.js';
import { type Checked, type Context, FAULTY } from './cursor.js';
import { type Layers, pick } from './layers.js';
import { expandSecrets } from './secrets.js';

/** The agent check that these layers describe. */
export function agentProbe(context: Context, layers: Layers): Checked<(target: Target) => AgentCheck> {
  const at = pick(layers, 'send');
  const send = at === undefined || at === FAULTY ? at : expandSecrets(context, at);
  return send === FAULTY ? FAULTY : (target) => ({ type: 'agent', target, send });
}
