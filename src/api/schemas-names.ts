/** JSON Schemas of what is told of the names of servers. */
import type { NameStatus } from './names.js';
import { choice, list, objectOf, orNull, text } from './schema-kit.js';

const TROUBLES = [
  'no-such-name',
  'no-address',
  'server-failure',
  'refused',
  'timeout',
  'unreachable',
  'malformed',
  'unusable',
  'nobody-up',
] as const satisfies readonly NonNullable<NameStatus['trouble']>[];

export const NAME_SCHEMA = objectOf<NameStatus>('A name of servers in DNS, for one family.', {
  name: text('The name.'),
  family: choice(['ipv4', 'ipv6'], 'Which addresses are asked for.'),
  services: list(text('The name of a service.'), 'The services with servers of this name.'),
  addresses: list(text('An address.'), 'The addresses that are in force.'),
  missing: list(
    text('An address.'),
    'Those of them that the last good answer did not hold: they go after `hold`.',
  ),
  source: choice(
    ['nowhere', 'answer', 'memory', 'table'],
    'Where the addresses come from: an answer of this run, of another one, or the table as it was found; `nowhere` where none are known.',
  ),
  answeredAt: orNull(text('When the last good answer came; null where there was none.')),
  trouble: orNull(choice(TROUBLES, 'Why there is no good answer now; null where there is one.')),
  troubleSince: orNull(text('Since when; null without trouble.')),
  why: orNull(text('The trouble in words; null without it.')),
});
