import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { type Ip, ip, ipFromBytes } from '../../src/core/ip.js';
import type { ChecksumForm, Envelope, Received, VrrpMessage } from '../../src/vrrp/packet.js';
import { addPseudoHeader, addWords, finishChecksum } from '../../src/wire/checksum.js';
import { readIpv4 } from '../../src/wire/ipv4.js';
import { readIpv6 } from '../../src/wire/ipv6.js';
import { passwordData, peekVrid, readVrrp, VRRP_GROUP, virtualMac, writeVrrp } from '../../src/wire/vrrp.js';
import {
  checkTrailer,
  type Hmac,
  readTrailer,
  signVrrp,
  TRAILER_LENGTH,
} from '../../src/wire/vrrp-trailer.js';
import { addressesOf, type DecodedFrame, type FrameVector, loadFrames, present } from './frames.js';
import { fromHex, toHex } from './vectors.js';

const ETHERNET_LENGTH = 14;
const AUTHENTICATION_HEADER_LENGTH = 24;

interface Unwrapped {
  readonly envelope: Envelope;
  readonly payload: Uint8Array;
}

function unwrap({ bytes, decoded }: FrameVector): Unwrapped {
  const packet = bytes.subarray(ETHERNET_LENGTH);
  if (decoded.ip6 !== undefined) {
    const { source, destination, hopLimit: hops, payload } = readIpv6(packet);
    return { envelope: { source, destination, hops }, payload };
  }
  const { source, destination, ttl: hops, payload } = readIpv4(packet);
  const skip = decoded.ah === undefined ? 0 : AUTHENTICATION_HEADER_LENGTH;
  return { envelope: { source, destination, hops }, payload: payload.subarray(skip) };
}

function messageOf(decoded: DecodedFrame): VrrpMessage {
  const { version, type, vrid, priority, addresses, ...rest } = present(decoded.vrrp, 'vrrp');
  const fields = { type, vrid, priority, addresses: addressesOf(addresses) };
  return version === 2
    ? {
        version,
        ...fields,
        authType: present(rest.authType, 'authType'),
        intervalSeconds: present(rest.advInt, 'advInt'),
        authData: fromHex(present(rest.authData, 'authData')),
      }
    : {
        version,
        ...fields,
        reserved: present(rest.rsvd, 'rsvd'),
        intervalCentis: present(rest.maxAdvInt, 'maxAdvInt'),
      };
}

/** What the decoded frame calls the form of its checksum, in our words. */
function formOf(decoded: DecodedFrame): ChecksumForm {
  return present(decoded.vrrp, 'vrrp').checksumForm === 'pseudo-header' ? 'pseudo-header' : 'message';
}

t.test('every captured VRRP message is read and written', async (t) => {
  const vectors = loadFrames('vrrp');
  t.equal(vectors.length, 42);
  for (const vector of vectors) {
    const { envelope, payload } = unwrap(vector);
    const message = messageOf(vector.decoded);
    const form = formOf(vector.decoded);
    const { destination } = envelope;
    if (destination.startsWith('224.')) t.equal(destination, VRRP_GROUP.ipv4, vector.name);
    if (destination.startsWith('ff02:')) t.equal(destination, VRRP_GROUP.ipv6, vector.name);
    const expected: Received = { kind: 'message', message, checksum: form, rest: { kind: 'none' } };
    t.same(readVrrp(payload, envelope), expected, `${vector.name} is read`);
    t.equal(toHex(writeVrrp(message, envelope, form)), toHex(payload), `${vector.name} is written`);
    t.equal(peekVrid(payload), message.vrid);
  }
});

const V4: Envelope = { source: ip('10.0.0.1'), destination: ip('224.0.0.18'), hops: 255 };
const V6: Envelope = { source: ip('fe80::1'), destination: ip('ff02::12'), hops: 255 };

const advert3: VrrpMessage = {
  version: 3,
  type: 1,
  vrid: 51,
  priority: 100,
  reserved: 0,
  intervalCentis: 100,
  addresses: [ip('10.0.0.100')],
};

t.test('both forms of the checksum of version 3 for IPv4 are told apart, and the wrong one', async (t) => {
  for (const form of ['pseudo-header', 'message'] as const)
    t.match(readVrrp(writeVrrp(advert3, V4, form), V4), { checksum: form });
  const bytes = writeVrrp(advert3, V4, 'message');
  bytes[6] = (bytes[6] ?? 0) ^ 1;
  t.match(readVrrp(bytes, V4), { checksum: 'wrong' });
});

