import fc from 'fast-check';
import t from 'tap';
import {
  encodeHealthRequest,
  GRPC_MESSAGE_LIMIT,
  grpcStatusName,
  HealthReader,
} from '../../src/wire/grpc.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

t.test('a request is the prefix and field 1', async (t) => {
  t.equal(hex(encodeHealthRequest(Buffer.from(''))), '0000000000');
  t.equal(hex(encodeHealthRequest(Buffer.from('ab'))), '00000000040a026162');
  const long = encodeHealthRequest(Buffer.from('x'.repeat(300)));
  t.equal(hex(long.subarray(0, 8)), '000000012f0aac02', 'a length of two bytes');
  t.equal(long.length, 308);
});

const read = (...pieces: readonly (readonly number[])[]) => {
  const reader = new HealthReader();
  for (const piece of pieces) if (!reader.push(Uint8Array.from(piece))) return 'too long';
  const answer = reader.finish();
  return answer.kind === 'status' ? answer.status : `! ${answer.detail}`;
};
const message = (...bytes: readonly number[]): number[] => [0, 0, 0, 0, bytes.length, ...bytes];

const ROWS: readonly (readonly [readonly number[], string])[] = [
  [message(8, 1), 'SERVING'],
  [message(8, 2), 'NOT_SERVING'],
  [message(8, 3), 'SERVICE_UNKNOWN'],
  [message(8, 0), 'UNKNOWN'],
  [message(), 'UNKNOWN'],
  [message(8, 4), 'status 4'],
  [message(8, 0x81, 0x00), 'SERVING'],
  [message(8, 2, 8, 1), 'SERVING'],
  [message(0x12, 2, 8, 2, 8, 1), 'SERVING'],
  [message(0x10, 5, 8, 1), 'SERVING'],
  [message(0x11, 1, 2, 3, 4, 5, 6, 7, 8, 8, 1), 'SERVING'],
  [message(0x15, 1, 2, 3, 4, 8, 1), 'SERVING'],
  [message(8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1), 'status 18446744073709552000'],
  [message(8), '! no HealthCheckResponse'],
  [message(8, 0x80), '! no HealthCheckResponse'],
  [message(10, 0), '! no HealthCheckResponse'],
  [message(0x12, 5, 1), '! no HealthCheckResponse'],
  [message(0x0b), '! no HealthCheckResponse'],
  [message(8, ...new Array<number>(11).fill(0xff)), '! no HealthCheckResponse'],
  [[], '! no message'],
  [[0, 0], '! a message that is cut short'],
  [[0, 0, 0, 0, 3, 8, 1], '! a message that is cut short'],
  [[0, 255, 255, 255, 255, 8, 1], '! a message that is cut short'],
  [[...message(8, 1), ...message(8, 1)], '! more than one message'],
  [[1, 0, 0, 0, 0], '! a compressed message, which was not asked for'],
];

t.test('an answer is read, or refused with its reason', async (t) => {
  for (const [bytes, expected] of ROWS) {
    t.equal(read(bytes), expected, hex(Uint8Array.from(bytes)));
    t.equal(read(...bytes.map((byte) => [byte])), expected, 'byte by byte');
  }
  t.equal(read(new Array<number>(GRPC_MESSAGE_LIMIT + 1).fill(0)), 'too long');
});

t.test('law: any bytes are an answer or none; nothing throws', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 12 }), { maxLength: 6 }), (pieces) => {
      const lists = pieces.map((piece) => [...piece]);
      const whole = read(lists.flat());
      return read(...lists) === whole && read(message(...lists.flat())) !== 'too long';
    }),
    { numRuns: 3000 },
  );
  t.pass();
});

t.test('statuses have names', async (t) => {
  t.equal(grpcStatusName(0), 'OK');
  t.equal(grpcStatusName(16), 'UNAUTHENTICATED');
  t.equal(grpcStatusName(17), undefined);
});
