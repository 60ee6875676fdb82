/** The schema of what is done when most servers fail at once. Runs at build time only. */
import { type Static, Type } from 'typebox';
import { check } from './schema-checks.js';
import { choice, duration, integer, listOf, name, optional, section, text } from './schema-kit.js';

export const canary = section(
  {
    address: text(
      { expects: 'an address', type: 'address', longest: 64 },
      {
        says: 'What is probed, alone or with its port: the gateway, another director.',
        example: '192.168.2.1:22',
      },
    ),
    ...optional({
      name: name({
        says: 'Its name in events and in the API.',
        default: 'address and port',
        example: 'gateway',
        relation: 'Each name once.',
      }),
      check: check('How it is probed. Nothing is inherited from `defaults`.'),
    }),
  },
  { says: 'A target that is no server.', example: '{ address: 192.168.2.1:22, check: { interval: 500ms } }' },
);

export type RawCanary = Static<typeof canary>;

const CANARY_EXPECTS = 'an address with its port, or a mapping (address, name, check)';

const canaryItem = Type.Unsafe<string | RawCanary>({
  'x-expects': CANARY_EXPECTS,
  'x-type': 'address or canary',
  if: { type: 'string' },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: { type: 'string', minLength: 1, maxLength: 64, 'x-expects': CANARY_EXPECTS },
  else: { ...canary, 'x-expects': CANARY_EXPECTS },
});

export const massFailure = section(
  optional({
    share: Type.Unsafe<string>({
      type: 'string',
      pattern: '^(100|[1-9][0-9]?)%$',
      description:
        'How many of the servers that were well must fail at once. Servers are counted by address: a host with many services is one.',
      'x-expects': 'a share from 1% to 100%, such as 60%',
      'x-type': 'share',
      'x-range': '1% to 100%',
      'x-default': '60%',
      'x-example': '75%',
    }),
    minimum: integer(2, 100_000, {
      says: 'Fewer addresses than this are never most.',
      default: '4',
      example: '3',
      unit: 'addresses',
    }),
    within: duration('100ms', '1m', {
      says: 'What counts as at once. What the interval and the time-out of checks leave open comes on top, at most a minute each.',
      default: '1s',
      example: '2s',
    }),
    do: choice(['hold', 'open', 'closed', 'fallback'], {
      says: '`hold` keeps the table as it was, `open` puts in all servers, `closed` believes the verdicts and only tells, `fallback` has the fallback of every service serve.',
      default: 'hold',
      example: 'hold',
    }),
    for: duration('1s', '1d', {
      says: 'How long at most; then the verdicts are believed.',
      default: 'until fewer servers fail, or a canary answers',
      example: '30s',
    }),
    canaries: listOf(
      canaryItem,
      16,
      {
        says: 'Targets on the way to the servers. One that answers `rise` times in a row after most servers failed says that the network is well and the servers died: then the verdicts are believed at once.',
        default: 'none',
        example: '[192.168.2.1:22]',
      },
      false,
    ),
  }),
  {
    says: 'What is done when most servers fail at once: this director may be the sick one.',
    default: 'none: the verdicts are believed',
    example: '{ share: 60%, do: hold, canaries: [192.168.2.1:22] }',
  },
);

export type RawMassFailure = Static<typeof massFailure>;
