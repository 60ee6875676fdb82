/** The schema of `vrrp.NAME.announce`. */
import { duration, integer, optional, section } from './schema-kit.js';

export const announce = section(
  optional({
    repeat: integer(0, 100, {
      says: 'Gratuitous ARPs (unsolicited neighbour advertisements) for each virtual IP after becoming master.',
      default: '5',
      example: '3',
      unit: 'packets',
    }),
    delay: duration('0s', '1h', {
      says: 'From this burst to a second one; `0s`: no second one.',
      default: '5s',
      example: '1s',
    }),
    refresh: duration('0s', '24h', {
      says: 'Between repetitions while master; `0s`: none.',
      default: '0s',
      example: '60s',
    }),
  }),
  { says: 'How virtual IPs are announced.', default: '{ repeat: 5, delay: 5s }', example: '{ repeat: 3 }' },
);
