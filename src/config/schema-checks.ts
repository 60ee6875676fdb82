/** The schema of checks: one mapping for each type, told apart by `type`. */
import { type Static, type TProperties, Type } from 'typebox';
import { choice, duration, integer, listOf, optional, port, section, text, yesNo } from './schema-kit.js';

const CHECK_TYPES = ['tcp', 'http', 'https', 'ftp'] as const;

/** When to probe and what makes a verdict: the same keys for every type. */
export const RULE_KEYS = {
  interval: duration('10ms', '24h', {
    says: 'From the start of one probe to the start of the next.',
    default: '2s',
    example: '2s',
  }),
  timeout: duration('1ms', '24h', {
    says: 'One deadline for the whole probe, from connect to the last byte.',
    default: '1s, or the interval where that is shorter',
    example: '800ms',
    relation: 'Not above `interval`.',
  }),
  rise: integer(1, 1000, {
    says: 'Passes in a row that make a server up.',
    default: '2',
    example: '2',
    unit: 'probes',
  }),
  fall: integer(1, 1000, {
    says: 'Failures in a row that make a server down.',
    default: '3',
    example: '3',
    unit: 'probes',
    relation: 'A dead server leaves the table after at most `fall` x `interval` + `timeout`.',
  }),
  assume: choice(['up', 'down'], {
    says: 'What a server is thought to be before its first verdict. With `up` the first pass is the verdict up and down takes `fall` failures; with `down` the first failure is the verdict down and up takes `rise` passes.',
    default: 'up',
    example: 'down',
  }),
};

/** What every type may be told about its target. */
export const TARGET_KEYS = {
  port: port(1, {
    says: 'The port that is probed.',
    default: "the server's port",
    example: '8081',
    relation: 'Needed where the server has no port (port 0, fwmark).',
  }),
};

const line = (longest: number) => ({
  expects: 'text on one line',
  pattern: '^[^\\u0000-\\u001f\\u007f]*$',
  longest,
});

/** Header names: RFC 9110 5.6.2 token. */
const HEADER_NAME_PATTERN = "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$";

export const HTTP_KEYS = {
  path: text(
    {
      expects: 'a path that begins with "/", without blanks',
      type: 'path',
      pattern: '^/[\\u0021-\\u007e]*$',
      longest: 2048,
    },
    { says: 'What is asked for.', default: '/', example: '/health' },
  ),
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
  host: text(
    { expects: 'a host, or host:port, as in a URL', pattern: '^[A-Za-z0-9.:\\[\\]_-]+$', longest: 261 },
    {
      says: 'The Host header.',
      default: "address and port of the server's check",
      example: 'www.example.org',
    },
  ),
  method: choice(['GET', 'HEAD', 'OPTIONS'], { says: 'The method.', default: 'GET', example: 'HEAD' }),
  headers: Type.Unsafe<Record<string, string>>({
    type: 'object',
    maxProperties: 32,
    propertyNames: {
      type: 'string',
      pattern: HEADER_NAME_PATTERN,
      'x-expects': "a header's name",
    },
    additionalProperties: {
      type: 'string',
      maxLength: 4096,
      pattern: '^[\\u0020-\\u007e]*$',
      'x-expects': 'text in printable ASCII',
      'x-secret': true,
    },
    description: 'Further headers. Values may refer to secrets.',
    'x-expects': 'a mapping of at most 32 header names to text',
    'x-type': 'mapping of text',
    'x-range': 'up to 32',
    'x-example': `{ authorization: 'Bearer \${env:PROBE_TOKEN}' }`,
    'x-default': 'none',
    'x-relation': 'Not `host` (has its own key) nor the headers that frame a message.',
  }),
  contains: text(
    { expects: 'text', longest: 4096 },
    {
      says: 'Text that the body must contain.',
      default: 'the body does not matter',
      example: 'all systems go',
      relation: 'Not with `method: HEAD`, whose answers have no body.',
    },
  ),
  'body-limit': integer(1, 16_777_216, {
    says: 'More of the body than this is never read; `contains` must be met within it.',
    default: '65536',
    example: '4096',
    unit: 'bytes',
  }),
};

export const HTTPS_KEYS = {
  'server-name': text(
    { expects: 'a host name', pattern: '^[A-Za-z0-9._-]+$', longest: 253 },
    {
      says: 'The name sent in the TLS handshake and looked for in the certificate.',
      default: '`host` where that is a name; else none, and the certificate must name the address',
      example: 'www.example.org',
    },
  ),
  verify: yesNo({
    says: "Whether the certificate's chain and name must be right.",
    default: 'true',
    example: 'false',
  }),
  authorities: text(
    { expects: 'the absolute path of a file', type: 'file', pattern: '^/', longest: 4096 },
    {
      says: 'A PEM file of the authorities to trust.',
      default: "the system's authorities",
      example: '/etc/lvsentry/ca.pem',
      relation: 'Not with `verify: false`. Replaces the default authorities.',
    },
  ),
};

export const FTP_KEYS = {
  user: text(line(255), {
    says: 'Who logs in. May refer to a secret.',
    default: 'anonymous',
    example: 'probe',
  }),
  password: text(line(1024), {
    says: 'The password. Better a reference to a secret than the secret.',
    default: 'lvsentry@ for anonymous',
    example: `'\${file:/etc/lvsentry/ftp-password}'`,
    relation: 'Needed with `user`, except for anonymous.',
    secret: true,
  }),
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
};

const CHECK_DOC = { says: 'How servers are probed.', example: '{ type: http, path: /health }' };

function typed(word: string, keys: TProperties) {
  const type = Type.Literal(word, { 'x-expects': `"${word}"` });
  return section({ type, ...optional({ ...RULE_KEYS, ...TARGET_KEYS, ...keys }) }, CHECK_DOC);
}

/** Every key of every type. Which belong to which type is known only once `type` was inherited. */
export const anyCheck = section(
  optional({
    type: choice(CHECK_TYPES, {
      says: 'What is probed with.',
      default: 'what an outer level says, else tcp',
      example: 'http',
    }),
    ...RULE_KEYS,
    ...TARGET_KEYS,
    ...HTTP_KEYS,
    ...HTTPS_KEYS,
    ...FTP_KEYS,
  }),
  CHECK_DOC,
);

export type RawCheck = Static<typeof anyCheck>;

/** With `type`, exactly the keys of that type; without it, any (the type comes from an outer level). */
export const checkDefinition = Type.Unsafe<RawCheck>({
  type: 'object',
  description: CHECK_DOC.says,
  'x-expects': 'a mapping (type, interval, timeout ...)',
  if: { type: 'object', required: ['type'] },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: {
    type: 'object',
    required: ['type'],
    discriminator: { propertyName: 'type' },
    oneOf: [
      typed('tcp', {}),
      typed('http', HTTP_KEYS),
      typed('https', { ...HTTP_KEYS, ...HTTPS_KEYS }),
      typed('ftp', FTP_KEYS),
    ],
  },
  else: anyCheck,
});

/** A check where it stands in the file. */
export function check(says: string) {
  return Type.Unsafe<RawCheck>({
    $ref: '#/definitions/check',
    description: says,
    'x-type': 'check',
    'x-default': 'the level above; see [Checks](#checks)',
    'x-example': CHECK_DOC.example,
  });
}
