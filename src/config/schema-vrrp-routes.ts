/** The schema of virtual routes and rules, in the words of `ip route` and `ip rule`. */
import { type Static, Type } from 'typebox';
import { interfaceName } from './schema-interface.js';
import { choice, integer, optional, section, text } from './schema-kit.js';

const NUMBER_MAX = 4_294_967_295;
/** Rules from 32766 on are the kernel's: main and default. */
const PRIORITY_MAX = 32_765;
const PREFIX = { expects: 'an address with its prefix length', type: 'address', longest: 64 } as const;
const ADDRESS = { expects: 'an address', type: 'address', longest: 64 } as const;

const table = (says: string) =>
  integer(1, NUMBER_MAX, { says, default: '254, the main table', example: '100' });

export const route = section(
  {
    to: text(
      { ...PREFIX, expects: 'a destination: `default`, or an address with its prefix length' },
      {
        says: 'The destination, without bits behind its prefix length. `default` is of the family of `via`, or else of the virtual router.',
        example: '0.0.0.0/0',
      },
    ),
    ...optional({
      via: text(ADDRESS, {
        says: 'The gateway.',
        default: 'none, the destination is on the link',
        example: '192.168.2.1',
        relation: 'With a link-local one there is a `device`.',
      }),
      device: {
        ...interfaceName('The interface.', 'eth0'),
        'x-default': 'the one that `via` is on',
      },
      source: text(ADDRESS, {
        says: 'The address that this director sends from to that destination; usually a virtual IP.',
        default: "the kernel's choice",
        example: '192.168.2.254',
      }),
      table: table('The routing table.'),
      metric: integer(0, NUMBER_MAX, {
        says: 'Of several routes to a destination in a table, the one with the lowest metric holds.',
        default: '0 (IPv4), 1024 (IPv6)',
        example: '10',
      }),
      type: choice(['unicast', 'blackhole', 'unreachable', 'prohibit'], {
        says: 'What becomes of packets: sent on, dropped, or refused.',
        default: 'unicast',
        example: 'blackhole',
        relation: 'All but `unicast` have neither `via` nor `device`; `unicast` has one of them at least.',
      }),
    }),
  },
  { says: 'A route that moves with the virtual router.', example: '{ to: 0.0.0.0/0, via: 192.168.2.1 }' },
);

export type RawRoute = Static<typeof route>;

const MARK_PATTERN = '^(0x[0-9a-f]{1,8}|\\d{1,10})(/(0x[0-9a-f]{1,8}|\\d{1,10}))?$';
const MARK_EXPECTS = 'a firewall mark, alone or with its mask, such as 0x10/0xff';

export const policyRule = section(
  {
    priority: integer(1, PRIORITY_MAX, {
      says: 'Rules are tried from the lowest priority on.',
      example: '100',
    }),
    table: integer(1, NUMBER_MAX, {
      says: 'The routing table to look into.',
      example: '100',
    }),
    ...optional({
      from: text(PREFIX, {
        says: 'Where packets come from, without bits behind the prefix length.',
        default: 'all',
        example: '192.168.2.254/32',
      }),
      to: text(PREFIX, {
        says: 'Where packets go to, without bits behind the prefix length.',
        default: 'all',
        example: '10.0.0.0/8',
      }),
      mark: Type.Unsafe<number | string>({
        type: ['integer', 'string'],
        minimum: 0,
        maximum: NUMBER_MAX,
        pattern: MARK_PATTERN,
        description: 'The firewall mark of packets, alone or with its mask.',
        'x-expects': MARK_EXPECTS,
        'x-type': 'mark',
        'x-default': 'any',
        'x-example': '0x10/0xff',
      }),
      in: { ...interfaceName('The interface that packets come in by.', 'eth0'), 'x-default': 'any' },
      out: {
        ...interfaceName('The interface that packets of this director itself are bound to.', 'eth1'),
        'x-default': 'any',
      },
    }),
  },
  {
    says: 'A policy rule that moves with the virtual router. Its family is that of `from` and `to`, or else of the virtual router.',
    example: '{ priority: 100, from: 192.168.2.254/32, table: 100 }',
  },
);

export type RawRule = Static<typeof policyRule>;
