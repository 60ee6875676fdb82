import t from 'tap';
import { AddressClient } from '../../src/addresses/client.js';
import type { VirtualAddress } from '../../src/addresses/model.js';
import { nameOf } from '../../src/addresses/names.js';
import { AddressKeeper } from '../../src/addresses/reconciler.js';
import { errnoValue } from '../../src/core/errno.js';
import type { NetlinkSocket, OpenNetlink } from '../../src/core/ports.js';
import { systemTurns } from '../../src/sys/clock.js';
import { vip } from '../contract/network.js';
import { FakeNetwork } from '../fakes/rtnl-kernel.js';
import { FakeTime, turn } from '../fakes/time.js';

const A = vip('192.0.2.10/24');
const B = vip('198.51.100.10/24');
const SIX = vip('2001:db8::10/64');

/** Sockets that a test can reach. */
function remembered(open: OpenNetlink, sockets: NetlinkSocket[]): OpenNetlink {
  return (protocol, groups) => {
    const socket = open(protocol, groups);
    sockets.push(socket);
    return socket;
  };
}

interface Part {
  readonly instance: string;
  readonly object: VirtualAddress;
  readonly native?: boolean;
}

function build(...parts: readonly Part[]) {
  const network = new FakeNetwork();
  network.somebody.addLink('v0');
  const time = new FakeTime();
  const told: string[] = [];
  const sockets: NetlinkSocket[] = [];
  const openNetlink = remembered(network.opener(), sockets);
  const client = new AddressClient({ openNetlink, timers: time, turns: systemTurns });
  const keeper = new AddressKeeper({
    client,
    clock: time,
    timers: time,
    sysctls: network.sysctls,
    events: {
      onNetwork: () => undefined,
      onRestored: (instance, objects, cause) =>
        told.push(`${instance} ${cause} ${objects.map(nameOf).join(', ')}`),
      onRefused: (instance, what, why) => told.push(`${instance} ${what}: ${why}`),
      onFailure: (text) => told.push(`failure ${text}`),
    },
  });
  keeper.configure(parts.map(({ instance, object, native = false }) => ({ instance, object, native })));
  return { network, somebody: network.somebody, time, told, sockets, client, keeper };
}

/** Lets notices arrive and all that follows from them happen. */
async function settle(): Promise<void> {
  for (let times = 0; times < 8; times += 1) await turn();
}

t.test('a fight: put back at once the first time, then ever later, a second at most', async (t) => {
  const { network, somebody, time, told, keeper } = build({ instance: 'a', object: A });
  await keeper.want('a', 'present');
  const gaps: number[] = [];
  for (let times = 0; times < 9; times += 1) {
    somebody.remove('v0', '192.0.2.10/24');
    await settle();
    let waited = 0;
    for (; network.shown('v0').length === 0; waited += 5) await time.advance(5).then(settle);
    gaps.push(waited);
  }
  t.same(gaps, [0, 10, 20, 40, 80, 160, 320, 640, 1000]);
  t.equal(told.length, 9, 'each was told');
  keeper.close();
});

t.test('whoever becomes master does not wait for the fight of another', async (t) => {
  const { network, somebody, told, keeper } = build(
    { instance: 'a', object: A },
    { instance: 'b', object: B },
  );
  await keeper.want('a', 'present');
  for (let times = 0; times < 2; times += 1) {
    somebody.remove('v0', '192.0.2.10/24');
    await settle();
  }
  t.same(network.shown('v0'), [], 'the second time waits');
  await keeper.want('b', 'present');
  t.same(network.shown('v0'), ['198.51.100.10/24']);
  await keeper.want('a', 'absent');
  await keeper.want('a', 'present');
  t.same(network.shown('v0'), ['192.0.2.10/24', '198.51.100.10/24'], 'a new role does not wait');
  t.same(told, ['a put-back 192.0.2.10/24 on v0']);
  keeper.close();
});

t.test('whoever leaves does not wait either, and removes what is there', async (t) => {
  const { network, somebody, keeper } = build({ instance: 'a', object: A });
  await keeper.want('a', 'present');
  for (let times = 0; times < 2; times += 1) {
    somebody.remove('v0', '192.0.2.10/24');
    await settle();
  }
  somebody.add('v0', '192.0.2.10/32');
  await keeper.want('a', 'absent');
  t.same(network.shown('v0'), []);
  keeper.close();
});

