import fc from 'fast-check';
import t from 'tap';
import { ip, ipFromBytes } from '../../src/core/ip.js';
import { type Mac, mac, macBytes, macFromBytes, parseMac } from '../../src/core/mac.js';
import { ARP_OP, type Arp, arpProbe, gratuitousArp, readArp, writeArp } from '../../src/wire/arp.js';
import { addWords, checksum } from '../../src/wire/checksum.js';
import { readIpv4, writeIpv4 } from '../../src/wire/ipv4.js';
import { readIpv6, writeIpv6 } from '../../src/wire/ipv6.js';
import {
  type NeighborAdvertisement,
  readNeighborAdvertisement,
  unsolicitedAdvertisement,
  writeNeighborAdvertisement,
} from '../../src/wire/ndp.js';
import { type DecodedFrame, ethernetOf, loadFrames, present } from './frames.js';
import { fromHex, toHex } from './vectors.js';

const ETHERNET_LENGTH = 14;

function arpOf(decoded: DecodedFrame): Arp {
  const arp = present(decoded.arp, 'arp');
  return {
    ethernet: ethernetOf(decoded),
    operation: arp.op,
    senderMac: mac(arp.sha),
    senderIp: ip(arp.spa),
    targetMac: mac(arp.tha),
    targetIp: ip(arp.tpa),
  };
}

t.test('every captured gratuitous ARP is read, written and made', async (t) => {
  const vectors = loadFrames('garp');
  t.equal(vectors.length, 3);
  for (const { name, bytes, decoded } of vectors) {
    const arp = arpOf(decoded);
    t.same(readArp(bytes), arp, `${name} is read`);
    t.equal(toHex(writeArp(arp)), toHex(bytes), `${name} is written`);
    t.equal(toHex(gratuitousArp(arp.senderIp, arp.senderMac)), toHex(bytes), `${name} is made`);
  }
});

t.test('a probe asks for an address without claiming it (RFC 5227 1.1)', async (t) => {
  const probe = readArp(arpProbe(ip('192.0.2.1'), mac('02:00:00:00:00:01')));
  t.equal(probe.senderIp, '0.0.0.0');
  t.equal(probe.targetIp, '192.0.2.1');
  t.equal(probe.targetMac, '00:00:00:00:00:00');
  t.equal(probe.operation, ARP_OP.REQUEST);
  t.equal(probe.ethernet.destination, 'ff:ff:ff:ff:ff:ff');
});

t.test('ARP of another kind, or cut, is refused', async (t) => {
  const good = gratuitousArp(ip('192.0.2.1'), mac('02:00:00:00:00:01'));
  for (let length = 0; length < good.length; length += 1)
    t.throws(() => readArp(good.subarray(0, length)), { code: 'TRUNCATED' }, `${length} bytes`);
  for (const at of [12, 14, 16, 18, 19]) {
    const bad = good.slice();
    bad[at] = 0x77;
    t.throws(() => readArp(bad), { code: 'MALFORMED' }, `byte ${at}`);
  }
});

function advertisementOf(decoded: DecodedFrame): NeighborAdvertisement {
  const [na, ip6] = [present(decoded.na, 'na'), present(decoded.ip6, 'ip6')];
  return {
    ethernet: ethernetOf(decoded),
    ip: {
      trafficClass: ip6.tclass,
      flowLabel: ip6.flow,
      nextHeader: ip6.nextHeader,
      hopLimit: ip6.hopLimit,
      source: ip(ip6.src),
      destination: ip(ip6.dst),
    },
    router: na.R === 1,
    solicited: na.S === 1,
    override: na.O === 1,
    target: ip(na.target),
    targetMac: mac(na.options[0]?.lladdr ?? ''),
  };
}

t.test('every captured neighbour advertisement is read, written and made', async (t) => {
  const vectors = loadFrames('na');
  t.equal(vectors.length, 5);
  for (const { name, bytes, decoded } of vectors) {
    const na = advertisementOf(decoded);
    t.same(readNeighborAdvertisement(bytes), na, `${name} is read`);
    t.equal(toHex(writeNeighborAdvertisement(na)), toHex(bytes), `${name} is written`);
    const made = unsolicitedAdvertisement(na.target, present(na.targetMac, 'mac'), na.router);
    t.equal(toHex(made), toHex(bytes), `${name} is made`);
  }
});

t.test('a neighbour advertisement with any bit turned is refused or says so', async (t) => {
  const good = unsolicitedAdvertisement(ip('2001:db8::1'), mac('02:00:00:00:00:01'), false);
  const message = ETHERNET_LENGTH + 40;
  for (let at = message; at < good.length; at += 1) {
    const bad = good.slice();
    bad[at] = (bad[at] ?? 0) ^ 0x10;
    t.throws(() => readNeighborAdvertisement(bad), { code: 'MALFORMED' }, `byte ${at}`);
  }
  const far = good.slice();
  far[ETHERNET_LENGTH + 7] = 254;
  t.throws(
    () => readNeighborAdvertisement(far),
    { code: 'MALFORMED' },
    'hop limit 254 came through a router',
  );
});

