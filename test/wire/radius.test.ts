/** RADIUS: the examples of the RFCs, and laws. */
import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import {
  encodeRadiusRequest,
  type RadiusHashes,
  type RadiusRequest,
  readRadiusReply,
} from '../../src/wire/radius.js';

const HASHES: RadiusHashes = {
  md5: (...parts) => createHash('md5').update(Buffer.concat(parts)).digest(),
  hmacMd5: (key, bytes) => createHmac('md5', key).update(bytes).digest(),
};
const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const hexOf = (from: Uint8Array): string => Buffer.from(from).toString('hex');

/** RFC 2865 7.1. */
const TELNET: RadiusRequest = {
  id: 0,
  authenticator: bytes('0f403f9473978057bd83d5cb98f4227a'),
  secret: Buffer.from('xyzzy5461'),
  login: { user: Buffer.from('nemo'), password: Buffer.from('arctangent'), nas: Buffer.from('lvsentry') },
};
const GRANTED = '0200002686fe220e7624ba2a1005f6bf9b55e0b20606000000010f06000000000e06c0a80103';

/** RFC 5997 6.1. */
const STATUS: RadiusRequest = {
  id: 0xda,
  authenticator: bytes('8a54f4686fb394c52866e302185d0623'),
  secret: Buffer.from('xyzzy5461'),
  login: undefined,
};

t.test('the password of RFC 2865 7.1 is hidden as there', async (t) => {
  const packet = encodeRadiusRequest(TELNET, HASHES);
  t.equal(packet.length, 20 + 18 + 6 + 18 + 10);
  t.equal(hexOf(packet.subarray(0, 20)), '010000480f403f9473978057bd83d5cb98f4227a');
  t.equal(hexOf(packet.subarray(38)), '01066e656d6f02120dbe708d93d413ce3196e43f782a0aee200a6c7673656e747279');
  const unsigned = Uint8Array.from(packet).fill(0, 22, 38);
  t.equal(hexOf(packet.subarray(20, 22)), '5012');
  t.equal(hexOf(packet.subarray(22, 38)), hexOf(HASHES.hmacMd5(TELNET.secret, unsigned)));
});

t.test('the reply of RFC 2865 7.1', async (t) => {
  for (const packet of [bytes(GRANTED), Uint8Array.from(bytes(GRANTED)), bytes(`${GRANTED}ffff`)]) {
    t.match(readRadiusReply(packet, TELNET, HASHES), { kind: 'reply', code: 2 });
    t.equal(hexOf(packet).slice(0, GRANTED.length), GRANTED, 'it is only read');
  }
});

t.test('Status-Server and its reply as in RFC 5997 6.1', async (t) => {
  t.equal(
    hexOf(encodeRadiusRequest(STATUS, HASHES)),
    '0cda00268a54f4686fb394c52866e302185d062350125a665e2e1e8411f3e243822097c84fa3',
  );
  const reply = readRadiusReply(bytes('02da0014ef0d552a4bf2d693ec2b6fe8b5411d66'), STATUS, HASHES);
  t.match(reply, { kind: 'reply', code: 2 });
});

t.test('long passwords, and what is too long', async (t) => {
  const login = (user: number, password: number): RadiusRequest => ({
    ...TELNET,
    login: { user: Buffer.alloc(user, 'u'), password: Buffer.alloc(password, 'p'), nas: Buffer.from('n') },
  });
  const length = (request: RadiusRequest): number => encodeRadiusRequest(request, HASHES).length;
  const empty = length(login(1, 0));
  t.equal(length(login(1, 16)), empty, 'one block at least');
  t.equal(length(login(1, 17)), empty + 16);
  t.equal(length(login(1, 128)), empty + 112);
  t.equal(length(login(253, 128)), empty + 112 + 252);
  t.throws(() => length(login(1, 129)), { code: 'MALFORMED' });
  t.throws(() => length(login(254, 1)), { code: 'MALFORMED' });
});

/** A reply with these attributes, signed as a server does. */
function replyTo(request: RadiusRequest, code: number, attributes: string, secret = request.secret): Buffer {
  const body = bytes(attributes);
  const packet = Buffer.concat([
    Buffer.of(code, request.id, 0, 20 + body.length),
    request.authenticator,
    body,
  ]);
  packet.set(HASHES.md5(packet, secret), 4);
  return packet;
}

t.test('what is not a reply to us', async (t) => {
  const broken = (attributes: string): Buffer => replyTo(TELNET, 2, attributes);
  const rows: readonly (readonly [string, Uint8Array, object])[] = [
    ['nothing', bytes(''), { kind: 'wrong', detail: 'no RADIUS packet' }],
    ['half a header', bytes(GRANTED).subarray(0, 19), { kind: 'wrong', detail: 'no RADIUS packet' }],
    ['half a packet', bytes(GRANTED).subarray(0, 37), { kind: 'wrong', detail: 'no RADIUS packet' }],
    ['a length below the header', bytes('02000013').fill(0), { kind: 'wrong' }],
    ['another request', replyTo({ ...TELNET, id: 1 }, 2, ''), { kind: 'other' }],
    ['another secret', replyTo(TELNET, 2, '', Buffer.from('x')), { detail: 'not signed with our secret' }],
    ['another code', bytes(GRANTED.replace(/^02/, '03')), { detail: 'not signed with our secret' }],
    ['an attribute of length 1', broken('0601'), { detail: /broken attributes/ }],
    ['an attribute past the end', broken('0605ff'), { detail: /broken attributes/ }],
    ['a type alone', broken('06'), { detail: /broken attributes/ }],
    ['a short Message-Authenticator', broken('5003ff'), { detail: /broken attributes/ }],
    [
      'a false Message-Authenticator',
      broken(`5012${'00'.repeat(16)}`),
      { detail: 'not signed with our secret' },
    ],
    ['two of them', broken(`5012${'00'.repeat(16)}`.repeat(2)), { detail: /broken attributes/ }],
  ];
  for (const [name, packet, sense] of rows) t.match(readRadiusReply(packet, TELNET, HASHES), sense, name);
});

t.test('a reply with a Message-Authenticator and words', async (t) => {
  const attributes = `5012${'00'.repeat(16)}1204${Buffer.from('no').toString('hex')}1203ff`;
  const body = bytes(attributes);
  const packet = Buffer.concat([Buffer.of(3, 0, 0, 20 + body.length), TELNET.authenticator, body]);
  packet.set(HASHES.hmacMd5(TELNET.secret, packet), 22);
  const signed = replyTo(TELNET, 3, hexOf(packet.subarray(20)));
  const reply = readRadiusReply(signed, TELNET, HASHES);
  t.match(reply, { kind: 'reply', code: 3 });
  t.equal(reply.kind === 'reply' && Buffer.from(reply.message).toString(), 'no');
});

t.test('law: no bytes make it throw, and none but the signed ones are a reply', async () => {
  const good = bytes(GRANTED);
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 80 }),
      (packet) => readRadiusReply(packet, TELNET, HASHES).kind !== 'reply',
    ),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const packet = Uint8Array.from(good);
      packet[at] = (packet[at] ?? 0) ^ change;
      return readRadiusReply(packet, TELNET, HASHES).kind !== 'reply';
    }),
  );
});
