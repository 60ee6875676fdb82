/**
 * Keys of checks that several kinds share. A key has the same schema in every kind that has it: what stands in
 * `defaults.check` without a `type` is held against it before the kind is known.
 */
import { type TProperties, Type } from 'typebox';
import { latencyWeight } from './schema-check-latency.js';
import { ORIGIN_KEYS } from './schema-check-origin.js';
import { THROUGH_KEYS } from './schema-check-through.js';
import { choice, type Doc, duration, integer, listOf, name, port, text, yesNo } from './schema-kit.js';

/** One kind of check, as the schema and the reference tell it. */
export interface CheckKindSchema {
  /** What passes, in a sentence or two for the reference. */
  readonly says: string;
  /** Its keys, beside those that all kinds share. */
  readonly keys: TProperties;
  /** What is probed has no port, and cannot be reached by its service. */
  readonly port?: 'none';
  /** Its sockets are not ours: its way cannot be chosen. */
  readonly origin?: 'none';
}

/** When to probe and what makes a verdict: the same keys for every type. */
export const RULE_KEYS = {
  interval: duration('10ms', '24h', {
    says: 'From the start of one probe to the start of the next.',
    default: '2s',
    example: '2s',
  }),
  'fast-interval': duration('10ms', '24h', {
    says: 'In place of `interval` after a result that speaks against the verdict, until there are enough of them to change it.',
    default: 'the interval',
    example: '200ms',
    relation: 'Not above `interval`.',
  }),
  'down-interval': duration('10ms', '24h', {
    says: 'In place of `interval` while the verdict is down.',
    default: 'the interval',
    example: '10s',
  }),
  jitter: text(
    { expects: 'a share from 0% to 50%', type: 'share', pattern: '^([1-4]?[0-9]|50)%$', longest: 3 },
    {
      says: 'By how much of its interval a probe may start later than its time; chance decides.',
      default: '0%',
      example: '10%',
    },
  ),
  timeout: duration('1ms', '24h', {
    says: 'One deadline for the whole probe, from connect to the last byte.',
    default: '1s, or the interval where that is shorter',
    example: '800ms',
    relation: 'Not above `interval`.',
  }),
  rise: integer(1, 1000, {
    says: 'Passes in a row that make a server up. An agent and a file are believed at once: for them the default is 1.',
    default: '2',
    example: '2',
    unit: 'probes',
  }),
  fall: integer(1, 1000, {
    says: 'Failures in a row that make a server down. For agent and file the default is 1.',
    default: '3',
    example: '3',
    unit: 'probes',
    relation: 'A dead server leaves the table after at most `fall` x `interval` + `timeout`.',
  }),
  assume: choice(['up', 'down', 'kernel'], {
    says: 'What a server is thought to be before its first verdict. With `up` the first pass is the verdict up and down takes `fall` failures; with `down` the first failure is the verdict down and up takes `rise` passes. `kernel`: what the table has it as when the daemon starts.',
    default: 'up',
    example: 'down',
  }),
  'latency-weight': latencyWeight,
};

/** What every type has. */
export const NAME_KEYS = {
  name: name({
    says: 'What the check is called among the `checks` of its server.',
    default: 'its type; for the second one of that type `http-2`',
    example: 'page',
    relation: 'Only in `checks`.',
  }),
};

/** What every type may be told about its target, but for where its probes come from. */
export const PLACE_KEYS = {
  ...NAME_KEYS,
  port: port(1, {
    says: 'The port that is probed.',
    default: "the server's port",
    example: '8081',
    relation: 'Needed where the server has no port (port 0, fwmark).',
  }),
};

/** What every type may be told about its target. */
export const TARGET_KEYS = { ...PLACE_KEYS, ...ORIGIN_KEYS, ...THROUGH_KEYS };

/** Text on one line, for the shape of `text`. */
export const line = (longest: number) => ({
  expects: 'text on one line',
  pattern: '^[^\\u0000-\\u001f\\u007f]*$',
  longest,
});

