/** The keys of http and https checks. */
import { Type } from 'typebox';
import { type CheckKindSchema, STATUS_KEYS, TLS_KEYS } from './schema-check-keys.js';
import { choice, integer, text } from './schema-kit.js';

/** Header names: RFC 9110 5.6.2 token. */
const HEADER_NAME_PATTERN = "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$";

const HTTP_KEYS = {
  path: text(
    {
      expects: 'a path that begins with "/", without blanks',
      type: 'path',
      pattern: '^/[\\u0021-\\u007e]*$',
      longest: 2048,
    },
    { says: 'What is asked for.', default: '/', example: '/health' },
  ),
  ...STATUS_KEYS,
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

export const http: CheckKindSchema & { readonly keys: typeof HTTP_KEYS } = {
  says: 'Passes when the status of the answer is one of `status` and, with `contains`, the text is in the body.',
  keys: HTTP_KEYS,
};

export const https: CheckKindSchema & { readonly keys: typeof HTTP_KEYS & typeof TLS_KEYS } = {
  says: 'As http, over TLS: the certificate must be right unless `verify` is false.',
  keys: { ...HTTP_KEYS, ...TLS_KEYS },
};
