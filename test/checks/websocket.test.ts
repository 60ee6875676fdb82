/** WebSocket servers, good and bad. A real one is asked in real-web.test.ts. */
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import t from 'tap';
import type { Target } from '../../src/checks/spec-target.js';
import type { WebSocketCheck } from '../../src/checks/spec-web.js';
import { webSocketProber } from '../../src/checks/websocket.js';
import { systemClock } from '../../src/sys/clock.js';
import { HTTP_HEAD_LIMIT } from '../../src/wire/http.js';
import { WEBSOCKET_LIMIT } from '../../src/wire/websocket.js';
import { OK } from './http-talks.js';
import { closedPort, dribble, flood, listen, probeOnce, resetHard } from './listeners.js';
import { tlsClient } from './secure.js';

const webSocket = webSocketProber(systemClock.monotonic, tlsClient);

function spec(target: Target, more: Partial<WebSocketCheck> = {}): WebSocketCheck {
  return {
    type: 'websocket',
    target,
    path: '/chat',
    host: 'www.example.org',
    headers: [['origin', 'http://www.example.org']],
    credentials: undefined,
    subprotocol: undefined,
    ping: true,
    tls: undefined,
    ...more,
  };
}

/** What a client said: the head of its request, then control frames without their masks. */
interface Heard {
  readonly head: string;
  readonly accept: string;
}

type Frame = readonly [opcode: number, payload: Buffer];

function headOf(text: string): Heard {
  const key = /sec-websocket-key: (.+)\r\n/.exec(text)?.[1] ?? '';
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  return { head: text, accept };
}

/** Takes the frames out of what came, all of them whole: the probe writes each at once. */
function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at + 6 <= bytes.length; ) {
    const length = (bytes[at + 1] ?? 0) & 0x7f;
    const mask = bytes.subarray(at + 2, at + 6);
    const payload = Buffer.from(
      bytes.subarray(at + 6, at + 6 + length).map((byte, index) => byte ^ (mask[index % 4] ?? 0)),
    );
    frames.push([(bytes[at] ?? 0) & 0x0f, payload]);
    at += 6 + length;
  }
  return frames;
}

const frame = (opcode: number, payload: Buffer | string = ''): Buffer => {
  const bytes = Buffer.from(payload);
  return Buffer.concat([Buffer.of(0x80 | opcode, bytes.length), bytes]);
};

interface Talk {
  /** After the request. */
  readonly opens: (socket: Socket, heard: Heard) => unknown;
  /** After each frame; by default a good server's answer. */
  readonly hears?: (socket: Socket, frame: Frame) => unknown;
}

function answers(socket: Socket, [opcode, payload]: Frame): void {
  if (opcode === 9) socket.write(frame(10, payload));
  else if (opcode === 8) socket.end(frame(8, payload));
}

function talking({ opens, hears = answers }: Talk): (socket: Socket) => void {
  return (socket) => {
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      if (text.endsWith('\r\n\r\n')) {
        for (const one of framesOf(bytes)) hears(socket, one);
        return;
      }
      text += bytes.toString('latin1');
      if (text.endsWith('\r\n\r\n')) opens(socket, headOf(text));
    });
  };
}