/** A frame with these ICMPv6 bytes, the checksum made anew, in a header that a test may bend. */
function icmpFrame(like: Uint8Array, icmp: readonly number[], nextHeader = 58): Uint8Array {
  const { payload: _, ...header } = readIpv6(like.subarray(ETHERNET_LENGTH));
  const message = Uint8Array.from(icmp);
  message.set([0, 0], 2);
  const addresses = writeIpv6(header, message).subarray(8, 40);
  const sum = checksum(Uint8Array.of(...addresses, 0, 0, 0, message.length, 0, 0, 0, 58, ...message));
  message.set([sum >> 8, sum & 0xff], 2);
  const packet = writeIpv6({ ...header, nextHeader }, message);
  return Uint8Array.of(...like.subarray(0, ETHERNET_LENGTH), ...packet);
}

const OWNER = mac('02:00:00:00:00:01');
const GOOD = unsolicitedAdvertisement(ip('2001:db8::1'), OWNER, true);
const MESSAGE = [...GOOD.subarray(ETHERNET_LENGTH + 40)];
const BARE = MESSAGE.slice(0, 24);

t.test('a neighbour advertisement without flags and option', async (t) => {
  const without = writeNeighborAdvertisement({
    ...readNeighborAdvertisement(GOOD),
    ...{ targetMac: undefined, solicited: true, override: false },
  });
  const read = readNeighborAdvertisement(without);
  t.equal(read.targetMac, undefined);
  t.strictSame([read.router, read.solicited, read.override], [true, true, false]);
  t.equal(without[ETHERNET_LENGTH + 40 + 7], 0, 'nothing else in the reserved bits');
});

t.test('of several options the first link-layer address of six bytes counts', async (t) => {
  const other = [1, 1, 9, 9, 9, 9, 9, 9];
  const long = [2, 2, ...new Array<number>(14).fill(9)];
  const right = [2, 1, 2, 0, 0, 0, 0, 1];
  const rows: readonly (readonly [string, readonly number[], string | undefined])[] = [
    ['another option alone', other, undefined],
    ['behind another', [...other, ...right], OWNER],
    ['a longer one is of no Ethernet', [...long, ...right], OWNER],
    ['two of them', [...right, 2, 1, 9, 9, 9, 9, 9, 9], OWNER],
    ['a single byte left', [...right, 0], OWNER],
  ];
  for (const [name, options, expected] of rows)
    t.equal(readNeighborAdvertisement(icmpFrame(GOOD, [...BARE, ...options])).targetMac, expected, name);
});

t.test('options that never end or are cut, another message and another protocol are refused', async (t) => {
  const endless = icmpFrame(GOOD, [...BARE, 1, 0, 0, 0, 0, 0, 0, 0]);
  t.throws(() => readNeighborAdvertisement(endless), { code: 'MALFORMED', message: /length 0/ });
  const short = icmpFrame(GOOD, [...BARE, 1, 0]);
  t.throws(() => readNeighborAdvertisement(short), { code: 'MALFORMED', message: /length 0/ });
  t.throws(() => readNeighborAdvertisement(icmpFrame(GOOD, [...BARE, 2, 2, 0, 0])), { code: 'TRUNCATED' });
  for (const [at, value] of [
    [0, 135],
    [1, 1],
  ] as const) {
    const bad = MESSAGE.slice();
    bad[at] = value;
    t.throws(() => readNeighborAdvertisement(icmpFrame(GOOD, bad)), { code: 'MALFORMED' }, `byte ${at}`);
  }
  t.throws(() => readNeighborAdvertisement(icmpFrame(GOOD, MESSAGE, 17)), { code: 'MALFORMED' });
  const arp = GOOD.slice();
  arp.set([0x08, 0x06], 12);
  t.throws(() => readNeighborAdvertisement(arp), { code: 'MALFORMED' });
});

t.test('the IP header of every captured frame is read and written', async (t) => {
  const frames = [...loadFrames('vrrp'), ...loadFrames('na')];
  t.ok(frames.length > 40);
  for (const { name, bytes, decoded } of frames) {
    const packet = bytes.subarray(ETHERNET_LENGTH);
    if (decoded.ip4 !== undefined) {
      const { payload, checksumOk, ...header } = readIpv4(packet);
      const { ip4 } = decoded;
      t.ok(checksumOk, name);
      t.same(header, {
        ...{ tos: ip4.tos, id: ip4.id, fragment: ip4.frag, ttl: ip4.ttl, protocol: ip4.proto },
        ...{ source: ip4.src, destination: ip4.dst },
      });
      t.equal(toHex(writeIpv4(header, payload)), toHex(packet), name);
    } else {
      const { payload, ...header } = readIpv6(packet);
      const ip6 = present(decoded.ip6, 'ip6');
      t.same(header, {
        ...{ trafficClass: ip6.tclass, flowLabel: ip6.flow, nextHeader: ip6.nextHeader },
        ...{ hopLimit: ip6.hopLimit, source: ip6.src, destination: ip6.dst },
      });
      t.equal(toHex(writeIpv6(header, payload)), toHex(packet), name);
    }
  }
});

