/** The keys of tls, dns, ntp and sip checks. */
import { ALPN_KEYS, type CheckKindSchema, line, STATUS_KEYS, TLS_KEYS } from './schema-check-keys.js';
import { choice, integer, text } from './schema-kit.js';

const TRANSPORT_KEYS = {
  transport: choice(['udp', 'tcp'], {
    says: 'How the question goes to the server.',
    default: 'udp',
    example: 'tcp',
  }),
};

const HANDSHAKE_KEYS = { ...TLS_KEYS, ...ALPN_KEYS };

export const tls: CheckKindSchema & { readonly keys: typeof HANDSHAKE_KEYS } = {
  says: 'Passes when the handshake is done, the certificate is right, and one of the protocols in `alpn` was agreed on.',
  keys: HANDSHAKE_KEYS,
};

const DNS_KEYS = {
  ...TRANSPORT_KEYS,
  query: text(
    {
      expects: 'a domain name in ASCII, such as www.example.org',
      pattern: '^(\\.|[!-\\-/-~]{1,63}(\\.[!-\\-/-~]{1,63})*\\.?)$',
      longest: 253,
    },
    { says: 'The name that is asked for.', default: "'.', the root", example: 'www.example.org' },
  ),
  record: text(
    { expects: 'a record type such as A, MX or TYPE65', pattern: '^[A-Z][A-Z0-9]{0,15}$', longest: 16 },
    {
      says: 'The record type that is asked for; TYPE and a number for any.',
      default: 'SOA',
      example: 'AAAA',
    },
  ),
  rcode: choice(['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'], {
    says: 'The response code that is a pass.',
    default: 'NOERROR',
    example: 'NXDOMAIN',
  }),
  answer: text(line(1024), {
    says: 'An answer that must be there, as in a zone file; of types that are not known, in hex.',
    default: 'the answers do not matter',
    example: "'10 mail.example.org.'",
  }),
};

export const dns: CheckKindSchema & { readonly keys: typeof DNS_KEYS } = {
  says: 'Asks for `query` and passes when the response has the code and the answer that are wanted.',
  keys: DNS_KEYS,
};

const NTP_KEYS = {
  'maximum-stratum': integer(1, 15, {
    says: 'How far from its clock a server may be.',
    default: '15',
    example: '3',
  }),
};

export const ntp: CheckKindSchema & { readonly keys: typeof NTP_KEYS } = {
  says: 'Passes when the server tells the time and says that it is synchronised.',
  keys: NTP_KEYS,
};

const SIP_KEYS = { ...TRANSPORT_KEYS, ...STATUS_KEYS };

export const sip: CheckKindSchema & { readonly keys: typeof SIP_KEYS } = {
  says: 'Sends OPTIONS; passes when the final status is one of `status`.',
  keys: SIP_KEYS,
};
