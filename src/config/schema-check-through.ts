/** What a probe goes through: the same key for every kind that has a port. */
import { choice } from './schema-kit.js';

export const THROUGH_KEYS = {
  through: choice(['server', 'service'], {
    says: "`server`: a probe goes to the server itself. `service`: it goes to the service's address, and from there to this one server as a client's packets would, by the forwarding method.",
    default: 'server',
    example: 'service',
    relation:
      'Not with `interface`, `mark` and `namespace`. Needs a service with an address, and `table: kernel`.',
  }),
};