t.test('IPv4 with options is read behind them; padding of the link is left out', async (t) => {
  const plain = fromHex('45c0001600010000ff700000c0000201e0000012aabb');
  const options = fromHex('46c0001a00010000ff700000c0000201e000001294040000aabb00000000');
  t.equal(toHex(readIpv4(plain).payload), 'aabb');
  t.equal(toHex(readIpv4(options).payload), 'aabb');
  t.equal(readIpv4(plain).checksumOk, false);
});

t.test('what is not an IP header is refused', async (t) => {
  const header = '45c0001400010000ff700000c0000201e0000012';
  const rows: readonly (readonly [string, string, 'MALFORMED' | 'TRUNCATED'])[] = [
    ['version 6', `65${header.slice(2)}`, 'MALFORMED'],
    ['a header of 16 bytes', `44${header.slice(2)}`, 'MALFORMED'],
    ['a total length below the header', header.replace('c00014', 'c00010'), 'MALFORMED'],
    ['a total length above what came', header.replace('c00014', 'c00015'), 'TRUNCATED'],
    ['options that are missing', header.replace('45c00014', '46c00018'), 'TRUNCATED'],
    ['nothing', '', 'TRUNCATED'],
  ];
  for (const [name, hex, code] of rows) t.throws(() => readIpv4(fromHex(hex)), { code }, name);
  t.throws(() => readIpv6(fromHex('45000000')), { code: 'MALFORMED' });
  t.throws(() => readIpv6(fromHex('6000000000047000')), { code: 'TRUNCATED' });
});

t.test('the checksum of RFC 1071 3: its own example, odd lengths, and itself', async (t) => {
  t.equal(checksum(fromHex('0001f203f4f5f6f7')), ~0xddf2 & 0xffff);
  t.equal(checksum(fromHex('01')), ~0x0100 & 0xffff);
  t.equal(checksum(new Uint8Array()), 0xffff);
  t.equal(addWords(0, fromHex('0102030405'), 1, 4), 0x0203 + 0x0400, 'what is beyond the end does not count');
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 2, maxLength: 64 }), (bytes) => {
      const even = new Uint8Array([...bytes, ...(bytes.length % 2 === 1 ? [0] : [])]);
      const sum = checksum(even);
      return checksum(new Uint8Array([...even, sum >> 8, sum & 0xff])) === 0;
    }),
  );
});

const macArbitrary: fc.Arbitrary<Mac> = fc.uint8Array({ minLength: 6, maxLength: 6 }).map(macFromBytes);
const ipv4Arbitrary = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(ipFromBytes);
const ipv6Arbitrary = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(ipFromBytes);

t.test('law: what is written is read back', async () => {
  fc.assert(
    fc.property(macArbitrary, macArbitrary, ipv4Arbitrary, ipv4Arbitrary, (a, b, from, to) => {
      const read = readArp(
        writeArp({
          ethernet: { destination: b, source: a, type: 0x0806 },
          ...{ operation: 2, senderMac: a, senderIp: from, targetMac: b, targetIp: to },
        }),
      );
      return read.senderMac === a && read.targetMac === b && read.senderIp === from && read.targetIp === to;
    }),
  );
  fc.assert(
    fc.property(ipv6Arbitrary, macArbitrary, fc.boolean(), (address, owner, router) => {
      const read = readNeighborAdvertisement(unsolicitedAdvertisement(address, owner, router));
      return read.target === address && read.targetMac === owner && read.router === router;
    }),
  );
  fc.assert(
    fc.property(
      macArbitrary,
      (address) => macFromBytes(macBytes(address)) === address && parseMac(address) === address,
    ),
  );
});

t.test('law: any bytes are read or refused with a code', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      for (const read of [readArp, readNeighborAdvertisement, readIpv4, readIpv6]) {
        try {
          read(bytes);
        } catch (thrown) {
          if (!['TRUNCATED', 'MALFORMED'].includes((thrown as { code: string }).code)) throw thrown;
        }
      }
    }),
    { numRuns: 2_000 },
  );
});

t.test('an Ethernet address is read in any case, or refused', async (t) => {
  t.equal(parseMac('00:00:5E:00:01:33'), '00:00:5e:00:01:33');
  for (const text of ['', '00:00:5e:00:01', '00:00:5e:00:01:33:44', '0:0:5e:0:1:33', 'zz:00:5e:00:01:33'])
    t.equal(parseMac(text), undefined, text);
  t.throws(() => mac('nonsense'), { code: 'MALFORMED' });
  t.throws(() => macFromBytes(new Uint8Array(5)), { code: 'MALFORMED' });
});
