/** Services of several addresses. */
import t from 'tap';
import { destText, entriesText, serviceText } from '../../src/ipvs/keys.js';
import { destIn } from '../../src/policy/desired.js';
import { configOf, faultsOf, serviceOf, serviceText as yaml } from './given.js';

const texts = (lines: string): string[] => serviceOf(lines).entries.map(({ key }) => serviceText(key));

const of = (addresses: string, more = 'servers: [192.0.2.9]'): string => `addresses: ${addresses}\n${more}`;
const faults = (addresses: string, more?: string): readonly string[] =>
  faultsOf(yaml(of(addresses, more))).map((fault) => fault.replace(/^a\.yaml:\d+:\d+: services\.web/, ''));

t.test('addresses, ranges, networks and marks are entries of one service, in their order', async (t) => {
  const lines = of(
    '[192.0.2.1:80, 192.0.2.10-11:81, 192.0.2.64/31:82, { fwmark: 10 }]',
    'protocol: udp\nservers: []',
  );
  t.same(texts(lines), [
    'udp 192.0.2.1:80',
    'udp 192.0.2.10:81',
    'udp 192.0.2.11:81',
    'udp 192.0.2.64:82',
    'udp 192.0.2.65:82',
    'fwmark 10 ipv4',
  ]);
  const { entries } = serviceOf(lines);
  t.equal(entriesText(entries), 'udp 192.0.2.1:80 and 5 more');
  t.equal(new Set(entries.map(({ settings }) => settings)).size, 1, 'all with the same settings');
});

t.test('one address in the list is what `address` says', async (t) => {
  const server = 'servers: [192.0.2.9]';
  t.same(serviceOf(of('[192.0.2.1:80]', server)), serviceOf(`address: 192.0.2.1:80\n${server}`));
  t.same(
    serviceOf(of('[{ fwmark: 7, family: ipv6 }]', 'servers: []')),
    serviceOf('fwmark: 7\nfamily: ipv6\nservers: []'),
  );
});

t.test('a server has the port of each entry, unless it states one', async (t) => {
  const { entries, servers } = serviceOf(
    of(
      '[192.0.2.1:80, 192.0.2.1:443, { fwmark: 10 }]',
      'forward: masquerade\nservers: [192.0.2.9, "192.0.2.10:8080"]',
    ),
  );
  const dests = servers.map((server) => entries.map(({ key }) => destText(destIn(server, key).key)));
  t.same(dests, [
    ['192.0.2.9:80', '192.0.2.9:443', '192.0.2.9:0'],
    ['192.0.2.10:8080', '192.0.2.10:8080', '192.0.2.10:8080'],
  ]);
  t.same(
    servers.map(({ name }) => name),
    ['192.0.2.9', '192.0.2.10:8080'],
  );
  t.same(
    servers.map(({ checks }) => checks[0].id),
    ['web/192.0.2.9', 'web/192.0.2.10:8080'],
  );
});

t.test('each server is probed once: at its own port, else at the first that its service has', async (t) => {
  const probed = (addresses: string, more: string): number | undefined =>
    serviceOf(of(addresses, more)).servers[0]?.checks[0].probe.target.port;
  const server = 'servers: [192.0.2.9]';
  t.equal(probed('[192.0.2.1:443, 192.0.2.1:80]', server), 443);
  t.equal(probed('[{ fwmark: 10 }, 192.0.2.1:80]', server), 80, 'a mark has none');
  t.equal(probed('[192.0.2.1:0, 192.0.2.2:80]', `persistence: {}\n${server}`), 80, 'nor has every port');
  t.equal(probed('[192.0.2.1:80]', `check: { port: 81 }\n${server}`), 81);
  t.match(faults('[{ fwmark: 10 }]'), [/no port that could be probed/]);
});

t.test('where all entries have one port, a server is called by it', async (t) => {
  const [server] = serviceOf(of('[192.0.2.1-200:80]')).servers;
  t.equal(server?.name, '192.0.2.9:80');
});

