/** The schema of a server's checks where there may be several. Runs at build time only. */
import { Type } from 'typebox';
import { check, type RawCheck } from './schema-checks.js';
import { choice, integer, listOf, section } from './schema-kit.js';

const CHECKS_MAX = 16;

/** What a service, or a server, may say of checks. */
export interface RawChecks {
  readonly check?: RawCheck;
  readonly checks?: readonly RawCheck[];
  readonly require?: 'all' | 'any' | { readonly 'at-least': number };
}

const AT_LEAST = {
  'at-least': integer(1, CHECKS_MAX, {
    says: 'So many must pass.',
    example: '2',
    unit: 'checks',
    relation: 'Not above the number of `checks`.',
  }),
};

const REQUIRE_EXPECTS = 'all, any or { at-least: n }';

const require = Type.Unsafe<NonNullable<RawChecks['require']>>({
  description: 'How many of `checks` must pass for a server to be up.',
  'x-expects': REQUIRE_EXPECTS,
  'x-type': '`all`, `any` or `{ at-least: n }`',
  'x-range': `n: 1 to ${CHECKS_MAX}`,
  'x-default': 'all',
  'x-example': '{ at-least: 2 }',
  'x-relation': 'Only beside `checks`.',
  if: { type: 'string' },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: {
    ...choice(['all', 'any'], { says: 'All or any.', example: 'any' }),
    'x-expects': REQUIRE_EXPECTS,
  },
  else: {
    ...section(AT_LEAST, { says: 'So many must pass.', example: '{ at-least: 2 }' }),
    'x-expects': REQUIRE_EXPECTS,
  },
});

/** @param says of `check` @param inherits where the keys that a check of the list does not have come from */
export function checkKeys(says: string, inherits: string) {
  return {
    check: check(says),
    checks: listOf(
      Type.Unsafe<RawCheck>({
        ...check('One of them.'),
        'x-expects': 'a check (type, interval, timeout ...)',
      }),
      CHECKS_MAX,
      {
        says: `Several checks, in place of \`check\`; keys that one of them does not have come from ${inherits}. See [Several checks](checks.md#several-checks-on-a-server).`,
        default: 'none: `check` is the only one',
        example: '[{ type: http, path: /health }, { type: tcp, port: 9000 }]',
        relation: 'Not beside `check`.',
      },
      false,
    ),
    require,
  };
}
