import t from 'tap';
import { inspect, nextSteps } from '../../src/realserver/inspect.js';
import type { HostSeen, Point, VipPlace } from '../../src/realserver/model.js';
import { ARP_RIGHT, MAIL, type Machine, machine, ON_LO, SIX, TUNNELLED, TUNNELLED_SIX, WEB } from './host.js';

const wrong = (points: readonly Point[]): Point[] => points.filter(({ ok }) => !ok);
const fixes = (host: HostSeen, ...vips: VipPlace[]): (string | undefined)[] =>
  wrong(inspect(host, vips)).map(({ fix }) => fix);

t.test('a bare machine lacks everything, and each point has its line', async (t) => {
  t.same(fixes(machine(), WEB), [
    'sysctl -w net.ipv4.conf.all.arp_ignore=1',
    'sysctl -w net.ipv4.conf.lo.arp_ignore=1',
    'sysctl -w net.ipv4.conf.all.arp_announce=2',
    'sysctl -w net.ipv4.conf.lo.arp_announce=2',
    'ip address add 192.0.2.1/32 dev lo scope host',
  ]);
  t.same(fixes(machine(), SIX), ['ip address add 2001:db8::1/128 dev lo preferred_lft 0 nodad']);
});

t.test('where all is right there is nothing to do', async (t) => {
  const host = machine({ addresses: [ON_LO], settings: ARP_RIGHT });
  t.same(wrong(inspect(host, [WEB])), []);
  t.same(nextSteps(inspect(host, [WEB])), []);
  t.ok(inspect(host, [WEB]).length >= 6, 'and what is right is told too');
});

interface Case {
  readonly name: string;
  readonly host: Machine;
  readonly vip?: VipPlace;
  /** Lines of all that is wrong beside the address. */
  readonly fixes: readonly (string | undefined)[];
}

const arp = (name: string, ignore: string, announce = '2'): Record<string, string> => ({
  [`ipv4/conf/${name}/arp_ignore`]: ignore,
  [`ipv4/conf/${name}/arp_announce`]: announce,
});
const IGNORE = 'sysctl -w net.ipv4.conf.all.arp_ignore=1';
const DIRECT = { addresses: [ON_LO] };
const TUNNEL = {
  links: { tunl0: true },
  addresses: [{ ...ON_LO, device: 'tunl0' }],
  settings: { ...arp('all', '1'), ...arp('tunl0', '1') },
};

