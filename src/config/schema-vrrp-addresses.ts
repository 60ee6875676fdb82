/** The schema of a virtual IP: an address with its prefix length, or a mapping. */
import { type Static, Type } from 'typebox';
import { interfaceName } from './schema-interface.js';
import { choice, optional, section, text, yesNo } from './schema-kit.js';

const PREFIX_EXPECTS = 'an address with its prefix length, such as 192.168.2.254/24';

export const label = text(
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
);

export const virtualMac = Type.Unsafe<boolean | string>({
  type: ['boolean', 'string'],
  pattern: '^[^\\s/:]{1,15}$',
  description:
    'The virtual IPs have the MAC address of the virtual router (00:00:5e:00:01:ID), so that hosts notice nothing when another director takes over: on a link of their own above the interface (a private macvlan), which is up while this director is master. Or the name of that link.',
  'x-expects': 'true, false, or the name of an interface (at most 15 characters)',
  'x-type': 'true, false or interface',
  'x-default': 'false',
  'x-example': 'true',
  'x-relation':
    '`true`: the link is called vrrp.ID, or vrrp6.ID where the virtual IPs are of IPv6. Not for the owner (priority 255).',
});

export const virtualAddress = section(
  {
    address: text(
      { expects: PREFIX_EXPECTS, type: 'address', longest: 64 },
      { says: 'The virtual IP with its prefix length.', example: '192.168.2.254/24' },
    ),
    ...optional({
      device: {
        ...interfaceName('The interface that has it, and on which it is announced.', 'eth1'),
        'x-default': "the virtual router's",
      },
      label: { ...label, description: 'Its label. IPv4 only.', 'x-default': "the virtual router's" },
      scope: choice(['global', 'site', 'link', 'host'], {
        says: 'How far it is valid: the kernel does not choose it as source for what goes further.',
        default: 'global',
        example: 'link',
        relation: 'IPv4 only. All addresses of one subnet on one interface have the same scope.',
      }),
      broadcast: text(
        { expects: 'an address', type: 'address', longest: 64 },
        {
          says: 'The broadcast address of its subnet.',
          default: 'none',
          example: '192.168.2.255',
          relation: 'IPv4 only.',
        },
      ),
      nodad: yesNo({
        says: 'It is used at once. `false`: the kernel first looks whether another host has it (duplicate address detection), which takes a second.',
        default: 'true',
        example: 'false',
        relation: 'IPv6 only.',
      }),
      deprecated: yesNo({
        says: 'It is never chosen as the source of what this director sends by itself (preferred lifetime 0).',
        default: 'true for /128, else false',
        example: 'true',
        relation: 'IPv6 only.',
      }),
    }),
  },
  { says: 'A virtual IP.', example: '{ address: 192.168.2.254/24, device: eth1 }' },
);

type RawAddress = Static<typeof virtualAddress>;

export type RawVirtualIp = string | RawAddress;

const EXPECTS = `${PREFIX_EXPECTS}, or a mapping (address, device, label ...)`;

export const virtualIp = Type.Unsafe<RawVirtualIp>({
  'x-expects': EXPECTS,
  'x-type': 'virtual IP',
  description: 'A virtual IP: its address, or a mapping.',
  if: { type: 'string' },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: { type: 'string', minLength: 1, maxLength: 64, 'x-expects': PREFIX_EXPECTS },
  else: { ...virtualAddress, 'x-expects': EXPECTS },
});
