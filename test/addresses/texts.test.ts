import t from 'tap';
import { nameOf, refusalText } from '../../src/addresses/texts.js';
import { vip } from '../contract/network.js';

const LINK = { index: 2, name: 'v0', up: true, usable: true, mac: undefined, mtu: 1200 };
const FOUR = vip('192.0.2.10/24');
const SIX = vip('2001:db8::10/64');

t.test('a virtual IP is named as `ip address` does', async (t) => {
  t.equal(nameOf(SIX), '2001:db8::10/64 on v0');
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
  ] as const;
  for (const [object, refusal, link, expected] of rows) t.equal(refusalText(object, refusal, link), expected);
});
