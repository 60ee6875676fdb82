import t from 'tap';
import { ip } from '../../src/core/ip.js';
import type { Envelope } from '../../src/vrrp/packet.js';
import { FrameSocket, type Place, VrrpSocket } from '../../src/vrrp/transport.js';
import { readIpv4, writeIpv4 } from '../../src/wire/ipv4.js';
import { VRRP_GROUP } from '../../src/wire/vrrp.js';
import { FakePacketSocket, opening } from '../fakes/packet-socket.js';

const IPV4: Place = { device: 'eth0', index: 5, family: 'ipv4' };
const IPV6: Place = { device: 'eth0', index: 5, family: 'ipv6' };
const PAYLOAD = Uint8Array.of(0x31, 51, 100, 0, 0, 100, 0, 0);
const NOTHING = new Uint8Array(0);
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? NOTHING).toString('hex');

t.test(
  'a socket of IPv4 writes its own headers, joins the group and hears its interface alone',
  async (t) => {
    const socket = new FakePacketSocket();
    const asked: string[] = [];
    VrrpSocket.open(opening(socket, asked), IPV4);
    t.same(asked, ['2 3 112']);
    t.same(socket.options, [
      '1 25 6574683000', // SO_BINDTODEVICE "eth0\0"
      '0 3 1', // IP_HDRINCL
      '0 49 0', // IP_MULTICAST_ALL
      '0 34 0', // IP_MULTICAST_LOOP
      '0 32 000000000000000005000000', // IP_MULTICAST_IF
      '0 35 e00000120000000005000000', // IP_ADD_MEMBERSHIP 224.0.0.18
      '1 12 6', // SO_PRIORITY
      '1 33 1048576', // SO_RCVBUFFORCE
    ]);
  },
);

t.test('a socket of IPv6 sends with hop limit 255 and asks for destination and hop limit', async (t) => {
  const socket = new FakePacketSocket();
  const asked: string[] = [];
  VrrpSocket.open(opening(socket, asked), IPV6);
  t.same(asked, ['10 3 112']);
  t.same(socket.options, [
    '1 25 6574683000',
    '41 29 0', // IPV6_MULTICAST_ALL
    '41 19 0', // IPV6_MULTICAST_LOOP
    '41 17 5', // IPV6_MULTICAST_IF
    '41 18 255', // IPV6_MULTICAST_HOPS
    '41 16 255', // IPV6_UNICAST_HOPS
    '41 67 192', // IPV6_TCLASS
    '41 49 1', // IPV6_RECVPKTINFO
    '41 51 1', // IPV6_RECVHOPLIMIT
    '41 20 ff02000000000000000000000000001205000000', // IPV6_ADD_MEMBERSHIP
    '1 12 6',
    '1 33 1048576',
  ]);
});

t.test('what the kernel refuses is told with its reason, and nothing stays open', async (t) => {
  t.throws(() => VrrpSocket.open(opening(-1), IPV4), {
    code: 'PERMISSION',
    message: 'no socket for VRRP on eth0: socket says EPERM: run as root, or with CAP_NET_RAW',
  });
  t.throws(() => VrrpSocket.open(opening(-93), IPV6), { code: 'VRRP' });
  const socket = new FakePacketSocket(['0 35', -19]);
  t.throws(() => VrrpSocket.open(opening(socket), IPV4), {
    code: 'VRRP',
    message: 'no socket for VRRP on eth0: IP_ADD_MEMBERSHIP says ENODEV',
  });
  t.ok(socket.closed);
  const poor = new FakePacketSocket(['1 33', -1]);
  VrrpSocket.open(opening(poor), IPV4);
  t.notOk(poor.closed, 'without a larger buffer it works too');
});

