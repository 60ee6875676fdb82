import { request } from 'node:http';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import t from 'tap';
import { HTTP_HEAD_LIMIT, type HttpFault, HttpResponseReader } from '../../src/wire/http.js';
import { FLOODS, GOOD, head, MALFORMED, TRUNCATED } from './http-replies.js';

interface Read {
  readonly status: number | undefined;
  readonly body: string;
  readonly done: boolean;
  readonly fault: HttpFault | undefined;
}

/** Reads pieces of latin1 text; `closes` says whether the peer ends the connection after them. */
function read(pieces: readonly string[], closes = false, method = 'GET'): Read {
  let body = '';
  const reader = new HttpResponseReader(method, (bytes) => {
    body += Buffer.from(bytes).toString('latin1');
  });
  for (const piece of pieces) reader.push(Buffer.from(piece, 'latin1'));
  if (closes) reader.finish();
  return { status: reader.status, body, done: reader.done, fault: reader.fault };
}

t.test('a good response gives its status and its body', async (t) => {
  for (const { name, text, status, body = '', closes = false, method } of GOOD)
    t.same(read([text], closes, method), { status, body, done: true, fault: undefined }, name);
});

t.test('a response that is not HTTP is malformed, and says how', async (t) => {
  for (const [name, text, detail] of MALFORMED)
    t.same(read([text], true).fault, { kind: 'malformed', detail }, name);
});

t.test('a status is given only when the head is whole', async (t) => {
  t.equal(read(['HTTP/1.1 200 OK\r\nServer: x\r\n']).status, undefined, 'the head goes on');
  t.equal(read([head('HTTP/1.1 200 OK\nnonsense')]).status, undefined, 'the head is bad');
  t.equal(read([head('HTTP/1.1 103 Early Hints')]).status, undefined, 'it was interim');
  t.equal(read([head('HTTP/1.1 200 OK\nContent-Length: 9')]).status, 200, 'the body is still to come');
});

t.test('an end in the middle is a truncation; before the end it is nothing yet', async (t) => {
  for (const [name, text] of TRUNCATED) {
    t.same(read([text], true).fault, { kind: 'truncated' }, name);
    const open = read([text]);
    t.notOk(open.done || open.fault, `${name}: still open`);
  }
});

t.test('what has no end is cut off at the limit', async (t) => {
  for (const [name, text] of FLOODS)
    t.same(read([text]).fault, { kind: 'too-long', limit: HTTP_HEAD_LIMIT }, name);
});

t.test('a long body of very small chunks after the longest head is no long head', async (t) => {
  const bare = head('HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nX: ');
  const text = bare.replace('X: ', `X: ${'x'.repeat(HTTP_HEAD_LIMIT - bare.length)}`);
  t.equal(text.length, HTTP_HEAD_LIMIT);
  const { body, fault } = read([text + '1\r\na\r\n'.repeat(20_000)]);
  t.equal(fault, undefined);
  t.equal(body.length, 20_000);
  t.match(read([text.replace('x', 'xx')]).fault, { kind: 'too-long' }, 'one byte more is too long');
});

/** Cuts a text at the given places. */
function cut(text: string, places: readonly number[]): string[] {
  const at = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  return [...at, text.length].map((end, index) => text.slice(at[index - 1] ?? 0, end));
}

t.test('law: however the bytes are cut, the reading is the same', async (t) => {
  const all = [
    ...GOOD.map(({ text, closes = false, method = 'GET' }) => ({ text, closes, method })),
    ...[...MALFORMED, ...TRUNCATED].map(([, text]) => ({ text, closes: true, method: 'GET' })),
  ];
  for (const { text, closes, method } of all) {
    const whole = read([text], closes, method);
    t.same(read([...text], closes, method), whole, `byte by byte: ${JSON.stringify(text.slice(0, 60))}`);
    fc.assert(
      fc.property(fc.array(fc.nat(2000), { maxLength: 8 }), (places) => {
        const pieces = read(cut(text, places), closes, method);
        return JSON.stringify(pieces) === JSON.stringify(whole);
      }),
      { numRuns: 60 },
    );
  }
});

const SCRAPS = [
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  '\r\n',
  '\n',
  '\r',
  '3\r\n',
  'abc',
  '0\r\n',
  'ffffffffffff\r\n',
  ':',
  ' ',
  '\0',
  ';',
  '\xff',
  'X: y\r\n',
];

t.test(
  'law: any bytes are read or refused; nothing throws, no more body comes out than went in',
  async (t) => {
    const scraps = fc.array(
      fc.oneof(fc.constantFrom(...SCRAPS), fc.string({ unit: 'binary', maxLength: 9 })),
      {
        maxLength: 30,
      },
    );
    const method = fc.constantFrom('GET', 'HEAD');
    fc.assert(
      fc.property(scraps, fc.boolean(), method, (pieces, closes, method) => {
        const { body, done, fault, status } = read(pieces, closes, method);
        const length = pieces.join('').length;
        if (closes && done === (fault !== undefined)) return false;
        if (done && status === undefined) return false;
        return body.length <= length;
      }),
      { numRuns: 20_000 },
    );
    t.pass();
  },
);

