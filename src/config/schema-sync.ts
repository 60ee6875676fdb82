/** The schema of `sync:`. As schema.ts, it runs at build time only. */
import type { Static } from 'typebox';
import { interfaceName } from './schema-interface.js';
import { choice, integer, NAME_EXPECTS, NAME_PATTERN, optional, port, section, text } from './schema-kit.js';

export const sync = section(
  {
    interface: interfaceName(
      'Where directors tell each other of their connections. Better not where clients are: nothing is encrypted or signed.',
      'eth1',
    ),
    ...optional({
      group: text(
        { expects: 'a multicast address', type: 'address', longest: 64 },
        {
          says: 'The multicast group, IPv4 or IPv6: the same on all directors.',
          default: '224.0.0.81',
          example: '239.0.0.81',
        },
      ),
      port: port(1, {
        says: 'The UDP port: the same on all directors.',
        default: '8848',
        example: '8849',
      }),
      id: integer(0, 255, {
        says: 'The id of this synchronisation: directors of another id are not heard.',
        default: 'the id of the virtual router that is followed; else 0',
        example: '51',
      }),
      ttl: integer(1, 255, {
        says: 'How many routers the messages may pass, and one.',
        default: '1',
        example: '4',
      }),
      maxlen: integer(1, 65_507, {
        says: 'The longest message. A backup takes messages of 1024 bytes in any case.',
        default: 'what the interface carries in one packet',
        example: '8972',
        unit: 'bytes',
      }),
      follows: text(
        { expects: NAME_EXPECTS, type: 'name', pattern: NAME_PATTERN, longest: 63 },
        {
          says: 'The virtual router of `vrrp` whose role counts: while it is master, this director tells of its connections; else it hears of those of others.',
          default: 'the first',
          example: 'outside',
          relation: 'Either `follows` or `role`.',
        },
      ),
      role: choice(['master', 'backup', 'both'], {
        says: 'A role that never changes: `master` tells, `backup` hears, `both` does both, for directors that share the work.',
        default: 'that of `follows`',
        example: 'both',
        relation: 'Must be there without `vrrp`.',
      }),
    }),
  },
  {
    says: 'Connections are made known to the other directors, so that they live on when one takes over from another.',
    default: 'none; what runs in the kernel is left alone',
    example: '{ interface: eth1 }',
  },
);

export type RawSync = Static<typeof sync>;
