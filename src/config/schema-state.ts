/** The schema of `state:`. As schema.ts, it runs at build time only. */
import type { Static } from 'typebox';
import { duration, optional, section, text } from './schema-kit.js';

export const state = section(
  optional({
    directory: text(
      { expects: 'the absolute path of a folder', type: 'path', pattern: '^/[^\\u0000]*$', longest: 4096 },
      {
        says: 'Where this director keeps its admin state, its last verdicts and its events. Made where it is missing; no other daemon may use it.',
        default: 'nothing is kept over a restart',
        example: '/var/lib/lvsentry',
      },
    ),
    redis: text(
      { expects: 'a URL such as redis://10.0.0.5:6379/0', type: 'URL', longest: 2048 },
      {
        says: 'A Redis server with which directors share their admin state: `redis://` or, with TLS, `rediss://`, then user, password, host, port and the number of the database. May refer to secrets.',
        default: 'nothing is shared',
        example: `'redis://:\${file:/etc/lvsentry/redis}@10.0.0.5:6379/0'`,
        relation: 'Keep `directory` beside it: it is what a director knows while Redis is away.',
        secret: true,
      },
    ),
    authorities: text(
      { expects: 'the absolute path of a file', type: 'path', pattern: '^/[^\\u0000]*$', longest: 4096 },
      {
        says: 'PEM file of the authorities that may vouch for the certificate of Redis.',
        default: "the system's",
        example: '/etc/lvsentry/redis-ca.pem',
        relation: 'Only with `rediss://`.',
      },
    ),
    'verdicts-age': duration('1s', '1d', {
      says: 'A start uses the last verdicts of the run before if they are not older than this, and of the same boot of the machine.',
      default: '60s',
      example: '5m',
      relation: 'Only with `directory`.',
    }),
  }),
  {
    says: 'What outlives a restart.',
    default: 'nothing: admin state and events are in memory alone',
    example: '{ directory: /var/lib/lvsentry }',
    relation: 'At least one of `directory` and `redis`.',
  },
);

export type RawState = Static<typeof state>;
