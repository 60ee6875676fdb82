import t from 'tap';
import { VrrpSockets } from '../../src/vrrp/sockets.js';
import type { Place, VrrpSocket } from '../../src/vrrp/transport.js';
import { FakePacketSocket } from '../fakes/packet-socket.js';

const ETH0: Place = { device: 'eth0', index: 2, family: 'ipv4' };
const SIX: Place = { device: 'eth0', index: 2, family: 'ipv6' };
const ETH1: Place = { device: 'eth1', index: 3, family: 'ipv4' };

class Bench {
  readonly opened: FakePacketSocket[] = [];
  readonly woken: VrrpSocket[] = [];
  /** What the next openings answer instead. */
  readonly refusals: number[] = [];
  readonly sockets = new VrrpSockets(
    () => {
      const refusal = this.refusals.shift();
      if (refusal !== undefined) return refusal;
      const socket = new FakePacketSocket();
      this.opened.push(socket);
      return socket;
    },
    (socket) => this.woken.push(socket),
  );

  get closed(): readonly boolean[] {
    return this.opened.map(({ closed }) => closed);
  }
}

t.test('one socket for each interface and family, opened once', async (t) => {
  const bench = new Bench();
  bench.sockets.set([ETH0, SIX, ETH1]);
  bench.sockets.set([ETH1, ETH0, SIX]);
  t.equal(bench.opened.length, 3);
  t.same(bench.sockets.get('eth0', 'ipv6')?.place, SIX);
  t.same(bench.sockets.get('eth1', 'ipv6'), undefined);
  bench.opened[2]?.listener?.();
  t.same(
    bench.woken.map(({ place }) => place),
    [ETH1],
    'each wakes for itself',
  );
});

t.test('who is gone is closed; an interface with another index is another', async (t) => {
  const bench = new Bench();
  bench.sockets.set([ETH0, ETH1]);
  bench.sockets.set([{ ...ETH0, index: 9 }]);
  t.same(bench.closed, [true, true, false]);
  t.equal(bench.sockets.get('eth0', 'ipv4')?.place.index, 9);
  t.equal(bench.opened[0]?.listener, undefined);
  bench.sockets.close();
  t.same(bench.closed, [true, true, true]);
});

t.test(
  'what cannot be opened is named, leaves the others alone, and is tried with the next set',
  async (t) => {
    const bench = new Bench();
    bench.refusals.push(-24);
    bench.sockets.set([ETH0, ETH1]);
    t.ok(bench.sockets.hasTrouble);
    t.equal(bench.sockets.trouble('eth0', 'ipv4')?.text, 'no socket for VRRP on eth0: socket says EMFILE');
    t.equal(bench.sockets.trouble('eth1', 'ipv4'), undefined);
    t.ok(bench.sockets.get('eth1', 'ipv4'));
    bench.sockets.set([ETH0, ETH1]);
    t.notOk(bench.sockets.hasTrouble);
    t.ok(bench.sockets.get('eth0', 'ipv4'));
  },
);

t.test('a defect is not taken for trouble', async (t) => {
  const sockets = new VrrpSockets(
    () => {
      throw new TypeError('a defect');
    },
    () => undefined,
  );
  t.throws(() => sockets.set([ETH0]), { message: 'a defect' });
});

t.test('what could not be read is counted over the lives of sockets', async (t) => {
  const bench = new Bench();
  bench.sockets.set([ETH0]);
  const nothing = new Uint8Array(0);
  bench.opened[0]?.incoming.push({ bytes: nothing, from: nothing, control: nothing });
  bench.sockets.get('eth0', 'ipv4')?.drain(9, () => undefined);
  t.equal(bench.sockets.unreadable, 1);
  bench.sockets.set([]);
  t.equal(bench.sockets.unreadable, 1);
});
