/** The keys of agent checks. */
import type { CheckKindSchema } from './schema-check-keys.js';
import { text } from './schema-kit.js';

const AGENT_KEYS = {
  send: text(
    { expects: 'text', longest: 1024 },
    {
      says: 'What is said to the agent before it answers, as it stands: in double quotes `\\n` is the end of a line. May refer to a secret.',
      default: 'nothing; the agent speaks first',
      example: '"web\\n"',
      secret: true,
    },
  ),
};

export const agent: CheckKindSchema & { readonly keys: typeof AGENT_KEYS } = {
  says: "Asks an agent in the manner of HAProxy's agent-check: it says up or down, a share of the weight, drain, maint and ready. An agent that does not answer changes nothing.",
  keys: AGENT_KEYS,
};