t.test('both families: persistence is of whole addresses in each, and servers need tunnels', async (t) => {
  const both = '[192.0.2.1:80, "[2001:db8::1]:80"]';
  const { entries } = serviceOf(
    of(both, 'persistence: {}\nforward: tunnel\nservers: [192.0.2.9, "2001:db8::9"]'),
  );
  t.same(
    entries.map(({ settings }) => settings.persistence?.prefix),
    [32, 128],
  );
  t.same(faults(both), [
    '.servers[0]: an ipv4 server in a service of both families; only a tunnel can do that',
  ]);
  t.match(faults(both, 'persistence: { netmask: 64 }\nservers: []'), [
    /more than the 32 bits of an IPv4 address/,
  ]);
});

/** [addresses, what else the service says, its only fault] */
const FAULTS: readonly (readonly [string, string, string])[] = [
  ['[]', 'servers: []', '.addresses: empty; a service needs an address or a fwmark'],
  ['[192.0.2.1]', 'servers: []', '.addresses[0]: 192.0.2.1 has no port; write for example 192.0.2.1:80'],
  [
    '[192.0.2.1-9]',
    'servers: []',
    '.addresses[0]: 192.0.2.1-9 has no port; write for example 192.0.2.1-9:80',
  ],
  [
    '["2001:db8::/124"]',
    'servers: []',
    '.addresses[0]: 2001:db8::/124 has no port; write for example "[2001:db8::/124]:80"',
  ],
  [
    '[192.0.2.1:0]',
    'check: { port: 80 }\nservers: []',
    '.addresses[0]: port 0 (every port) needs `persistence`, or the parts of a session scatter',
  ],
  [
    '[223.255.255.250-224.0.0.5:80]',
    'servers: []',
    '.addresses[0]: 224.0.0.5 is a multicast address; it cannot be a VIP',
  ],
  [
    '[0.255.255.255-1.0.0.1:80]',
    'servers: []',
    '.addresses[0]: 0.255.255.255 is an unspecified address; it cannot be a VIP',
  ],
  [
    '[255.255.255.0/24:80]',
    'servers: []',
    '.addresses[0]: 255.255.255.255 is the broadcast address; it cannot be a VIP',
  ],
  ['[{ family: ipv6 }]', 'servers: []', '.addresses[0].fwmark: missing; it must be there'],
  ['[{ fwmark: 0 }]', 'servers: []', '.addresses[0].fwmark: 0 is not a whole number from 1 to 4294967295'],
  ['[5]', 'servers: []', '.addresses[0]: 5 is not an address such as 192.0.2.10-20:80, or { fwmark: 10 }'],
  [
    '[192.0.2.1:80]',
    'fwmark: 5\nservers: []',
    '.fwmark: `addresses` says it; leave it out, or list it there',
  ],
  [
    '[192.0.2.1:80]',
    'address: 192.0.2.2:80\nservers: []',
    '.address: `addresses` says it; leave it out, or list it there',
  ],
  [
    '[{ fwmark: 1 }]',
    'protocol: udp\nservers: []',
    '.protocol: a fwmark service takes every protocol; leave it out',
  ],
  [
    '[192.0.2.1:80, { fwmark: 1 }]',
    'one-packet: true\nservers: []',
    '.one-packet: only with `protocol: udp` or `fwmark`, this service is tcp',
  ],
  [
    '[192.0.2.1:80, 192.0.2.1:443]',
    'servers: ["192.0.2.9:80"]',
    ".servers[0]: the service has port 443 too; with `forward: direct` packets arrive unchanged, so the server listens on the service's port (only masquerade changes ports)",
  ],
  [
    '[192.0.2.1:80, 192.0.2.2:0]',
    'persistence: {}\nforward: masquerade\nservers: ["192.0.2.9:80"]',
    '.servers[0]: the kernel changes no ports in a service of port 0; leave the port out, and say in `check` which port is probed',
  ],
  [
    '[192.0.2.1:80, 192.0.2.2:81]',
    'forward: masquerade\nservers: [192.0.2.9, "192.0.2.9:81"]',
    '.servers[1]: the server 192.0.2.9:81 stands twice; the first is services.web.servers[0] (line 5)',
  ],
  [
    '[192.0.2.1:80, 192.0.2.2:81]',
    'forward: masquerade\nservers: ["192.0.2.9:81", 192.0.2.9]',
    '.servers[1]: the server 192.0.2.9 stands twice; the first is services.web.servers[0] (line 5)',
  ],
];

