/** Checks that ask more than once. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { httpPlan, httpProber } from '../../src/checks/http.js';
import type { Target } from '../../src/checks/spec-target.js';
import type { HttpCheck, HttpUrl } from '../../src/checks/spec-web.js';
import { systemClock } from '../../src/sys/clock.js';
import { answering, CHUNKED, check, counted, HEAD, OK } from './http-talks.js';
import { flood, Listener, listen, probeOnce, resetHard } from './listeners.js';
import { tlsClient } from './secure.js';

const http = httpProber(systemClock.monotonic, tlsClient);

const url = (more: Partial<HttpUrl>): HttpUrl => check({} as Target, more);
const bad = (detail: string): object => ({ kind: 'bad-content', phase: 'response', detail });
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

t.test('the fast lane takes what it took before, and nothing else', async (t) => {
  const target = { port: 80 } as Target;
  t.ok(httpPlan(check(target, { contains: 'x', headers: [['a', 'b']], status: [[200, 200]] })));
  const others: readonly Partial<HttpCheck>[] = [
    { version: '1.0' },
    { type: 'https' },
    { redirects: 1 },
    { further: [url({})] },
    { matches: 'x' },
    { json: [['/x', 1]] },
    { digest: md5('') },
    { fields: [['x', '']] },
    { method: 'POST', body: '' },
    { credentials: { kind: 'bearer', token: 'x' } },
  ];
  for (const more of others) t.equal(httpPlan(check(target, more)), undefined, JSON.stringify(more));
});

/** A server of node:http that writes down what it was asked, and how many connections that took. */
async function recording(t: Test, answer: (request: IncomingMessage, response: ServerResponse) => unknown) {
  const asked: string[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (bytes: Buffer) => {
      body += bytes.toString();
    });
    request.on('end', () => {
      asked.push([request.method, request.headers.host, request.url, body].join(' ').trim());
      answer(request, response);
    });
  });
  server.on('connection', () => {
    connections += 1;
  });
  const listener = await Listener.open(t, server);
  return { listener, asked, connections: () => connections };
}

t.test('several urls go over one connection, in order, and each is held against its own', async (t) => {
  const { listener, asked, connections } = await recording(t, (request, response) =>
    response.end(`at ${request.url}`),
  );
  const further = [url({ path: '/b', contains: 'at /b' }), url({ path: '/c', digest: md5('at /c') })];
  const spec = check(listener.target, { path: '/a', contains: '/a', further });
  const result = await probeOnce(t, http, spec, { listeners: [listener] });
  t.same(result.reason, OK);
  t.same(asked, ['GET www.example.org /a', 'GET www.example.org /b', 'GET www.example.org /c']);
  t.equal(connections(), 1);
  t.same(
    result.phases.map(([phase]) => phase),
    ['connect', 'request', 'response', 'request', 'response', 'request', 'response'],
  );
  const second = check(listener.target, {
    path: '/a',
    further: [url({ path: '/b', contains: 'x' }), url({ path: '/c' })],
  });
  const failed = await probeOnce(t, http, second, { listeners: [listener] });
  t.same(failed.reason, { ...bad('no "x" in 5 bytes'), at: '/b' }, 'the one that fails is named');
  t.equal(asked.at(-1), 'GET www.example.org /b', 'and nothing is asked after it');
});

t.test('a connection that the server does not keep is made again', async (t) => {
  const rows: readonly (readonly [string, (s: Socket) => unknown])[] = [
    ['it says so', (s) => s.write(counted('fine').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))],
    ['it is of HTTP/1.0', (s) => s.write(counted('fine').replace('1.1', '1.0'))],
    ['it closes without a word', (s) => s.end(counted('fine'))],
    ['a body without a length', (s) => s.end(`${HEAD}\r\nfine`)],
    ['a body that is too long to wait for', (s) => flood(s, `${CHUNKED}${'8\r\nfinefine\r\n'.repeat(1000)}`)],
  ];
  for (const [name, answer] of rows) {
    let connections = 0;
    const listener = await listen(t, (socket) => {
      connections += 1;
      answering(answer)(socket);
    });
    const spec = check(listener.target, {
      contains: 'fine',
      further: [url({ path: '/b', contains: 'fine' })],
    });
    t.same((await probeOnce(t, http, spec, { listeners: [listener] })).reason, OK, name);
    t.equal(connections, 2, `${name}: connections`);
    await listener.close();
  }
});

t.test('trouble on the second url is told with its name', async (t) => {
  const rows: readonly (readonly [string, (s: Socket) => unknown, object])[] = [
    ['silence', () => undefined, { kind: 'timeout', phase: 'response', at: '/b' }],
    ['a reset', resetHard, { kind: 'reset', phase: 'response', at: '/b' }],
    ['garbage', (s) => s.write('220 ready\r\n'), { kind: 'protocol-error', phase: 'response', at: '/b' }],
    ['half a head', (s) => s.end('HTTP/1.1 200 OK\r\n'), { kind: 'closed', phase: 'response', at: '/b' }],
  ];
  for (const [name, answer, reason] of rows) {
    const listener = await listen(t, (socket) => {
      let count = 0;
      socket.on('data', () => {
        count += 1;
        if (count === 1) socket.write(counted('fine'));
        else answer(socket);
      });
    });
    const spec = check(listener.target, { further: [url({ path: '/b' })] });
    const result = await probeOnce(t, http, spec, { deadline: 400, listeners: [listener] });
    t.match(result.reason, reason, name);
    await listener.close();
  }
});