t.test(
  'the pseudo-header holds the destination: a message sent elsewhere has a wrong checksum',
  async (t) => {
    const bytes = writeVrrp(advert3, V4, 'pseudo-header');
    t.match(readVrrp(bytes, { ...V4, destination: ip('10.0.0.2') }), { checksum: 'wrong' });
    t.match(readVrrp(bytes, { ...V4, source: ip('10.0.0.3') }), { checksum: 'wrong' });
  },
);

t.test('version 2 has one form alone: with a pseudo-header its checksum is wrong', async (t) => {
  const two: VrrpMessage = {
    ...{ version: 2, type: 1, vrid: 51, priority: 100, authType: 0, intervalSeconds: 1 },
    ...{ addresses: [ip('10.0.0.100')], authData: new Uint8Array(8) },
  };
  const bytes = writeVrrp(two, V4, 'pseudo-header');
  t.match(readVrrp(bytes, V4), { checksum: 'message' }, 'the option is for version 3');
  bytes.set([0, 0], 6);
  const sum = finishChecksum(
    addWords(addPseudoHeader(0, V4.source, V4.destination, 112, bytes.length), bytes),
  );
  bytes.set([sum >> 8, sum & 0xff], 6);
  t.match(readVrrp(bytes, V4), { checksum: 'wrong' });
});

t.test('IPv6 has one form alone: a message-only checksum is wrong there', async (t) => {
  const six: VrrpMessage = { ...advert3, addresses: [ip('fe80::5')] };
  t.match(
    readVrrp(writeVrrp(six, V6, 'message'), V6),
    { checksum: 'pseudo-header' },
    'the option is for IPv4',
  );
  const alone = writeVrrp({ ...advert3, version: 3 }, V4, 'message').slice();
  t.match(readVrrp(new Uint8Array([...alone.subarray(0, 8), ...new Uint8Array(16)]), V6), {
    checksum: 'wrong',
  });
});

t.test('what follows a message is named', async (t) => {
  const good = [...writeVrrp(advert3, V4, 'message')];
  const rest = (extra: readonly number[], envelope = V4): unknown => {
    const received = readVrrp(new Uint8Array([...good, ...extra]), envelope);
    return received.kind === 'message' ? received.rest : received;
  };
  t.same(rest([]), { kind: 'none' });
  t.same(rest(new Array(14).fill(0)), { kind: 'padding' }, 'up to 46 bytes of IP');
  t.same(rest([...new Array(13).fill(0), 1]), { kind: 'other', length: 14 }, 'padding is zeros');
  t.same(rest(new Array(4).fill(0)), { kind: 'other', length: 4 }, 'less than a frame needs');
  t.match(rest(new Array(TRAILER_LENGTH).fill(0)), { kind: 'trailer' });
  t.same(rest(new Array(29).fill(0)), { kind: 'other', length: 29 });
});

t.test('a message cut anywhere is incomplete and says by how much', async (t) => {
  for (const [message, envelope, need] of [
    [advert3, V4, 12],
    [{ ...advert3, addresses: [ip('fe80::5')] }, V6, 24],
  ] as const) {
    const bytes = writeVrrp(message, envelope, 'message');
    t.equal(bytes.length, need);
    for (let have = 0; have < need; have += 1) {
      const expected = { kind: 'incomplete', need: have < 8 ? 8 : need, have };
      t.same(readVrrp(bytes.subarray(0, have), envelope), expected);
    }
  }
});

t.test('another version is named, whatever follows', async (t) => {
  for (const version of [0, 1, 4, 15])
    t.same(readVrrp(Uint8Array.of(version << 4), V4), { kind: 'unknown-version', version });
});

