import t from 'tap';
import { diffLinks, LINK_ALIAS, type LinkWanted } from '../../src/addresses/link-diff.js';
import type { LinkSeen } from '../../src/addresses/model.js';
import { mac } from '../../src/core/mac.js';

const MAC = mac('00:00:5e:00:01:33');
const NOTHING: ReadonlySet<number> = new Set();
const PREPARED: ReadonlySet<number> = new Set([7]);

function seen(changes: Partial<LinkSeen> = {}): LinkSeen {
  const rest = { usable: true, mtu: 1500, parent: undefined, macvlanMode: undefined, alias: undefined };
  return { index: 2, name: 'eth0', up: true, mac: mac('02:00:00:00:00:01'), ...rest, ...changes };
}

const PARENT = seen();
/** The link as it is for a master. */
const ABOVE: LinkSeen = seen({
  ...{ index: 7, name: 'vrrp.51', mac: MAC, parent: 2, macvlanMode: 1, alias: LINK_ALIAS },
});

const wanted = (up: boolean): LinkWanted => ({
  instance: 'outside',
  link: { name: 'vrrp.51', parent: 'eth0', mac: MAC, ipv6: false },
  up,
});

function words(
  up: boolean | undefined,
  links: readonly LinkSeen[],
  prepared: ReadonlySet<number> = PREPARED,
): string[] {
  return diffLinks(up === undefined ? [] : [wanted(up)], links, prepared).map(({ kind }) => kind);
}

t.test('one step at a time: made, set, then up or down', async (t) => {
  t.same(words(true, [PARENT], NOTHING), ['create']);
  t.same(words(true, [PARENT, { ...ABOVE, up: false }], NOTHING), ['prepare']);
  t.same(words(true, [PARENT, { ...ABOVE, up: false }]), ['up']);
  t.same(words(true, [PARENT, ABOVE]), []);
  t.same(words(false, [PARENT, ABOVE]), ['down']);
  t.same(words(false, [PARENT, { ...ABOVE, up: false }]), []);
});

t.test('without its parent nothing is done, and over one that is down it does not come up', async (t) => {
  t.same(words(true, []), []);
  const down = { ...PARENT, up: false, usable: false };
  t.same(words(true, [down, { ...ABOVE, up: false }]), []);
  t.same(words(false, [down, ABOVE]), ['down'], 'but it goes down');
  t.same(words(true, [down], NOTHING), ['create'], 'and is made');
});

t.test('its MTU is its parent’s', async (t) => {
  t.same(diffLinks([wanted(true)], [PARENT, { ...ABOVE, mtu: 1200 }], PREPARED), [
    { kind: 'mtu', wanted: wanted(true), index: 7, mtu: 1500 },
  ]);
});

t.test('ours with another MAC, parent or mode is removed; that of others is left alone', async (t) => {
  const others: readonly Partial<LinkSeen>[] = [
    { mac: mac('00:00:5e:00:01:34') },
    { parent: 3 },
    { macvlanMode: 4 },
    { macvlanMode: undefined },
  ];
  for (const change of others) {
    t.same(words(true, [PARENT, { ...ABOVE, ...change }]), ['remove'], JSON.stringify(change));
    const foreign = { ...ABOVE, ...change, alias: undefined };
    t.same(words(true, [PARENT, foreign]), ['foreign'], `${JSON.stringify(change)}, not ours`);
  }
  const unmarked = { ...ABOVE, alias: undefined };
  t.same(words(true, [PARENT, unmarked], NOTHING), ['prepare'], 'as it has to be, it is adopted');
});

t.test('what nobody wants is removed where it is ours', async (t) => {
  t.same(words(undefined, [PARENT, ABOVE]), ['remove']);
  t.same(words(undefined, [PARENT, { ...ABOVE, alias: undefined }]), []);
  t.same(words(undefined, [PARENT, { ...ABOVE, alias: 'uplink' }]), []);
  t.same(words(undefined, [{ ...PARENT, alias: LINK_ALIAS }]), [], 'no macvlan, whatever it says');
});
