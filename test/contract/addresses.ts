/**
 * What becomes of virtual IPs in a network where others are at work too: one suite for the real kernel and for the one
 * in memory. Its expectations are the kernel's (net/ipv4/devinet.c, net/ipv6/addrconf.c).
 */
import { AddressClient, type ObjectChange } from '../../src/addresses/client.js';
import { LVSENTRY_PROTOCOL } from '../../src/addresses/diff.js';
import type { VirtualAddress } from '../../src/addresses/model.js';
import { systemTimers, systemTurns } from '../../src/sys/clock.js';
import type { Assertions } from './assertions.js';
import { detection, links, losses } from './links.js';
import { type Body, type NetworkPlace, onScene, type Scene, vip } from './network.js';
import { routes } from './routes.js';
import { virtualLinks } from './virtual-links.js';

const A = vip('192.0.2.10/24');
const B = vip('192.0.2.11/24');
const C = vip('198.51.100.1/32', { label: 'v0:vip' });
const SIX = vip('2001:db8::10/64');
const LAST = vip('2001:db8::11/128', { deprecated: true });
const ALL = [A, B, C, SIX, LAST];
const SHOWN = [
  '192.0.2.10/24',
  '192.0.2.11/24',
  '198.51.100.1/32 label v0:vip',
  '2001:db8::10/64',
  '2001:db8::11/128',
];

const roles: Readonly<Record<string, Body>> = {
  'a master has its addresses, tagged; a backup has none': async (t, { start, shown }) => {
    const its = start();
    const { client, keeper, told } = its;
    await its.configure(...ALL);
    t.strictSame(shown(), [], 'before');
    await its.master();
    t.strictSame(shown(), SHOWN);
    const index = keeper.view.link('v0')?.index;
    const tags = (await client.addresses())
      .filter((each) => each.index === index && !each.address.startsWith('fe80:'))
      .map((each) => each.seen('v0').protocol);
    t.strictSame(
      tags,
      ALL.map(() => LVSENTRY_PROTOCOL),
    );
    await its.backup();
    t.strictSame(shown(), []);
    await its.master();
    t.strictSame(shown(), SHOWN, 'again');
    t.strictSame(told, []);
  },

  'what is in place stays as it is, however often it is looked at': async (t, { start, shown }) => {
    const its = start();
    const { client, keeper } = its;
    await its.configure(...ALL);
    await its.master();
    client.changes.length = 0;
    await its.master();
    await keeper.look();
    t.strictSame(client.changes, []);
    t.strictSame(shown(), SHOWN);
  },

  'addresses that come into the configuration are set, those that leave it are removed': async (
    t,
    { start, shown },
  ) => {
    const its = start();
    await its.configure(A, SIX);
    await its.master();
    await its.configure(SIX, C);
    t.strictSame(shown(), ['198.51.100.1/32 label v0:vip', '2001:db8::10/64']);
    t.strictSame(its.told, []);
  },

  'other settings are set anew': async (t, { start, shown }) => {
    const its = start();
    await its.configure(A, SIX);
    await its.master();
    await its.configure({ ...A, label: 'v0:new' }, { ...SIX, deprecated: true });
    t.strictSame(shown(), ['192.0.2.10/24 label v0:new', '2001:db8::10/64']);
    await its.configure({ ...A, prefix: 32, scope: 253 }, SIX);
    t.strictSame(shown(), ['192.0.2.10/32 scope link', '2001:db8::10/64']);
    t.strictSame(its.told, []);
  },
};

