/** The schema of `timeouts:`. As schema.ts, it runs at build time only. */
import type { Static } from 'typebox';
import { duration, optional, section } from './schema-kit.js';

/** INT_MAX / HZ seconds are 24.8 days with HZ=1000: what every kernel can count. */
const LONGEST = '24d';

const seconds = (says: string, usual: string, example: string) =>
  duration('1s', LONGEST, {
    says,
    default: `as it is; ${usual} in a kernel that nobody has told otherwise`,
    example,
    relation: 'Whole seconds.',
  });

export const timeouts = section(
  optional({
    tcp: seconds('A TCP connection that says nothing for this long is forgotten.', '900s', '15m'),
    'tcp-fin': seconds('A TCP connection of which one end has said FIN.', '120s', '30s'),
    udp: seconds('A UDP client that says nothing for this long may come to another server.', '300s', '60s'),
  }),
  {
    says: 'When the kernel forgets connections: one setting for all services, kept and put right as the table is, and put back when lvsentry ends.',
    default: 'none; what the kernel has is left alone',
    example: '{ tcp: 15m, udp: 60s }',
  },
);

export type RawTimeouts = Static<typeof timeouts>;
