/** The keys of http and https checks. */
import { Type } from 'typebox';
import type { JsonScalar } from '../checks/spec-web.js';
import { JSON_POINTER_PATTERN } from '../core/json-pointer.js';
import { type CheckKindSchema, STATUS_KEYS, TLS_KEYS } from './schema-check-keys.js';
import { HEADER_NAME_PATTERN, HOST_KEYS, mapping, PATH_KEYS, REQUEST_KEYS } from './schema-check-web.js';
import { choice, integer, listOf, optional, text } from './schema-kit.js';

/** What is asked and what must come, which each of several urls may say for itself. */
const URL_KEYS = {
  ...PATH_KEYS,
  ...STATUS_KEYS,
  method: choice(['GET', 'HEAD', 'OPTIONS', 'POST'], {
    says: 'The method.',
    default: 'GET',
    example: 'HEAD',
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
  body: text(
    { expects: 'text', longest: 65_536 },
    {
      says: 'What is sent behind the head. May refer to secrets. Its type stands in `headers` (content-type).',
      default: 'no body',
      example: `'{"probe": true}'`,
      relation: 'Only with `method: POST`.',
      secret: true,
    },
  ),
  matches: text(
    { expects: 'a regex', longest: 1024 },
    {
      says: 'A regex that must match in the body: see [Regular expressions](checks.md#regular-expressions).',
      default: 'the body does not matter',
      example: "'workers: [1-9]'",
      relation: 'Not with `method: HEAD`.',
    },
  ),
  json: mapping<JsonScalar>(
    {
      names: {
        pattern: JSON_POINTER_PATTERN,
        maxLength: 256,
        'x-expects': 'a JSON pointer, such as /status',
      },
      values: {
        type: ['string', 'number', 'boolean', 'null'],
        maxLength: 1024,
        'x-expects': 'text, a number, true, false or null',
      },
      most: 16,
    },
    {
      says: 'JSON pointers (RFC 6901) and the values to which they must lead in the body.',
      expects: 'a mapping of JSON pointers to values, such as { /status: ok }',
      default: 'the body need not be JSON',
      example: '{ /status: ok, /replica/lag: 0 }',
      relation: 'Not with `method: HEAD`, nor with a `body-limit` above 1048576.',
    },
  ),
  digest: text(
    {
      expects: 'an MD5 (32) or SHA-256 (64) in hexadecimal digits',
      pattern: '^([0-9A-Fa-f]{32}|[0-9A-Fa-f]{64})$',
      longest: 64,
    },
    {
      says: "The digest of the whole body: MD5, as keepalived's genhash prints it, or SHA-256.",
      default: 'the body does not matter',
      example: '640205b7b0fc66c1ea91c463fac6334d',
      relation: 'Not with `method: HEAD`.',
    },
  ),
  'expect-headers': mapping<string>(
    {
      names: { pattern: HEADER_NAME_PATTERN, 'x-expects': "a header's name" },
      values: { type: 'string', maxLength: 1024, 'x-expects': 'a regex' },
      most: 16,
    },
    {
      says: 'Headers that the answer must have, each with a regex that must match in its value.',
      expects: 'a mapping of at most 16 header names to regexes',
      example: '{ content-type: ^application/json }',
    },
  ),
};

const HTTP_KEYS = {
  ...URL_KEYS,
  ...HOST_KEYS,
  ...REQUEST_KEYS,
  urls: listOf(
    Type.Object(
      { ...optional(URL_KEYS), path: URL_KEYS.path },
      {
        additionalProperties: false,
        description: 'One request.',
        'x-expects': 'a mapping (path, status, contains ...)',
        'x-type': 'mapping',
        'x-example': '{ path: /health }',
      },
    ),
    16,
    {
      says: 'Several requests, one after the other within the one `timeout`: all answers must be as wanted. Each says for itself what it does not take from the check.',
      default: 'the one of `path`',
      example: '[{ path: /health }, { path: /shop, contains: basket }]',
      relation: 'Not beside `path`.',
    },
    false,
  ),
  version: Type.Unsafe<1 | 1.1 | 2>({
    type: 'number',
    enum: [1, 1.1, 2],
    description:
      'The version of HTTP that is spoken. 2: over TLS the server must agree to h2, in plain text it is expected to know.',
    'x-expects': '1.0, 1.1 or 2',
    'x-type': 'number',
    'x-range': '1.0, 1.1, 2',
    'x-default': '1.1',
    'x-example': '1.0',
  }),
  redirects: integer(0, 10, {
    says: 'How many redirects of a request are followed, at the server that is probed, whatever host they name.',
    default: '0: the status of a redirect is judged like any other',
    example: '3',
  }),
  'body-limit': integer(1, 16_777_216, {
    says: 'More of the body than this is never read; what is looked for must be met within it.',
    default: '65536',
    example: '4096',
    unit: 'bytes',
  }),
};

export const http: CheckKindSchema & { readonly keys: typeof HTTP_KEYS } = {
  says: 'Passes when the status of the answer is one of `status`, and what is looked for stands in its head and its body.',
  keys: HTTP_KEYS,
};

export const https: CheckKindSchema & { readonly keys: typeof HTTP_KEYS & typeof TLS_KEYS } = {
  says: 'As http, over TLS: the certificate must be right unless `verify` is false.',
  keys: { ...HTTP_KEYS, ...TLS_KEYS },
};
