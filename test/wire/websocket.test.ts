import fc from 'fast-check';
import t from 'tap';
import {
  type ControlFrame,
  closeCode,
  encodeControl,
  FrameReader,
  OPCODE,
  WEBSOCKET_LIMIT,
} from '../../src/wire/websocket.js';

const bytes = (...list: readonly (number | string)[]): Buffer =>
  Buffer.concat(
    list.map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part, 'latin1'))),
  );

function read(pieces: readonly Uint8Array[]) {
  const frames: (readonly [number, string])[] = [];
  const reader = new FrameReader(({ opcode, payload }: ControlFrame) => {
    frames.push([opcode, Buffer.from(payload).toString('latin1')]);
  });
  for (const piece of pieces) reader.push(piece);
  const { fault } = reader;
  return {
    frames,
    fault: fault === undefined ? undefined : fault.kind === 'malformed' ? fault.detail : fault.kind,
  };
}

const PING = bytes(0x89, 2, 'hi');
const LONG = bytes(0x82, 126, 1, 0, 'x'.repeat(256));
const HUGE = bytes(0x82, 127, 0, 0, 0, 0, 0, 0, 1, 0, 'x'.repeat(256));

const ROWS: readonly (readonly [string, Buffer, readonly (readonly [number, string])[], string?])[] = [
  ['a ping', PING, [[9, 'hi']]],
  ['an empty pong', bytes(0x8a, 0), [[10, '']]],
  ['a close with a code', bytes(0x88, 5, 3, 0xe9, 'bye'), [[8, '\x03\xe9bye']]],
  ['messages are passed over', bytes(0x81, 3, 'abc', PING.toString('latin1')), [[9, 'hi']]],
  ['an empty message', Buffer.concat([bytes(0x81, 0), PING]), [[9, 'hi']]],
  ['a message with a length of two bytes', Buffer.concat([LONG, PING]), [[9, 'hi']]],
  ['a message with a length of eight bytes', Buffer.concat([HUGE, PING]), [[9, 'hi']]],
  [
    'a ping between the pieces of a message',
    Buffer.concat([bytes(0x01, 1, 'a'), PING, bytes(0x00, 1, 'b'), PING, bytes(0x80, 1, 'c')]),
    [
      [9, 'hi'],
      [9, 'hi'],
    ],
  ],
  ['the longest ping', bytes(0x89, 125, 'x'.repeat(125)), [[9, 'x'.repeat(125)]]],
  ['a ping that is too long', bytes(0x89, 126, 0, 126, 'x'.repeat(126)), [], 'a long control frame'],
  ['a ping in pieces', bytes(0x09, 1, 'x'), [], 'a control frame in pieces'],
  ['a mask', bytes(0x89, 0x82, 'abcdhi'), [], 'a masked frame'],
  ['reserved bits', bytes(0xc1, 1, 'x'), [], 'reserved bits, for no extension was agreed on'],
  ['an unknown message', bytes(0x83, 0), [], 'opcode 3'],
  ['an unknown control frame', bytes(0x8b, 0), [], 'opcode 11'],
  ['half a code', bytes(0x88, 1, 3), [], 'half a close code'],
  ['a piece of nothing', bytes(0x80, 0), [], 'a message that goes on before it began'],
  ['a message within another', bytes(0x01, 1, 'a', 0x81, 1, 'b'), [], 'a message within another'],
  ['half a ping', bytes(0x89, 2, 'h'), []],
];

t.test('control frames are handed over, all else is passed over or refused', async (t) => {
  for (const [name, text, frames, fault] of ROWS) {
    t.same(read([text]), { frames, fault }, name);
    t.same(read([...text].map((byte) => Uint8Array.of(byte))), { frames, fault }, `${name}, byte by byte`);
  }
});

t.test('what has no end is cut off', async (t) => {
  const endless = bytes(0x82, 127, 0, 1, 0, 0, 0, 0, 0, 0);
  t.equal(read([endless, ...Array.from({ length: 9 }, () => Buffer.alloc(8192))]).fault, 'too-long');
  t.equal(read(Array.from({ length: WEBSOCKET_LIMIT / 4 + 1 }, () => PING)).fault, 'too-long');
  t.equal(read([endless, Buffer.alloc(WEBSOCKET_LIMIT - 10)]).fault, undefined, 'up to the limit');
});

t.test(
  'law: however the bytes are cut, the reading is the same; any bytes are read or refused',
  async (t) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(60), fc.boolean(), (noise, at, isPing) => {
        const all = isPing ? Buffer.concat([PING, noise, PING]) : Buffer.from(noise);
        const cut = read([all.subarray(0, at), all.subarray(at)]);
        return JSON.stringify(cut) === JSON.stringify(read([all]));
      }),
      { numRuns: 3000 },
    );
    t.pass();
  },
);

t.test('a frame of ours is masked and whole', async (t) => {
  const mask = Uint8Array.of(1, 2, 3, 4);
  t.same(
    encodeControl({ opcode: OPCODE.ping, payload: Buffer.from('hello') }, mask),
    bytes(
      0x89,
      0x85,
      1,
      2,
      3,
      4,
      'h'.charCodeAt(0) ^ 1,
      'e'.charCodeAt(0) ^ 2,
      'l'.charCodeAt(0) ^ 3,
      'l'.charCodeAt(0) ^ 4,
      'o'.charCodeAt(0) ^ 1,
    ),
  );
  t.same(
    encodeControl({ opcode: OPCODE.close, payload: new Uint8Array(0) }, mask),
    bytes(0x88, 0x80, 1, 2, 3, 4),
  );
  t.equal(closeCode(Uint8Array.of(3, 0xe8)), 1000);
  t.equal(closeCode(new Uint8Array(0)), undefined);
});
