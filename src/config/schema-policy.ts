/** The schema of what a service says between the health of its servers and the table. Runs at build time only. */
import { Type } from 'typebox';
import { choice, duration, integer, optional, section } from './schema-kit.js';

export const quorum = section(
  optional({
    weight: integer(1, 2_147_483_647, {
      says: 'The sum of weights that the servers which serve must have. Below it the service is lost: a `fallback` serves, and an event tells.',
      default: '1',
      example: '2',
      relation: 'Not above the sum of all weights.',
    }),
    hysteresis: integer(0, 2_147_483_647, {
      says: 'How far below the quorum it is lost, and how far above it is met again.',
      default: '0',
      example: '1',
      relation: 'Below `weight`; `weight` and `hysteresis` together not above the sum of all weights.',
    }),
  }),
  {
    says: 'How much weight the service needs.',
    default: '{ weight: 1, hysteresis: 0 }',
    example: '{ weight: 2, hysteresis: 1 }',
  },
);

export const admit = section(
  optional({
    canary: integer(1, 2_147_483_647, {
      says: 'The weight that a server begins with when it comes back.',
      default: '1',
      example: '1',
    }),
    ramp: duration('1s', '1d', {
      says: 'How long it takes until it has its whole weight again. It rises in at most 20 steps.',
      default: '60s',
      example: '60s',
    }),
    curve: choice(['linear', 'exponential'], {
      says: '`exponential` grows slowly at first.',
      default: 'linear',
      example: 'exponential',
    }),
  }),
  {
    says: 'A server that comes back (after a failure, a drain, a maintenance window or by a reload) starts small. Not at the start of the daemon.',
    default: 'none: the whole weight at once',
    example: '{ canary: 1, ramp: 60s }',
  },
);

const TIERS_MAX = 16;
const EXPECTS = 'an address, a mapping (address, port, weight ...) or a list of tiers';
const TIER_EXPECTS = 'an address, a mapping, or a list of those that serve together';

/** @param server a server, as in `servers` */
export function fallback<Server>(server: object, most: number) {
  const tier = {
    'x-expects': TIER_EXPECTS,
    if: { type: 'array' },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
    then: {
      type: 'array',
      items: server,
      minItems: 1,
      maxItems: most,
      uniqueItems: false,
      'x-expects': TIER_EXPECTS,
    },
    else: server,
  };
  return Type.Unsafe<string | Server | readonly (string | Server | readonly (string | Server)[])[]>({
    description:
      'Where clients go when the quorum is lost: a server, or a list of tiers. The first tier with a server that is up serves; a tier is a server or a list of servers. A fallback is probed only where it has a `check`; without one it is thought to be up. When the servers are enough again they come first; then the fallback gets no new connections, and goes when it has none left, or after 5 minutes (at once where the service is persistent: its clients would be sent back to it).',
    'x-expects': EXPECTS,
    'x-type': 'server or list of tiers',
    'x-default': 'none: the servers that are left go on alone',
    'x-example': '127.0.0.1:80',
    'x-range': `up to ${TIERS_MAX} tiers`,
    if: { type: 'array' },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
    then: {
      type: 'array',
      items: tier,
      minItems: 1,
      maxItems: TIERS_MAX,
      uniqueItems: false,
      'x-expects': EXPECTS,
    },
    else: server,
  });
}
