/** The keeper over a network in memory: what it does in which order, and where it stops. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { AddressClient } from '../../src/addresses/client.js';
import type { OpenNetlink, Sysctls } from '../../src/core/ports.js';
import { RealServer } from '../../src/realserver/keeper.js';
import { MemoryFile } from '../../src/realserver/memory-file.js';
import { splitDatagram } from '../../src/wire/netlink.js';
import { RTM } from '../../src/wire/rtnetlink.js';
import { readAddress } from '../../src/wire/rtnl-address.js';
import { FakeNetwork } from '../fakes/rtnl-kernel.js';
import { FakeTime } from '../fakes/time.js';
import { MAIL, SIX, WEB } from './host.js';

class Scene {
  readonly network = new FakeNetwork();
  /** Settings and addresses as they were written, in order. */
  readonly writes: string[] = [];
  readonly protocols: (number | undefined)[] = [];
  readonly file: string;
  readonly server: RealServer;
  /** Settings that cannot be written, by the ends of their paths. */
  locked = '';

  constructor(t: Test) {
    const folder = mkdtempSync(join(tmpdir(), 'lvsentry-'));
    this.file = join(folder, 'run/realserver.json');
    const time = new FakeTime();
    this.server = new RealServer({
      client: new AddressClient({ openNetlink: this.#opener(), timers: time, turns: { soon: setImmediate } }),
      sysctls: this.#sysctls(),
      memory: new MemoryFile(this.file),
    });
    t.teardown(() => {
      this.server.close();
      rmSync(folder, { recursive: true });
    });
  }

  #opener(): OpenNetlink {
    const open = this.network.opener();
    return (protocol, groups) => {
      const socket = open(protocol, groups);
      const send = socket.send.bind(socket);
      socket.send = (bytes) => {
        for (const { type, payload } of splitDatagram(bytes)) {
          if (type !== RTM.NEWADDR && type !== RTM.DELADDR) continue;
          const address = readAddress(payload);
          if (type === RTM.NEWADDR) this.protocols.push(address.protocol);
          this.writes.push(`${type === RTM.NEWADDR ? 'add' : 'remove'} ${address.local}`);
        }
        return send(bytes);
      };
      return socket;
    };
  }

  #sysctls(): Sysctls {
    const { sysctls } = this.network;
    return {
      read: (path) => sysctls.read(path),
      write: (path, value) => {
        if (this.locked !== '' && path.endsWith(this.locked)) return 'EROFS';
        this.writes.push(`${path}=${value}`);
        return sysctls.write(path, value);
      },
    };
  }
}

const SETTINGS = [
  'ipv4/conf/all/arp_ignore=1',
  'ipv4/conf/lo/arp_ignore=1',
  'ipv4/conf/all/arp_announce=2',
  'ipv4/conf/lo/arp_announce=2',
];

t.test('up writes the settings, then the address; a second up writes nothing', async (t) => {
  const scene = new Scene(t);
  const first = await scene.server.up([WEB, SIX]);
  t.same(scene.writes, [...SETTINGS, 'add 192.0.2.1', 'add 2001:db8::1']);
  t.same(first.done, [
    'net.ipv4.conf.all.arp_ignore = 1 (was 0)',
    'net.ipv4.conf.lo.arp_ignore = 1 (was 0)',
    'net.ipv4.conf.all.arp_announce = 2 (was 0)',
    'net.ipv4.conf.lo.arp_announce = 2 (was 0)',
    '192.0.2.1 added to lo',
    '2001:db8::1 added to lo',
  ]);
  t.ok(first.points.every(({ ok }) => ok));
  t.same(scene.protocols, [0, 0], 'without the tag by which a director knows what it may remove');
  scene.writes.length = 0;
  const second = await scene.server.up([WEB, SIX]);
  t.same([scene.writes, second.done, second.troubles], [[], [], []]);
});

t.test('down takes the address away, then writes what was before', async (t) => {
  const scene = new Scene(t);
  await scene.server.up([WEB]);
  t.ok(existsSync(scene.file));
  scene.writes.length = 0;
  const { troubles } = await scene.server.down([WEB]);
  t.same(troubles, []);
  t.same(scene.writes, ['remove 192.0.2.1', ...SETTINGS.map((line) => line.replace(/\d$/, '0'))]);
  t.notOk(existsSync(scene.file), 'and nothing is left to remember');
  t.same((await scene.server.down([WEB])).done, [], 'a second down has nothing to do');
});

t.test('a setting that cannot be written keeps the address away', async (t) => {
  const scene = new Scene(t);
  scene.locked = 'all/arp_ignore';
  const { points, troubles } = await scene.server.up([WEB]);
  t.same(troubles, ['net.ipv4.conf.all.arp_ignore = 1 (was 0): EROFS']);
  t.notOk(scene.writes.includes('add 192.0.2.1'), 'it would be answered for');
  t.match(
    points.filter(({ ok }) => !ok).map(({ id }) => id),
    ['arp-ignore all', 'address 192.0.2.1'],
  );
  scene.locked = '';
  t.same((await scene.server.up([WEB])).troubles, [], 'and it goes on from there');
  scene.writes.length = 0;
  await scene.server.down([WEB]);
  t.equal(scene.writes.length, 5, 'what was done in two goes is undone in one');
});

t.test('an address that cannot be removed keeps its settings', async (t) => {
  const scene = new Scene(t);
  await scene.server.up([WEB]);
  scene.writes.length = 0;
  scene.network.failures.push('EPERM');
  const { troubles } = await scene.server.down([WEB]);
  t.same(troubles, ['192.0.2.1 removed from lo: the kernel says EPERM']);
  t.same(scene.writes, ['remove 192.0.2.1']);
  await scene.server.down([WEB]);
  t.equal(scene.writes.length, 6, 'it can be tried again');
});

t.test('an address that the kernel refuses is told', async (t) => {
  const scene = new Scene(t);
  // The settings are no requests.
  scene.network.failures.push('EPERM');
  const { troubles } = await scene.server.up([WEB]);
  t.same(troubles, ['192.0.2.1 added to lo: the kernel says EPERM']);
});

t.test('the settings stay while another virtual IP is there', async (t) => {
  const scene = new Scene(t);
  await scene.server.up([WEB]);
  await scene.server.up([MAIL]);
  scene.writes.length = 0;
  await scene.server.down([WEB]);
  t.same(scene.writes, ['remove 192.0.2.1']);
  t.ok((await scene.server.check([MAIL])).every(({ ok }) => ok));
});

t.test('check changes nothing and remembers nothing', async (t) => {
  const scene = new Scene(t);
  const points = await scene.server.check([WEB]);
  t.notOk(points.every(({ ok }) => ok));
  t.same(scene.writes, []);
  t.notOk(existsSync(scene.file));
});

t.test('what cannot be remembered is not done, and a broken memory is not trusted', async (t) => {
  const scene = new Scene(t);
  await scene.server.up([WEB]);
  const good = readFileSync(scene.file, 'utf8');
  writeFileSync(scene.file, good.slice(0, -10));
  scene.writes.length = 0;
  await t.rejects(scene.server.down([WEB]), { code: 'MALFORMED', message: /remove it/ });
  await t.rejects(scene.server.up([MAIL]), { code: 'MALFORMED' });
  t.same(scene.writes, []);
  const blocked = new MemoryFile(join(scene.file, 'realserver.json'));
  await t.rejects(blocked.write({ vips: [WEB], settings: [], raised: [] }), { code: 'PERMISSION' });
});
