/** The schema of the safety rails of a service. Runs at build time only. */
import { Type } from 'typebox';

const MINIMUM_EXPECTS = 'a number of servers, or a share from 0% to 100%';
const REMOVALS_EXPECTS = 'a number of servers from 1 to 10000, or none';

/** In a service, and in `defaults` for all that say nothing. */
export const RAILS_KEYS = {
  'minimum-healthy': Type.Optional(
    Type.Unsafe<number | string>({
      type: ['integer', 'string'],
      minimum: 0,
      maximum: 10_000,
      pattern: '^(100|[0-9]{1,2})%$',
      description:
        'A safety rail: no check takes out a server whose removal would leave fewer than this many in service. A share is of the servers that are neither disabled nor drained, rounded up. A fallback that serves, and the operator, are not held up by it. In a service, at most the number of its servers of weight above 0.',
      'x-expects': MINIMUM_EXPECTS,
      'x-type': 'number or share',
      'x-range': '0 to 10000, or 0% to 100%',
      'x-default': "`defaults`'; 0 there: down to the last one",
      'x-example': '50%',
      'x-relation': 'In a service, at most the number of its servers of weight above 0.',
    }),
  ),
  'maximum-removals': Type.Optional(
    Type.Unsafe<number | 'none'>({
      type: ['integer', 'string'],
      minimum: 1,
      maximum: 10_000,
      pattern: '^none$',
      description:
        'A safety rail: checks take out at most this many servers of the service in any minute; those that come later wait. A fallback that serves, and the operator, are not held up by it.',
      'x-expects': REMOVALS_EXPECTS,
      'x-type': 'number or none',
      'x-unit': 'servers per minute',
      'x-range': '1 to 10000, or none',
      'x-default': "`defaults`'; none there: no limit",
      'x-example': '3',
    }),
  ),
};
