import fc from 'fast-check';
import t from 'tap';
import { ip } from '../../src/core/ip.js';
import { mac } from '../../src/core/mac.js';
import { type Claim, NeighbourSocket } from '../../src/vrrp/neighbours.js';
import { gratuitousArp } from '../../src/wire/arp.js';
import { neighborProbe, unsolicitedAdvertisement } from '../../src/wire/ndp.js';
import { FakePacketSocket, opening } from '../fakes/packet-socket.js';

const VIP = ip('10.0.0.100');
const SIX = ip('2001:db8::100');
const OTHER = mac('02:00:00:00:00:99');
/** The ICMPv6 message of a frame: behind 14 bytes of Ethernet and 40 of IPv6. */
const ADVERTISED = unsolicitedAdvertisement(SIX, OTHER, false).subarray(54);
const INFO = '24000000000000002900000032000000ff02000000000000000000000000000107000000'.padEnd(80, '0');
const hops = (count: string): string => `14000000000000002900000034000000${count.padEnd(16, '0')}`;

function heard(family: 'ipv4' | 'ipv6', bytes: Uint8Array, from: Uint8Array, control = ''): Claim[] {
  const socket = new FakePacketSocket();
  socket.incoming.push({ bytes, from, control: Buffer.from(control, 'hex') });
  const claims: Claim[] = [];
  new NeighbourSocket(opening(socket), family).drain((claim) => claims.push(claim));
  return claims;
}

function arpFrom(index: number, type: number): Uint8Array {
  const bytes = new Uint8Array(20);
  bytes[4] = index;
  bytes[10] = type;
  return bytes;
}

t.test('for IPv4 all ARP comes by, and the kernel keeps what is no claim from us', async (t) => {
  const socket = new FakePacketSocket();
  const asked: string[] = [];
  new NeighbourSocket(opening(socket, asked), 'ipv4').close();
  t.same(asked, [`17 3 ${0x0608}`], 'a packet socket of ETH_P_ARP in network order');
  t.same(socket.options, [
    '263 23 1', // PACKET_IGNORE_OUTGOING
    `filter ${[
      '2800000014000000',
      '1500050002000000',
      '200000001c000000',
      '0700000000000000',
      '2000000026000000',
      '1d00010000000000',
      '0600000000000000',
      '06000000ffff0000',
    ].join('')}`,
  ]);
  t.ok(socket.closed);
});

/** What the program in the kernel makes of a frame, by its own words. */
function passes(frame: Uint8Array): boolean {
  const socket = new FakePacketSocket();
  new NeighbourSocket(opening(socket), 'ipv4').close();
  const program = Buffer.from(socket.options.at(-1)?.slice('filter '.length) ?? '', 'hex');
  const bytes = Buffer.from(frame);
  let [at, a, x] = [0, 0, 0];
  for (;;) {
    const [code, yes, no, k] = [
      program.readUInt16LE(at * 8),
      program.readUInt8(at * 8 + 2),
      program.readUInt8(at * 8 + 3),
      program.readUInt32LE(at * 8 + 4),
    ];
    at += 1;
    if (code === 0x28) a = bytes.readUInt16BE(k);
    else if (code === 0x20) a = bytes.readUInt32BE(k);
    else if (code === 0x07) x = a;
    else if (code === 0x15) at += a === k ? yes : no;
    else if (code === 0x1d) at += a === x ? yes : no;
    else if (code === 0x06) return k > 0;
    else throw new Error(`code ${code}`);
  }
}

t.test('replies and announcements pass the filter, questions do not', async (t) => {
  const frame = Buffer.from(gratuitousArp(VIP, OTHER));
  t.ok(passes(frame), 'an announcement as a request');
  const question = Buffer.from(frame);
  question.writeUInt32BE(0x0a000001, 38);
  t.notOk(passes(question));
  const reply = Buffer.from(question);
  reply.writeUInt16BE(2, 20);
  t.ok(passes(reply));
  const probe = Buffer.from(question);
  probe.writeUInt32BE(0, 28);
  t.notOk(passes(probe), 'a probe of another machine');
});

t.test('a claim tells address, MAC and the interface', async (t) => {
  t.same(heard('ipv4', gratuitousArp(VIP, OTHER), arpFrom(7, 1)), [{ address: VIP, mac: OTHER, index: 7 }]);
  t.same(heard('ipv4', gratuitousArp(VIP, OTHER), arpFrom(7, 4)), [], 'what we sent ourselves');
  const six = heard('ipv6', ADVERTISED, new Uint8Array(28), INFO + hops('ff000000'));
  t.same(six, [{ address: SIX, mac: OTHER, index: 7 }]);
});

t.test('for IPv6 only neighbour advertisements pass, and only from this link', async (t) => {
  const socket = new FakePacketSocket();
  const asked: string[] = [];
  new NeighbourSocket(opening(socket, asked), 'ipv6').close();
  t.same(asked, ['10 3 58']);
  const blocked = `${'f'.repeat(34)}fe${'f'.repeat(28)}`;
  t.same(socket.options, [`58 1 ${blocked}`, '41 49 1', '41 51 1'], 'bit 136 is clear');
  const none = new Uint8Array(28);
  t.same(heard('ipv6', ADVERTISED, none, INFO + hops('fe000000')), [], 'it came through a router');
  t.same(heard('ipv6', ADVERTISED, none, INFO), [], 'how far it came is not known');
  t.same(heard('ipv6', ADVERTISED.subarray(0, 24), none, INFO + hops('ff000000')), [], 'it names no MAC');
});

t.test('a socket that is refused is told, and nothing stays open', async (t) => {
  t.throws(() => new NeighbourSocket(opening(-1), 'ipv4'), { code: 'VRRP', message: /\(ipv4\): EPERM$/ });
  const socket = new FakePacketSocket(['41 51', -92]);
  t.throws(() => new NeighbourSocket(opening(socket), 'ipv6'), { message: /ENOPROTOOPT/ });
  t.ok(socket.closed);
});

t.test('law: no bytes are too strange', async () => {
  fc.assert(
    fc.property(fc.constantFrom('ipv4', 'ipv6'), fc.uint8Array({ maxLength: 128 }), (family, bytes) => {
      return heard(family, bytes, new Uint8Array(28), INFO + hops('ff000000')).length <= 1;
    }),
  );
});

t.test('a probe of IPv6 asks the group of the address, from nobody', async (t) => {
  const frame = Buffer.from(neighborProbe(ip('2001:db8::12:3456'), OTHER)).toString('hex');
  t.equal(frame.slice(0, 28), '3333ff123456' + '020000000099' + '86dd');
  t.equal(frame.slice(28, 44), '6000000000183aff', '24 bytes of ICMPv6, hop limit 255');
  t.equal(frame.slice(44, 108), `${'0'.repeat(32)}ff0200000000000000000001ff123456`);
  t.match(frame.slice(108), /^8700[0-9a-f]{4}0000000020010db8000000000000000000123456$/);
});