const response = (accept: string, more = ''): string =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${more}\r\n`;
const good: Talk['opens'] = (socket, { accept }) => socket.write(response(accept));
const withFields = (more: string): Talk => ({
  opens: (socket, { accept }) => socket.write(response(accept, more)),
});
const says = (text: string): Talk => ({ opens: (socket) => socket.write(text, 'latin1') });
const hearing = (hears: NonNullable<Talk['hears']>): Talk => ({ opens: good, hears });
const broken = (detail: string, phase = 'response'): object => ({ kind: 'protocol-error', phase, detail });

const ROWS: readonly (readonly [string, Talk, object, Partial<WebSocketCheck>?])[] = [
  ['a ping and a close', { opens: good }, OK],
  ['only a close', { opens: good }, OK, { ping: false }],
  ['a subprotocol', withFields('Sec-WebSocket-Protocol: mqtt\r\n'), OK, { subprotocol: 'mqtt' }],
  [
    'byte by byte',
    {
      opens: (s, { accept }) => dribble(s, response(accept)),
      hears: (s, [opcode, payload]) => dribble(s, frame(opcode === 9 ? 10 : 8, payload).toString('latin1')),
    },
    OK,
  ],
  [
    'messages right behind the answer',
    { opens: (s, { accept }) => s.write(`${response(accept)}\x81\x02hi\x81\x02ho`, 'latin1') },
    OK,
  ],
  [
    'a pong that nobody asked for',
    { opens: (s, { accept }) => s.write(`${response(accept)}\x8a\x02hi`, 'latin1') },
    OK,
  ],
  ['a close without a frame', hearing((s, one) => (one[0] === 8 ? s.end() : answers(s, one))), OK],
  [
    'a close with another code',
    hearing((s, one) => (one[0] === 8 ? s.write(frame(8, Buffer.of(3, 0xe9))) : answers(s, one))),
    OK,
  ],

  [
    'another status',
    says('HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n'),
    { kind: 'bad-status', status: 404 },
  ],
  ['a page', says('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), { kind: 'bad-status', status: 200 }],
  ['no upgrade', says('HTTP/1.1 101 X\r\nConnection: upgrade\r\n\r\n'), broken('no upgrade to websocket')],
  [
    'no upgrade of the connection',
    says('HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n'),
    broken('no upgrade of the connection'),
  ],
  ['a wrong accept', { opens: (s) => s.write(response('AAAA')) }, broken('wrong sec-websocket-accept')],
  [
    'no accept',
    says('HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n'),
    broken('wrong sec-websocket-accept'),
  ],
  [
    'an extension',
    withFields('Sec-WebSocket-Extensions: permessage-deflate\r\n'),
    broken('an extension that was not offered'),
  ],
  [
    'a subprotocol of its own',
    withFields('Sec-WebSocket-Protocol: mqtt\r\n'),
    broken('subprotocol "mqtt" was not offered'),
  ],
  [
    'another subprotocol',
    withFields('Sec-WebSocket-Protocol: soap\r\n'),
    { kind: 'bad-content', phase: 'response', detail: 'subprotocol "soap", not "mqtt"' },
    { subprotocol: 'mqtt' },
  ],
  [
    'no subprotocol',
    { opens: good },
    { kind: 'bad-content', phase: 'response', detail: 'subprotocol none, not "mqtt"' },
    { subprotocol: 'mqtt' },
  ],
  [
    'a close in place of a pong',
    hearing((s) => s.write(frame(8, Buffer.concat([Buffer.of(3, 0xf5), Buffer.from('go away')])))),
    { kind: 'rejected', phase: 'data', code: 1013, detail: 'go away' },
  ],
  [
    'a close without a code',
    hearing((s) => s.write(frame(8))),
    { kind: 'rejected', phase: 'data', code: undefined, detail: '' },
  ],
  [
    'a masked pong',
    hearing((s) => s.write(Buffer.of(0x8a, 0x80, 0, 0, 0, 0))),
    broken('a masked frame', 'data'),
  ],
  [
    'garbage for frames',
    hearing((s) => s.write(Buffer.of(0xff, 0xff, 0xff))),
    broken('reserved bits, for no extension was agreed on', 'data'),
  ],
  ['another pong', hearing((s) => s.end(frame(10, 'another'))), { kind: 'closed', phase: 'data' }],
  ['closed in place of a pong', hearing((s) => s.end()), { kind: 'closed', phase: 'data' }],
  ['reset in place of a pong', hearing(resetHard), { kind: 'reset', phase: 'data' }],
  [
    'an endless head',
    { opens: (s) => flood(s, s.write('HTTP/1.1 101 X\r\n') ? 'X: y\r\n'.repeat(1000) : '') },
    { kind: 'too-long', phase: 'response', limit: HTTP_HEAD_LIMIT },
  ],
  ['garbage', says('\0\x01\x02\n'), broken('bad status line')],
  ['closed after the request', { opens: (s) => s.end() }, { kind: 'closed', phase: 'response' }],
];

t.test('each server has its reason', async (t) => {
  for (const [name, talk, reason, more] of ROWS) {
    const listener = await listen(t, talking(talk));
    const result = await probeOnce(t, webSocket, spec(listener.target, more), { listeners: [listener] });
    t.same(result.reason, reason, name);
    await listener.close();
  }
});

t.test('a server that says too much is cut off', async (t) => {
  const many = (bytes: Buffer) => Buffer.concat(Array.from({ length: 1000 }, () => bytes));
  for (const bytes of [many(frame(9, 'x'.repeat(100))), many(frame(2, 'x'.repeat(100)))]) {
    const listener = await listen(t, talking(hearing((s) => s.write(bytes))));
    const { reason } = await probeOnce(t, webSocket, spec(listener.target), { listeners: [listener] });
    t.same(reason, { kind: 'too-long', phase: 'data', limit: WEBSOCKET_LIMIT });
    await listener.close();
  }
});

t.test('silence in each phase ends with the deadline', async (t) => {
  const rows: readonly (readonly [string, Talk])[] = [
    ['response', { opens: () => undefined }],
    ['data', hearing(() => undefined)],
    ['quit', hearing((s, one) => (one[0] === 9 ? answers(s, one) : undefined))],
  ];
  for (const [phase, talk] of rows) {
    const listener = await listen(t, talking(talk));
    const result = await probeOnce(t, webSocket, spec(listener.target), {
      deadline: 250,
      listeners: [listener],
    });
    t.same(result.reason, { kind: 'timeout', phase });
    await listener.close();
  }
  t.match((await probeOnce(t, webSocket, spec(await closedPort(t)))).reason, {
    kind: 'refused',
    phase: 'connect',
  });
});

t.test(
  'the server hears a handshake as it should be, a ping, its own ping answered, and a close',
  async (t) => {
    const heads: string[] = [];
    const frames: Frame[] = [];
    const talk: Talk = {
      opens: (socket, heard) => {
        heads.push(heard.head);
        socket.write(response(heard.accept));
        socket.write(frame(9, 'are you there'));
      },
      hears: (socket, one) => {
        frames.push(one);
        answers(socket, one);
      },
    };
    const listener = await listen(t, talking(talk));
    const more = { credentials: { kind: 'bearer', token: 't' } } as const;
    for (let count = 0; count < 2; count += 1)
      t.same(
        (await probeOnce(t, webSocket, spec(listener.target, more), { listeners: [listener] })).reason,
        OK,
      );
    t.match(heads[0], /^GET \/chat HTTP\/1\.1\r\nHost: www\.example\.org\r\n/);
    for (const line of [
      'upgrade: websocket',
      'connection: Upgrade',
      'sec-websocket-version: 13',
      'origin: http://www.example.org',
      'authorization: Bearer t',
    ])
      t.equal(heads[0]?.split('\r\n').filter((one) => one === line).length, 1, line);
    const keys = heads.map((head) => /sec-websocket-key: (.+)\r\n/.exec(head)?.[1] ?? '');
    t.equal(new Set(keys).size, 2, 'each has a key of its own');
    t.same(
      keys.map((key) => Buffer.from(key, 'base64').length),
      [16, 16],
    );
    t.same(
      frames
        .map(([opcode]) => opcode)
        .slice(0, 3)
        .sort(),
      [10, 8, 9],
    );
    t.equal(frames.find(([opcode]) => opcode === 10)?.[1].toString(), 'are you there');
    t.same(frames.find(([opcode]) => opcode === 8)?.[1], Buffer.of(3, 0xe8), 'normal closure');
  },
);
