/** JSON Schemas of what is told of most servers failing at once. */
import type { CanaryStatus, MassStatus } from './mass.js';
import { choice, count, flag, list, objectOf, text } from './schema-kit.js';

export const CANARY_SCHEMA = objectOf<CanaryStatus>(
  'A target that tells servers that died from a network that did.',
  {
    name: text('Its name in the configuration, else `address:port`.'),
    voice: choice(
      ['up', 'down', 'silent'],
      '`up`: heard `rise` times in a row since most servers fail, or since the start; `down`: its last probe failed; `silent`: neither.',
    ),
  },
);

export const MASS_SCHEMA = objectOf<MassStatus>('The failure of most servers at once.', {
  active: flag('Whether something is done about it now.'),
  action: choice(['hold', 'open', 'closed', 'fallback'], '`do` of the configuration.'),
  failing: count('Addresses that began to fail of late.'),
  of: count('These and all that are well; what failed long ago is not among them.'),
  canaries: list(CANARY_SCHEMA, 'In the order of the configuration.'),
  count: count('How often it happened, since the start.'),
});
