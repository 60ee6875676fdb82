/** Keys that all checks of web servers share. */
import { Type } from 'typebox';
import { LOGIN_KEYS, line } from './schema-check-keys.js';
import { type Doc, text } from './schema-kit.js';

/** Header names: RFC 9110 5.6.2 token. */
export const HEADER_NAME_PATTERN = "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$";

/** A mapping whose keys are of the operator's choice, as far as they have the shape. */
export function mapping<Value>(
  shape: { readonly names: object; readonly values: object; readonly most: number },
  doc: Doc,
) {
  return Type.Unsafe<Record<string, Value>>({
    type: 'object',
    maxProperties: shape.most,
    propertyNames: { type: 'string', ...shape.names },
    additionalProperties: shape.values,
    description: doc.relation === undefined ? doc.says : `${doc.says} ${doc.relation}`,
    'x-expects': doc.expects ?? 'a mapping',
    'x-type': 'mapping',
    'x-range': `up to ${shape.most}`,
    'x-example': doc.example,
    'x-default': doc.default ?? 'none',
    ...(doc.relation === undefined ? {} : { 'x-relation': doc.relation }),
  });
}

export const PATH_KEYS = {
  path: text(
    {
      expects: 'a path that begins with "/", without blanks',
      type: 'path',
      pattern: '^/[\\u0021-\\u007e]*$',
      longest: 2048,
    },
    { says: 'What is asked for.', default: '/', example: '/health' },
  ),
};

export const HOST_KEYS = {
  host: text(
    { expects: 'a host, or host:port, as in a URL', pattern: '^[A-Za-z0-9.:\\[\\]_-]+$', longest: 261 },
    {
      says: 'The Host header.',
      default: "address and port of the server's check",
      example: 'www.example.org',
    },
  ),
};

/** What else a request says. */
export const REQUEST_KEYS = {
  headers: mapping<string>(
    {
      names: { pattern: HEADER_NAME_PATTERN, 'x-expects': "a header's name" },
      values: {
        type: 'string',
        maxLength: 4096,
        pattern: '^[\\u0020-\\u007e]*$',
        'x-expects': 'text in printable ASCII',
        'x-secret': true,
      },
      most: 32,
    },
    {
      says: 'Further headers. Values may refer to secrets.',
      expects: 'a mapping of at most 32 header names to text',
      example: `{ authorization: 'Bearer \${env:PROBE_TOKEN}' }`,
      relation: 'Not `host` (has its own key) nor the headers that frame a message.',
    },
  ),
  ...LOGIN_KEYS,
  token: text(line(4096), {
    says: 'A token that is shown (Bearer, RFC 6750). Better a reference to a secret than the secret.',
    default: 'none',
    example: `'\${file:/etc/lvsentry/probe-token}'`,
    relation: 'Not beside `user`.',
    secret: true,
  }),
};