/** What node:http makes of the same bytes: a parser that we did not write. */
function readByNode(text: string, method: string): Promise<{ status: number | undefined; body: string }> {
  const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  return new Promise((resolve, reject) => {
    const asked = request({ method, createConnection: () => stream }, (response) => {
      let body = '';
      response.setEncoding('latin1');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, body }));
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end();
    stream.push(Buffer.from(text, 'latin1'));
    stream.push(null);
  });
}

const fieldText = fc.stringMatching(/^[a-z]{1,8}$/);
const bodyText = fc.string({ unit: 'binary', maxLength: 60 }).map((text) => text.replace(/[^\0-\xff]/g, '?'));
const wellFormed = fc
  .record({
    version: fc.constantFrom('HTTP/1.0', 'HTTP/1.1'),
    status: fc.integer({ min: 200, max: 599 }),
    reason: fc.constantFrom('', ' ', ' OK', ' Not so good'),
    fields: fc.array(fc.tuple(fieldText, fieldText), { maxLength: 4 }),
    bodies: fc.array(
      bodyText.filter((text) => text.length > 0),
      { maxLength: 4 },
    ),
    framing: fc.constantFrom('length', 'chunked', 'close'),
    extension: fc.constantFrom('', ';a', ';a=b'),
    trailer: fc.constantFrom('', 'x-t: 1\r\n'),
    interim: fc.constantFrom('', head('HTTP/1.1 100 Continue'), head('HTTP/1.1 103 Early Hints\nlink: x')),
    method: fc.constantFrom('GET', 'GET', 'HEAD'),
  })
  .map((reply) => {
    const { version, status, reason, fields, bodies, framing, extension, trailer, interim, method } = reply;
    const bodiless = method === 'HEAD' || status === 204 || status === 304;
    // node:http knows chunks in HTTP/1.1 only, and so should everybody.
    const chunked = framing === 'chunked' && version === 'HTTP/1.1' && !bodiless;
    const body = bodiless ? '' : bodies.join('');
    const lines = fields.map(([name, value]) => `x-${name}: ${value}\r\n`);
    if (chunked) lines.push('Transfer-Encoding: chunked\r\n');
    else if (framing === 'length' && !bodiless) lines.push(`Content-Length: ${body.length}\r\n`);
    const chunks = bodies.map((text) => `${text.length.toString(16)}${extension}\r\n${text}\r\n`).join('');
    const payload = chunked ? `${chunks}0\r\n${trailer}\r\n` : body;
    const text = `${interim}${version} ${status}${reason}\r\n${lines.join('')}\r\n${payload}`;
    return { text, method };
  });

t.test('law: on well-formed responses the reader agrees with node:http', async (t) => {
  await fc.assert(
    fc.asyncProperty(wellFormed, async ({ text, method }) => {
      const ours = read([text], true, method);
      const theirs = await readByNode(text, method);
      if (ours.status !== theirs.status || ours.body !== theirs.body)
        throw new Error(JSON.stringify({ text, ours, theirs }));
    }),
    { numRuns: 500 },
  );
  t.pass();
});

t.test(
  'fields are kept where they are wanted: of the final head, without blanks, joined where they repeat',
  async (t) => {
    const wanted = new Set(['location', 'x-a']);
    const fieldsOf = (text: string) => {
      const reader = new HttpResponseReader('GET', () => undefined, wanted);
      for (const letter of text) reader.push(Buffer.from(letter, 'latin1'));
      return Object.fromEntries(reader.fields);
    };
    const interim = head('HTTP/1.1 103 Early Hints\nlocation: /early');
    t.same(fieldsOf(interim + head('HTTP/1.1 301 Moved\nLOCATION: \t /x y\t \nother: z')), {
      location: '/x y',
    });
    t.same(fieldsOf(head('HTTP/1.1 200 OK\nx-a: 1\nX-A:2\nx-a:')), { 'x-a': '1, 2, ' });
    t.same(fieldsOf(head(`HTTP/1.1 200 OK\nx-a:${' '.repeat(9000)}x${' '.repeat(3000)}`)), { 'x-a': 'x' });
  },
);

const PERSISTENCE: readonly (readonly [string, boolean])[] = [
  ['HTTP/1.1 200 OK\nContent-Length: 0', true],
  ['HTTP/1.1 204 None', true],
  ['HTTP/1.1 200 OK\nContent-Length: 0\nConnection: keep-alive', true],
  ['HTTP/1.1 200 OK\nContent-Length: 0\nConnection: x, Close', false],
  ['HTTP/1.1 200 OK\nContent-Length: 0\nConnection: x\nConnection: close', false],
  ['HTTP/1.1 200 OK\nContent-Length: 0\nConnection: closet', true],
  ['HTTP/1.0 200 OK\nContent-Length: 0', false],
  ['HTTP/1.1 200 OK', false],
  ['HTTP/1.1 101 Switching', false],
];

t.test('a connection may be used again where version, field and framing allow it', async (t) => {
  for (const [text, persists] of PERSISTENCE) {
    const reader = new HttpResponseReader('GET', () => undefined, new Set(['connection']));
    reader.push(Buffer.from(head(text), 'latin1'));
    t.equal(reader.persists, persists, text);
  }
});
