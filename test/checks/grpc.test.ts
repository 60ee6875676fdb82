/** gRPC health as servers answer it, well and badly. A real server is asked in real-web.test.ts. */
import type { Socket } from 'node:net';
import t from 'tap';
import { grpcProber } from '../../src/checks/grpc.js';
import type { Target } from '../../src/checks/spec-target.js';
import type { GrpcCheck } from '../../src/checks/spec-web.js';
import { systemClock } from '../../src/sys/clock.js';
import { GRPC_MESSAGE_LIMIT } from '../../src/wire/grpc.js';
import { OK } from './http-talks.js';
import { data, END_STREAM, goaway, headers, rst, serving, trailers } from './http2-talks.js';
import { dribble, listen, probeOnce, resetHard } from './listeners.js';
import { tlsClient } from './secure.js';

const grpc = grpcProber(systemClock.monotonic, tlsClient);
const spec = (target: Target): GrpcCheck => ({
  type: 'grpc',
  target,
  service: 'x',
  host: 'h',
  tls: undefined,
});

const TYPE = { 'content-type': 'application/grpc+proto' };
const head = headers(1, 200, TYPE);
const message = (...bytes: readonly number[]): Buffer =>
  data(1, Uint8Array.from([0, 0, 0, 0, bytes.length, ...bytes]));
const done = (status: string, text?: string): Buffer =>
  trailers(
    1,
    text === undefined ? { 'grpc-status': status } : { 'grpc-status': status, 'grpc-message': text },
  );
const says = (...bytes: readonly Buffer[]) => serving((s) => s.write(Buffer.concat(bytes)));
const broken = (detail: string): object => ({ kind: 'protocol-error', phase: 'response', detail });
const rejected = (code: number, detail: string): object => ({
  kind: 'rejected',
  phase: 'response',
  code,
  detail,
});

const ROWS: readonly (readonly [string, (socket: Socket) => unknown, object])[] = [
  ['SERVING', says(head, message(8, 1), done('0')), OK],
  [
    'byte by byte',
    serving((s) => dribble(s, Buffer.concat([head, message(8, 1), done('0')]).toString('latin1'))),
    OK,
  ],
  [
    'NOT_SERVING',
    says(head, message(8, 2), done('0')),
    { kind: 'bad-content', phase: 'response', detail: 'NOT_SERVING' },
  ],
  [
    'no status at all',
    says(head, message(), done('0')),
    { kind: 'bad-content', phase: 'response', detail: 'UNKNOWN' },
  ],
  [
    'an unknown status',
    says(head, message(8, 77), done('0')),
    { kind: 'bad-content', phase: 'response', detail: 'status 77' },
  ],
  ['NOT_FOUND', says(head, done('5', 'no%20such%0Athing')), rejected(5, 'NOT_FOUND: no such?thing')],
  [
    'a status in the head alone',
    says(headers(1, 200, { ...TYPE, 'grpc-status': '12' }, END_STREAM)),
    rejected(12, 'UNIMPLEMENTED'),
  ],
  ['a message that is badly encoded', says(head, done('14', '%zz')), rejected(14, 'UNAVAILABLE: %zz')],
  ['a code of nobody', says(head, done('99')), rejected(99, 'not a status of gRPC')],
  ['a code that is none', says(head, done('x')), broken('no grpc-status')],
  ['no code', says(head, message(8, 1), data(1, '', END_STREAM)), broken('no grpc-status')],
  [
    'another type',
    says(headers(1, 200, { 'content-type': 'text/html' })),
    broken('content-type is "text/html"'),
  ],
  ['HTTP status', says(headers(1, 404)), { kind: 'bad-status', status: 404 }],
  ['no message', says(head, done('0')), broken('no message')],
  [
    'a compressed message',
    says(head, data(1, Uint8Array.of(1, 0, 0, 0, 0)), done('0')),
    broken('a compressed message, which was not asked for'),
  ],
  ['garbage as message', says(head, message(0xff, 0xff), done('0')), broken('no HealthCheckResponse')],
  [
    'a huge message',
    says(head, data(1, Buffer.alloc(GRPC_MESSAGE_LIMIT + 1))),
    { kind: 'too-long', phase: 'response', limit: GRPC_MESSAGE_LIMIT },
  ],
  ['a reset stream', says(rst(1, 8)), rejected(8, 'RST_STREAM CANCEL')],
  ['GOAWAY', says(goaway(2)), rejected(2, 'GOAWAY INTERNAL_ERROR')],
  ['HTTP/1.1', (s) => s.write('HTTP/1.1 400 Bad\r\n\r\n'), broken('HTTP/2: Protocol error')],
  ['closed', serving((s) => s.end(head)), { kind: 'closed', phase: 'response' }],
  ['reset', serving(resetHard), { kind: 'reset', phase: 'response' }],
];

t.test('each answer has its reason', async (t) => {
  for (const [name, talk, reason] of ROWS) {
    const listener = await listen(t, talk);
    t.same((await probeOnce(t, grpc, spec(listener.target), { listeners: [listener] })).reason, reason, name);
    await listener.close();
  }
});

t.test('silence ends with the deadline', async (t) => {
  for (const talk of [() => undefined, serving(() => undefined), says(head), says(head, message(8, 1))]) {
    const listener = await listen(t, talk);
    const result = await probeOnce(t, grpc, spec(listener.target), { deadline: 250, listeners: [listener] });
    t.match(result, { outcome: 'fail', reason: { kind: 'timeout', phase: 'response' } });
    await listener.close();
  }
});