const restarts: Readonly<Record<string, Body>> = {
  'a master adopts what a crashed predecessor left': async (t, { start, shown }) => {
    const first = start();
    await first.configure(...ALL);
    await first.master();
    first.keeper.close();
    const second = start();
    second.keeper.configure(ALL.map((object) => ({ instance: 'a', object, native: false })));
    await second.master();
    t.strictSame(shown(), SHOWN);
    t.strictSame(second.client.changes, [], 'nothing was touched');
  },

  'a backup removes what a crashed predecessor left, and what left the configuration meanwhile': async (
    t,
    { start, shown, somebody },
  ) => {
    const first = start();
    await first.configure(...ALL);
    await first.master();
    first.keeper.close();
    somebody.add('v0', '203.0.113.1/24');
    const second = start();
    await second.configure(A, SIX);
    t.strictSame(shown(), ['203.0.113.1/24'], 'all but what was never ours');
    t.strictSame(second.told, []);
  },

  'what an operator set by hand is adopted by a master and removed by a backup': async (
    t,
    { start, shown, somebody },
  ) => {
    somebody.add('v0', '192.0.2.10/24');
    somebody.add('v0', '2001:db8::10/64', 'nodad');
    const its = start();
    its.keeper.configure([A, SIX].map((object) => ({ instance: 'a', object, native: false })));
    await its.master();
    t.strictSame(its.client.changes, []);
    await its.backup();
    t.strictSame(shown(), []);
  },
};

const meddling: Readonly<Record<string, Body>> = {
  'an address that somebody removes is back, and told': async (
    t,
    { start, somebody, until, becomes, shown },
  ) => {
    const its = start();
    const { told } = its;
    await its.configure(...ALL);
    await its.master();
    somebody.remove('v0', '198.51.100.1/32');
    await until('it was told', () => told.length === 1);
    await becomes('it is back', ...SHOWN);
    t.strictSame(told, ['a: put-back 198.51.100.1/32 on v0']);
    somebody.remove('v0', '2001:db8::10/64');
    await until('the other was told', () => told.length === 2);
    t.equal(told[1], 'a: put-back 2001:db8::10/64 on v0');
    t.strictSame(shown(), SHOWN);
  },

  'ip address flush: all are back': async (_t, { start, somebody, becomes, until }) => {
    const its = start();
    const { told } = its;
    await its.configure(...ALL);
    await its.master();
    somebody.add('v0', '203.0.113.1/24');
    somebody.flush('v0');
    await becomes('as before, but for the foreign one', ...SHOWN);
    await until('all were told', () => ALL.every(({ address }) => told.join().includes(`${address}/`)));
  },

  'as often as somebody removes it': async (_t, { start, somebody, becomes, until }) => {
    const its = start();
    const { told } = its;
    await its.configure(A);
    await its.master();
    for (let times = 1; times <= 4; times += 1) {
      somebody.remove('v0', '192.0.2.10/24');
      await until(`put back ${times}`, () => told.length === times);
      await becomes('it is there', '192.0.2.10/24');
    }
  },

  'a backup does not put back what it does not have': async (t, { start, somebody, shown, becomes }) => {
    const its = start();
    await its.configure(A, SIX);
    somebody.add('v0', '192.0.2.10/24');
    await becomes('a backup takes it away');
    await its.master();
    await its.backup();
    await its.keeper.look();
    t.strictSame(shown(), []);
    t.strictSame(its.told, []);
  },

  'with another prefix, label or scope it is not ours: ours is set': async (
    _t,
    { start, somebody, becomes },
  ) => {
    const its = start();
    await its.configure(A, B);
    await its.master();
    somebody.remove('v0', '192.0.2.11/24');
    somebody.remove('v0', '192.0.2.10/24');
    somebody.add('v0', '192.0.2.10/24', 'label', 'v0:foreign');
    await becomes('the label', '192.0.2.10/24', '192.0.2.11/24');
    somebody.flush('v0');
    somebody.add('v0', '192.0.2.10/24', 'scope', 'link');
    await becomes('the scope', '192.0.2.10/24', '192.0.2.11/24');
    somebody.flush('v0');
    somebody.add('v0', '192.0.2.10/28');
    await becomes('the prefix', '192.0.2.10/24', '192.0.2.11/24');
  },

  'what goes with the first of its subnet is back': async (_t, { start, somebody, becomes, until }) => {
    somebody.add('v0', '192.0.2.1/24');
    const its = start();
    const { told } = its;
    await its.configure(A, B);
    await its.master();
    somebody.remove('v0', '192.0.2.1/24');
    await becomes('back', '192.0.2.10/24', '192.0.2.11/24');
    await until('told', () => told.join().includes('.10/') && told.join().includes('.11/'));
  },

  'with promote_secondaries they never go': async (t, { start, somebody, shown }) => {
    somebody.changeLink('v0', { promote: true });
    somebody.add('v0', '192.0.2.1/24');
    const its = start();
    const { told } = its;
    await its.configure(A, B);
    await its.master();
    somebody.remove('v0', '192.0.2.1/24');
    await its.keeper.look();
    t.strictSame(shown(), ['192.0.2.10/24', '192.0.2.11/24']);
    t.strictSame(told, []);
    await its.backup();
    t.strictSame(shown(), []);
  },
};

