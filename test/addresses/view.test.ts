import t from 'tap';
import type { AddressSeen, LinkSeen } from '../../src/addresses/model.js';
import { NetworkView } from '../../src/addresses/view.js';
import { ip } from '../../src/core/ip.js';
import { linkFaults, sourceFaults, sourceOf } from '../../src/vrrp/sight.js';
import { config } from '../vrrp/build.js';

const link = (index: number, name: string, usable = true): LinkSeen => ({
  index,
  name,
  up: usable,
  usable,
  mac: undefined,
  mtu: 1500,
  parent: undefined,
  macvlanMode: undefined,
  alias: undefined,
});

function address(index: number, text: string, changes: Partial<AddressSeen> = {}): AddressSeen {
  const object = {
    kind: 'address',
    address: ip(text),
    prefix: 24,
    broadcast: undefined,
    label: undefined,
  } as const;
  return {
    index,
    address: ip(text),
    prefix: 24,
    secondary: false,
    tentative: false,
    seen: (device) => ({
      object: { ...object, device, scope: 0, noDad: false, deprecated: false },
      protocol: 0,
      tentative: false,
      duplicate: false,
    }),
    ...changes,
  };
}

function view(
  addresses: readonly AddressSeen[],
  links: readonly LinkSeen[] = [link(2, 'eth0')],
): NetworkView {
  const made = new NetworkView();
  made.reset(links, addresses);
  return made;
}

t.test('the last notice about a thing is right, also where it repeats what was read', async (t) => {
  const made = view([address(2, '10.0.0.1')]);
  made.take({ kind: 'address', address: address(2, '10.0.0.1'), gone: false });
  t.equal(made.addressesOf(2).length, 1);
  made.take({ kind: 'address', address: address(2, '10.0.0.1'), gone: true });
  made.take({ kind: 'address', address: address(2, '10.0.0.1'), gone: true });
  t.equal(made.addressesOf(2).length, 0);
  made.take({ kind: 'link', link: link(3, 'eth1'), gone: false });
  t.equal(made.link('eth1')?.index, 3);
  made.take({ kind: 'link', link: link(3, 'renamed'), gone: false });
  t.equal(made.link('eth1'), undefined);
  made.take({ kind: 'link', link: link(3, 'renamed'), gone: true });
  t.equal(made.link('renamed'), undefined);
});

t.test('an address is named after its link; one whose link is unknown is left out', async (t) => {
  const made = view([address(2, '10.0.0.1'), address(9, '10.0.0.2')]);
  t.same(
    made.objects().map(({ object }) => object.kind === 'address' && [object.device, object.address]),
    [['eth0', '10.0.0.1']],
  );
});

const VIPS = new Set([ip('10.0.0.100'), ip('fe80::100')]);

t.test('adverts come from the first own address of the interface, never from a virtual IP', async (t) => {
  const rows: readonly (readonly [string, readonly AddressSeen[], string | undefined])[] = [
    ['none', [], undefined],
    ['of another interface', [address(3, '10.0.0.1')], undefined],
    ['of another family', [address(2, 'fe80::1')], undefined],
    ['the virtual IP alone', [address(2, '10.0.0.100')], undefined],
    ['a leftover before the own', [address(2, '10.0.0.100'), address(2, '10.0.0.1')], '10.0.0.1'],
    [
      'a secondary before the first',
      [address(2, '10.0.0.3', { secondary: true }), address(2, '10.0.0.2')],
      '10.0.0.2',
    ],
    ['a secondary alone', [address(2, '10.0.0.3', { secondary: true })], '10.0.0.3'],
    ['one that cannot be used yet', [address(2, '10.0.0.1', { tentative: true })], undefined],
  ];
  for (const [name, addresses, expected] of rows)
    t.equal(sourceOf(view(addresses), config(), VIPS), expected, name);
  t.equal(sourceOf(view([], []), config(), VIPS), undefined, 'no interface');
});

t.test('the owner sends from the virtual IP, for it is its own, if it has no other', async (t) => {
  const owner = config({ priority: 255 });
  const vip = address(2, '10.0.0.100');
  t.equal(sourceOf(view([vip]), owner, VIPS), '10.0.0.100');
  t.equal(sourceOf(view([vip, address(2, '10.0.0.1', { secondary: true })]), owner, VIPS), '10.0.0.1');
});

t.test('over IPv6 the source is link-local', async (t) => {
  const its = config({
    family: 'ipv6',
    cast: { kind: 'multicast', group: ip('ff02::12'), source: undefined },
  });
  const addresses = [address(2, '2001:db8::1'), address(2, 'fe80::100'), address(2, 'fe80::1')];
  t.equal(sourceOf(view(addresses), its, VIPS), 'fe80::1');
  t.equal(sourceOf(view(addresses.slice(0, 2)), its, VIPS), undefined);
});

t.test('a configured source has to be there, on whatever interface', async (t) => {
  const its = config({ cast: { kind: 'unicast', source: ip('10.9.9.9'), peers: [], checkSource: true } });
  t.equal(sourceOf(view([address(2, '10.0.0.1')]), its, VIPS), undefined);
  t.equal(sourceOf(view([address(7, '10.9.9.9')]), its, VIPS), '10.9.9.9');
  t.equal(sourceOf(view([address(7, '10.9.9.9', { tentative: true })]), its, VIPS), undefined);
});

t.test('an interface that is missing or down is a fault', async (t) => {
  t.same(linkFaults(view([], []), config(), false), [{ kind: 'no-interface', name: 'eth0' }]);
  t.same(linkFaults(view([]), config(), false), [{ kind: 'link-down', name: 'eth0' }]);
  t.same(linkFaults(view([]), config(), true), []);
});

t.test(
  'an interface without an address to send from is a fault, and so is a source that is not here',
  async (t) => {
    t.same(sourceFaults(view([]), config(), undefined), [{ kind: 'no-address', name: 'eth0 ipv4' }]);
    t.same(sourceFaults(view([]), config(), ip('10.0.0.1')), []);
    t.same(sourceFaults(view([], []), config(), undefined), [], 'a missing interface is fault enough');
    const cast = { kind: 'unicast', source: ip('10.9.9.9'), peers: [], checkSource: true } as const;
    t.same(sourceFaults(view([]), config({ cast }), undefined), [{ kind: 'no-source', name: '10.9.9.9' }]);
  },
);
