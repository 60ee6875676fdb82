/** MQTT: what is written, what is read, and laws. */
import fc from 'fast-check';
import t from 'tap';
import {
  connackCode,
  encodeMqttConnect,
  MQTT_PACKET_LIMIT,
  type MqttPacket,
  MqttReader,
  mqttCodeText,
} from '../../src/wire/mqtt.js';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const hexOf = (from: Uint8Array): string => Buffer.from(from).toString('hex');
const clientId = Buffer.from('abc');
const login = { user: Buffer.from('me'), password: Buffer.from('pw') };

t.test('CONNECT, byte by byte', async (t) => {
  const rows = [
    [{ level: 4, clientId, login: undefined }, '10 0f 0004 4d515454 04 02 ffff 0003 616263'],
    [{ level: 5, clientId, login: undefined }, '10 10 0004 4d515454 05 02 ffff 00 0003 616263'],
    [{ level: 4, clientId, login }, '10 17 0004 4d515454 04 c2 ffff 0003 616263 0002 6d65 0002 7077'],
    [{ level: 5, clientId, login }, '10 18 0004 4d515454 05 c2 ffff 00 0003 616263 0002 6d65 0002 7077'],
  ] as const;
  for (const [connect, hex] of rows) t.equal(hexOf(encodeMqttConnect(connect)), hex.replaceAll(' ', ''));
});

t.test('lengths take one byte for seven bits', async (t) => {
  const header = (length: number): string =>
    hexOf(encodeMqttConnect({ level: 4, clientId: Buffer.alloc(length), login: undefined }).subarray(0, 4));
  // The rest of the packet has 12 bytes.
  t.match(header(127 - 12), /^107f00/);
  t.match(header(128 - 12), /^108001/);
  t.match(header(16_383 - 12), /^10ff7f/);
  t.match(header(16_384 - 12), /^10808001/);
  t.throws(() => header(65_536), { code: 'MALFORMED' });
});

/** Reads bytes in pieces of a size. */
function read(all: Uint8Array, size: number): { packets: MqttPacket[]; reader: MqttReader } {
  const reader = new MqttReader();
  const packets: MqttPacket[] = [];
  for (let at = 0; at < all.length; at += size) {
    reader.push(all.subarray(at, at + size));
    for (let packet = reader.next(); packet !== undefined; packet = reader.next()) packets.push(packet);
  }
  return { packets, reader };
}

t.test('packets one behind the other, in any pieces', async (t) => {
  const all = bytes('20020000 d000 2006 00 86 03 1f0000 e00187');
  for (let size = 1; size <= all.length; size += 1) {
    const { packets, reader } = read(all, size);
    t.same(
      packets.map(({ type, flags, body }) => [type, flags, hexOf(body)]),
      [
        [2, 0, '0000'],
        [13, 0, ''],
        [2, 0, '0086031f0000'],
        [14, 0, '87'],
      ],
      `in pieces of ${size}`,
    );
    t.equal(reader.fault, undefined);
  }
});

t.test('what is no packet', async (t) => {
  const rows: readonly (readonly [string, object | undefined])[] = [
    ['', undefined],
    ['20', undefined],
    ['2002', undefined],
    ['20ff', undefined],
    ['00', { kind: 'malformed', detail: 'not MQTT' }],
    ['10', { kind: 'malformed' }],
    ['30', { kind: 'malformed' }],
    ['48545450', { kind: 'malformed' }],
    ['ff', { kind: 'malformed' }],
    ['20ffffffff', { kind: 'malformed' }],
    ['20ffffff7f', { kind: 'too-long', limit: MQTT_PACKET_LIMIT }],
    ['20818001', { kind: 'too-long', limit: MQTT_PACKET_LIMIT }],
    ['20808001', undefined],
  ];
  for (const [hex, fault] of rows) {
    const { packets, reader } = read(bytes(hex), 1);
    t.same(packets, [], hex);
    if (fault === undefined) t.equal(reader.fault, undefined, hex);
    else t.match(reader.fault, fault, hex);
  }
  const { reader } = read(bytes('0000'), 2);
  reader.push(bytes('20020000'));
  t.equal(reader.next(), undefined, 'after a fault nothing is read');
});

t.test('the code of a CONNACK', async (t) => {
  const rows: readonly (readonly [string, number, 4 | 5, number | undefined])[] = [
    ['0000', 0, 4, 0],
    ['0005', 0, 4, 5],
    ['0105', 0, 4, 5],
    ['0000', 1, 4, undefined],
    ['0100', 0, 4, undefined],
    ['0200', 0, 4, undefined],
    ['00', 0, 4, undefined],
    ['', 0, 4, undefined],
    ['000000', 0, 4, undefined],
    ['000000', 0, 5, 0],
    ['00860300', 0, 5, 0x86],
    ['0000', 0, 5, undefined],
    ['0001', 0, 5, 1],
    ['010000', 0, 5, undefined],
  ];
  for (const [hex, flags, level, code] of rows)
    t.equal(connackCode({ type: 2, flags, body: bytes(hex) }, level), code, `${hex} ${flags} ${level}`);
});

t.test('codes in words', async (t) => {
  t.equal(mqttCodeText(1), 'unacceptable protocol version');
  t.equal(mqttCodeText(5), 'not authorized');
  t.equal(mqttCodeText(0x87), 'not authorized');
  t.equal(mqttCodeText(99), '');
});

t.test('law: any bytes in any pieces give the same, and nothing is thrown', async () => {
  const scrap = fc.oneof(
    fc.constantFrom(bytes('20020000'), bytes('d000'), bytes('2003000000'), bytes('e000'), bytes('20')),
    fc.uint8Array({ maxLength: 6 }),
  );
  fc.assert(
    fc.property(fc.array(scrap, { maxLength: 8 }), fc.integer({ min: 1, max: 9 }), (parts, size) => {
      const all = Buffer.concat(parts);
      const [whole, cut] = [read(all, all.length || 1), read(all, size)];
      const text = ({ packets, reader }: ReturnType<typeof read>): string =>
        JSON.stringify([packets.map(({ type, flags, body }) => [type, flags, hexOf(body)]), reader.fault]);
      return text(whole) === text(cut);
    }),
    { numRuns: 2000 },
  );
});
