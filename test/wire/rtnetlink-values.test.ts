import t from 'tap';
import { ip } from '../../src/core/ip.js';
import { RTM, type RtnlValue, readRtnl, writeRtnl } from '../../src/wire/rtnetlink.js';
import { IFA_F, LIFETIME_FOREVER } from '../../src/wire/rtnl-address.js';
import { IFF, readInetSettings } from '../../src/wire/rtnl-link.js';
import { NUD } from '../../src/wire/rtnl-neighbour.js';
import { RT_SCOPE, RT_TABLE, RTN, RTPROT } from '../../src/wire/rtnl-route.js';
import { FR_ACT } from '../../src/wire/rtnl-rule.js';
import { fromHex, loadVectors, toHex } from './vectors.js';

/** What the design asks for, written by hand: the constants mean what wire formats say. */
const REQUESTS: readonly (readonly [string, RtnlValue])[] = [
  [
    'rtnl-raw-addr6-add-nodad-depr-proto18-request',
    {
      kind: 'address',
      address: {
        ...{ family: 10, prefixLength: 128, flags: IFA_F.NODAD, scope: RT_SCOPE.UNIVERSE, index: 4 },
        local: ip('2001:db8:a::200'),
        lifetimes: { preferredSeconds: 0, validSeconds: LIFETIME_FOREVER, created: 0, updated: 0 },
        ...{ allFlags: IFA_F.NODAD, protocol: RTPROT.KEEPALIVED },
      },
    },
  ],
  [
    'rtnl-route4-blackhole-request',
    {
      kind: 'route',
      route: {
        ...{ family: 2, destinationLength: 24, sourceLength: 0, tos: 0, table: RT_TABLE.MAIN, flags: 0 },
        ...{ protocol: RTPROT.BOOT, scope: RT_SCOPE.UNIVERSE, type: RTN.BLACKHOLE },
        destination: ip('203.0.113.0'),
      },
    },
  ],
  [
    'rtnl-rule6-add-request',
    {
      kind: 'rule',
      rule: {
        ...{ family: 10, destinationLength: 0, sourceLength: 128, tos: 0, table: 100, flags: 0 },
        ...{ action: FR_ACT.TO_TBL, source: ip('2001:db8:a::100'), priority: 60 },
      },
    },
  ],
  [
    'rtnl-neigh4-replace-request',
    {
      kind: 'neighbour',
      neighbour: {
        ...{ family: 2, index: 4, state: NUD.PERMANENT, flags: 0, type: 0 },
        ...{ destination: ip('10.10.10.254'), hardwareAddress: '02:aa:bb:cc:dd:ee' },
      },
    },
  ],
  [
    'rtnl-macvlan-up-request',
    { kind: 'link', link: { family: 0, type: 0, index: 6, flags: IFF.UP, change: IFF.UP } },
  ],
];

t.test('requests by hand are the captured ones', async (t) => {
  const vectors = loadVectors('rtnl-request');
  for (const [name, value] of REQUESTS) {
    const bytes = vectors.find((vector) => vector.name === name)?.bytes ?? fromHex('');
    t.equal(toHex(writeRtnl(value)), toHex(bytes.subarray(16)), name);
  }
});

const BAD_VALUES: readonly (readonly [string, RtnlValue])[] = [
  [
    'a family above 255',
    { kind: 'address', address: { family: 256, prefixLength: 0, flags: 0, scope: 0, index: 0 } },
  ],
  [
    'flags that do not fit their byte',
    { kind: 'address', address: { family: 2, prefixLength: 32, flags: 0x200, scope: 0, index: 1 } },
  ],
  [
    'an index below the smallest',
    { kind: 'link', link: { family: 0, type: 0, index: -(2 ** 31) - 1, flags: 0, change: 0 } },
  ],
  [
    'a hardware address of letters',
    { kind: 'link', link: { family: 0, type: 0, index: 0, flags: 0, change: 0, hardwareAddress: 'eth0' } },
  ],
  [
    'a hardware address of 33 bytes',
    {
      kind: 'neighbour',
      neighbour: {
        ...{ family: 2, index: 0, state: 0, flags: 0, type: 0 },
        hardwareAddress: Array(33).fill('00').join(':'),
      },
    },
  ],
  [
    'a name with a NUL',
    { kind: 'link', link: { family: 0, type: 0, index: 0, flags: 0, change: 0, name: 'eth\0' } },
  ],
  [
    'a lifetime of half a second',
    {
      kind: 'address',
      address: {
        ...{ family: 2, prefixLength: 32, flags: 0, scope: 0, index: 1 },
        lifetimes: { preferredSeconds: 0.5, validSeconds: 1, created: 0, updated: 0 },
      },
    },
  ],
  [
    'a port above 65535',
    {
      kind: 'rule',
      rule: {
        ...{ family: 2, destinationLength: 0, sourceLength: 0, tos: 0, table: 0, action: 0, flags: 0 },
        sourcePorts: { first: 1, last: 65536 },
      },
    },
  ],
];

