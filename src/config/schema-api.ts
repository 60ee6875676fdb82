/** The schema of `api:`. As schema.ts, it runs at build time only. */
import type { Static } from 'typebox';
import { named, optional, section, text } from './schema-kit.js';

export const apiToken = section(
  {
    token: text(
      {
        expects: 'text of 16 characters or more, without blanks',
        type: 'text',
        pattern: '^[\\u0021-\\u007e]+$',
        longest: 1024,
      },
      {
        says: 'What stands in the header `authorization: Bearer TOKEN`. Better a reference to a secret than the secret.',
        example: `"\${file:/etc/lvsentry/token-ann}"`,
        secret: true,
      },
    ),
  },
  { says: 'Who may change something by the API.', example: `{ token: "\${file:/etc/lvsentry/token-ann}" }` },
);

export type RawApiToken = Static<typeof apiToken>;

export const api = section(
  optional({
    listen: text(
      { expects: 'an address and port on loopback, or unix:/path', type: 'listener', longest: 112 },
      {
        says: 'Where the HTTP API listens: address and port on loopback, or a unix socket.',
        default: '127.0.0.1:8405',
        example: 'unix:/run/lvsentry.sock',
        relation:
          'Loopback only. On a unix socket (mode 0660) whoever can open it may change things; on a port that takes one of `tokens`.',
      },
    ),
    tokens: named(apiToken, 100, {
      says: 'Who may drain, disable, weigh and reload, each under a name, which stands in the events.',
      default: 'none: on a port the API only reads',
      example: `{ ann: { token: "\${file:/etc/lvsentry/token-ann}" } }`,
    }),
  }),
  { says: 'The HTTP API.', default: '{ listen: 127.0.0.1:8405 }', example: '{ listen: 127.0.0.1:8405 }' },
);

export type RawApi = Static<typeof api>;
