import t from 'tap';
import { type Ip, ip } from '../../src/core/ip.js';
import { mac } from '../../src/core/mac.js';
import type { AnnounceTarget } from '../../src/vrrp/announce.js';
import { Announcing, type Exit } from '../../src/vrrp/announcing.js';
import type { AnnounceRule } from '../../src/vrrp/model.js';
import { FrameSocket } from '../../src/vrrp/transport.js';
import { readArp } from '../../src/wire/arp.js';
import { readNeighborAdvertisement } from '../../src/wire/ndp.js';
import { FakePacketSocket, opening } from '../fakes/packet-socket.js';
import { config, ms } from './build.js';

const RULE: AnnounceRule = { ...config().announce, repeat: 1, delay: ms(0) };
const EXIT: Exit = { index: 3, mac: mac('02:00:00:00:00:03') };

function target(instance: string, count: number, changes: Partial<AnnounceRule> = {}): AnnounceTarget {
  const addresses = Array.from({ length: count }, (_, at) => ip(`10.1.${at >> 8}.${at & 255}`));
  return { instance, addresses, rule: { ...RULE, ...changes } };
}

class Bench {
  readonly socket = new FakePacketSocket();
  readonly exits = new Map<string, Exit>([
    ['eth0', EXIT],
    ['eth1', { ...EXIT, index: 4 }],
  ]);
  readonly sent: string[] = [];
  forwards = false;
  readonly announcing = new Announcing({
    frames: FrameSocket.open(opening(this.socket)),
    exitOf: (device) => this.exits.get(device),
    forwards: () => this.forwards,
    onSent: (instance, result) => this.sent.push(`${instance} ${Math.sign(result)}`),
  });

  /** The interface index of every frame. */
  get indexes(): readonly number[] {
    return this.socket.sent.map(({ to }) => new DataView(to.buffer).getInt32(4, true));
  }
}

t.test('a frame goes out of the interface of its instance, with its MAC', async (t) => {
  const bench = new Bench();
  t.equal(bench.announcing.nextAt(), undefined);
  bench.announcing.start('eth1', target('v', 1), 'master', ms(100));
  t.equal(bench.announcing.nextAt(), 100);
  bench.announcing.send(ms(99));
  t.equal(bench.socket.sent.length, 0, 'not before its time');
  bench.announcing.send(ms(100));
  t.same(bench.indexes, [4]);
  const arp = readArp(bench.socket.sent[0]?.bytes ?? new Uint8Array(0));
  t.match(arp, { senderIp: '10.1.0.0', targetIp: '10.1.0.0', senderMac: EXIT.mac });
  t.equal(bench.announcing.nextAt(), undefined, 'and that was all');
});

t.test(
  'an address is announced with the MAC that its interface has now, from every interface alike',
  async (t) => {
    const bench = new Bench();
    const send = (device: string): unknown => {
      bench.announcing.start(device, target('v', 1), 'master', ms(0));
      bench.announcing.send(ms(0));
      return readArp(bench.socket.sent.at(-1)?.bytes ?? new Uint8Array(0)).senderMac;
    };
    t.equal(send('eth0'), EXIT.mac);
    bench.exits.set('eth0', { ...EXIT, mac: mac('02:00:00:00:00:09') });
    t.equal(send('eth0'), '02:00:00:00:00:09');
    t.equal(send('eth1'), EXIT.mac);
    t.same(bench.indexes, [3, 3, 4]);
  },
);

t.test('more addresses than are kept written are announced all the same', async (t) => {
  const bench = new Bench();
  bench.announcing.start('eth0', target('v', 5000), 'master', ms(0));
  for (let slice = 0; slice < 5000 / 16; slice += 1) bench.announcing.send(ms(0));
  const named = bench.socket.sent.map(({ bytes }) => readArp(bytes).targetIp);
  t.equal(new Set(named).size, 5000);
});

t.test('an IPv6 address is advertised, as a router where the machine forwards', async (t) => {
  for (const forwards of [false, true]) {
    const bench = new Bench();
    bench.forwards = forwards;
    const addresses: Ip[] = [ip('2001:db8::1')];
    bench.announcing.start('eth0', { instance: 'v', addresses, rule: RULE }, 'master', ms(0));
    bench.announcing.send(ms(0));
    const na = readNeighborAdvertisement(bench.socket.sent[0]?.bytes ?? new Uint8Array(0));
    t.match(na, { target: '2001:db8::1', router: forwards, override: true, solicited: false });
  }
});

t.test('at most sixteen frames are sent at once, of all interfaces together, in turn', async (t) => {
  const bench = new Bench();
  bench.announcing.start('eth0', target('v', 40), 'master', ms(0));
  bench.announcing.start('eth1', target('w', 40), 'master', ms(0));
  const slices: string[] = [];
  for (let times = 0; bench.announcing.nextAt() !== undefined && times < 100; times += 1) {
    const before = bench.socket.sent.length;
    t.equal(bench.announcing.nextAt(), 0, 'the rest is due at once');
    bench.announcing.send(ms(0));
    const slice = bench.indexes.slice(before);
    t.ok(slice.length <= 16);
    slices.push([...new Set(slice)].join('+'));
  }
  t.equal(bench.socket.sent.length, 80);
  t.same(slices, ['3', '4', '3', '4', '3+4']);
});

t.test('without its interface nothing is sent, and nothing is kept for later', async (t) => {
  const bench = new Bench();
  bench.announcing.start('eth9', target('v', 3), 'master', ms(0));
  bench.announcing.send(ms(0));
  t.equal(bench.announcing.nextAt(), undefined);
  t.same(bench.sent, []);
});

t.test('an error of the socket is told for the instance, and the others go on', async (t) => {
  const bench = new Bench();
  bench.socket.sendResult = -100;
  bench.announcing.start('eth0', target('v', 2), 'master', ms(0));
  bench.announcing.send(ms(0));
  t.same(bench.sent, ['v -1', 'v -1']);
});

t.test('stopping one instance leaves the others; stopping what never began is nothing', async (t) => {
  const bench = new Bench();
  bench.announcing.stop('eth0', 'nobody');
  t.equal(bench.announcing.nextAt(), undefined);
  bench.announcing.start('eth0', target('v', 2, { delay: ms(50) }), 'master', ms(0));
  bench.announcing.start('eth0', target('w', 1, { delay: ms(50) }), 'master', ms(0));
  bench.announcing.send(ms(0));
  t.equal(bench.announcing.nextAt(), 50);
  bench.announcing.stop('eth0', 'v');
  bench.announcing.send(ms(50));
  t.same(bench.sent, ['v 1', 'v 1', 'w 1', 'w 1']);
});

t.test('what was taken away and is back is announced beside all else', async (t) => {
  const bench = new Bench();
  bench.announcing.putBack('eth0', target('v', 1), ms(7));
  t.equal(bench.announcing.nextAt(), 7);
  bench.announcing.send(ms(7));
  t.same(bench.sent, ['v 1']);
});