t.test('an advert of IPv4 leaves with TTL 255, TOS 0xc0 and the source of the instance', async (t) => {
  const socket = new FakePacketSocket();
  const sender = VrrpSocket.open(opening(socket), IPV4);
  const envelope: Envelope = { source: ip('10.0.0.1'), destination: ip('224.0.0.18'), hops: 255 };
  t.equal(sender.send(envelope, PAYLOAD), 28);
  const packet = readIpv4(socket.sent[0]?.bytes ?? NOTHING);
  t.match(packet, { ttl: 255, tos: 0xc0, protocol: 112, source: '10.0.0.1', destination: '224.0.0.18' });
  t.same(packet.payload, PAYLOAD);
  t.equal(hex(socket.sent[0]?.to), '02000000e00000120000000000000000');
  socket.sendResult = -100;
  t.equal(sender.send(envelope, PAYLOAD), -100, 'an error is a value');
});

for (const [name, place, source, other] of [
  ['IPv4', IPV4, '10.0.0.1', '10.0.0.9'],
  ['IPv6', IPV6, 'fe80::1', 'fe80::9'],
] as const)
  t.test(
    `${name}: a message that is sent again is not written again, from another sender it is`,
    async (t) => {
      const socket = new FakePacketSocket();
      const given: (readonly [Uint8Array, Uint8Array])[] = [];
      socket.send = (bytes, to, control) => {
        given.push([bytes, to]);
        return FakePacketSocket.prototype.send.call(socket, bytes, to, control);
      };
      const sender = VrrpSocket.open(opening(socket), place);
      const envelope: Envelope = { source: ip(source), destination: VRRP_GROUP[place.family], hops: 255 };
      const prepared = sender.prepare(envelope, PAYLOAD);
      t.same(given, [], 'what is prepared is not sent');
      sender.send(envelope, PAYLOAD);
      sender.send(envelope, PAYLOAD);
      t.equal(given[0]?.[0], prepared.bytes);
      sender.send({ ...envelope, source: ip(other) }, PAYLOAD);
      t.equal(given[1]?.[0], given[0]?.[0]);
      t.equal(given[1]?.[1], given[0]?.[1]);
      const [first, again, moved] = socket.sent;
      t.same(again, first);
      t.notSame(moved, first);
    },
  );

t.test('an advert of IPv6 carries its source in the control data', async (t) => {
  const socket = new FakePacketSocket();
  const sender = VrrpSocket.open(opening(socket), IPV6);
  sender.send({ source: ip('fe80::1'), destination: ip('ff02::12'), hops: 255 }, PAYLOAD);
  const [sent] = socket.sent;
  t.same(sent?.bytes, PAYLOAD);
  t.equal(hex(sent?.to), '0a00000000000000ff02000000000000000000000000001205000000');
  t.equal(
    hex(sent?.control),
    '24000000000000002900000032000000fe80000000000000000000000000000105000000'.padEnd(80, '0'),
  );
});

const FROM_IPV4 = Uint8Array.of(2, 0, 0, 0, 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0);

function ipv4Packet(ttl: number): Uint8Array {
  const header = { tos: 0, id: 1, fragment: 0, ttl, protocol: 112, source: ip('10.0.0.2') };
  return writeIpv4({ ...header, destination: ip('10.0.0.1') }, PAYLOAD);
}

function heardBy(socket: FakePacketSocket, place: Place, limit = 100) {
  const receiver = VrrpSocket.open(opening(socket), place);
  const heard: (readonly [Envelope, string])[] = [];
  const count = receiver.drain(limit, (envelope, payload) => heard.push([envelope, hex(payload)]));
  return { receiver, heard, count };
}

t.test('a packet of IPv4 tells sender, destination and the TTL that it came with', async (t) => {
  const socket = new FakePacketSocket();
  socket.incoming.push({ bytes: ipv4Packet(254), from: FROM_IPV4, control: NOTHING });
  const { heard, count } = heardBy(socket, IPV4);
  t.equal(count, 1);
  t.same(heard, [[{ source: '10.0.0.2', destination: '10.0.0.1', hops: 254 }, hex(PAYLOAD)]]);
});

