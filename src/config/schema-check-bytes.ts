/** The keys of send-expect and udp checks: bytes that go out, and bytes that come back. */
import { ALPN_KEYS, type CheckKindSchema, TLS_CHOICE_KEYS } from './schema-check-keys.js';
import { listOf, optional, section, text, yesNo } from './schema-kit.js';

const STEPS_MAX = 64;

const hex = {
  expects: 'bytes of two hexadecimal digits each, such as "0d 0a"',
  pattern: '^ *[0-9A-Fa-f]{2}( *[0-9A-Fa-f]{2})* *$',
  longest: 8192,
};

const hexPattern = {
  expects: 'bytes of two hexadecimal digits each, X for any digit, such as "ff XX 0X"',
  pattern: '^ *[0-9A-FXa-f]{2}( *[0-9A-FXa-f]{2})* *$',
  longest: 1024,
};

const plain = (longest: number) => ({ expects: 'text that is not empty', pattern: '[^]', longest });

/** One step: exactly one of these keys. */
export const dialogueStep = section(
  optional({
    send: text(plain(8192), {
      says: 'Text to send, as it stands: in double quotes `\\r\\n` is the end of a line. May refer to a secret.',
      example: '"PING\\r\\n"',
      secret: true,
    }),
    'send-hex': text(hex, { says: 'Bytes to send.', example: "'0d 0a'" }),
    expect: text(plain(256), {
      says: 'Text that must come, anywhere behind what the step before has found.',
      example: '+PONG',
    }),
    'expect-hex': text(hexPattern, { says: 'Bytes that must come; X is any digit.', example: "'16 03 0X'" }),
    'expect-regex': text(plain(1024), {
      says: 'A regex that must match: linear, see [checks](checks.md#regular-expressions).',
      example: "'^SSH-2\\.0-'",
    }),
  }),
  { says: 'One step of a dialogue: exactly one key.', example: '{ send: "PING\\r\\n" }' },
);

const SEND_EXPECT_KEYS = {
  steps: listOf(
    dialogueStep,
    STEPS_MAX,
    {
      says: 'What is sent and what must come, in order.',
      example: "[{ expect-regex: '^SSH-2\\.0-' }]",
      relation: 'Needed.',
    },
    false,
  ),
  ...TLS_CHOICE_KEYS,
  ...ALPN_KEYS,
};

export const sendExpect: CheckKindSchema & { readonly keys: typeof SEND_EXPECT_KEYS } = {
  says: 'Passes when every one of `steps` is done: what is sent was taken, what is expected came.',
  keys: SEND_EXPECT_KEYS,
};

const UDP_KEYS = {
  payload: text(plain(1400), {
    says: 'The text of the datagram. May refer to a secret.',
    default: 'lvsentry',
    example: 'status',
    relation: 'Not with `payload-hex`.',
    secret: true,
  }),
  'payload-hex': text(
    { ...hex, longest: 4200 },
    {
      says: 'The bytes of the datagram.',
      default: 'none',
      example: "'01 00 00 00'",
      relation: 'Not with `payload`.',
    },
  ),
  'reply-required': yesNo({
    says: 'Whether silence is a failure. Without it, silence until the timeout is a pass, and only an ICMP error (no such port, no such host) or a wrong reply is a failure.',
    default: 'true',
    example: 'false',
  }),
  'reply-pattern': text(hexPattern, {
    says: 'What a reply must begin with; X is any digit.',
    default: 'any reply passes',
    example: "'01 XX 0X'",
  }),
};

export const udp: CheckKindSchema & { readonly keys: typeof UDP_KEYS } = {
  says: 'Sends one datagram; passes when it is answered, or, without `reply-required`, when nobody refuses it.',
  keys: UDP_KEYS,
};