t.test('what the kernel refuses is told once, tried every second, and told when it is there', async (t) => {
  const { network, time, told, keeper } = build({ instance: 'a', object: A }, { instance: 'a', object: B });
  network.failures.push('ENOSPC');
  await keeper.want('a', 'present');
  t.same(network.shown('v0'), ['198.51.100.10/24'], 'the rest is there');
  const refused = 'a 192.0.2.10/24 on v0: the kernel says ENOSPC';
  t.same(told, [refused]);
  network.failures.push('ENOBUFS');
  await time.advance(999);
  await settle();
  t.equal(network.failures.length, 1, 'not before its time');
  await time.advance(1);
  await settle();
  t.equal(network.failures.length, 0, 'tried');
  t.same(told, [refused]);
  await time.advance(1000);
  await settle();
  t.same(network.shown('v0'), ['192.0.2.10/24', '198.51.100.10/24']);
  t.same(told, [refused, 'a late 192.0.2.10/24 on v0']);
  t.equal(time.waiting, 0, 'nothing is tried any more');
  keeper.close();
});

t.test('what is refused is not told again for another reason, but in another role it is', async (t) => {
  const { network, time, told, keeper } = build({ instance: 'a', object: A });
  network.failures.push('ENOSPC', 'EPERM');
  await keeper.want('a', 'present');
  await time.advance(1000);
  await settle();
  t.equal(told.length, 1);
  await keeper.want('a', 'absent');
  network.failures.push('EPERM');
  await keeper.want('a', 'present');
  t.same(told.slice(1), ['a 192.0.2.10/24 on v0: the kernel says EPERM: run as root, or with CAP_NET_ADMIN']);
  keeper.close();
});

t.test('an address that cannot be removed is tried again', async (t) => {
  const { network, time, told, keeper } = build({ instance: 'a', object: A });
  await keeper.want('a', 'present');
  network.failures.push('EPERM');
  await keeper.want('a', 'absent');
  t.same(network.shown('v0'), ['192.0.2.10/24']);
  t.same(told, ['a 192.0.2.10/24 on v0: the kernel says EPERM: run as root, or with CAP_NET_ADMIN']);
  await time.advance(1000);
  await settle();
  t.same(network.shown('v0'), []);
  t.equal(told.length, 1);
  keeper.close();
});

t.test('what is there although nobody told of it yet is neither told of nor fought over', async (t) => {
  const { network, somebody, client, time, told, keeper } = build({ instance: 'a', object: A });
  await keeper.look();
  network.isMute = true;
  somebody.add('v0', '192.0.2.10/24');
  network.isMute = false;
  let tries = 0;
  const apply = client.apply.bind(client);
  client.apply = (changes) => {
    tries += changes.length;
    return apply(changes);
  };
  await keeper.want('a', 'present');
  await time.advance(5000);
  await settle();
  t.equal(tries, 1, 'EEXIST, then it was read');
  t.same(told, []);
  t.equal(keeper.view.objects().length, 1);
  network.isMute = true;
  somebody.remove('v0', '192.0.2.10/24');
  network.isMute = false;
  await keeper.want('a', 'absent');
  t.same(told, [], 'EADDRNOTAVAIL is gone');
  keeper.close();
});

t.test('addresses of an owner are the link’s own: they stay when it is backup', async (t) => {
  const { network, somebody, told, keeper } = build({ instance: 'a', object: A, native: true });
  somebody.add('v0', '192.0.2.10/16');
  await keeper.want('a', 'present');
  t.same(network.shown('v0'), ['192.0.2.10/16']);
  await keeper.want('a', 'absent');
  t.same(network.shown('v0'), ['192.0.2.10/16']);
  t.same(told, []);
  keeper.close();
});

t.test('a kernel that cannot be read is told and asked again', async (t) => {
  const { network, sockets, time, told, keeper } = build({ instance: 'a', object: A });
  const [connection] = sockets;
  const send = connection?.send.bind(connection);
  if (connection !== undefined) connection.send = () => -errnoValue('ENOMEM');
  await keeper.want('a', 'present');
  t.match(told, [/^failure .*ENOMEM/]);
  if (connection !== undefined && send !== undefined) connection.send = send;
  await time.advance(1000);
  await settle();
  t.same(network.shown('v0'), ['192.0.2.10/24']);
  keeper.close();
});

t.test('two who ask in one turn are served by one look', async (t) => {
  const { network, client, keeper } = build({ instance: 'a', object: A }, { instance: 'b', object: SIX });
  await keeper.look();
  const applied: number[] = [];
  const apply = client.apply.bind(client);
  client.apply = (changes) => {
    applied.push(changes.length);
    return apply(changes);
  };
  await Promise.all([keeper.want('a', 'present'), keeper.want('b', 'present')]);
  t.same(applied, [2]);
  t.same(network.shown('v0'), ['192.0.2.10/24', '2001:db8::10/64']);
  keeper.close();
});

t.test('after its end nothing is touched any more', async (t) => {
  const { network, somebody, keeper, time } = build({ instance: 'a', object: A });
  await keeper.want('a', 'present');
  keeper.close();
  somebody.remove('v0', '192.0.2.10/24');
  await settle();
  await time.advance(5000);
  await keeper.look();
  t.same(network.shown('v0'), []);
});
