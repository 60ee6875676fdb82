/** The keys of smtp checks. */
import { type CheckKindSchema, TLS_CHOICE_KEYS } from './schema-check-keys.js';
import { text } from './schema-kit.js';

const SMTP_KEYS = {
  hello: text(
    { expects: 'a host name, or an address in brackets', pattern: '^[A-Za-z0-9._:\\[\\]-]+$', longest: 255 },
    {
      says: 'The name that is said in EHLO.',
      default: "the director's host name, or localhost",
      example: 'director.example.org',
    },
  ),
  ...TLS_CHOICE_KEYS,
};

export const smtp: CheckKindSchema & { readonly keys: typeof SMTP_KEYS } = {
  says: 'Passes when the server greets, takes EHLO (or HELO), begins TLS where that is asked for, and says goodbye. No mail is sent.',
  keys: SMTP_KEYS,
};
