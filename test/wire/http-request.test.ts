import t from 'tap';
import { encodeRequest } from '../../src/wire/http-request.js';

const REQUEST = {
  method: 'GET',
  path: '/health?x=1',
  host: 'www.example.org:8080',
  headers: [],
  version: '1.1',
  bodyLength: undefined,
  keepsConnection: false,
} as const;

t.test('a request is sent as it should stand on the wire', async (t) => {
  t.equal(
    encodeRequest(REQUEST),
    'GET /health?x=1 HTTP/1.1\r\nHost: www.example.org:8080\r\nuser-agent: lvsentry\r\naccept: */*\r\nconnection: close\r\n\r\n',
  );
  const own = encodeRequest({
    ...REQUEST,
    headers: [
      ['accept', 'text/plain'],
      ['x-a', '1'],
      ['x-a', '2'],
    ],
  });
  t.match(
    own,
    /\r\naccept: text\/plain\r\nx-a: 1\r\nx-a: 2\r\n\r\n$/,
    'our default gives way, repeated fields stay',
  );
  t.equal(own.match(/^accept:/gm)?.length, 1);
  t.match(encodeRequest({ ...REQUEST, method: 'OPTIONS', path: '*' }), /^OPTIONS \* HTTP/);
});

const INJECTIONS: readonly (readonly [string, Partial<Parameters<typeof encodeRequest>[0]>])[] = [
  ['a line end in the path', { path: '/\r\nX: y' }],
  ['a space in the path', { path: '/a b' }],
  ['a path without a slash', { path: 'http://elsewhere/' }],
  ['an empty path', { path: '' }],
  ['another alphabet in the path', { path: '/é' }],
  ['a line end in the host', { host: 'x\r\nX: y' }],
  ['a lone LF in the host', { host: 'x\ny' }],
  ['a line end in a value', { headers: [['x-a', '1\r\nX: y']] }],
  ['NUL in a value', { headers: [['x-a', '\0']] }],
  ['more than latin1 in a value', { headers: [['x-a', 'žluť']] }],
  ['a line end in a name', { headers: [['x\r\n', '1']] }],
  ['an empty name', { headers: [['', '1']] }],
  ['a second host', { headers: [['host', 'x']] }],
  ['a length of nothing', { headers: [['content-length', '5']] }],
  ['a coding of nothing', { headers: [['transfer-encoding', 'chunked']] }],
  ['a method with a space', { method: 'GET /x' }],
];

t.test('a value that would leave its place is refused', async (t) => {
  for (const [name, part] of INJECTIONS)
    t.throws(() => encodeRequest({ ...REQUEST, ...part }), { code: 'MALFORMED' }, name);
});

t.test('version, body and connection are said in the head', async (t) => {
  const old = encodeRequest({ ...REQUEST, version: '1.0' });
  t.match(old, /^GET \/health\?x=1 HTTP\/1\.0\r\n/);
  t.match(old, /\r\nconnection: close\r\n/);
  const kept = encodeRequest({ ...REQUEST, keepsConnection: true });
  t.notMatch(kept, /connection/, 'HTTP/1.1 keeps a connection of itself');
  t.notMatch(kept, /content-length/);
  const sent = encodeRequest({ ...REQUEST, method: 'POST', bodyLength: 7 });
  t.match(sent, /\r\ncontent-length: 7\r\n/);
  t.match(encodeRequest({ ...REQUEST, method: 'POST', bodyLength: 0 }), /\r\ncontent-length: 0\r\n/);
});