const FROM_IPV6 = Buffer.from('0a00000000000000fe80000000000000000000000000000205000000', 'hex');
const INFO = '24000000000000002900000032000000ff02000000000000000000000000001205000000'.padEnd(80, '0');
const HOPS = `14000000000000002900000034000000${'ff000000'.padEnd(16, '0')}`;

t.test(
  'a packet of IPv6 tells the same from its control data, in any order and beside other data',
  async (t) => {
    const other = `14000000000000000100000001000000${'01000000'.padEnd(16, '0')}`;
    for (const control of [INFO + HOPS, HOPS + INFO, other + HOPS + INFO]) {
      const socket = new FakePacketSocket();
      socket.incoming.push({ bytes: PAYLOAD, from: FROM_IPV6, control: Buffer.from(control, 'hex') });
      const { heard } = heardBy(socket, IPV6);
      t.same(heard, [[{ source: 'fe80::2', destination: 'ff02::12', hops: 255 }, hex(PAYLOAD)]]);
    }
  },
);

t.test('what cannot be read is counted and is nobody`s', async (t) => {
  const v6 = new FakePacketSocket();
  for (const control of ['', INFO, HOPS, `ff${INFO.slice(2)}`, `00${HOPS.slice(2)}`])
    v6.incoming.push({ bytes: PAYLOAD, from: FROM_IPV6, control: Buffer.from(control, 'hex') });
  const six = heardBy(v6, IPV6);
  t.same([six.heard.length, six.receiver.unreadable], [0, 5]);
  const v4 = new FakePacketSocket();
  for (const bytes of [NOTHING, Uint8Array.of(0x45), ipv4Packet(255).subarray(0, 24), new Uint8Array(9000)])
    v4.incoming.push({ bytes, from: FROM_IPV4, control: NOTHING });
  const four = heardBy(v4, IPV4);
  t.same([four.heard.length, four.receiver.unreadable], [0, 4]);
});

t.test('an interface that goes down, or a signal, does not end the reading; other errors do', async (t) => {
  const packet = { bytes: ipv4Packet(255), from: FROM_IPV4, control: NOTHING };
  for (const [error, expected] of [
    [-100, 1],
    [-4, 1],
    [-5, 0],
  ] as const) {
    const socket = new FakePacketSocket();
    socket.incoming.push(error, packet);
    t.equal(heardBy(socket, IPV4).heard.length, expected, `${error}`);
  }
});

t.test('at most so many packets are read at once', async (t) => {
  const socket = new FakePacketSocket();
  for (let index = 0; index < 5; index += 1)
    socket.incoming.push({ bytes: ipv4Packet(255), from: FROM_IPV4, control: NOTHING });
  const { receiver, heard } = heardBy(socket, IPV4, 3);
  t.equal(heard.length, 3);
  t.equal(
    receiver.drain(100, () => undefined),
    2,
  );
});

t.test('a closed socket listens no more', async (t) => {
  const socket = new FakePacketSocket();
  const receiver = VrrpSocket.open(opening(socket), IPV4);
  receiver.onReadable(() => undefined);
  receiver.close();
  t.same([socket.listener, socket.closed], [undefined, true]);
});

t.test('frames leave through a socket that hears nothing, by the link they are for', async (t) => {
  const socket = new FakePacketSocket();
  const asked: string[] = [];
  const frames = FrameSocket.open(opening(socket, asked));
  t.same(asked, ['17 3 0'], 'protocol 0: no frame waits in it');
  frames.send(5, 'ipv4', Uint8Array.of(1));
  frames.send(6, 'ipv6', Uint8Array.of(2));
  t.same(
    socket.sent.map(({ to }) => hex(to)),
    ['110008060500000000000006ffffffffffff0000', '110086dd0600000000000006ffffffffffff0000'],
  );
  t.throws(() => FrameSocket.open(opening(-1)), { code: 'PERMISSION' });
});
