/** Where probes come from: the same keys for every kind that opens sockets. */
import { interfaceName } from './schema-interface.js';
import { integer, text } from './schema-kit.js';

export const ORIGIN_KEYS = {
  source: text(
    { expects: 'an address', type: 'address', longest: 45 },
    {
      says: 'The address of this machine that probes come from.',
      default: "the kernel's choice",
      example: '192.168.2.1',
      relation: "Of the server's family.",
    },
  ),
  interface: interfaceName(
    'The interface that probes leave by, and answers come by, whatever the routes say. A VRF is an interface too.',
    'eth1',
  ),
  mark: integer(1, 4_294_967_295, {
    says: "The firewall mark of a probe's packets, for rules and routes (SO_MARK).",
    default: 'none',
    example: '10',
  }),
  namespace: text(
    {
      expects: 'the name of a network namespace, or the path of its file',
      type: 'namespace',
      pattern: '^(/[^\\u0000-\\u001f]+|[A-Za-z0-9_][A-Za-z0-9._-]*)$',
      longest: 255,
    },
    {
      says: 'The network namespace that probes are made in: its name among those of `ip netns`, or a path.',
      default: "lvsentry's own",
      example: 'tenant-a',
    },
  ),
};
