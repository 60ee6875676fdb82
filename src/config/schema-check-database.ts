/** The keys of redis checks. */
import { Type } from 'typebox';
import { type CheckKindSchema, LOGIN_KEYS, TLS_CHOICE_KEYS } from './schema-check-keys.js';
import { choice, duration } from './schema-kit.js';

const DATABASE_KEYS = {
  ...LOGIN_KEYS,
  database: Type.Unsafe<number | string>({
    type: ['integer', 'string'],
    minimum: 0,
    maximum: 65_535,
    minLength: 1,
    maxLength: 63,
    pattern: '^[^\\u0000-\\u001f\\u007f]*$',
    description: 'The database that is asked: the number of one of Redis.',
    'x-expects': 'the name or the number of a database',
    'x-type': 'name or number',
    'x-default': '0 (redis)',
    'x-example': '3',
  }),
  role: choice(['any', 'master', 'replica'], {
    says: 'What the server must be: one that is written to, or one that follows another and is connected to it.',
    default: 'any',
    example: 'replica',
  }),
  'maximum-lag': duration('1s', '30d', {
    says: 'How far behind its master a replica may be.',
    default: 'it does not matter',
    example: '30s',
    relation:
      'Not with `role: master`. Of redis: for how long it may not have heard its master, which pings it every 10 s.',
  }),
  ...TLS_CHOICE_KEYS,
};

export const redis: CheckKindSchema & { readonly keys: typeof DATABASE_KEYS } = {
  says: 'Logs in where asked, and passes when PING is answered and the server is what `role` and `maximum-lag` say.',
  keys: DATABASE_KEYS,
};