t.test('bytes behind an answer are no answer to the next request', async (t) => {
  let connections = 0;
  const listener = await listen(t, (socket) => {
    connections += 1;
    answering((s) => s.write(`${counted('fine')}${counted('stale')}`))(socket);
  });
  const spec = check(listener.target, { contains: 'fine', further: [url({ path: '/b', contains: 'fine' })] });
  t.same((await probeOnce(t, http, spec, { listeners: [listener] })).reason, OK);
  t.equal(connections, 2, 'such a connection is given up');
});

t.test('redirects are followed at the server that is probed', async (t) => {
  const elsewhere = await recording(t, (_request, response) => response.end('elsewhere'));
  const other = elsewhere.listener.target.port;
  const places: Readonly<Record<string, readonly [number, string]>> = {
    '/health': [301, '/next?a=b'],
    '/next?a=b': [302, 'http://www.example.org/third'],
    '/third': [307, 'http://other.example.org/here'],
    '/port': [308, `http://www.example.org:${other}/x`],
    '/loop': [302, '/loop'],
  };
  const { listener, asked, connections } = await recording(t, (request, response) => {
    const [status, location] = places[request.url ?? ''] ?? [200, ''];
    response.writeHead(status, location === '' ? {} : { location }).end(`at ${request.url}`);
  });
  const options = { listeners: [listener, elsewhere.listener] };
  const all = await probeOnce(
    t,
    http,
    check(listener.target, { redirects: 3, contains: 'at /here' }),
    options,
  );
  t.same(all.reason, { kind: 'ok', at: 'http://other.example.org/here' });
  t.same(asked.splice(0), [
    'GET www.example.org /health',
    'GET www.example.org /next?a=b',
    'GET www.example.org /third',
    'GET other.example.org /here',
  ]);
  t.equal(connections(), 1);

  const few = await probeOnce(t, http, check(listener.target, { redirects: 2 }), options);
  t.same(few.reason, { kind: 'bad-status', status: 307, at: 'http://www.example.org/third' }, 'not too many');
  const loop = await probeOnce(t, http, check(listener.target, { path: '/loop', redirects: 10 }), options);
  t.same(loop.reason, { kind: 'bad-status', status: 302, at: 'http://www.example.org/loop' }, 'no loop');
  asked.splice(0);

  const moved = await probeOnce(t, http, check(listener.target, { path: '/port', redirects: 1 }), options);
  t.same(
    moved.reason,
    { kind: 'ok', at: `http://www.example.org:${other}/x` },
    'another port is another connection',
  );
  t.same(asked.splice(0), ['GET www.example.org /port']);
  t.same(elsewhere.asked, [`GET www.example.org:${other} /x`]);

  const further = [url({ path: '/health', contains: 'at /here' }), url({ path: '/end' })];
  const both = await probeOnce(
    t,
    http,
    check(listener.target, { path: '/port', redirects: 3, further }),
    options,
  );
  t.same(both.reason, OK, 'each url begins at its own place');
  t.equal(asked.at(-1), 'GET www.example.org /end');
});

t.test(
  'who asks is told to the host it is meant for alone; what was posted is fetched after a redirect',
  async (t) => {
    const seen: unknown[] = [];
    const { listener, asked } = await recording(t, (request, response) => {
      seen.push([request.headers.authorization, request.headers.cookie, request.headers['x-a']]);
      const location = { '/health': '/same', '/same': 'http://other.example.org/' }[request.url ?? ''];
      response
        .writeHead(location === undefined ? 200 : 302, location === undefined ? {} : { location })
        .end();
    });
    const credentials = { kind: 'basic', user: 'probe', password: 'žluť:1' } as const;
    const headers = [
      ['cookie', 'c'],
      ['x-a', 'b'],
    ] as const;
    const spec = check(listener.target, {
      method: 'POST',
      body: '{"ž": 1}',
      credentials,
      headers,
      redirects: 5,
    });
    t.match((await probeOnce(t, http, spec, { listeners: [listener] })).reason, { kind: 'ok' });
    t.same(asked, [
      'POST www.example.org /health {"ž": 1}',
      'GET www.example.org /same',
      'GET other.example.org /',
    ]);
    const basic = `Basic ${Buffer.from('probe:žluť:1').toString('base64')}`;
    t.same(seen, [
      [basic, 'c', 'b'],
      [basic, 'c', 'b'],
      [undefined, undefined, 'b'],
    ]);
    seen.splice(0);
    const token = check(listener.target, { path: '/', credentials: { kind: 'bearer', token: 't0k' } });
    t.same((await probeOnce(t, http, token, { listeners: [listener] })).reason, OK);
    t.match(seen, [['Bearer t0k']]);
  },
);

t.test('a POST gets a connection of its own', async (t) => {
  const { listener, asked, connections } = await recording(t, (_request, response) => response.end('fine'));
  const post = url({ method: 'POST', path: '/p', body: 'x' });
  const spec = check(listener.target, { further: [post, url({ path: '/c' })] });
  t.same((await probeOnce(t, http, spec, { listeners: [listener] })).reason, OK);
  t.same(asked, ['GET www.example.org /health', 'POST www.example.org /p x', 'GET www.example.org /c']);
  t.equal(connections(), 2);
});

t.test('HTTP/1.0 is spoken where it is asked for', async (t) => {
  const versions: string[] = [];
  const { listener, connections } = await recording(t, (request, response) => {
    versions.push(request.httpVersion);
    response.end('fine');
  });
  const spec = check(listener.target, {
    version: '1.0',
    contains: 'fine',
    further: [url({ contains: 'fine' })],
  });
  t.same((await probeOnce(t, http, spec, { listeners: [listener] })).reason, OK);
  t.same(versions, ['1.0', '1.0']);
  t.equal(connections(), 2);
});