t.test('each fault is told once, in its place', async (t) => {
  for (const [addresses, more, expected] of FAULTS) t.same(faults(addresses, more), [expected]);
});

t.test('two stated ports of one server are two servers', async (t) => {
  const { servers } = serviceOf(
    of(
      '[192.0.2.1:80, 192.0.2.2:81]',
      'forward: masquerade\nservers: ["192.0.2.9:80", "192.0.2.9:81", "192.0.2.9:82"]',
    ),
  );
  t.equal(servers.length, 3);
});

t.test('an address that stands twice is told once, in the list and across services and files', async (t) => {
  t.same(faults('[192.0.2.1-9:80, 192.0.2.4-6:80]'), [
    '.addresses[1]: the service tcp 192.0.2.4:80 stands twice; the first is services.web.addresses[0] (line 3)',
  ]);
  const other = 'services:\n  shop: { addresses: ["192.0.2.0/28:80", { fwmark: 4 }], servers: [] }\n';
  const found = faultsOf([yaml(of('[192.0.2.64/28:80, 192.0.2.15:80]', 'servers: []')), other]);
  t.same(found, [
    'b.yaml:2:23: services.shop.addresses[0]: the service tcp 192.0.2.15:80 stands twice; the first is services.web.addresses[1] (a.yaml:3:35)',
  ]);
});

t.test('a list as large as a service may be, and one larger', async (t) => {
  t.equal(serviceOf(of('[10.0.0.0/21:80, 10.1.0.0/21:80]', 'servers: []')).entries.length, 4096);
  t.same(faults('[10.0.0.0/21:80, 10.1.0.0/21:80, 192.0.2.1:80]', 'servers: []'), [
    '.addresses[2]: with it the service has more than 4096 addresses',
  ]);
});

const many = (count: number, servers: string): string =>
  `services:\n${Array.from(
    { length: count },
    (_, index) => `  s${index}:\n    addresses: [10.${index}.0.0/20:80]\n    servers: ${servers}\n`,
  ).join('')}`;

t.test('all services together have a bound, of addresses and of what stands in the table', async (t) => {
  t.equal(configOf(many(16, '[]')).services.length, 16);
  t.match(faultsOf(many(17, '[]')), [
    /s16: with this service there are more than 65536 addresses of services$/,
  ]);
  const servers = `[${Array.from({ length: 62 }, (_, index) => `192.0.2.${index + 1}`).join(', ')}]`;
  t.match(faultsOf(many(1, servers)), [
    /s0: with this service there are more than 250000 servers in the table, each counted at each address$/,
  ]);
});

t.test('what is many stands under `addresses`', async (t) => {
  t.match(faultsOf(yaml('address: 192.0.2.1-9:80\nservers: []')), [
    /services\.web\.address: 192\.0\.2\.1-9:80 is 9 addresses; list it under `addresses`$/,
  ]);
});

t.test('connections are not synchronised beside a service of both families', async (t) => {
  const text = yaml(of('[192.0.2.1:80, "[2001:db8::1]:80"]', 'forward: tunnel\nservers: [192.0.2.9]'));
  t.match(faultsOf(`${text}sync: { interface: eth1, role: both }\n`), [
    /server 192\.0\.2\.9:80 of service web is of the other family/,
  ]);
});
