/** The keys of ping checks: where they come from, and none of their own. */
import type { CheckKindSchema } from './schema-check-keys.js';
import { ORIGIN_KEYS } from './schema-check-origin.js';

export const ping: CheckKindSchema & { readonly keys: typeof ORIGIN_KEYS } = {
  says: 'Passes when the server sends an ICMP echo back, unchanged.',
  keys: ORIGIN_KEYS,
  port: 'none',
};
