import t from 'tap';
import { ip } from '../../src/core/ip.js';
import { epochMillis } from '../../src/core/units.js';
import { Instance } from '../../src/vrrp/instance.js';
import { identity, Roster } from '../../src/vrrp/roster.js';
import type { RouterConfig } from '../../src/vrrp/status.js';
import { config, rule, standing } from './build.js';
import { router } from './director.js';

const instanceOf = (of: RouterConfig): Instance =>
  new Instance(of, () => undefined, standing(), epochMillis(0));

t.test('an instance is found by its name, by interface, family and id, and in its group', async (t) => {
  const roster = new Roster();
  const a = instanceOf(router({ name: 'a' }, { group: 'g' }));
  const b = instanceOf(router({ name: 'b', vrid: 21 }, { group: 'g' }));
  const c = instanceOf(router({ name: 'c', interface: 'eth1' }));
  const six = instanceOf(router({ name: 'six', family: 'ipv6' }));
  for (const each of [a, b, c, six]) roster.add(each);
  t.equal(roster.get('b'), b);
  t.equal(roster.find('ipv4', 'eth0', 20), a);
  t.equal(roster.find('ipv4', 'eth0', 21), b);
  t.equal(roster.find('ipv4', 'eth1', 20), c);
  t.equal(roster.find('ipv6', 'eth0', 20), six);
  t.same(
    [
      ['ipv4', 'eth1', 21],
      ['ipv6', 'eth1', 20],
      ['ipv4', 'eth2', 20],
    ].map(([family, device, vrid]) => roster.find(family as 'ipv4', String(device), Number(vrid))),
    [undefined, undefined, undefined],
  );
  t.same(roster.membersOf('g'), [a, b]);
  t.same(roster.membersOf('h'), []);
  t.same(
    [...roster.all()].map(({ name }) => name),
    ['a', 'b', 'c', 'six'],
  );
});

t.test('who leaves is found no more, and makes room', async (t) => {
  const roster = new Roster();
  const a = instanceOf(router({ name: 'a' }, { group: 'g' }));
  const b = instanceOf(router({ name: 'b', vrid: 21 }, { group: 'g' }));
  roster.add(a);
  roster.add(b);
  t.throws(() => roster.add(instanceOf(router({ name: 'a', vrid: 30 }))), /once/);
  t.throws(() => roster.add(instanceOf(router({ name: 'other' }))), /once/);
  roster.remove(a);
  t.same([roster.get('a'), roster.find('ipv4', 'eth0', 20)], [undefined, undefined]);
  t.same(roster.membersOf('g'), [b]);
  roster.add(instanceOf(router({ name: 'other' })));
  roster.remove(b);
  t.same(roster.membersOf('g'), []);
});

t.test(
  'another interface, id, family, version, cast or group is another virtual router; the rest is settings',
  async (t) => {
    const base = identity(router());
    const unicast = { kind: 'unicast', source: ip('10.0.0.2'), peers: [], checkSource: true } as const;
    for (const other of [
      router({ interface: 'eth1' }),
      router({ vrid: 21 }),
      router({ family: 'ipv6' }),
      router({ rule: rule({ version: 2 }) }),
      router({ cast: unicast }),
      router({}, { group: 'g' }),
    ])
      t.not(identity(other), base);
    for (const same of [
      router({ priority: 7 }),
      router({ rule: rule({ preempt: false }) }),
      router({ announce: { ...config().announce, repeat: 9 } }),
      router({ addresses: [ip('10.0.0.7')] }),
      router({}, { tracks: [{ kind: 'interface', name: 'eth1', weight: -10, reverse: false }] }),
    ])
      t.equal(identity(same), base);
  },
);
