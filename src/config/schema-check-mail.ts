/** The keys of pop3, imap, nntp and memcached checks. */
import { type CheckKindSchema, LOGIN_KEYS, TLS_CHOICE_KEYS } from './schema-check-keys.js';

const KEYS = { ...LOGIN_KEYS, ...TLS_CHOICE_KEYS };

const mailbox = (says: string): CheckKindSchema & { readonly keys: typeof KEYS } => ({
  says: `${says} Without \`user\` nobody logs in.`,
  keys: KEYS,
});

export const pop3 = mailbox('Reads the greeting, begins TLS (STLS) and logs in where asked, and says QUIT.');
export const imap = mailbox('Reads the greeting, begins TLS and logs in where asked, and says LOGOUT.');
export const nntp = mailbox(
  'Reads the greeting, begins TLS and logs in (AUTHINFO) where asked, and says QUIT.',
);

export const memcached = { says: 'Passes when the server tells its version.', keys: {} };