type Row = readonly [string, readonly [ObjectChange['kind'], VirtualAddress][], readonly string[]];

const ROWS: readonly Row[] = [
  [
    'added twice',
    [
      ['add', A],
      ['add', A],
      ['add', SIX],
      ['add', SIX],
    ],
    ['ok', 'EEXIST', 'ok', 'EEXIST'],
  ],
  [
    'another prefix is another address of IPv4, and the same of IPv6',
    [
      ['add', { ...A, prefix: 32 }],
      ['add', { ...SIX, prefix: 128 }],
    ],
    ['ok', 'EEXIST'],
  ],
  [
    'removed by its prefix',
    [
      ['remove', { ...A, prefix: 16 }],
      ['remove', A],
      ['remove', A],
      ['remove', { ...A, prefix: 32 }],
    ],
    ['EADDRNOTAVAIL', 'ok', 'EADDRNOTAVAIL', 'ok'],
  ],
  [
    'so is one of IPv6',
    [
      ['remove', { ...SIX, prefix: 48 }],
      ['remove', SIX],
      ['remove', SIX],
    ],
    ['EADDRNOTAVAIL', 'ok', 'EADDRNOTAVAIL'],
  ],
  [
    'one subnet has one scope',
    [
      ['add', A],
      ['add', { ...B, scope: 253 }],
      ['add', { ...B, scope: 253, prefix: 32 }],
    ],
    ['ok', 'EINVAL', 'ok'],
  ],
];

async function answers(t: Assertions, { place, somebody }: Scene): Promise<void> {
  const client = new AddressClient({
    openNetlink: place.openNetlink,
    timers: systemTimers,
    turns: systemTurns,
  });
  const index = (await client.links()).find(({ name }) => name === 'v0')?.index ?? 0;
  const tell = async (changes: readonly ObjectChange[]) =>
    (await client.apply(changes)).map((result) => (result.ok ? 'ok' : result.errno));
  for (const [name, changes, expected] of ROWS)
    t.strictSame(
      await tell(changes.map(([kind, address]) => ({ kind, object: address, index }))),
      expected,
      name,
    );
  const gone = [A, SIX].flatMap((address) =>
    (['add', 'remove'] as const).map((kind) => ({ kind, object: address, index: 9999 })),
  );
  t.strictSame(await tell(gone), ['ENODEV', 'ENODEV', 'ENODEV', 'ENODEV'], 'no such link');
  somebody.changeLink('v0', { mtu: 1200 });
  t.strictSame(await tell([{ kind: 'add', object: SIX, index }]), ['EINVAL'], 'MTU');
  somebody.changeLink('v0', { mtu: 1500, ipv6: false });
  t.strictSame(await tell([{ kind: 'add', object: SIX, index }]), ['EACCES'], 'IPv6 is off');
  client.close();
}

export async function addressContract(t: Assertions, place: NetworkPlace): Promise<void> {
  const bodies = { ...roles, ...restarts, ...meddling, ...links, ...detection, ...losses };
  for (const [name, body] of Object.entries(bodies)) await onScene(t, place, name, body);
  for (const [name, body] of Object.entries(virtualLinks))
    await onScene(t, place, `virtual MAC: ${name}`, body);
  for (const [name, body] of Object.entries(routes)) await onScene(t, place, `routes: ${name}`, body);
  await onScene(t, place, 'what the kernel answers to changes', answers);
}
