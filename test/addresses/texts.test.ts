import t from 'tap';
import { nameOf } from '../../src/addresses/names.js';
import { refusalText } from '../../src/addresses/texts.js';
import { ip } from '../../src/core/ip.js';
import { vip } from '../contract/network.js';
import { route, rule } from '../contract/routes.js';

const LINK = {
  index: 2,
  name: 'v0',
  up: true,
  usable: true,
  mac: undefined,
  mtu: 1200,
  parent: undefined,
  macvlanMode: undefined,
  alias: undefined,
};
const FOUR = vip('192.0.2.10/24');
const SIX = vip('2001:db8::10/64');

t.test('a virtual IP is named as `ip address` does', async (t) => {
  t.equal(nameOf(SIX), '2001:db8::10/64 on v0');
});

t.test('routes and rules are named as `ip` would take them', async (t) => {
  const rows = [
    [route('0.0.0.0/0', { gateway: ip('192.0.2.1') }), 'route default via 192.0.2.1'],
    [
      route('198.51.100.0/24', { gateway: ip('192.0.2.1'), device: 'v0', table: 1000, metric: 7 }),
      'route 198.51.100.0/24 via 192.0.2.1 dev v0 table 1000 metric 7',
    ],
    [route('::/0', { device: 'v0' }), 'route default dev v0'],
    [route('2001:db8::/32', { device: 'v0', metric: 5 }), 'route 2001:db8::/32 dev v0 metric 5'],
    [route('203.0.113.0/24', { type: 6 }), 'route blackhole 203.0.113.0/24'],
    [route('203.0.113.0/24', { type: 7 }), 'route unreachable 203.0.113.0/24'],
    [route('203.0.113.0/24', { type: 8 }), 'route prohibit 203.0.113.0/24'],
    [rule(100), 'rule 100 from 192.0.2.10/32 lookup 100'],
    [
      rule(7, {
        from: undefined,
        to: { address: ip('198.51.100.0'), length: 24 },
        mark: { value: 16, mask: 255 },
        inputDevice: 'v0',
        outputDevice: 'lo',
      }),
      'rule 7 from all to 198.51.100.0/24 fwmark 0x10/0xff iif v0 oif lo lookup 100',
    ],
  ] as const;
  for (const [object, expected] of rows) t.equal(nameOf(object), expected);
});

t.test('a refusal says what the kernel said, and what it means where that is known', async (t) => {
  const rows = [
    [FOUR, undefined, LINK, 'another host has it'],
    [FOUR, { errno: 'ENOSPC', text: undefined }, LINK, 'the kernel says ENOSPC'],
    [
      FOUR,
      { errno: 'EINVAL', text: 'Invalid scope value' },
      LINK,
      'the kernel says EINVAL: Invalid scope value',
    ],
    [SIX, { errno: 'EINVAL', text: undefined }, { ...LINK, mtu: 1280 }, 'the kernel says EINVAL'],
    [SIX, { errno: 'EINVAL', text: undefined }, undefined, 'the kernel says EINVAL'],
    [
      SIX,
      { errno: 'EINVAL', text: 'odd' },
      LINK,
      'the kernel says EINVAL: the MTU of v0 is 1200, and IPv6 needs 1280',
    ],
    [
      SIX,
      { errno: 'EACCES', text: undefined },
      LINK,
      'the kernel says EACCES: IPv6 is switched off there (net.ipv6.conf.v0.disable_ipv6)',
    ],
    [FOUR, { errno: 'EACCES', text: undefined }, LINK, 'the kernel says EACCES'],
    [
      route('0.0.0.0/0'),
      { errno: 'EEXIST', text: 'odd' },
      undefined,
      'the kernel says EEXIST: somebody else has set a route like it, which is left alone',
    ],
    [
      rule(100),
      { errno: 'EEXIST', text: undefined },
      undefined,
      'the kernel says EEXIST: somebody else has set a rule like it, which is left alone',
    ],
    [
      route('0.0.0.0/0'),
      { errno: 'ENETUNREACH', text: 'Nexthop has invalid gateway' },
      undefined,
      'the kernel says ENETUNREACH: Nexthop has invalid gateway',
    ],
  ] as const;
  for (const [object, refusal, link, expected] of rows) t.equal(refusalText(object, refusal, link), expected);
});
