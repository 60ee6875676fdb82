/** The keys of ftp checks. */
import { type CheckKindSchema, LOGIN_KEYS, line, TLS_CHOICE_KEYS } from './schema-check-keys.js';
import { choice, text } from './schema-kit.js';

const FTP_KEYS = {
  ...LOGIN_KEYS,
  file: text(line(1024), {
    says: 'A file that must be there.',
    default: 'a login is enough',
    example: '/pub/alive',
  }),
  'file-by': choice(['size', 'retrieve'], {
    says: 'How the file is asked for: `size` asks for its size, `retrieve` reads it over a passive data connection.',
    default: 'size',
    example: 'retrieve',
    relation: 'Only with `file`.',
  }),
  ...TLS_CHOICE_KEYS,
};

export const ftp: CheckKindSchema & { readonly keys: typeof FTP_KEYS } = {
  says: 'Reads the banner, logs in, asks for `file` where there is one, and says goodbye.',
  keys: FTP_KEYS,
};
