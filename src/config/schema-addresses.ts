/** The schema of what a service is known by. As schema.ts, it runs at build time only. */
import { type Static, Type } from 'typebox';
import { BLOCK_MAX } from './address-block.js';
import { choice, integer, listOf, optional, section } from './schema-kit.js';

export const mark = (relation: string) =>
  integer(1, 4_294_967_295, {
    says: 'The firewall mark of the packets, instead of an address.',
    example: '10',
    relation,
  });

export const family = (relation: string) =>
  choice(['ipv4', 'ipv6'], {
    says: 'The address family of a fwmark service.',
    default: 'ipv4',
    example: 'ipv6',
    relation,
  });

export const markItem = section(
  {
    fwmark: mark('Instead of an address in the list.'),
    ...optional({ family: family('Of this mark.') }),
  },
  { says: 'A firewall mark among addresses.', example: '{ fwmark: 10 }' },
);

export type RawMark = Static<typeof markItem>;

const ADDRESS_ITEM_EXPECTS = 'an address such as 192.0.2.10-20:80, or { fwmark: 10 }';

/** Text of a range of IPv6 addresses with brackets and port. */
const ADDRESS_ITEM_LONGEST = 96;

const addressItem = Type.Unsafe<string | RawMark>({
  'x-expects': ADDRESS_ITEM_EXPECTS,
  'x-type': 'address or mark',
  description: 'An address, a range, a network, or a firewall mark.',
  if: { type: 'string' },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: { type: 'string', minLength: 1, maxLength: ADDRESS_ITEM_LONGEST, 'x-expects': 'an address' },
  else: { ...markItem, 'x-expects': ADDRESS_ITEM_EXPECTS },
});

export const addresses = listOf(
  addressItem,
  BLOCK_MAX,
  {
    says: 'Several addresses with one set of servers, each probed once: `192.0.2.1:80`, a range `192.0.2.10-20:80`, a network `192.0.2.64/28:80`, a mark `{ fwmark: 10 }`; the same of IPv6 in brackets, `"[2001:db8::1-f]:80"`. A server without a port has that of each address.',
    example: '[192.168.2.254:80, 192.168.2.254:443, 192.168.3.10-20:80]',
    relation: `Instead of \`address\` and \`fwmark\`. At most ${BLOCK_MAX} addresses. Both families only where all servers are reached by tunnels.`,
  },
  false,
);