t.test('values that do not fit are refused on writing', async (t) => {
  const bad: readonly (readonly [string, VrrpMessage, Envelope])[] = [
    ['an interval of 4096', { ...advert3, intervalCentis: 4096 }, V4],
    ['an interval of 0.5', { ...advert3, intervalCentis: 0.5 }, V4],
    ['a priority of 256', { ...advert3, priority: 256 }, V4],
    ['an address of the other family', { ...advert3, addresses: [ip('fe80::1')] }, V4],
    ['256 addresses', { ...advert3, addresses: new Array<Ip>(256).fill(ip('10.0.0.1')) }, V4],
    [
      'short authentication data',
      { ...advert3, version: 2, authType: 1, intervalSeconds: 1, authData: new Uint8Array(7) },
      V4,
    ],
  ];
  for (const [name, message, envelope] of bad)
    t.throws(() => writeVrrp(message, envelope, 'message'), { code: 'MALFORMED' }, name);
});

t.test('a password is cut to 8 bytes and filled with zeros (RFC 3768 5.3.6)', async (t) => {
  t.equal(toHex(passwordData('s3cr3t')), '7333637233740000');
  t.equal(toHex(passwordData('0123456789')), '3031323334353637');
  t.equal(toHex(passwordData('')), '0000000000000000');
  t.equal(toHex(passwordData('ä%')), 'c3a4250000000000', 'bytes of UTF-8, not letters');
});

t.test('the MAC of a virtual router (RFC 5798 7.3)', async (t) => {
  t.equal(virtualMac('ipv4', 51), '00:00:5e:00:01:33');
  t.equal(virtualMac('ipv6', 255), '00:00:5e:00:02:ff');
});

const addressArbitrary = (size: 4 | 16): fc.Arbitrary<Ip> =>
  fc.uint8Array({ minLength: size, maxLength: size }).map(ipFromBytes);

function messageArbitrary(size: 4 | 16): fc.Arbitrary<VrrpMessage> {
  const fields = {
    type: fc.nat(15),
    vrid: fc.nat(255),
    priority: fc.nat(255),
    addresses: fc.array(addressArbitrary(size), { maxLength: 12 }),
  };
  const three = fc.record({
    version: fc.constant(3 as const),
    ...fields,
    reserved: fc.nat(15),
    intervalCentis: fc.nat(4095),
  });
  const two = fc.record({
    version: fc.constant(2 as const),
    ...fields,
    authType: fc.nat(255),
    intervalSeconds: fc.nat(255),
    authData: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  });
  return size === 4 ? fc.oneof<fc.Arbitrary<VrrpMessage>[]>(two, three) : three;
}

const formArbitrary = fc.constantFrom<ChecksumForm>('pseudo-header', 'message');
const caseArbitrary = fc
  .constantFrom<4 | 16>(4, 16)
  .chain((size) =>
    fc.tuple(messageArbitrary(size), addressArbitrary(size), addressArbitrary(size), formArbitrary),
  );

t.test('law: what is written is read back with a right checksum', async (t) => {
  fc.assert(
    fc.property(caseArbitrary, ([message, source, destination, form]) => {
      const envelope = { source, destination, hops: 255 };
      const received = readVrrp(writeVrrp(message, envelope, form), envelope);
      t.match(received, { kind: 'message', message, rest: { kind: 'none' } });
      return received.kind === 'message' && received.checksum !== 'wrong';
    }),
  );
});

t.test('law: one turned bit is noticed by the checksum, the version or the length', async () => {
  fc.assert(
    fc.property(caseArbitrary, fc.nat(), ([message, source, destination, form], bit) => {
      const envelope = { source, destination, hops: 255 };
      const bytes = writeVrrp(message, envelope, form).slice();
      const before = readVrrp(bytes, envelope);
      const at = Math.floor(bit / 8) % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit % 8));
      const received = readVrrp(bytes, envelope);
      if (received.kind !== 'message' || before.kind !== 'message') return true;
      // By chance the other form may fit; the one that was written never does.
      return received.checksum !== before.checksum || received.rest.kind !== 'none';
    }),
  );
});

t.test('law: any bytes make something and nothing is thrown', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(V4, V6), (bytes, envelope) => {
      const received = readVrrp(bytes, envelope);
      return received.kind !== 'message' || received.message.addresses.length === bytes[3];
    }),
    { numRuns: 5_000 },
  );
});

const KEY = Uint8Array.from({ length: 32 }, (_, index) => index);
const hmac: Hmac = (keyId, data) =>
  keyId === 1 ? createHmac('sha256', KEY).update(data).digest() : undefined;