const CASES: readonly Case[] = [
  ...['1', '2', '8'].map((value) => ({
    name: `arp_ignore ${value} of all interfaces is right`,
    host: { ...DIRECT, settings: { ...ARP_RIGHT, 'ipv4/conf/all/arp_ignore': value } },
    fixes: [],
  })),
  ...['0', '3', '4', '7'].map((value) => ({
    name: `arp_ignore ${value} of all interfaces is wrong`,
    host: { ...DIRECT, settings: { ...ARP_RIGHT, 'ipv4/conf/all/arp_ignore': value } },
    fixes: [IGNORE],
  })),
  ...['0', '1', '3'].map((value) => ({
    name: `arp_announce ${value} is wrong`,
    host: { ...DIRECT, settings: { ...ARP_RIGHT, 'ipv4/conf/all/arp_announce': value } },
    fixes: ['sysctl -w net.ipv4.conf.all.arp_announce=2'],
  })),
  {
    name: 'a higher value of an interface counts, and undoes the one of all',
    host: { ...DIRECT, settings: { ...ARP_RIGHT, 'ipv4/conf/eth0/arp_ignore': '3' } },
    fixes: ['sysctl -w net.ipv4.conf.eth0.arp_ignore=1'],
  },
  {
    name: 'a lower value of an interface does not count',
    host: { ...DIRECT, settings: { ...ARP_RIGHT, 'ipv4/conf/eth0/arp_ignore': '0' } },
    fixes: [],
  },
  {
    name: 'a dot in the name of an interface is no dot of sysctl',
    host: {
      ...DIRECT,
      links: { 'eth0.7': true },
      settings: { ...ARP_RIGHT, 'ipv4/conf/eth0.7/arp_ignore': '5' },
    },
    fixes: ['sysctl -w net/ipv4/conf/eth0.7/arp_ignore=1'],
  },
  {
    name: 'a virtual IP with a whole network on lo is wrong, and not ours to remove',
    host: { addresses: [ON_LO, { ...ON_LO, prefix: 24 }], settings: ARP_RIGHT },
    fixes: ['ip address del 192.0.2.1/24 dev lo'],
  },
  {
    name: 'a virtual IP that is on the network is wrong',
    host: { addresses: [ON_LO, { ...ON_LO, device: 'eth0', prefix: 24 }], settings: ARP_RIGHT },
    fixes: ['ip address del 192.0.2.1/24 dev eth0'],
  },
  {
    name: 'a virtual IP on the end of a tunnel too is no matter',
    host: {
      ...DIRECT,
      links: { tunl0: true },
      addresses: [ON_LO, { ...ON_LO, device: 'tunl0' }],
      settings: ARP_RIGHT,
    },
    fixes: [],
  },
  {
    name: 'another address on the network is no matter',
    host: {
      addresses: [ON_LO, { ...ON_LO, device: 'eth0', prefix: 24, address: MAIL.address }],
      settings: ARP_RIGHT,
    },
    fixes: [],
  },
  {
    name: 'lo has to be up',
    host: { ...DIRECT, links: { lo: false }, settings: ARP_RIGHT },
    fixes: ['ip link set lo up'],
  },
  { name: 'a tunnel that is right', host: TUNNEL, vip: TUNNELLED, fixes: [] },
  {
    name: 'without the device there is one line, that makes it',
    host: { settings: arp('all', '1') },
    vip: TUNNELLED,
    fixes: ['modprobe ipip', 'ip address add 192.0.2.1/32 dev tunl0 scope host'],
  },
  {
    name: 'IPv6 comes out of ip6tnl0, and ARP is no matter',
    host: {},
    vip: TUNNELLED_SIX,
    fixes: ['modprobe ip6_tunnel', 'ip address add 2001:db8::1/128 dev ip6tnl0 preferred_lft 0 nodad'],
  },
  {
    name: 'a device of another name cannot be made',
    host: { settings: arp('all', '1') },
    vip: { ...TUNNELLED, device: 'gre7' },
    fixes: [undefined, 'ip address add 192.0.2.1/32 dev gre7 scope host'],
  },
  {
    name: 'a strict filter of all interfaces is made loose on the tunnel alone',
    host: { ...TUNNEL, settings: { ...TUNNEL.settings, 'ipv4/conf/all/rp_filter': '1' } },
    vip: TUNNELLED,
    fixes: ['sysctl -w net.ipv4.conf.tunl0.rp_filter=2'],
  },
  {
    name: 'a strict filter of the tunnel is switched off',
    host: { ...TUNNEL, settings: { ...TUNNEL.settings, 'ipv4/conf/tunl0/rp_filter': '1' } },
    vip: TUNNELLED,
    fixes: ['sysctl -w net.ipv4.conf.tunl0.rp_filter=0'],
  },
  {
    name: 'loose is right, whichever of the two says so',
    host: {
      ...TUNNEL,
      settings: {
        ...TUNNEL.settings,
        'ipv4/conf/all/rp_filter': '2',
        'ipv4/conf/tunl0/rp_filter': '1',
      },
    },
    vip: TUNNELLED,
    fixes: [],
  },
  {
    name: 'the filter is no matter of direct routing',
    host: { ...DIRECT, settings: { ...ARP_RIGHT, 'ipv4/conf/all/rp_filter': '1' } },
    fixes: [],
  },
  {
    name: 'IPv6 that is switched off is switched on',
    host: {
      addresses: [{ device: 'lo', address: SIX.address, prefix: 128 }],
      settings: { 'ipv6/conf/lo/disable_ipv6': '1' },
    },
    vip: SIX,
    fixes: ['sysctl -w net.ipv6.conf.lo.disable_ipv6=0'],
  },
  {
    name: 'a kernel without IPv6 has no line that helps',
    host: {
      addresses: [{ device: 'lo', address: SIX.address, prefix: 128 }],
      settings: { 'ipv6/conf/lo/disable_ipv6': undefined },
    },
    vip: SIX,
    fixes: [undefined],
  },
];

for (const { name, host, vip = WEB, fixes: expected } of CASES)
  t.test(name, async (t) => t.same(fixes(machine(host), vip), expected));

t.test('every wrong point says what is and what it means', async (t) => {
  for (const { host, vip = WEB } of CASES)
    for (const { id, text } of wrong(inspect(machine(host), [vip])))
      t.ok(/: |no (device|IPv6)/.test(text), `${id}: ${text}`);
});

t.test('settings come before devices, devices before addresses', async (t) => {
  const kinds = (host: Machine, vip: VipPlace) =>
    nextSteps(inspect(machine(host), [vip])).map(({ kind }) => kind);
  t.same(kinds({}, WEB), ['setting', 'setting', 'setting', 'setting'], 'no address yet');
  t.same(kinds({ settings: arp('all', '1') }, TUNNELLED), ['create']);
  t.same(kinds({ links: { tunl0: false }, settings: TUNNEL.settings }, TUNNELLED), ['link']);
  t.same(kinds({ links: { tunl0: true }, settings: TUNNEL.settings }, TUNNELLED), ['add']);
  t.same(kinds({ addresses: [ON_LO, { ...ON_LO, prefix: 24 }], settings: ARP_RIGHT }, WEB), []);
});
