import t from 'tap';
import type { VirtualAddress } from '../../src/addresses/model.js';
import { configOf, faultsOf } from './given.js';

const text = (addresses: string, more = '') =>
  `services: {}\nvrrp: { outside: { interface: eth0, id: 51${more}, addresses: [${addresses}] } }`;

function addressesOf(addresses: string, more = ''): readonly VirtualAddress[] {
  return configOf(text(addresses, more)).vrrp[0]?.addresses ?? [];
}

const faults = (addresses: string, more = '') =>
  faultsOf(text(addresses, more)).map((fault) => fault.replace(/^a\.yaml:\d+:\d+: vrrp\.outside\./, ''));

t.test('an address alone and a mapping with it alone are the same', async (t) => {
  for (const address of ['192.168.2.254/24', '"2001:db8::1/64"', '"2001:db8::1/128"', '"fe80::1/64"'])
    t.same(addressesOf(`{ address: ${address} }`), addressesOf(address), address);
});

t.test('what an address of IPv4 can say', async (t) => {
  const [first, second] = addressesOf(
    '{ address: 192.168.2.254/24, label: "eth0:web", scope: link, broadcast: 192.168.2.255 }, 192.168.2.253/32',
  );
  t.match(first, { device: 'eth0', label: 'eth0:web', scope: 253, broadcast: '192.168.2.255', noDad: false });
  t.match(second, { device: 'eth0', label: undefined, scope: 0, broadcast: undefined });
  const scopes = ['global', 'site', 'link', 'host'].map(
    (scope) => addressesOf(`{ address: 192.168.2.254/24, scope: ${scope} }`)[0]?.scope,
  );
  t.same(scopes, [0, 200, 253, 254], 'the numbers of RT_SCOPE_*');
});

t.test('what an address of IPv6 can say', async (t) => {
  const rows = [
    ['"2001:db8::1/64"', true, false],
    ['{ address: "2001:db8::1/64", nodad: false }', false, false],
    ['{ address: "2001:db8::1/64", deprecated: true }', true, true],
    ['{ address: "2001:db8::1/128", deprecated: false }', true, false],
    ['{ address: "2001:db8::1/128", nodad: false }', false, true],
  ] as const;
  for (const [address, noDad, deprecated] of rows) {
    const [made] = addressesOf(address);
    t.same([made?.noDad, made?.deprecated], [noDad, deprecated], address);
  }
});

t.test('on another interface the label of the virtual router does not hold', async (t) => {
  const made = addressesOf(
    '192.168.2.1/24, { address: 10.0.0.1/24, device: eth1 }, { address: 10.0.0.2/24, device: eth1, label: "eth1:x" }, { address: 192.168.2.2/24, device: eth0 }',
    ', label: "eth0:vip"',
  );
  t.same(
    made.map(({ device, label }) => [device, label]),
    [
      ['eth0', 'eth0:vip'],
      ['eth1', undefined],
      ['eth1', 'eth1:x'],
      ['eth0', 'eth0:vip'],
    ],
  );
});

t.test('a label that the kernel would give by itself is none', async (t) => {
  t.equal(addressesOf('192.168.2.1/24', ', label: eth0')[0]?.label, undefined);
  t.equal(addressesOf('{ address: 192.168.2.1/24, label: eth0 }')[0]?.label, undefined);
});

t.test('options of the other family are refused', async (t) => {
  for (const option of ['label: "eth0:x"', 'scope: link', 'broadcast: 192.168.2.255'])
    t.same(
      faults(`{ address: "2001:db8::1/64", ${option} }`),
      [`addresses[0].${option.split(':')[0]}: for IPv4 only, and 2001:db8::1 is not`],
      option,
    );
  for (const option of ['nodad: true', 'deprecated: false'])
    t.same(
      faults(`{ address: 192.168.2.1/24, ${option} }`),
      [`addresses[0].${option.split(':')[0]}: for IPv6 only, and 192.168.2.1 is not`],
      option,
    );
});

t.test('what is wrong with an address is said at its place', async (t) => {
  const rows = [
    [
      '{ address: 192.168.2.1 }',
      'addresses[0].address: "192.168.2.1" is not an address with its prefix length; write for example 192.168.2.1/24',
    ],
    [
      '{ address: 224.0.0.1/24 }',
      'addresses[0].address: 224.0.0.1 is a multicast address; it cannot be a virtual IP',
    ],
    [
      '{ address: 192.168.2.1/24, label: "eth1:x" }',
      'addresses[0].label: "eth1:x" does not begin with the name of the interface, eth0',
    ],
    [
      '{ address: 192.168.2.1/24, device: eth1, label: "eth0:x" }',
      'addresses[0].label: "eth0:x" does not begin with the name of the interface, eth1',
    ],
    [
      '{ address: 192.168.2.1/24, broadcast: "2001:db8::1" }',
      'addresses[0].broadcast: "2001:db8::1" is not an address of IPv4',
    ],
    ['192.168.2.1/24, { address: 192.168.2.1/32 }', 'addresses: 192.168.2.1 stands twice'],
    ['{ device: eth1 }', 'addresses[0].address: missing; it must be there'],
  ] as const;
  for (const [address, expected] of rows) t.same(faults(address), [expected], address);
});

function routerOf(more: string, addresses = '192.168.2.254/24') {
  return configOf(text(addresses, more)).vrrp[0];
}

t.test('a virtual MAC is on a link of its own, with the virtual IPs that name no other', async (t) => {
  t.equal(routerOf('')?.virtualLink, undefined);
  t.equal(routerOf(', virtual-mac: false')?.virtualLink, undefined);
  const router = routerOf(
    ', virtual-mac: true, excluded: [10.0.0.1/32, { address: 10.0.1.1/24, device: eth1 }]',
  );
  t.same(router?.virtualLink, { name: 'vrrp.51', parent: 'eth0', mac: '00:00:5e:00:01:33', ipv6: false });
  t.same(
    router?.addresses.map(({ device }) => device),
    ['vrrp.51', 'vrrp.51', 'eth1'],
  );
  t.equal(router?.instance.interface, 'eth0');
});

t.test('the virtual MAC of IPv6 is another one', async (t) => {
  const router = routerOf(', virtual-mac: true', '"2001:db8::1/64"');
  t.same(router?.virtualLink, { name: 'vrrp6.51', parent: 'eth0', mac: '00:00:5e:00:02:33', ipv6: true });
  const both = routerOf(', virtual-mac: true, excluded: ["2001:db8::1/64"]');
  t.match(both?.virtualLink, { mac: '00:00:5e:00:01:33', ipv6: true });
});

t.test('the link of the virtual MAC may have another name; labels begin with it', async (t) => {
  const router = routerOf(', virtual-mac: outside, label: "outside:vip"');
  t.match(router, {
    virtualLink: { name: 'outside' },
    addresses: [{ device: 'outside', label: 'outside:vip' }],
  });
  t.same(faults('192.168.2.254/24', ', virtual-mac: outside, label: "eth0:vip"'), [
    'label: "eth0:vip" does not begin with the name of the interface, outside',
  ]);
});
