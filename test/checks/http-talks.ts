/** How HTTP servers talk, well and badly. */
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { Target } from '../../src/checks/spec-target.js';
import type { HttpCheck } from '../../src/checks/spec-web.js';
import { HTTP_HEAD_LIMIT } from '../../src/wire/http.js';
import { dribble, flood, resetHard } from './listeners.js';

/** A check of `target` that any 2xx passes. */
export function check(target: Target, more: Partial<HttpCheck> = {}): HttpCheck {
  return {
    type: 'http',
    target,
    method: 'GET',
    path: '/health',
    host: 'www.example.org',
    version: '1.1',
    headers: [],
    credentials: undefined,
    body: undefined,
    status: [[200, 299]],
    fields: [],
    contains: undefined,
    matches: undefined,
    json: [],
    digest: undefined,
    bodyLimit: 1000,
    redirects: 0,
    further: [],
    tls: undefined,
    ...more,
  };
}

/** Hears the request out, then does what the row says. */
export function answering(answer: (socket: Socket) => unknown): (socket: Socket) => void {
  return (socket) => {
    let heard = '';
    socket.on('data', (bytes: Buffer) => {
      const wasWhole = heard.endsWith('\r\n\r\n');
      heard += bytes.toString('latin1');
      if (!wasWhole && heard.endsWith('\r\n\r\n')) void answer(socket);
    });
  };
}

export const HEAD = 'HTTP/1.1 200 OK\r\nServer: x\r\n';
const ENDLESS = `${HEAD}\r\n`;
export const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;
export const counted = (body: string, length = Buffer.byteLength(body)): string =>
  `${HEAD}Content-Length: ${length}\r\n\r\n${body}`;

/** A server's talk, and what the probe must make of it. */
export interface Row {
  readonly name: string;
  readonly talk: (socket: Socket) => unknown;
  readonly more?: Partial<HttpCheck>;
  readonly reason: object;
}

