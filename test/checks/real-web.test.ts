/** Checks of web servers against real ones: HTTP/2 by nginx, gRPC by grpcio, WebSocket by websockets. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { grpcProber } from '../../src/checks/grpc.js';
import { httpProber } from '../../src/checks/http.js';
import type { Target } from '../../src/checks/spec-target.js';
import type { GrpcCheck, HttpCheck, WebSocketCheck } from '../../src/checks/spec-web.js';
import { webSocketProber } from '../../src/checks/websocket.js';
import type { Millis } from '../../src/core/units.js';
import { systemClock } from '../../src/sys/clock.js';
import { Authority, NO_OPENSSL } from './certificates.js';
import { check as httpCheck } from './http-talks.js';
import { closedPort, LOCALHOST, probeOnce } from './listeners.js';
import { tlsClient, tlsSettings } from './secure.js';
import { folder, missing, start, startNginx } from './servers.js';
import { GRPC_SERVER, missingModule, PYTHON, WEBSOCKET_SERVER } from './web-servers.js';

const now = systemClock.monotonic;
const http = httpProber(now, tlsClient);
const grpc = grpcProber(now, tlsClient);
const webSocket = webSocketProber(now, tlsClient);

const NOWHERE: Target = { address: LOCALHOST, port: 1 };

/** A folder with a key and its certificate, and what a client must trust. */
function secured(t: Test, files: Readonly<Record<string, string>> = {}) {
  const authority = new Authority(t, 'web');
  const { key, cert } = authority.issue('DNS:www.example.org');
  const dir = folder(t, { 'key.pem': key, 'cert.pem': cert, 'both.pem': `${key}${cert}`, ...files });
  const tls = (alpn: readonly string[]) =>
    tlsSettings({ serverName: 'www.example.org', authorities: authority.cert, alpn });
  return { dir, tls };
}

const NGINX = (dir: string, plain: number, secure: number, old: number): string => `
  ssl_certificate ${dir}/cert.pem;
  ssl_certificate_key ${dir}/key.pem;
  server {
    listen 127.0.0.1:${plain} http2;
    listen 127.0.0.1:${secure} ssl http2;
    listen 127.0.0.1:${old} ssl;
    root ${dir};
    location /alive { return 200 "all is fine\\n"; }
    location /broken { return 500; }
    location /moved { return 301 /alive; }
    location /empty { return 204; }
    location /mute { return 444; }
    location /host { return 200 "$host $http_x_key $server_protocol"; }
  }
`;

const url = (path: string) => httpCheck(NOWHERE, { path });

t.test('nginx, by HTTP/2', { skip: missing('nginx') || NO_OPENSSL }, async (t) => {
  const { dir, tls } = secured(t, { 'page.txt': `${'x'.repeat(300_000)}the end` });
  const [plain, secure, old] = [await closedPort(t), await closedPort(t), await closedPort(t)];
  await startNginx(t, plain, dir, NGINX(dir, plain.port, secure.port, old.port));
  const rows: readonly (readonly [string, Partial<HttpCheck>, object])[] = [
    ['a status', { path: '/alive' }, { kind: 'ok' }],
    ['a text', { path: '/alive', contains: 'is fine' }, { kind: 'ok' }],
    ['HEAD', { path: '/alive', method: 'HEAD' }, { kind: 'ok' }],
    ['204', { path: '/empty' }, { kind: 'ok' }],
    [
      'the host and a header',
      {
        path: '/host',
        host: 'x.example.org',
        headers: [['x-key', 'abc']],
        contains: 'x.example.org abc HTTP/2.0',
      },
      { kind: 'ok' },
    ],
    ['a long page', { path: '/page.txt', contains: 'the end', bodyLimit: 1_000_000 }, { kind: 'ok' }],
    [
      'a page longer than we read',
      { path: '/page.txt', contains: 'the end', bodyLimit: 9999 },
      { kind: 'too-long', limit: 9999 },
    ],
    ['a header of the answer', { path: '/alive', fields: [['server', 'nginx']] }, { kind: 'ok' }],
    ['another text', { path: '/alive', contains: 'is bad' }, { kind: 'bad-content' }],
    ['an error', { path: '/broken' }, { kind: 'bad-status', status: 500 }],
    ['a redirect', { path: '/moved' }, { kind: 'bad-status', status: 301 }],
    ['a redirect that is followed', { path: '/moved', redirects: 1, contains: 'fine' }, { kind: 'ok' }],
    ['several urls', { path: '/alive', further: ['/page.txt', '/host', '/empty'].map(url) }, { kind: 'ok' }],
    [
      'several urls, one of which fails',
      { path: '/alive', further: ['/host', '/nothing', '/empty'].map(url) },
      { kind: 'bad-status', status: 404, at: '/nothing' },
    ],
    ['a server that gives no answer', { path: '/mute' }, { kind: 'protocol-error', phase: 'response' }],
  ];
  for (const [name, more, reason] of rows) {
    t.match((await probeOnce(t, http, httpCheck(plain, { version: '2', ...more }))).reason, reason, name);
    const spec = httpCheck(secure, { type: 'https', version: '2', tls: tls(['h2']), ...more });
    t.match((await probeOnce(t, http, spec)).reason, reason, `${name}, by TLS`);
  }
  for (const version of ['1.1', '2'] as const) {
    const alpn = [version === '2' ? 'h2' : 'http/1.1'];
    const soon = (days: number) => ({ ...tls(alpn), expiresWithin: (days * 86_400_000) as Millis });
    const far = httpCheck(secure, { type: 'https', version, path: '/alive', tls: soon(14) });
    t.equal((await probeOnce(t, http, far)).warning, undefined, `${version}: the certificate holds for long`);
    const near = httpCheck(secure, { type: 'https', version, path: '/alive', tls: soon(36_500) });
    t.match(await probeOnce(t, http, near), {
      outcome: 'pass',
      warning: /^the certificate expires in \d+ days$/,
    });
  }
  const not = httpCheck(old, { type: 'https', version: '2', tls: tls(['h2']) });
  t.match(
    (await probeOnce(t, http, not)).reason,
    { kind: 'tls', problem: 'handshake', detail: /application protocol/ },
    'a server without HTTP/2',
  );
  const wrong = httpCheck(secure, { version: '2' });
  t.match(
    (await probeOnce(t, http, wrong)).reason,
    { kind: 'protocol-error', detail: 'HTTP/2: Protocol error' },
    'plain HTTP/2 to TLS',
  );
});

