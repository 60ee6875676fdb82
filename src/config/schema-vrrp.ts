/** The schema of `vrrp:`. As schema.ts, it runs at build time only. */
import type { Static } from 'typebox';
import { notify } from './schema-hooks.js';
import { interfaceName } from './schema-interface.js';
import {
  choice,
  duration,
  integer,
  listOf,
  NAME_EXPECTS,
  NAME_PATTERN,
  named,
  optional,
  section,
  text,
  yesNo,
} from './schema-kit.js';
import { label, virtualIp, virtualMac } from './schema-vrrp-addresses.js';
import { announce } from './schema-vrrp-announce.js';
import { auth } from './schema-vrrp-auth.js';
import { debounce } from './schema-vrrp-debounce.js';
import { policyRule, route } from './schema-vrrp-routes.js';
import { track } from './schema-vrrp-track.js';

const ROUTERS_MAX = 1000;
/** A message counts its addresses in one byte (RFC 9568 5.2.5). */
const ADDRESSES_MAX = 255;
const PEERS_MAX = 255;
const ROUTES_MAX = 1000;

const routerAddress = (says: string, example: string) =>
  text({ expects: 'an address', type: 'address', longest: 64 }, { says, example });

export const unicast = section(
  {
    source: routerAddress("This director's own address.", '192.168.2.1'),
    peers: listOf(routerAddress("Another director's address.", '192.168.2.3'), PEERS_MAX, {
      says: 'The other directors.',
      example: '[192.168.2.3]',
    }),
    ...optional({
      hops: integer(1, 255, {
        says: 'The least TTL or hop limit that an advert may arrive with; 255 is the same link.',
        default: '255',
        example: '254',
      }),
    }),
  },
  {
    says: 'Adverts to these directors instead of to the group.',
    example: '{ source: 192.168.2.1, peers: [192.168.2.3] }',
  },
);

export const router = section(
  {
    interface: interfaceName(
      'The interface that has the virtual IPs and on which directors hear each other.',
      'eth0',
    ),
    id: integer(1, 255, {
      says: 'The id of the virtual router: the same on all directors, and no other on the network.',
      example: '51',
    }),
    addresses: listOf(
      virtualIp,
      ADDRESSES_MAX,
      {
        says: 'The virtual IPs, each with its prefix length; all of one family.',
        example: '[192.168.2.254/24]',
      },
      false,
    ),
    ...optional({
      version: integer(2, 3, {
        says: 'The version of VRRP.',
        default: '3',
        example: '2',
        relation: 'Version 2 is for IPv4 only, and its interval is in whole seconds.',
      }),
      priority: integer(1, 255, {
        says: 'The higher, the sooner master. 255 is for the director whose own addresses the virtual IPs are.',
        default: '100',
        example: '150',
      }),
      interval: duration('10ms', '255s', {
        says: 'Between adverts.',
        default: '1s',
        example: '100ms',
        relation: 'Version 2: whole seconds; version 3: steps of 10ms, at most 40.95s.',
      }),
      excluded: listOf(
        virtualIp,
        10_000,
        {
          says: 'More addresses that move with the virtual router and are not named in its adverts; of any family.',
          default: 'none',
          example: '[192.168.3.254/24]',
        },
        false,
      ),
      label,
      'virtual-mac': virtualMac,
      routes: listOf(
        route,
        ROUTES_MAX,
        {
          says: 'Routes that this director has while it is master. Routes of others stay as they are.',
          default: 'none',
          example: '[{ to: 0.0.0.0/0, via: 192.168.2.1 }]',
        },
        false,
      ),
      rules: listOf(
        policyRule,
        ROUTES_MAX,
        {
          says: 'Policy rules that this director has while it is master. Rules of others stay as they are.',
          default: 'none',
          example: '[{ priority: 100, from: 192.168.2.254/32, table: 100 }]',
        },
        false,
      ),
      auth,
      unicast: { ...unicast, 'x-default': 'multicast' },
      checksum: choice(['pseudo-header', 'message'], {
        says: 'What the checksum of version 3 over IPv4 covers: `pseudo-header` as RFC 5798 and all known peers, `message` as RFC 9568. Both are accepted.',
        default: 'pseudo-header',
        example: 'message',
      }),
      preempt: yesNo({
        says: 'Whether this director takes over from a living master of lower priority.',
        default: 'true',
        example: 'false',
      }),
      'preempt-delay': duration('0s', '1h', {
        says: 'How long a master of lower priority is heard before it is preempted.',
        default: '0s',
        example: '30s',
      }),
      'startup-delay': duration('0s', '1h', {
        says: 'From the start until the instance begins.',
        default: '0s',
        example: '5s',
      }),
      'failback-delay': duration('0s', '1h', {
        says: 'No preemption for this long after a start or a fault, so that connections are synchronised first.',
        default: '0s',
        example: '60s',
      }),
      group: text(
        { expects: NAME_EXPECTS, type: 'name', pattern: NAME_PATTERN, longest: 63 },
        {
          says: 'The sync group: all its members are master, or none is.',
          default: 'none',
          example: 'gateway',
        },
      ),
      notify,
      debounce,
      track,
      announce,
    }),
  },
  {
    says: 'A virtual router.',
    example: '{ interface: eth0, id: 51, addresses: [192.168.2.254/24] }',
  },
);

export type RawRouter = Static<typeof router>;

export const vrrp = named(router, ROUTERS_MAX, {
  says: 'The virtual routers that move virtual IPs between directors, each under a name.',
  default: 'none',
  example: '{ outside: { interface: eth0, id: 51, addresses: [192.168.2.254/24] } }',
});
