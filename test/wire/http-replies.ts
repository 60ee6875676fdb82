/** Responses as bytes, good and bad, and what a reader must make of them. */
import { HTTP_HEAD_LIMIT } from '../../src/wire/http.js';

/** Lines of a head in the form that the wire wants. */
export function head(lines: string): string {
  return `${lines.replaceAll('\n', '\r\n')}\r\n\r\n`;
}

export interface Good {
  readonly name: string;
  readonly text: string;
  readonly status: number;
  readonly body?: string;
  readonly closes?: boolean;
  readonly method?: string;
}

export const GOOD: readonly Good[] = [
  {
    name: 'a counted body',
    text: `${head('HTTP/1.1 200 OK\nContent-Length: 5')}hello`,
    status: 200,
    body: 'hello',
  },
  {
    name: 'bytes after the response',
    text: `${head('HTTP/1.1 200 OK\nContent-Length: 5')}helloHTTP/1.1 500`,
    status: 200,
    body: 'hello',
  },
  { name: 'an empty counted body', text: head('HTTP/1.1 200 OK\nContent-Length: 0'), status: 200 },
  {
    name: 'HTTP/1.0 up to the close',
    text: `${head('HTTP/1.0 200 OK\nServer: x')}all of it`,
    status: 200,
    body: 'all of it',
    closes: true,
  },
  { name: 'no fields at all', text: head('HTTP/1.1 200 OK'), status: 200, closes: true },
  { name: 'no reason', text: head('HTTP/1.1 200 \nContent-Length: 0'), status: 200 },
  { name: 'no reason and no space', text: head('HTTP/1.1 503\nContent-Length: 0'), status: 503 },
  {
    name: 'a reason in another alphabet',
    text: head('HTTP/1.1 404 \xe9\xff\nContent-Length: 0'),
    status: 404,
  },
  { name: 'a status of nobody', text: head('HTTP/1.1 999 \nContent-Length: 0'), status: 999 },
  {
    name: 'lines ended by LF alone',
    text: 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
    status: 200,
    body: 'ok',
  },
  {
    name: 'names in any case, spaces around values',
    text: `${head('HTTP/1.1 200 OK\ncOnTeNt-LeNgTh: \t 2 \t')}ok`,
    status: 200,
    body: 'ok',
  },
  {
    name: 'the same length twice',
    text: `${head('HTTP/1.1 200 OK\nContent-Length: 2\nContent-Length: 2')}ok`,
    status: 200,
    body: 'ok',
  },
  {
    name: 'the same length in a list',
    text: `${head('HTTP/1.1 200 OK\nContent-Length: 2, 2')}ok`,
    status: 200,
    body: 'ok',
  },
  {
    name: 'chunks',
    text: `${head('HTTP/1.1 200 OK\nTransfer-Encoding: chunked')}5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n`,
    status: 200,
    body: 'hello!',
  },
  {
    name: 'chunks with extensions, zeros, capitals and a trailer',
    text: `${head('HTTP/1.1 200 OK\nTransfer-Encoding: CHUNKED')}000A;a=b; c="d"\r\n0123456789\r\n00;x\r\nX-T: 1\r\n\r\n`,
    status: 200,
    body: '0123456789',
  },
  { name: 'no chunks', text: `${head('HTTP/1.1 200 OK\nTransfer-Encoding: chunked')}0\r\n\r\n`, status: 200 },
  {
    name: 'HEAD, with the length of what GET would give',
    text: head('HTTP/1.1 200 OK\nContent-Length: 500'),
    status: 200,
    method: 'HEAD',
  },
  {
    name: 'HEAD, chunked',
    text: head('HTTP/1.1 200 OK\nTransfer-Encoding: chunked'),
    status: 200,
    method: 'HEAD',
  },
  { name: '204', text: head('HTTP/1.1 204 No Content\nServer: x'), status: 204 },
  { name: '304 with a length', text: head('HTTP/1.1 304 Not Modified\nContent-Length: 9'), status: 304 },
  {
    name: '100 first',
    text: `${head('HTTP/1.1 100 Continue')}${head('HTTP/1.1 200 OK\nContent-Length: 2')}ok`,
    status: 200,
    body: 'ok',
  },
  {
    name: '102 and 103 first, with fields that frame nothing',
    text: `${head('HTTP/1.1 102 Processing\nContent-Length: 7')}${head('HTTP/1.1 103 Early Hints\nLink: </x>')}${head('HTTP/1.1 200 OK\nTransfer-Encoding: chunked')}1\r\n!\r\n0\r\n\r\n`,
    status: 200,
    body: '!',
  },
  { name: '101 is final', text: head('HTTP/1.1 101 Switching Protocols\nUpgrade: websocket'), status: 101 },
];

