/** HTTP/2 as servers speak it, well and badly. Real servers are asked in real-web.test.ts. */
import { createServer } from 'node:http2';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { httpPlan, httpProber } from '../../src/checks/http.js';
import { FRAMES_LIMIT } from '../../src/checks/http2-channel.js';
import type { Target } from '../../src/checks/spec-target.js';
import type { HttpUrl } from '../../src/checks/spec-web.js';
import { systemClock } from '../../src/sys/clock.js';
import { check, OK, type Row } from './http-talks.js';
import {
  data,
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  goaway,
  headers,
  rst,
  SETTINGS,
  serving,
  trailers,
} from './http2-talks.js';
import {
  closedPort,
  dribble,
  eventually,
  flood,
  Listener,
  listen,
  openSockets,
  probeOnce,
  resetHard,
} from './listeners.js';
import { tlsClient } from './secure.js';

const http = httpProber(systemClock.monotonic, tlsClient);
const LIMIT = 1000;
const TOO_LONG = { kind: 'too-long', phase: 'response', limit: 2 * LIMIT + FRAMES_LIMIT };
const url = (more: Partial<HttpUrl>): HttpUrl => check({} as Target, more);
const rejected = (code: number, detail: string): object => ({
  kind: 'rejected',
  phase: 'response',
  code,
  detail,
});
const broken = (detail: string): object => ({ kind: 'protocol-error', phase: 'response', detail });
const CLOSED = { kind: 'closed', phase: 'response' };

const ACK = frame(FRAME.settings, 1, 0);
const fine = Buffer.concat([headers(1, 200, { 'x-a': 'b' }), data(1, 'all '), data(1, 'fine', END_STREAM)]);
const says = (...bytes: readonly Buffer[]) => serving((s) => s.write(Buffer.concat(bytes)));

const ROWS: readonly Row[] = [
  { name: 'an answer', talk: says(fine), more: { contains: 'all fine', fields: [['x-a', 'b']] }, reason: OK },
  {
    name: 'byte by byte',
    talk: serving((s) => dribble(s, fine.toString('latin1'))),
    more: { contains: 'all fine' },
    reason: OK,
  },
  {
    name: 'interim responses',
    talk: says(headers(1, 103), headers(1, 103), fine),
    more: { contains: 'fine' },
    reason: OK,
  },
  {
    name: 'trailers',
    talk: says(headers(1, 200), data(1, 'fine'), trailers(1, { 'x-t': '1' })),
    more: { matches: '^fine$' },
    reason: OK,
  },
  { name: 'without a text the head is enough', talk: says(headers(1, 200)), reason: OK },
  {
    name: 'an answer, and GOAWAY after it',
    talk: says(fine, goaway(0, 1)),
    more: { matches: '^all fine$' },
    reason: OK,
  },
  {
    name: 'a graceful GOAWAY before the answer',
    talk: says(goaway(0, 1), fine),
    more: { matches: '^all fine$' },
    reason: OK,
  },
  { name: 'a status', talk: says(headers(1, 500)), reason: { kind: 'bad-status', status: 500 } },
  {
    name: 'another text',
    talk: says(fine),
    more: { contains: 'bad' },
    reason: { kind: 'bad-content', phase: 'response', detail: 'no "bad" in 8 bytes' },
  },
  {
    name: 'a text beyond the limit',
    talk: says(headers(1, 200), data(1, `${'x'.repeat(LIMIT)}y`)),
    more: { contains: 'y' },
    reason: { kind: 'too-long', phase: 'response', limit: LIMIT },
  },
  { name: 'a refused stream', talk: says(rst(1, 7)), reason: rejected(7, 'RST_STREAM REFUSED_STREAM') },
  {
    name: 'a stream reset with an unknown code',
    talk: says(rst(1, 99)),
    reason: rejected(99, 'RST_STREAM code 99'),
  },
  {
    name: 'a stream reset in the body',
    talk: says(headers(1, 200), data(1, 'al'), rst(1, 2)),
    more: { contains: 'x' },
    reason: rejected(2, 'RST_STREAM INTERNAL_ERROR'),
  },
  { name: 'GOAWAY in anger', talk: says(goaway(11)), reason: rejected(11, 'GOAWAY ENHANCE_YOUR_CALM') },
  {
    name: 'GOAWAY that leaves our request out',
    talk: says(goaway(0, 0)),
    reason: rejected(7, 'RST_STREAM REFUSED_STREAM'),
  },
  {
    name: 'a push',
    talk: says(ACK, frame(FRAME.push, END_HEADERS, 1, Uint8Array.of(0, 0, 0, 2, 0x82))),
    reason: broken('HTTP/2: Protocol error'),
  },
  {
    name: 'HTTP/1.1',
    talk: (s) => s.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
    reason: broken('HTTP/2: Protocol error'),
  },
  { name: 'garbage', talk: (s) => s.write('\0'.repeat(100)), reason: broken('HTTP/2: Protocol error') },
  {
    name: 'a frame on no stream of ours',
    talk: says(headers(7, 200)),
    reason: broken('HTTP/2: Protocol error'),
  },
  {
    name: 'a head that cannot be unpacked',
    talk: says(frame(FRAME.headers, END_HEADERS, 1, Uint8Array.of(0xff, 0xff, 0xff))),
    reason: broken('HTTP/2: COMPRESSION_ERROR'),
  },
  {
    name: 'a frame that is too large',
    talk: says(frame(FRAME.data, 0, 1, Buffer.alloc(20_000))),
    reason: broken('HTTP/2: FRAME_SIZE_ERROR'),
  },
  { name: 'closed at once', talk: (s) => s.end(), reason: CLOSED },
  { name: 'closed after the request', talk: serving((s) => s.end()), reason: CLOSED },
  {
    name: 'closed in the body',
    talk: serving((s) => s.end(Buffer.concat([headers(1, 200), data(1, 'al')]))),
    more: { contains: 'x' },
    reason: CLOSED,
  },
  { name: 'a reset', talk: serving(resetHard), reason: { kind: 'reset', phase: 'response' } },
  {
    name: 'pings without end',
    talk: serving((s) => flood(s, frame(FRAME.ping, 0, 0, '12345678').toString('latin1'))),
    reason: TOO_LONG,
  },
  { name: 'settings without end', talk: serving((s) => floodBytes(s, SETTINGS)), reason: TOO_LONG },
  {
    name: 'many empty frames',
    talk: says(headers(1, 200), ...Array.from({ length: 3000 }, () => data(1, ''))),
    more: { contains: 'x' },
    reason: broken('HTTP/2: Too many invalid HTTP/2 frames'),
  },
  {
    name: 'heads without end',
    talk: serving((s) => floodBytes(s, headers(1, 103, { a: 'x'.repeat(100) }))),
    reason: TOO_LONG,
  },
];

