/** The keys of ping checks: none of their own. */
import type { CheckKindSchema } from './schema-check-keys.js';

export const ping: CheckKindSchema & { readonly keys: Record<never, never> } = {
  says: 'Passes when the server sends an ICMP echo back, unchanged.',
  keys: {},
  port: 'none',
};