t.test('a value that its field cannot hold is refused, never cut', async (t) => {
  for (const [name, value] of BAD_VALUES) t.throws(() => writeRtnl(value), { code: 'MALFORMED' }, name);
});

const BAD_BYTES: readonly (readonly [string, number, string, string])[] = [
  ['a link header of 15 bytes', RTM.NEWLINK, '00'.repeat(15), 'TRUNCATED'],
  ['an address header of 7 bytes', RTM.NEWADDR, '00'.repeat(7), 'TRUNCATED'],
  ['a route header of 11 bytes', RTM.NEWROUTE, '00'.repeat(11), 'TRUNCATED'],
  ['a rule header of 11 bytes', RTM.NEWRULE, '00'.repeat(11), 'TRUNCATED'],
  ['a neighbour header of 11 bytes', RTM.NEWNEIGH, '00'.repeat(11), 'TRUNCATED'],
  ['an attribute of 3 bytes', RTM.NEWLINK, `${'00'.repeat(16)}03000100`, 'MALFORMED'],
  ['an attribute longer than the message', RTM.NEWLINK, `${'00'.repeat(16)}0900010000000000`, 'TRUNCATED'],
  ['an IP address of 5 bytes', RTM.NEWADDR, `${'00'.repeat(8)}090001007f00000101000000`, 'MALFORMED'],
  ['an MTU of 2 bytes', RTM.NEWLINK, `${'00'.repeat(16)}06000400dc050000`, 'TRUNCATED'],
  [
    'a hardware address of 33 bytes',
    RTM.NEWLINK,
    `${'00'.repeat(16)}25000100${'00'.repeat(36)}`,
    'MALFORMED',
  ],
  ['lifetimes of 12 bytes', RTM.NEWADDR, `${'00'.repeat(8)}10000600${'00'.repeat(12)}`, 'TRUNCATED'],
  ['a next hop of 7 bytes', RTM.NEWROUTE, `${'00'.repeat(12)}0c0009000700000000000000`, 'MALFORMED'],
  ['a next hop cut short', RTM.NEWROUTE, `${'00'.repeat(12)}0c0009001000000000000000`, 'TRUNCATED'],
  ['a next hop of no length', RTM.NEWROUTE, `${'00'.repeat(12)}0c0009000000000000000000`, 'MALFORMED'],
];

t.test('bytes that cannot be are a typed error', async (t) => {
  for (const [name, type, hex, code] of BAD_BYTES)
    t.throws(() => readRtnl(type, fromHex(hex)), { name: 'LvsError', code }, name);
  t.throws(() => readInetSettings(fromHex('0e0002000a00010000000000aabb0000')), { code: 'TRUNCATED' });
});

t.test('types that lvsentry has no use for are undefined', async (t) => {
  // NOOP, DONE, SETLINK, RTM_GETNEIGHTBL, RTM_NEWQDISC, beyond all
  for (const type of [0, 1, 3, 15, 19, 36, 66, 65535])
    t.equal(readRtnl(type, fromHex('')), undefined, `${type}`);
});

t.test('a request for all is a header alone', async (t) => {
  const everything = { family: 0, prefixLength: 0, flags: 0, scope: 0, index: 0 };
  const payload = writeRtnl({ kind: 'address', address: everything });
  t.equal(toHex(payload), '00'.repeat(8));
  t.strictSame(readRtnl(RTM.GETADDR, payload), { verb: 'get', kind: 'address', address: everything });
});

t.test('a value stays when the buffer that it was read from is used again', async (t) => {
  const payload = fromHex(`${'00'.repeat(16)}0c00120008000100766c616e0b000300657468302e350000`);
  const value = readRtnl(RTM.NEWLINK, payload);
  const before = JSON.stringify(value);
  payload.fill(0xff);
  t.equal(JSON.stringify(value), before);
});