/** Floods with the same frame again and again, after another. */
function floodBytes(socket: Socket, bytes: Buffer, first: Buffer = Buffer.alloc(0)): void {
  socket.write(first);
  const many = Buffer.concat(Array.from({ length: 500 }, () => bytes));
  const more = (): void => {
    while (!socket.destroyed && socket.write(many));
  };
  socket.on('drain', more);
  more();
}

t.test('each answer has its reason', async (t) => {
  for (const { name, talk, more, reason } of ROWS) {
    const listener = await listen(t, talk);
    const spec = check(listener.target, { version: '2', bodyLimit: LIMIT, ...more });
    const result = await probeOnce(t, http, spec, { listeners: [listener] });
    t.same(result.reason, reason, name);
    await listener.close();
  }
});

t.test('silence at any point ends with the deadline', async (t) => {
  const rows: readonly (readonly [string, (socket: Socket) => unknown])[] = [
    ['after the accept', () => undefined],
    ['after the settings', (s) => s.write(SETTINGS)],
    ['half a frame', serving((s) => s.write(fine.subarray(0, 5)))],
    ['in the body', serving((s) => s.write(fine.subarray(0, -5)))],
  ];
  for (const [name, talk] of rows) {
    const listener = await listen(t, talk);
    const spec = check(listener.target, { version: '2', contains: 'fine' });
    const result = await probeOnce(t, http, spec, { deadline: 250, listeners: [listener] });
    t.match(result, { outcome: 'fail', reason: { kind: 'timeout', phase: 'response' } }, name);
    await listener.close();
  }
  const refused = await probeOnce(t, http, check(await closedPort(t), { version: '2' }));
  t.match(refused.reason, { kind: 'refused', phase: 'connect' });
});

t.test('several requests, with a body and a name, go over one connection', async (t) => {
  const asked: unknown[] = [];
  let sessions = 0;
  const server = createServer();
  server.on('session', () => {
    sessions += 1;
  });
  server.on('stream', (stream, got) => {
    let body = '';
    stream.on('data', (bytes: Buffer) => {
      body += bytes.toString();
    });
    stream.on('end', () => {
      asked.push([got[':method'], got[':scheme'], got[':authority'], got[':path'], got.authorization, body]);
      const redirect = got[':path'] === '/moved';
      stream.respond(redirect ? { ':status': 302, location: '/there' } : { ':status': 200 });
      stream.end('fine');
    });
  });
  const listener = await Listener.open(t, server);
  const further = [url({ path: '/p', method: 'POST', body: 'ž', contains: 'fine' }), url({ path: '/moved' })];
  const spec = check(listener.target, {
    version: '2',
    path: '/a',
    contains: 'fine',
    credentials: { kind: 'bearer', token: 't' },
    redirects: 1,
    further,
  });
  const result = await probeOnce(t, http, spec, { listeners: [listener] });
  t.same(result.reason, { kind: 'ok', at: 'http://www.example.org/there' });
  const from = ['http', 'www.example.org'];
  t.same(asked, [
    ['GET', ...from, '/a', 'Bearer t', ''],
    ['POST', ...from, '/p', 'Bearer t', 'ž'],
    ['GET', ...from, '/moved', 'Bearer t', ''],
    ['GET', ...from, '/there', 'Bearer t', ''],
  ]);
  t.equal(sessions, 2, 'the POST has a connection of its own, on which the rest goes on');
});

t.test('many probes leave no socket and no session behind', async (t) => {
  const listener = await listen(t, says(fine));
  const before = openSockets();
  for (let round = 0; round < 10; round += 1) {
    const spec = check(listener.target, { version: '2', contains: 'fine' });
    const results = await Promise.all(
      Array.from({ length: 10 }, () => http(spec, AbortSignal.timeout(5000))),
    );
    t.equal(results.filter(({ outcome }) => outcome === 'pass').length, 10);
  }
  t.ok(await eventually(() => openSockets() === before));
  await turn();
  t.equal(httpPlan(check(listener.target, { version: '2' })), undefined, 'it is not for the fast lane');
});
