/** The schema of `vrrp.NAME.auth`. */
import { choice, duration, integer, named, optional, section, text } from './schema-kit.js';

export const hmac = section(
  {
    keys: named(
      text(
        { expects: 'text', longest: 1024 },
        { says: 'A key. Better a reference to a secret than the secret.', example: 's3cret', secret: true },
      ),
      16,
      {
        says: 'The keys that are accepted, each under its id from 1 to 255. May refer to secrets.',
        example: `{ '1': '\${env:VRRP_KEY}' }`,
      },
    ),
    ...optional({
      active: integer(1, 255, {
        says: 'The id of the key that signs what this director sends.',
        default: 'the only key',
        example: '1',
        relation: 'Must be there with more than one key.',
      }),
      mode: choice(['enforce', 'permissive', 'receive-only'], {
        says: '`enforce` refuses what is not signed, `permissive` accepts it, `receive-only` accepts it and does not sign: three steps by which directors are moved to signatures.',
        default: 'enforce',
        example: 'permissive',
      }),
      'anti-replay': choice(['time', 'monotonic'], {
        says: '`time` refuses signatures that are older or newer than `window`, `monotonic` only those that were seen already.',
        default: 'time',
        example: 'monotonic',
        relation: '`time` needs clocks that agree.',
      }),
      window: duration('1s', '1h', {
        says: 'How far the clocks of two directors may be apart.',
        default: '10s',
        example: '30s',
      }),
    }),
  },
  {
    says: "Signatures (HMAC-SHA-256) as keepalived 2.4's `auth_hmac`.",
    example: `{ keys: { '1': s3cret } }`,
  },
);

export const auth = section(
  optional({
    password: text(
      { expects: 'text of 1 to 8 characters in printable ASCII', longest: 512 },
      {
        says: "The password of version 2, keepalived's `auth_type PASS`; it travels in plain text. May refer to a secret.",
        default: 'none',
        example: 's3cret',
        secret: true,
        relation: 'Version 2 only.',
      },
    ),
    hmac: { ...hmac, 'x-default': 'not signed' },
  }),
  {
    says: 'How directors know each other.',
    default: 'not at all',
    example: '{ password: s3cret }',
    relation: 'Either `password` or `hmac`.',
  },
);
