import t from 'tap';
import type { RouterConfig } from '../../src/vrrp/status.js';
import { configOf } from './given.js';

const LEAST = 'interface: eth0, id: 51, addresses: [192.168.2.254/24]';

function routerOf(keys: string, before = 'services: {}'): RouterConfig {
  const [router] = configOf(`${before}\nvrrp: { outside: { ${keys} } }`).vrrp;
  if (router === undefined) throw new Error('there is no virtual router');
  return router;
}

t.test('the least virtual router is completed with every default', async (t) => {
  t.same(routerOf(LEAST), {
    instance: {
      name: 'outside',
      interface: 'eth0',
      family: 'ipv4',
      vrid: 51,
      priority: 100,
      rule: {
        version: 3,
        interval: 1000,
        downAdverts: 3,
        preempt: true,
        preemptDelay: 0,
        startupDelay: 0,
        failbackDelay: 0,
        waitReady: true,
        accept: true,
        grouped: false,
      },
      cast: { kind: 'multicast', group: '224.0.0.18', source: undefined },
      auth: { kind: 'none' },
      checksum: 'pseudo-header',
      addresses: ['192.168.2.254'],
      announce: {
        repeat: 5,
        delay: 5000,
        refresh: 0,
        refreshRepeat: 1,
        lowerRepeat: 5,
        lowerDelay: 5000,
        spacing: 0,
      },
    },
    addresses: [
      {
        kind: 'address',
        device: 'eth0',
        address: '192.168.2.254',
        prefix: 24,
        broadcast: undefined,
        label: undefined,
        scope: 0,
        noDad: false,
        deprecated: false,
      },
    ],
    routes: [],
    rules: [],
    virtualLink: undefined,
    keys: new Map(),
    group: undefined,
    tracks: [],
    debounce: { down: 0, up: 0 },
  });
});

t.test('the defaults that the reference states are the ones that hold', async (t) => {
  for (const stated of [
    'version: 3',
    'priority: 100',
    'interval: 1s',
    'excluded: []',
    'checksum: pseudo-header',
    'preempt: true',
    'preempt-delay: 0s',
    'startup-delay: 0s',
    'failback-delay: 0s',
    'track: { interfaces: [], services: [], penalty: 50, minimum: 0 }',
    'announce: { repeat: 5, delay: 5s, refresh: 0s, refresh-repeat: 1, lower-repeat: 5, lower-delay: 5s, spacing: 0s }',
    'announce: {}',
    'debounce: { down: 0s, up: 0s }',
    'debounce: {}',
  ])
    t.same(routerOf(`${LEAST}, ${stated}`), routerOf(LEAST), stated);
});

t.test('over IPv6 virtual IPs need no duplicate address detection, and know their scope', async (t) => {
  const { instance, addresses } = routerOf(
    'interface: eth0, id: 51, addresses: ["fe80::100/64", "2001:db8::100/64", "2001:db8::200/128"], label: eth0:v',
  );
  t.same(
    [instance.family, instance.cast],
    ['ipv6', { kind: 'multicast', group: 'ff02::12', source: undefined }],
  );
  t.same(
    addresses.map(({ scope, noDad, deprecated, label }) => [scope, noDad, deprecated, label]),
    [
      [253, true, false, undefined],
      [0, true, false, undefined],
      [0, true, true, undefined],
    ],
  );
});

t.test('excluded addresses move too, are not in adverts, and may be of the other family', async (t) => {
  const { instance, addresses } = routerOf(
    `${LEAST}, label: eth0:vip, excluded: ["2001:db8::1/64", 10.0.0.1/32]`,
  );
  t.same(instance.addresses, ['192.168.2.254']);
  t.same(
    addresses.map(({ address, label }) => [address, label]),
    [
      ['192.168.2.254', 'eth0:vip'],
      ['2001:db8::1', undefined],
      ['10.0.0.1', 'eth0:vip'],
    ],
  );
});

