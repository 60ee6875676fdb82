/** The schema of `vrrp.NAME.debounce`. */
import { duration, optional, section } from './schema-kit.js';

export const debounce = section(
  optional({
    down: duration('0s', '1h', {
      says: 'How long a link must be down before it counts as down.',
      default: '0s',
      example: '500ms',
    }),
    up: duration('0s', '1h', {
      says: 'How long a link must be up before it counts as up: as long as the switch needs to forward (spanning tree), so that nobody takes a silence for the end of the master.',
      default: '0s',
      example: '30s',
    }),
  }),
  {
    says: 'How long a change of a link must last: of the own interface and of those that are tracked. A missing interface counts at once.',
    default: 'at once',
    example: '{ up: 30s }',
  },
);
