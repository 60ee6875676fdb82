/** The keys of redis, mysql and postgres checks. */
import { Type } from 'typebox';
import { type CheckKindSchema, LOGIN_KEYS, line, TLS_CHOICE_KEYS } from './schema-check-keys.js';
import { choice, duration, text } from './schema-kit.js';

const DATABASE_KEYS = {
  ...LOGIN_KEYS,
  database: Type.Unsafe<number | string>({
    type: ['integer', 'string'],
    minimum: 0,
    maximum: 65_535,
    minLength: 1,
    maxLength: 63,
    pattern: '^[^\\u0000-\\u001f\\u007f]*$',
    description: 'The database that is asked: its number (redis) or its name.',
    'x-expects': 'the name or the number of a database',
    'x-type': 'name or number',
    'x-default': '0 (redis), none (mysql), that of the name of `user` (postgres)',
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
      'Not with `role: master`. In redis: for how long it may not have heard its master, which pings it every 10 s.',
  }),
  ...TLS_CHOICE_KEYS,
};

export const redis: CheckKindSchema & { readonly keys: typeof DATABASE_KEYS } = {
  says: 'Logs in where asked, and passes when PING is answered and the server is what `role` and `maximum-lag` say.',
  keys: DATABASE_KEYS,
};

const SQL_KEYS = {
  ...DATABASE_KEYS,
  sql: text(line(4096), {
    says: 'A statement that must succeed. It should be cheap, and change nothing.',
    default: 'a login is enough',
    example: 'SELECT count(*) > 0 FROM shop.goods',
  }),
  'sql-value': text(line(1024), {
    says: 'What the first column of the first row must be, as text.',
    default: 'it does not matter',
    example: 't',
    relation: 'Needs `sql`.',
  }),
};

type SqlKind = CheckKindSchema & { readonly keys: typeof SQL_KEYS };

export const mysql: SqlKind = {
  says: 'Logs in, and passes when `sql` comes to `sql-value` and the server is what `role` and `maximum-lag` say. Needs the package mysql2.',
  keys: SQL_KEYS,
};

export const postgres: SqlKind = {
  says: 'Logs in, and passes when `sql` comes to `sql-value` and the server is what `role` and `maximum-lag` say. Needs the package pg.',
  keys: SQL_KEYS,
};