t.test('a password is eight bytes with zeros behind it', async (t) => {
  const { instance } = routerOf(`${LEAST}, version: 2, auth: { password: abc }`);
  t.same(instance.auth, { kind: 'password', data: Uint8Array.of(97, 98, 99, 0, 0, 0, 0, 0) });
});

t.test('keys have ids; the only one signs, else the active one', async (t) => {
  const one = routerOf(`${LEAST}, auth: { hmac: { keys: { '7': secret } } }`);
  t.same(one.keys, new Map([[7, 'secret']]));
  t.same(one.instance.auth, {
    kind: 'hmac',
    rule: { mode: 'enforce', activeKey: 7, antiReplay: 'time', window: 10_000 },
  });
  const two = routerOf(
    `${LEAST}, auth: { hmac: { keys: { '1': a, '2': b }, active: 2, mode: permissive, anti-replay: monotonic, window: 30s } }`,
  );
  t.same(two.instance.auth, {
    kind: 'hmac',
    rule: { mode: 'permissive', activeKey: 2, antiReplay: 'monotonic', window: 30_000 },
  });
});

t.test('unicast names its peers, and how far away they may be', async (t) => {
  const { instance } = routerOf(
    `${LEAST}, unicast: { source: 192.168.2.1, peers: [192.168.2.3, 10.0.0.9], hops: 250 }`,
  );
  t.same(instance.cast, {
    kind: 'unicast',
    source: '192.168.2.1',
    peers: [
      { address: '192.168.2.3', hopsMin: 250, hopsMax: 255 },
      { address: '10.0.0.9', hopsMin: 250, hopsMax: 255 },
    ],
    checkSource: true,
  });
});

t.test('what is tracked: interfaces make faults, services count together', async (t) => {
  const services =
    'services: { web: { address: "192.0.2.1:80", servers: [] }, mail: { address: "192.0.2.1:25", servers: [] } }';
  const { tracks } = routerOf(
    `${LEAST}, track: { interfaces: [eth1], services: [web, mail], penalty: 100, minimum: 1 }`,
    services,
  );
  t.same(tracks, [
    { kind: 'interface', name: 'eth1', weight: 'fault', reverse: false },
    { kind: 'services', name: 'web mail', penalty: 100, minimum: 1 },
  ]);
});

t.test('this end of the synchronisation is tracked by the name of its interface', async (t) => {
  const sync = 'services: {}\nsync: { interface: eth1 }';
  for (const weight of [-30, 30, 'fault'] as const)
    t.same(routerOf(`${LEAST}, track: { sync: ${weight} }`, sync).tracks, [
      { kind: 'sync-peer', name: 'eth1', weight, reverse: false },
    ]);
});

t.test('a group makes its members wait for each other', async (t) => {
  const router = routerOf(`${LEAST}, group: gateway`);
  t.same([router.group, router.instance.rule.grouped], ['gateway', true]);
});

t.test('the bounds of the interval of each version are taken', async (t) => {
  for (const [version, interval, expected] of [
    [3, '10ms', 10],
    [3, '40.95s', 40_950],
    [2, '1s', 1000],
    [2, '255s', 255_000],
  ] as const) {
    const { instance } = routerOf(`${LEAST}, version: ${version}, interval: ${interval}`);
    t.equal(instance.rule.interval, expected, `version ${version}: ${interval}`);
  }
});

t.test('the same id may stand on another interface, or for the other family', async (t) => {
  const { vrrp } = configOf(`services: {}
vrrp:
  a: { interface: eth0, id: 51, addresses: [10.0.0.1/24] }
  b: { interface: eth1, id: 51, addresses: [10.0.0.2/24] }
  c: { interface: eth0, id: 51, addresses: ["2001:db8::1/64"] }`);
  t.same(
    vrrp.map(({ instance }) => instance.name),
    ['a', 'b', 'c'],
  );
});