export const OK = { kind: 'ok' } as const;
export const ROWS: readonly Row[] = [
  { name: 'a good answer', talk: answering((s) => s.end(counted('fine'))), reason: OK },
  {
    name: 'a good answer, then the connection stays open',
    talk: answering((s) => s.write(counted('fine'))),
    reason: OK,
  },
  {
    name: 'byte by byte',
    talk: answering((s) => dribble(s, counted('all is fine'))),
    more: { contains: 'is f' },
    reason: OK,
  },
  {
    name: 'chunks, byte by byte',
    talk: answering((s) => dribble(s, `${CHUNKED}2\r\nal\r\n3\r\nl f\r\n3\r\nine\r\n0\r\n\r\n`)),
    more: { contains: 'all fine' },
    reason: OK,
  },
  {
    name: 'up to the close',
    talk: answering((s) => s.end(`${ENDLESS}all fine`)),
    more: { contains: 'fine' },
    reason: OK,
  },
  {
    name: 'found before the end: the rest is not waited for',
    talk: answering((s) => s.write(counted('all fine', 900))),
    more: { contains: 'fine' },
    reason: OK,
  },
  {
    name: 'without a text the head is enough',
    talk: answering((s) => s.write(counted('', 900))),
    reason: OK,
  },
  {
    name: 'found in an endless body',
    talk: answering((s) => flood(s.setEncoding('utf8'), `${ENDLESS}all fine`)),
    more: { contains: 'fine' },
    reason: OK,
  },
  {
    name: 'found at the very limit',
    talk: answering((s) => s.end(counted('xxxxxxxyz'))),
    more: { contains: 'yz', bodyLimit: 9 },
    reason: OK,
  },
  {
    name: 'UTF-8, cut inside a letter',
    talk: answering(async (s) => {
      s.write(Buffer.from(`${counted('žluť', 6)}`).subarray(0, -3));
      await turn();
      s.end(Buffer.from('žluť').subarray(-3));
    }),
    more: { contains: 'žluť' },
    reason: OK,
  },
  {
    name: 'interim responses first',
    talk: answering((s) => s.end(`HTTP/1.1 103 Early Hints\r\n\r\n${counted('fine')}`)),
    reason: OK,
  },
  {
    name: 'HEAD',
    talk: answering((s) => s.write(`${HEAD}Content-Length: 99\r\n\r\n`)),
    more: { method: 'HEAD' },
    reason: OK,
  },
  {
    name: 'another status that is wanted',
    talk: answering((s) => s.end('HTTP/1.1 401 No\r\n\r\n')),
    more: {
      status: [
        [200, 204],
        [401, 401],
      ],
    },
    reason: OK,
  },

  {
    name: 'status 500',
    talk: answering((s) => s.end('HTTP/1.1 500 Oops\r\n\r\n')),
    reason: { kind: 'bad-status', status: 500 },
  },
  {
    name: 'a redirect is not followed',
    talk: answering((s) => s.end('HTTP/1.1 301 Moved\r\nLocation: /x\r\n\r\n')),
    reason: { kind: 'bad-status', status: 301 },
  },
  {
    name: 'a good status that is not wanted',
    talk: answering((s) => s.end(counted('fine'))),
    more: { status: [[204, 204]] },
    reason: { kind: 'bad-status', status: 200 },
  },
  {
    name: 'a status before the request',
    talk: (s) => s.end('HTTP/1.1 408 Too slow\r\n\r\n'),
    reason: { kind: 'bad-status', status: 408 },
  },
  {
    name: 'a bad status with an endless body',
    talk: answering((s) => flood(s, 'HTTP/1.1 503 Busy\r\n\r\n')),
    more: { contains: 'x' },
    reason: { kind: 'bad-status', status: 503 },
  },
  {
    name: 'another content',
    talk: answering((s) => s.end(counted('Fine'))),
    more: { contains: 'fine' },
    reason: { kind: 'bad-content', phase: 'response', detail: 'no "fine" in 4 bytes' },
  },
  {
    name: 'content that breaks off before the text',
    talk: answering((s) => s.end(`${ENDLESS}fin`)),
    more: { contains: 'fine' },
    reason: { kind: 'bad-content', phase: 'response', detail: 'no "fine" in 3 bytes' },
  },
  {
    name: 'no content where a text is wanted',
    talk: answering((s) => s.end('HTTP/1.1 204 None\r\n\r\n')),
    more: { contains: 'fine' },
    reason: { kind: 'bad-content', phase: 'response', detail: 'no "fine" in 0 bytes' },
  },
  {
    name: 'a text beyond the limit',
    talk: answering((s) => s.end(counted('xxxxxxxxyz'))),
    more: { contains: 'yz', bodyLimit: 9 },
    reason: { kind: 'too-long', phase: 'response', limit: 9 },
  },
  {
    name: 'no such text in a body as long as the limit',
    talk: answering((s) => s.end(counted('xxxxxxxxy'))),
    more: { contains: 'yz', bodyLimit: 9 },
    reason: { kind: 'bad-content', phase: 'response', detail: 'no "yz" in 9 bytes' },
  },
  {
    name: 'an endless body',
    talk: answering((s) => flood(s, `${ENDLESS}${'x'.repeat(9999)}`)),
    more: { contains: 'fine' },
    reason: { kind: 'too-long', phase: 'response', limit: 1000 },
  },
  {
    name: 'endless chunks',
    talk: answering((s) => flood(s, `${CHUNKED}${'1\r\na\r\n'.repeat(2000)}`)),
    more: { contains: 'fine' },
    reason: { kind: 'too-long', phase: 'response', limit: 1000 },
  },
  {
    name: 'an endless head',
    talk: answering((s) => flood(s, `${HEAD}${'X: yyyyyyyyyyyyyyyyyy\r\n'.repeat(2000)}`)),
    reason: { kind: 'too-long', phase: 'response', limit: HTTP_HEAD_LIMIT },
  },
  {
    name: 'a huge field',
    talk: answering((s) => s.end(`${HEAD}X: ${'y'.repeat(100_000)}\r\n\r\n`)),
    reason: { kind: 'too-long', phase: 'response', limit: HTTP_HEAD_LIMIT },
  },
  {
    name: 'interim responses without end',
    talk: answering((s) => flood(s, 'HTTP/1.1 100 Continue\r\n\r\n')),
    reason: { kind: 'too-long', phase: 'response', limit: HTTP_HEAD_LIMIT },
  },

  {
    name: 'garbage',
    talk: answering((s) => s.write('\x16\x03\x01 nonsense\n')),
    reason: { kind: 'protocol-error', phase: 'response', detail: 'bad status line' },
  },
  {
    name: 'an FTP greeting',
    talk: (s) => s.write('220 ready\r\n'),
    reason: { kind: 'protocol-error', phase: 'response', detail: 'bad status line' },
  },
  {
    name: 'NULs',
    talk: answering((s) => s.write(`${'\0'.repeat(100)}\n`)),
    reason: { kind: 'protocol-error', phase: 'response', detail: 'bad status line' },
  },
  {
    name: 'NUL in a field',
    talk: answering((s) => s.write(`${HEAD}X: a\0b\r\n\r\n`)),
    reason: { kind: 'protocol-error', phase: 'response', detail: 'bad header field' },
  },
  {
    name: 'a negative chunk',
    talk: answering((s) => s.write(`${CHUNKED}-1\r\n`)),
    more: { contains: 'x' },
    reason: { kind: 'protocol-error', phase: 'response', detail: 'bad chunk size' },
  },
  {
    name: 'a huge chunk',
    talk: answering((s) => s.write(`${CHUNKED}ffffffffffffffffff\r\n`)),
    more: { contains: 'x' },
    reason: { kind: 'protocol-error', phase: 'response', detail: 'bad chunk size' },
  },
  {
    name: 'a negative length',
    talk: answering((s) => s.write(`${HEAD}Content-Length: -5\r\n\r\n`)),
    reason: { kind: 'protocol-error', phase: 'response', detail: 'bad content-length' },
  },

  { name: 'closed at once', talk: (s) => s.end(), reason: { kind: 'closed', phase: 'response' } },
  {
    name: 'closed after the request',
    talk: answering((s) => s.end()),
    reason: { kind: 'closed', phase: 'response' },
  },
  {
    name: 'closed in the head',
    talk: answering((s) => s.end(HEAD)),
    reason: { kind: 'closed', phase: 'response' },
  },
  {
    name: 'closed in the body',
    talk: answering((s) => s.end(counted('fin', 9))),
    more: { contains: 'fine' },
    reason: { kind: 'closed', phase: 'response' },
  },
  {
    name: 'closed between chunks',
    talk: answering((s) => s.end(`${CHUNKED}1\r\nx\r\n`)),
    more: { contains: 'fine' },
    reason: { kind: 'closed', phase: 'response' },
  },
  {
    name: 'reset after the request',
    talk: answering(resetHard),
    reason: { kind: 'reset', phase: 'response' },
  },
];
