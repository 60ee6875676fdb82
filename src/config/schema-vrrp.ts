/** The schema of `vrrp:`. As schema.ts, it runs at build time only. */
import type { Static } from 'typebox';
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

const ROUTERS_MAX = 1000;
/** A message counts its addresses in one byte (RFC 9568 5.2.5). */
const ADDRESSES_MAX = 255;
const PEERS_MAX = 255;

const INTERFACE_PATTERN = '^[^\\s/:]{1,15}$';
const INTERFACE_EXPECTS = 'the name of an interface (at most 15 characters)';

const interfaceName = (says: string, example: string) =>
  text(
    { expects: INTERFACE_EXPECTS, type: 'interface', pattern: INTERFACE_PATTERN, longest: 15 },
    { says, example },
  );

const virtualIp = text(
  { expects: 'an address with its prefix length, such as 192.168.2.254/24', type: 'address', longest: 64 },
  { says: 'A virtual IP.', example: '192.168.2.254/24' },
);

const routerAddress = (says: string, example: string) =>
  text({ expects: 'an address', type: 'address', longest: 64 }, { says, example });

export const hmac = section(
  {
    keys: named(
      text(
        { expects: 'text', longest: 1024 },
        { says: 'A key. Better a reference to a secret than the secret.', example: 's3cret', secret: true },
      ),
      16,
      {
        says: 'The keys that are accepted, each under its id from 1 to 255. May refer to secrets.',
        example: `{ '1': '\${env:VRRP_KEY}' }`,
      },
    ),
    ...optional({
      active: integer(1, 255, {
        says: 'The id of the key that signs what this director sends.',
        default: 'the only key',
        example: '1',
        relation: 'Must be there with more than one key.',
      }),
      mode: choice(['enforce', 'permissive', 'receive-only'], {
        says: '`enforce` refuses what is not signed, `permissive` accepts it, `receive-only` accepts it and does not sign: three steps by which directors are moved to signatures.',
        default: 'enforce',
        example: 'permissive',
      }),
      'anti-replay': choice(['time', 'monotonic'], {
        says: '`time` refuses signatures that are older or newer than `window`, `monotonic` only those that were seen already.',
        default: 'time',
        example: 'monotonic',
        relation: '`time` needs clocks that agree.',
      }),
      window: duration('1s', '1h', {
        says: 'How far the clocks of two directors may be apart.',
        default: '10s',
        example: '30s',
      }),
    }),
  },
  {
    says: "Signatures (HMAC-SHA-256) as keepalived 2.4's `auth_hmac`.",
    example: `{ keys: { '1': s3cret } }`,
  },
);

export const auth = section(
  optional({
    password: text(
      { expects: 'text of 1 to 8 characters in printable ASCII', longest: 512 },
      {
        says: "The password of version 2, keepalived's `auth_type PASS`; it travels in plain text. May refer to a secret.",
        default: 'none',
        example: 's3cret',
        secret: true,
        relation: 'Version 2 only.',
      },
    ),
    hmac: { ...hmac, 'x-default': 'not signed' },
  }),
  {
    says: 'How directors know each other.',
    default: 'not at all',
    example: '{ password: s3cret }',
    relation: 'Either `password` or `hmac`.',
  },
);

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

export const track = section(
  optional({
    interfaces: listOf(interfaceName('An interface.', 'eth1'), 64, {
      says: 'While one of these interfaces is down, this director does not take part.',
      default: 'none',
      example: '[eth1]',
      relation: "The instance's own interface is always tracked.",
    }),
    services: listOf(
      text(
        { expects: NAME_EXPECTS, type: 'name', pattern: NAME_PATTERN, longest: 63 },
        { says: 'A virtual service of this configuration.', example: 'web' },
      ),
      1000,
      {
        says: 'Virtual services whose real servers count: the fewer of them this director reaches, the lower its priority.',
        default: 'none',
        example: '[web]',
      },
    ),
    penalty: integer(0, 253, {
      says: 'What is taken from the priority when no real server of `services` is up; in proportion when some are.',
      default: '50',
      example: '100',
      unit: 'points',
    }),
    minimum: integer(0, 10_000, {
      says: 'With fewer real servers of `services` than this, the director does not take part.',
      default: '0',
      example: '1',
      unit: 'servers',
    }),
  }),
  {
    says: 'What moves the priority.',
    default: 'nothing',
    example: '{ services: [web], interfaces: [eth1] }',
  },
);

export const announce = section(
  optional({
    repeat: integer(0, 100, {
      says: 'Gratuitous ARPs (unsolicited neighbour advertisements) for each virtual IP after becoming master.',
      default: '5',
      example: '3',
      unit: 'packets',
    }),
    delay: duration('0s', '1h', {
      says: 'From this burst to a second one; `0s`: no second one.',
      default: '5s',
      example: '1s',
    }),
    refresh: duration('0s', '24h', {
      says: 'Between repetitions while master; `0s`: none.',
      default: '0s',
      example: '60s',
    }),
  }),
  { says: 'How virtual IPs are announced.', default: '{ repeat: 5, delay: 5s }', example: '{ repeat: 3 }' },
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
    addresses: listOf(virtualIp, ADDRESSES_MAX, {
      says: 'The virtual IPs, each with its prefix length; all of one family.',
      example: '[192.168.2.254/24]',
    }),
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
      excluded: listOf(virtualIp, 10_000, {
        says: 'More addresses that move with the virtual router and are not named in its adverts; of any family.',
        default: 'none',
        example: '[192.168.3.254/24]',
      }),
      label: text(
        {
          expects: 'a label that begins with the name of the interface (at most 15 characters)',
          pattern: '^\\S{1,15}$',
          longest: 15,
        },
        {
          says: 'The label of the IPv4 addresses, as `ip address` and `ifconfig` show it.',
          default: 'none',
          example: 'eth0:vip',
        },
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