/** The absolute path of a file. */
function file(doc: Doc) {
  return text({ expects: 'the absolute path of a file', type: 'file', pattern: '^/', longest: 4096 }, doc);
}

/** Who logs in, and with what. */
export const LOGIN_KEYS = {
  user: text(line(255), {
    says: 'Who logs in. May refer to a secret. Without it nobody logs in to pop3, imap, nntp and redis, and http asks without a name.',
    default: 'anonymous',
    example: 'probe',
  }),
  password: text(line(1024), {
    says: 'The password. Better a reference to a secret than the secret.',
    default: 'lvsentry@ for anonymous (ftp)',
    example: `'\${file:/etc/lvsentry/ftp-password}'`,
    relation: 'Needed with `user`, except for anonymous. Alone it is that of the user `default` (redis).',
    secret: true,
  }),
};

/** For kinds whose protocol has a ping of its own. */
export const PING_KEYS = {
  ping: yesNo({
    says: 'Whether a ping must be answered before the connection is closed.',
    default: 'false',
    example: 'true',
  }),
};

/** How TLS is done, for every kind that can speak it. */
export const TLS_KEYS = {
  'server-name': text(
    { expects: 'a host name', pattern: '^[A-Za-z0-9._-]+$', longest: 253 },
    {
      says: 'The name sent in the TLS handshake and looked for in the certificate.',
      default: '`host` where that is a name (https); else none, and the certificate must name the address',
      example: 'www.example.org',
    },
  ),
  verify: yesNo({
    says: "Whether the certificate's chain and name must be right.",
    default: 'true',
    example: 'false',
  }),
  authorities: file({
    says: 'A PEM file of the authorities to trust.',
    default: "the system's authorities",
    example: '/etc/lvsentry/ca.pem',
    relation: 'Not with `verify: false`. Replaces the default authorities.',
  }),
  certificate: file({
    says: 'A PEM file with the certificate that is shown to the server, and those between it and its authority.',
    default: 'none is shown',
    example: '/etc/lvsentry/probe.pem',
    relation: 'Needs `key`.',
  }),
  key: file({
    says: "A PEM file with the certificate's private key, without a passphrase.",
    default: 'none',
    example: '/etc/lvsentry/probe.key',
    relation: 'Needs `certificate`.',
  }),
  'expires-within': duration('1h', '1000d', {
    says: "A pass has a warning when the server's certificate expires sooner than this.",
    default: 'no warning',
    example: '14d',
  }),
};

/** Which protocols are offered within TLS. */
export const ALPN_KEYS = {
  alpn: listOf(
    Type.Unsafe<string>({
      type: 'string',
      pattern: '^[\\u0021-\\u007e]{1,64}$',
      'x-expects': 'the name of a protocol such as h2',
      'x-type': 'protocol name',
    }),
    8,
    {
      says: 'Protocols that are offered in the TLS handshake (ALPN), the best first. The server must agree to one.',
      default: 'none is offered',
      example: '[h2, http/1.1]',
    },
  ),
};

/** For kinds whose protocol can go with TLS and without. */
export const TLS_CHOICE_KEYS = {
  tls: choice(['none', 'starttls', 'implicit'], {
    says: 'When TLS begins: never, once the server has agreed to it in its own protocol (STARTTLS, POP3 STLS, FTP AUTH TLS), or with the connection.',
    default: 'none',
    example: 'starttls',
    relation:
      'The other keys of TLS need it. send-expect, redis and mqtt have no `starttls`, mysql has no `implicit`.',
  }),
  ...TLS_KEYS,
};

/** Of protocols whose answers have a status of three digits. */
export const STATUS_KEYS = {
  status: listOf(
    Type.Unsafe<number | string>({
      type: ['integer', 'string'],
      minimum: 100,
      maximum: 599,
      pattern: '^[1-5][0-9]{2}-[1-5][0-9]{2}$',
      'x-expects': 'a status (100 to 599) or a range such as 200-299',
      'x-type': 'status code or range',
      'x-range': '100 to 599',
    }),
    32,
    { says: 'Answers that are a pass.', default: '[200-299]', example: '[200, 204, 300-302]' },
  ),
};
