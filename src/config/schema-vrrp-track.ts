/** The schema of `vrrp.NAME.track`. */

import { interfaceName } from './schema-interface.js';
import { integer, listOf, NAME_EXPECTS, NAME_PATTERN, optional, section, text } from './schema-kit.js';
import { trackUses, weight } from './schema-tracks.js';

export const track = section(
  optional({
    interfaces: listOf(interfaceName('An interface.', 'eth1'), 64, {
      says: 'While one of these interfaces is down, this director does not take part.',
      default: 'none',
      example: '[eth1]',
      relation: "The instance's own interface is always tracked.",
    }),
    objects: trackUses,
    sync: {
      ...weight('not at all'),
      description:
        "This director's end of `sync`: it is up while the kernel runs the daemon that its role asks for. Above 0: added to the priority while it is up. Below 0: taken away while it is down. `fault`: while it is down, the director does not take part.",
      'x-relation': 'Only with `sync`. Nobody knows whether another director hears: nothing answers.',
    },
    services: listOf(
      text(
        { expects: NAME_EXPECTS, type: 'name', pattern: NAME_PATTERN, longest: 63 },
        { says: 'A virtual service of this configuration.', example: 'web' },
      ),
      1000,
      {
        says: 'Virtual services whose real servers count: the fewer of them this director reaches, the lower its priority.',
        default: 'none',
        example: '[web]',
      },
    ),
    penalty: integer(0, 253, {
      says: 'What is taken from the priority when no real server of `services` is up; in proportion when some are.',
      default: '50',
      example: '100',
      unit: 'points',
    }),
    minimum: integer(0, 10_000, {
      says: 'With fewer real servers of `services` than this, the director does not take part.',
      default: '0',
      example: '1',
      unit: 'servers',
    }),
  }),
  {
    says: 'What moves the priority.',
    default: 'nothing',
    example: '{ services: [web], interfaces: [eth1] }',
  },
);
