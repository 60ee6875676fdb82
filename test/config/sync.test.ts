import t from 'tap';
import type { SyncRule } from '../../src/ipvs/model.js';
import { configOf, faultsOf } from './given.js';

const ROUTERS = `vrrp:
  outside: { interface: eth0, id: 51, addresses: [192.168.2.254/24] }
  inside: { interface: eth1, id: 52, addresses: [10.0.0.254/24] }`;

function syncOf(keys: string, before = ROUTERS): SyncRule | undefined {
  return configOf(`services: {}\n${before}\nsync: { ${keys} }`).sync;
}

t.test('without `sync` there is none', async (t) => {
  t.equal(configOf('services: {}').sync, undefined);
});

t.test('an interface is enough: the first virtual router is followed, and lends its id', async (t) => {
  t.same(syncOf('interface: eth1'), {
    roles: { kind: 'follow', instance: 'outside' },
    daemon: {
      interface: 'eth1',
      syncId: 51,
      maxLength: undefined,
      group: '224.0.0.81',
      port: 8848,
      ttl: 1,
    },
  });
});

t.test('the defaults that the reference states are the ones that hold', async (t) => {
  for (const stated of ['group: 224.0.0.81', 'port: 8848', 'id: 51', 'ttl: 1', 'follows: outside'])
    t.same(syncOf(`interface: eth1, ${stated}`), syncOf('interface: eth1'), stated);
});

t.test('everything that can be said', async (t) => {
  t.same(
    syncOf('interface: eth2, group: "FF02::81", port: 9000, id: 0, ttl: 255, maxlen: 65507, follows: inside'),
    {
      roles: { kind: 'follow', instance: 'inside' },
      daemon: { interface: 'eth2', syncId: 0, maxLength: 65_507, group: 'ff02::81', port: 9000, ttl: 255 },
    },
  );
});

t.test('a fixed role, with and without virtual routers; its id is 0', async (t) => {
  const rows = [
    ['master', ['master']],
    ['backup', ['backup']],
    ['both', ['master', 'backup']],
  ] as const;
  for (const [role, roles] of rows)
    for (const before of [ROUTERS, '']) {
      const rule = syncOf(`interface: eth1, role: ${role}`, before);
      t.same([rule?.roles, rule?.daemon.syncId], [{ kind: 'fixed', roles }, 0], role);
    }
});

t.test('virtual routers may stand in another file', async (t) => {
  t.same(faultsOf(['services: {}\nsync: { interface: eth1 }', ROUTERS]), []);
  t.match(
    faultsOf([
      'services: {}\nsync: { interface: eth1, role: both }',
      'sync: { interface: eth2, role: both }',
    ]),
    ['b.yaml:1:1: sync: set already in a.yaml:2:1'],
  );
});

t.test('a virtual router with a fault of its own is there all the same', async (t) => {
  const router = 'vrrp: { outside: { interface: eth0, id: 51, addresses: [192.168.2.300/24] } }';
  for (const more of ['', ', follows: outside']) {
    const faults = faultsOf(`services: {}\n${router}\nsync: { interface: eth1${more} }`);
    t.equal(faults.length, 1);
    t.match(faults[0], /vrrp\.outside\.addresses/);
  }
});

t.test('faults of all keys are told at once', async (t) => {
  const faults = faultsOf('services: {}\nsync: { group: 10.0.0.1, follows: nobody, ttl: 0 }');
  t.match(
    faults.join('\n'),
    /sync\.interface: missing.*\n.*sync\.group.*\n.*sync\.follows: there is no.*\n.*sync\.ttl/,
  );
});

t.test('servers of the other family than their service exclude it, through tunnels too', async (t) => {
  const service = (server: string) =>
    `services: { web: { address: "192.0.2.1:80", forward: tunnel, servers: ["${server}"] } }`;
  const sync = 'sync: { interface: eth1, role: both }';
  t.same(faultsOf(`${service('192.0.2.2')}\n${sync}`), []);
  t.same(faultsOf(service('2001:db8::2')), [], 'which is well without it');
  t.match(faultsOf(`${service('2001:db8::2')}\n${sync}`), [/of service web is of the other family/]);
});
