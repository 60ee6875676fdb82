/** The keys of ldap checks. */
import { type CheckKindSchema, LOGIN_KEYS, line, TLS_CHOICE_KEYS } from './schema-check-keys.js';
import { choice, integer, text } from './schema-kit.js';

const LDAP_KEYS = {
  ...LOGIN_KEYS,
  base: text(line(1024), {
    says: 'Where a search begins, as a distinguished name.',
    default: 'a bind is enough',
    example: 'ou=people,dc=example,dc=org',
  }),
  scope: choice(['base', 'one', 'sub'], {
    says: 'What is searched: the entry at `base`, those directly below it, or it and all below it.',
    default: 'base',
    example: 'sub',
    relation: 'Needs `base`.',
  }),
  filter: text(
    {
      expects: 'a filter in parentheses, such as (uid=probe)',
      pattern: '^\\([^\\u0000]*\\)$',
      longest: 1024,
    },
    {
      says: 'What is searched for (RFC 4515).',
      default: "'(objectClass=*)', any entry",
      example: "'(uid=probe)'",
      relation: 'Needs `base`.',
    },
  ),
  'minimum-entries': integer(1, 500, {
    says: 'How many entries must be found.',
    default: '1',
    example: '2',
    relation: 'Needs `base`.',
  }),
  ...TLS_CHOICE_KEYS,
};

export const ldap: CheckKindSchema & { readonly keys: typeof LDAP_KEYS } = {
  says: 'Begins TLS where asked, binds as `user` or anonymously, and passes when the search at `base` finds enough. Needs the package ldapts.',
  keys: LDAP_KEYS,
};
