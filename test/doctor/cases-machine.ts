/** Cases of the rules about the rest of the machine. */
import { ip } from '../../src/core/ip.js';
import { VIP } from './build.js';
import { type Case, LINKS, router, table } from './case.js';

export const MACHINE_CASES: readonly Case[] = [
  { name: 'servers elsewhere', id: 'local-server', changes: {}, finds: [] },
  {
    name: 'a server that is this machine',
    id: 'local-server',
    changes: { wanted: { servers: [{ service: 'web', address: ip('192.0.2.1'), method: 'direct' }] } },
    finds: ['note'],
    seen: /is this machine/,
    fix: "ss -lntup 'sport = :80'  # somebody must listen on 192.0.2.254, or on all addresses",
  },
  {
    name: 'a server that is one of two directors',
    id: 'local-server',
    changes: {
      wanted: {
        routers: [router],
        servers: [{ service: 'web', address: ip('192.0.2.1'), method: 'direct' }],
      },
    },
    finds: ['warning'],
    fix: "iptables -t mangle -A PREROUTING -d 192.0.2.254 -m mac '!' --mac-source MAC-OF-THE-OTHER-DIRECTOR -j MARK --set-mark 1  # and in the service, in place of its address: fwmark: 1",
  },
  {
    name: 'a service that is its own server',
    id: 'local-server',
    changes: { wanted: { servers: [{ service: 'web', address: VIP, method: 'direct' }] } },
    finds: ['note'],
    seen: /is a virtual IP/,
  },
  {
    name: 'a page of sorrow on the loopback is as it should be',
    id: 'local-server',
    changes: { wanted: { servers: [{ service: 'web', address: ip('127.0.0.1'), method: 'masquerade' }] } },
    finds: [],
  },
  ...(['keepalived', 'ldirectord', 'lvsd', 'seesaw_engine', 'surealived'] as const).map((name) => ({
    name: `${name} beside lvsentry`,
    id: 'other-manager',
    changes: { programs: new Set([name, 'chronyd']) },
    finds: [name === 'keepalived' ? 'warning' : 'error'] as const,
    fix: `systemctl disable --now ${name}`,
  })),
  {
    name: 'kube-proxy in IPVS mode beside lvsentry',
    id: 'other-manager',
    changes: { links: [...LINKS, { name: 'kube-ipvs0', up: false, addresses: [] }] },
    finds: ['error'],
  },
  {
    name: 'services of others',
    id: 'foreign-services',
    changes: table({ foreign: ['tcp a', 'tcp b', 'tcp c', 'tcp d', 'tcp e'] }),
    finds: ['note'],
    seen: /tcp a, tcp b, tcp c, and 2 more/,
  },
  {
    name: 'without a configuration nothing is foreign',
    id: 'foreign-services',
    changes: { wanted: { configured: false }, ...table({ foreign: ['tcp a'] }) },
    finds: [],
  },
  { name: 'no capabilities', id: 'capabilities', changes: { capabilities: 0n }, finds: ['error'] },
  {
    name: 'no capabilities, with virtual routers',
    id: 'capabilities',
    changes: { capabilities: 0n, wanted: { routers: [router] } },
    finds: ['error', 'error', 'warning'],
  },
  {
    name: 'the capabilities that are needed, and no others',
    id: 'capabilities',
    changes: { capabilities: (1n << 12n) | (1n << 13n) | (1n << 23n), wanted: { routers: [router] } },
    finds: ['ok', 'ok', 'ok'],
  },
  {
    name: 'pings that nobody may make',
    id: 'pings',
    changes: { capabilities: 1n << 12n, wanted: { pings: 2 }, settings: { 'ipv4/ping_group_range': '1\t0' } },
    finds: ['error'],
    fix: "sysctl -w 'net.ipv4.ping_group_range=0 2147483647'",
  },
  {
    name: 'pings by groups',
    id: 'pings',
    changes: { capabilities: 0n, wanted: { pings: 2 }, settings: { 'ipv4/ping_group_range': '0\t100' } },
    finds: ['ok'],
  },
  { name: 'pings by raw sockets', id: 'pings', changes: { wanted: { pings: 2 } }, finds: ['ok'] },
  { name: 'nothing pings', id: 'pings', changes: { capabilities: 0n }, finds: [] },
  {
    name: 'a clock that nobody keeps',
    id: 'clock',
    changes: { programs: new Set(['systemd']) },
    finds: ['warning'],
    fix: 'timedatectl set-ntp true',
  },
  {
    name: 'too few files',
    id: 'file-descriptors',
    changes: { filesMax: 1024, wanted: { checks: 1000 } },
    finds: ['error'],
    fix: 'systemctl edit lvsentry  # LimitNOFILE=4512',
  },
  {
    name: 'no checks need no files',
    id: 'file-descriptors',
    changes: { filesMax: 0, wanted: { checks: 0 } },
    finds: [],
  },
  {
    name: 'a target that is probed very often',
    id: 'ephemeral-ports',
    changes: { wanted: { busiest: { target: '192.0.2.2:80', perSecond: 300 } } },
    finds: ['warning'],
    fix: "sysctl -w 'net.ipv4.ip_local_port_range=10240 65535'",
  },
  {
    name: 'a target that is probed more often than there are ports',
    id: 'ephemeral-ports',
    changes: { wanted: { busiest: { target: '192.0.2.2:80', perSecond: 600 } } },
    finds: ['error'],
  },
  {
    name: 'networkd where virtual routers are',
    id: 'address-remover',
    changes: { programs: new Set(['systemd-network']), wanted: { routers: [router] } },
    finds: ['note'],
  },
  {
    name: 'NetworkManager where virtual routers are',
    id: 'address-remover',
    changes: { programs: new Set(['NetworkManager']), wanted: { routers: [router] } },
    finds: ['note'],
    fix: 'nmcli device set eth0 managed no',
  },
  {
    name: 'NetworkManager without virtual routers',
    id: 'address-remover',
    changes: { programs: new Set(['NetworkManager']) },
    finds: [],
  },
];