t.test('grpcio', { skip: missingModule('grpc') || NO_OPENSSL }, async (t) => {
  const { dir, tls } = secured(t);
  const [plain, secure] = [await closedPort(t), await closedPort(t)];
  const paths = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  await start(t, secure, [PYTHON, '-c', GRPC_SERVER, `${plain.port}`, `${secure.port}`, ...paths]);
  const rows: readonly (readonly [string, object])[] = [
    ['', { kind: 'ok' }],
    ['shop.Basket', { kind: 'ok' }],
    ['žluť', { kind: 'ok' }],
    ['x'.repeat(200), { kind: 'ok' }],
    ['shop.Till', { kind: 'bad-content', phase: 'response', detail: 'NOT_SERVING' }],
    ['shop.Odd', { kind: 'bad-content', phase: 'response', detail: 'SERVICE_UNKNOWN' }],
    ['žába', { kind: 'rejected', phase: 'response', code: 5, detail: 'NOT_FOUND: no such service: žába' }],
  ];
  const spec = (more: Partial<GrpcCheck>): GrpcCheck => ({
    type: 'grpc',
    target: plain,
    service: '',
    host: 'www.example.org',
    tls: undefined,
    ...more,
  });
  for (const [service, reason] of rows) {
    t.same((await probeOnce(t, grpc, spec({ service }))).reason, reason, service);
    const over = spec({ target: secure, service, tls: tls(['h2']) });
    t.same((await probeOnce(t, grpc, over)).reason, reason, `${service}, by TLS`);
  }
  const slow = await probeOnce(t, grpc, spec({ service: 'slow' }), { deadline: 300 });
  t.match(slow.reason, { kind: 'timeout', phase: 'response' });
  const result = await probeOnce(t, grpc, spec({ target: secure, tls: tls(['h2']) }));
  t.same(
    result.phases.map(([phase]) => phase),
    ['connect', 'tls', 'request', 'response'],
  );
});

t.test('websockets', { skip: missingModule('websockets') || NO_OPENSSL }, async (t) => {
  const { dir, tls } = secured(t);
  const [plain, secure] = [await closedPort(t), await closedPort(t)];
  const ports = [`${plain.port}`, `${secure.port}`];
  await start(t, secure, [PYTHON, '-c', WEBSOCKET_SERVER, ...ports, join(dir, 'both.pem')]);
  const credentials = { kind: 'basic', user: 'probe', password: 's3cret' } as const;
  const rows: readonly (readonly [string, Partial<WebSocketCheck>, object])[] = [
    ['open and close', {}, { kind: 'ok' }],
    ['a ping', { ping: true }, { kind: 'ok' }],
    ['a subprotocol', { subprotocol: 'mqtt', ping: true }, { kind: 'ok' }],
    [
      'another subprotocol',
      { subprotocol: 'soap' },
      { kind: 'bad-content', phase: 'response', detail: 'subprotocol none, not "soap"' },
    ],
    ['a name', { path: '/secret', credentials }, { kind: 'ok' }],
    ['no name', { path: '/secret' }, { kind: 'bad-status', status: 401 }],
  ];
  const spec = (more: Partial<WebSocketCheck>): WebSocketCheck => ({
    type: 'websocket',
    target: plain,
    path: '/',
    host: 'www.example.org',
    headers: [],
    credentials: undefined,
    subprotocol: undefined,
    ping: false,
    tls: undefined,
    ...more,
  });
  for (const [name, more, reason] of rows) {
    t.same((await probeOnce(t, webSocket, spec(more))).reason, reason, name);
    const over = spec({ ...more, target: secure, tls: tls(['http/1.1']) });
    t.same((await probeOnce(t, webSocket, over)).reason, reason, `${name}, by TLS`);
  }
  const result = await probeOnce(t, webSocket, spec({ ping: true }));
  t.same(
    result.phases.map(([phase]) => phase),
    ['connect', 'request', 'response', 'data', 'quit'],
  );
});