/** The MAC input by hand, as the sections of keepalived's draft list it. */
function macByHand(family: number, source: string, message: string, head: string): string {
  const zeroed = `${message.slice(0, 12)}0000${message.slice(16)}`;
  const version = message.slice(0, 1).padStart(2, '0');
  const pseudo = `0${family}${version}${message.slice(2, 4)}00${source.padEnd(32, '0')}`;
  const data = fromHex(`${pseudo}${zeroed}${head}${'00'.repeat(16)}`);
  return createHmac('sha256', KEY).update(data).digest('hex').slice(0, 32);
}

t.test('the trailer of auth_hmac is laid out and signed as keepalived 2.4.2 does, IPv4', async (t) => {
  const envelope = { ...V4, source: ip('192.168.77.1'), destination: ip('192.168.77.2') };
  const message = writeVrrp({ ...advert3, vrid: 99, priority: 200 }, envelope, 'pseudo-header');
  const sequence = (0x65_00_00_01n << 32n) | (0x8000n << 16n) | 7n;
  const signed = toHex(signVrrp(message, envelope, { keyId: 1, sequence }, hmac));
  const head = '01010000' + '65000001' + '8000' + '0007';
  t.equal(signed.slice(0, 24), toHex(message), 'the message and its checksum stay');
  t.equal(signed.slice(24, 48), head);
  t.equal(signed.slice(48), macByHand(4, 'c0a84d01', toHex(message), head));
  const received = readVrrp(fromHex(signed), envelope);
  t.match(received, {
    checksum: 'pseudo-header',
    rest: { kind: 'trailer', trailer: { keyId: 1, sequence } },
  });
  t.equal(checkTrailer(fromHex(signed), envelope, hmac), 'good');
});

t.test('the checksum of IPv6 covers the trailer, as the kernel sums it', async (t) => {
  const envelope = { source: ip('fd00::1'), destination: ip('fd00::2'), hops: 255 };
  const message = writeVrrp({ ...advert3, addresses: [ip('fd00::100')] }, envelope, 'pseudo-header');
  const signed = signVrrp(message, envelope, { keyId: 1, sequence: 1n << 32n }, hmac);
  t.equal(signed.length, 8 + 16 + TRAILER_LENGTH);
  t.match(readVrrp(signed, envelope), { checksum: 'pseudo-header', rest: { kind: 'trailer' } });
  t.not(toHex(signed.subarray(6, 8)), toHex(message.subarray(6, 8)));
  t.equal(checkTrailer(signed, envelope, hmac), 'good', 'the MAC reads the checksum as 0');
  t.match(
    readVrrp(signed.subarray(0, 24), envelope),
    { checksum: 'wrong' },
    'without its trailer the sum is off',
  );
});

t.test('a signed message with any bit turned is refused, the checksum apart', async (t) => {
  const message = writeVrrp(advert3, V4, 'pseudo-header');
  const signed = signVrrp(message, V4, { keyId: 1, sequence: 42n }, hmac);
  for (let at = 0; at < signed.length; at += 1) {
    const bad = signed.slice();
    bad[at] = (bad[at] ?? 0) ^ 4;
    const expected = at === 6 || at === 7 ? 'good' : at === message.length + 1 ? 'unknown-key' : 'wrong';
    t.equal(checkTrailer(bad, V4, hmac), expected, `byte ${at}`);
  }
  t.equal(checkTrailer(signed, { ...V4, source: ip('10.0.0.9') }, hmac), 'wrong', 'another sender');
});

t.test('a missing key signs with zeros, which nobody takes', async (t) => {
  const signed = signVrrp(writeVrrp(advert3, V4, 'message'), V4, { keyId: 9, sequence: 1n }, hmac);
  t.equal(toHex(signed.subarray(-16)), '00'.repeat(16));
  t.equal(checkTrailer(signed, V4, hmac), 'unknown-key');
  t.equal(
    checkTrailer(signed, V4, () => KEY),
    'wrong',
  );
});

t.test('law: a trailer is read back', async () => {
  fc.assert(
    fc.property(fc.bigInt(0n, (1n << 64n) - 1n), fc.constantFrom(V4, V6), (sequence, envelope) => {
      const message = writeVrrp({ ...advert3, addresses: [] }, envelope, 'message');
      const signed = signVrrp(message, envelope, { keyId: 1, sequence }, hmac);
      const trailer = readTrailer(signed.subarray(message.length));
      return trailer.sequence === sequence && trailer.type === 1 && trailer.reserved === 0;
    }),
  );
});
