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
    'refresh-repeat': integer(1, 100, {
      says: 'Packets for each virtual IP in one repetition.',
      default: '1',
      example: '2',
      unit: 'packets',
    }),
    'lower-repeat': integer(0, 100, {
      says: 'Packets for each virtual IP after a master of lower priority was heard: hosts may believe it.',
      default: 'as `repeat`',
      example: '1',
      unit: 'packets',
    }),
    'lower-delay': duration('0s', '1h', {
      says: 'From these to a second burst; `0s`: no second one.',
      default: 'as `delay`',
      example: '1s',
    }),
    spacing: duration('0s', '1s', {
      says: 'Between two packets on one interface, for switches that drop bursts. Instances of one interface wait for each other.',
      default: '0s',
      example: '1ms',
    }),
  }),
  { says: 'How virtual IPs are announced.', default: '{ repeat: 5, delay: 5s }', example: '{ repeat: 3 }' },
);
