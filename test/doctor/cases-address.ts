/** Cases of the rules about virtual IPs. */
import { type Ip, ip } from '../../src/core/ip.js';
import type { LinkFact } from '../../src/doctor/model.js';
import { VIP } from './build.js';
import { type Case, elsewhere, eth1, LINKS, router } from './case.js';

const SIX = ip('2001:db8::9');
const six = { services: [{ name: 'web', address: SIX, port: 80, persistent: false }] };

function link(
  name: string,
  up: boolean,
  ...addresses: readonly (readonly [Ip, number, 'deprecated'?])[]
): LinkFact {
  return {
    name,
    up,
    addresses: addresses.map(([address, prefix, deprecated]) => {
      return { address, prefix, deprecated: deprecated !== undefined };
    }),
  };
}

const own = link('eth0', true, [ip('192.0.2.1'), 24], [ip('2001:db8::1'), 64]);
const onLoopback = link('lo', true, [ip('127.0.0.1'), 8], [VIP, 32], [SIX, 128]);
const ADD = 'ip address add';

export const ADDRESS_CASES: readonly Case[] = [
  { name: 'a virtual IP that is here', id: 'virtual-ip', changes: {}, finds: ['ok'] },
  {
    name: 'a virtual IP that is nowhere',
    id: 'virtual-ip',
    changes: { wanted: elsewhere },
    finds: ['error'],
    fix: 'ip address add 192.0.2.77/32 dev eth0',
  },
  {
    name: 'it goes to the interface of its network',
    id: 'virtual-ip',
    changes: {
      links: [...LINKS, eth1],
      wanted: { services: [{ name: 'web', address: ip('10.7.7.7'), port: 80, persistent: false }] },
    },
    finds: ['error'],
    fix: 'ip address add 10.7.7.7/32 dev eth1',
  },
  {
    name: 'a virtual IP of IPv6 that is nowhere',
    id: 'virtual-ip',
    changes: {
      wanted: { services: [{ name: 'web', address: ip('2001:db8::9'), port: 80, persistent: false }] },
    },
    finds: ['error'],
    fix: 'ip address add 2001:db8::9/128 dev eth0 preferred_lft 0',
  },
  {
    name: 'a virtual IP that a virtual router moves',
    id: 'virtual-ip',
    changes: { wanted: { ...elsewhere, routers: [{ ...router, addresses: [ip('192.0.2.77')] }] } },
    finds: ['ok'],
  },
  {
    name: 'a virtual IP that keepalived may move',
    id: 'virtual-ip',
    changes: { wanted: elsewhere, programs: new Set(['keepalived']) },
    finds: ['warning'],
  },
  {
    name: 'a virtual IP of a table, without a configuration',
    id: 'virtual-ip',
    changes: { wanted: { ...elsewhere, configured: false } },
    finds: ['warning'],
  },
  {
    name: 'a firewall mark has no virtual IP',
    id: 'virtual-ip',
    changes: {
      wanted: { services: [{ name: 'm', address: undefined, port: undefined, persistent: false }] },
    },
    finds: [],
  },
  {
    name: 'a virtual IP that is nowhere, and no interface is up',
    id: 'virtual-ip',
    changes: { wanted: elsewhere, links: [link('lo', true), link('eth0', false)] },
    finds: ['error'],
    fix: `ip link set eth0 up && ${ADD} 192.0.2.77/32 dev eth0`,
  },
  {
    name: 'a virtual IP that is nowhere, and there is nothing but lo',
    id: 'virtual-ip',
    changes: { wanted: elsewhere, links: [link('lo', true)] },
    finds: ['error'],
    fix: `${ADD} 192.0.2.77/32 dev lo  # there is no other interface: only programs of this machine reach it`,
  },
  {
    name: 'a virtual IP on lo, with nothing else',
    id: 'virtual-ip',
    changes: { links: [onLoopback] },
    finds: ['ok'],
    seen: /no other interface is up/,
  },
  {
    name: 'a virtual IP on lo, for which ARP is answered',
    id: 'virtual-ip',
    changes: { links: [onLoopback, own], settings: { 'ipv4/conf/all/arp_ignore': '0' } },
    finds: ['ok'],
  },
  {
    name: 'a virtual IP on lo, for which no ARP is answered',
    id: 'virtual-ip',
    changes: { links: [onLoopback, own], settings: { 'ipv4/conf/eth0/arp_ignore': '1' } },
    finds: ['warning'],
    fix: `${ADD} 192.0.2.254/32 dev eth0`,
    seen: /on lo alone/,
  },
  {
    name: 'a virtual IP of IPv6 on lo',
    id: 'virtual-ip',
    changes: { links: [onLoopback, own], wanted: six },
    finds: ['warning'],
    fix: `${ADD} 2001:db8::9/128 dev eth0 preferred_lft 0`,
  },
  {
    name: 'a virtual IP on lo and on an interface',
    id: 'virtual-ip',
    changes: { links: [onLoopback, link('eth0', true, [SIX, 128, 'deprecated'])], wanted: six },
    finds: ['ok'],
  },
  { name: 'a virtual IP of IPv4', id: 'virtual-ip-source', changes: {}, finds: [] },
  {
    name: 'a virtual IP of IPv6 that is preferred',
    id: 'virtual-ip-source',
    changes: { links: [link('eth0', true, [ip('2001:db8::1'), 64], [SIX, 128])], wanted: six },
    finds: ['warning'],
    fix: 'ip address change 2001:db8::9/128 dev eth0 preferred_lft 0',
  },
  {
    name: 'a virtual IP of IPv6 that is deprecated',
    id: 'virtual-ip-source',
    changes: { links: [link('eth0', true, [SIX, 128, 'deprecated'])], wanted: six },
    finds: ['ok'],
  },
  {
    name: 'a virtual IP of IPv6 that is the interface’s own, with its network',
    id: 'virtual-ip-source',
    changes: { links: [link('eth0', true, [SIX, 64])], wanted: six },
    finds: [],
  },
  {
    name: 'a virtual IP of IPv6 on lo alone is no source',
    id: 'virtual-ip-source',
    changes: { links: [onLoopback, own], wanted: six },
    finds: [],
  },
];
