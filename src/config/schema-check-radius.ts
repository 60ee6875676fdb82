/** The keys of radius checks. */
import { type CheckKindSchema, LOGIN_KEYS, line } from './schema-check-keys.js';
import { text, yesNo } from './schema-kit.js';

const RADIUS_KEYS = {
  ...LOGIN_KEYS,
  secret: text(line(1024), {
    says: 'What this director and the server both know, as in its list of clients. Better a reference to a secret than the secret.',
    default: 'none; it must be there',
    example: `'\${file:/etc/lvsentry/radius-secret}'`,
    secret: true,
  }),
  'status-server': yesNo({
    says: 'Whether the server is asked how it does (Status-Server, RFC 5997) in place of a login.',
    default: 'false',
    example: 'true',
    relation: 'Not with `user` and `password`, and one of the two must be there.',
  }),
  'reject-passes': yesNo({
    says: 'Whether a server that refuses the login, or wants to know more, passes: it lives. Servers like to wait a second before they refuse, so the timeout should be longer.',
    default: 'false',
    example: 'true',
    relation: 'Not with `status-server`.',
  }),
};

export const radius: CheckKindSchema & { readonly keys: typeof RADIUS_KEYS } = {
  says: 'Asks for access with `user` and `password`, or for the state of the server, and passes when it is granted in a reply that is signed with `secret`.',
  keys: RADIUS_KEYS,
};