/** Name, bytes, what the fault says. */
export const MALFORMED: readonly (readonly [string, string, string])[] = [
  ['garbage', 'SSH-2.0-OpenSSH_9.2p1\r\n', 'bad status line'],
  ['an empty line first', '\r\nHTTP/1.1 200 OK\r\n\r\n', 'bad status line'],
  ['another protocol of the same look', 'ICY 200 OK\r\n', 'bad status line'],
  ['HTTP/2', head('HTTP/2.0 200 OK'), 'bad status line'],
  ['lower case', head('http/1.1 200 OK'), 'bad status line'],
  ['two digits', head('HTTP/1.1 20 OK'), 'bad status line'],
  ['four digits', head('HTTP/1.1 2000 OK'), 'bad status line'],
  ['a status below 100', head('HTTP/1.1 099 OK'), 'bad status line'],
  ['a negative status', head('HTTP/1.1 -20 OK'), 'bad status line'],
  ['two spaces', head('HTTP/1.1  200 OK'), 'bad status line'],
  ['NUL in the reason', head('HTTP/1.1 200 O\0K'), 'bad status line'],
  ['CR in the reason', head('HTTP/1.1 200 O\rK'), 'bad status line'],
  ['a field without a colon', head('HTTP/1.1 200 OK\nnonsense'), 'bad header field'],
  ['a field without a name', head('HTTP/1.1 200 OK\n: x'), 'bad header field'],
  ['a space before the colon', head('HTTP/1.1 200 OK\nContent-Length : 5'), 'bad header field'],
  ['a folded line', head('HTTP/1.1 200 OK\nX-A: 1\n  2'), 'bad header field'],
  ['NUL in a value', head('HTTP/1.1 200 OK\nX-A: a\0b'), 'bad header field'],
  ['DEL in a value', head('HTTP/1.1 200 OK\nX-A: a\x7fb'), 'bad header field'],
  ['CR in a value', head('HTTP/1.1 200 OK\nX-A: a\rb'), 'bad header field'],
  ['a length that is no number', head('HTTP/1.1 200 OK\nContent-Length: ten'), 'bad content-length'],
  ['a negative length', head('HTTP/1.1 200 OK\nContent-Length: -1'), 'bad content-length'],
  ['a signed length', head('HTTP/1.1 200 OK\nContent-Length: +1'), 'bad content-length'],
  ['an empty length', head('HTTP/1.1 200 OK\nContent-Length:'), 'bad content-length'],
  [
    'a length beyond all numbers',
    head('HTTP/1.1 200 OK\nContent-Length: 9999999999999999'),
    'bad content-length',
  ],
  ['two lengths', head('HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 6'), 'bad content-length'],
  ['two lengths in a list', head('HTTP/1.1 200 OK\nContent-Length: 5, 6'), 'bad content-length'],
  [
    'a coding we did not ask for',
    head('HTTP/1.1 200 OK\nTransfer-Encoding: gzip, chunked'),
    'unknown transfer-encoding',
  ],
  [
    'chunked twice',
    head('HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked'),
    'unknown transfer-encoding',
  ],
  [
    'chunked and a length',
    head('HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nContent-Length: 5'),
    'both content-length and transfer-encoding',
  ],
  ['a negative chunk', `${head('HTTP/1.1 200 OK\nTransfer-Encoding: chunked')}-5\r\n`, 'bad chunk size'],
  [
    'a huge chunk',
    `${head('HTTP/1.1 200 OK\nTransfer-Encoding: chunked')}ffffffffffffffff\r\n`,
    'bad chunk size',
  ],
  [
    'a chunk size in the style of C',
    `${head('HTTP/1.1 200 OK\nTransfer-Encoding: chunked')}0x5\r\n`,
    'bad chunk size',
  ],
  ['an empty chunk size', `${head('HTTP/1.1 200 OK\nTransfer-Encoding: chunked')}\r\n`, 'bad chunk size'],
  [
    'an extension with a control character',
    `${head('HTTP/1.1 200 OK\nTransfer-Encoding: chunked')}5;a\x01\r\n`,
    'bad chunk size',
  ],
  [
    'a chunk longer than its size',
    `${head('HTTP/1.1 200 OK\nTransfer-Encoding: chunked')}2\r\nabc\r\n`,
    'more bytes than the chunk size says',
  ],
  [
    'a bad trailer',
    `${head('HTTP/1.1 200 OK\nTransfer-Encoding: chunked')}0\r\nnonsense\r\n\r\n`,
    'bad trailer field',
  ],
];

/** Name, and bytes after which the peer closes. */
export const TRUNCATED: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['half a status line', 'HTTP/1.1 2'],
  ['a head without its end', 'HTTP/1.1 200 OK\r\nServer: x\r\n'],
  ['an interim response only', head('HTTP/1.1 100 Continue')],
  ['half of a counted body', `${head('HTTP/1.1 200 OK\nContent-Length: 10')}hello`],
  ['half a chunk', `${head('HTTP/1.1 200 OK\nTransfer-Encoding: chunked')}5\r\nhe`],
  ['chunks without the last one', `${head('HTTP/1.1 200 OK\nTransfer-Encoding: chunked')}2\r\nhe\r\n`],
  ['a trailer without its end', `${head('HTTP/1.1 200 OK\nTransfer-Encoding: chunked')}0\r\nX: 1\r\n`],
];

/** Name, and bytes that pass the limit of the head. */
export const FLOODS: readonly (readonly [string, string])[] = [
  ['a status line without end', `HTTP/1.1 200 ${'x'.repeat(HTTP_HEAD_LIMIT)}`],
  ['a field without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(HTTP_HEAD_LIMIT)}`],
  ['many fields', `HTTP/1.1 200 OK\r\n${'X-Field: 12345678901234567890\r\n'.repeat(1000)}`],
  ['interim responses without end', head('HTTP/1.1 100 Continue').repeat(2000)],
  [
    'an extension without end',
    `${head('HTTP/1.1 200 OK\nTransfer-Encoding: chunked')}5;${'x'.repeat(HTTP_HEAD_LIMIT)}`,
  ],
  [
    'many extensions',
    `${head('HTTP/1.1 200 OK\nTransfer-Encoding: chunked')}${`1;${'x'.repeat(50)}\r\na\r\n`.repeat(1000)}`,
  ],
  [
    'a trailer without end',
    `${head('HTTP/1.1 200 OK\nTransfer-Encoding: chunked')}0\r\n${'X: 1\r\n'.repeat(5000)}`,
  ],
];
