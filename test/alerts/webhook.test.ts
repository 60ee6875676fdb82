import { spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { EVENT_KINDS, type WebhookTarget } from '../../src/alerts/model.js';
import { Outbox } from '../../src/alerts/outbox.js';
import type { AlertBody, AlertMessage, Delivery } from '../../src/alerts/policy.js';
import { signatureHeaders } from '../../src/alerts/signature.js';
import { type Courier, webhookCourier } from '../../src/alerts/webhook.js';
import { millis } from '../../src/core/units.js';
import { systemClock, systemTimers } from '../../src/sys/clock.js';
import { FakeTime } from '../fakes/time.js';
import { event, FakeLog, rule } from './build.js';
import { httpReceiver, listen, type Received, type Receiver, rawReceiver, readRequest } from './receivers.js';

const MESSAGE: AlertMessage = { id: 'run1-17', body: '{"version":1,"message":"Ä € 😀"}' };
const NOW = 1_700_000_000;
const courier = webhookCourier(new FakeTime());
const DOCUMENT = readFileSync(new URL('../../../docs/alerts.md', import.meta.url), 'utf8');

const noOpenssl = spawnSync('openssl', ['version']).status !== 0 && 'openssl is not installed';

function send(target: Partial<WebhookTarget>, deadline = 5000): Promise<Delivery> {
  const full = { url: 'http://127.0.0.1:1/', secret: undefined, ...target };
  return courier.deliver(full, MESSAGE, AbortSignal.timeout(deadline));
}

const answer = (text: string) => (socket: Socket) => {
  socket.once('data', () => socket.write(text));
};

t.test('a delivery is one POST with the body, its id, the time and the signature', async (t) => {
  const got: Received[] = [];
  const receiver = await httpReceiver((request, response) => {
    void readRequest(request).then((received) => {
      got.push(received);
      response.writeHead(204).end();
    });
  });
  t.teardown(() => receiver.close());
  t.same(await send({ url: `${receiver.origin}/hook/a?b=c`, secret: 'key' }), { kind: 'delivered' });
  t.equal(got.length, 1);
  const { request, body } = got[0] as Received;
  t.equal(request.method, 'POST');
  t.equal(request.url, '/hook/a?b=c');
  t.equal(body, MESSAGE.body);
  t.match(request.headers, {
    host: `127.0.0.1:${receiver.port}`,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(MESSAGE.body)),
    'user-agent': 'lvsentry',
    'lvsentry-event-id': 'run1-17',
    'lvsentry-timestamp': String(NOW),
    'lvsentry-signature': /^v1=[0-9a-f]{64}$/,
  });
  t.notOk('authorization' in request.headers);
  await receiver.idle();
  t.same(await send({ url: receiver.origin }), { kind: 'delivered' });
  t.notOk('lvsentry-signature' in (got[1] as Received).request.headers, 'no secret, no signature');
});

t.test('the signature is what openssl computes', { skip: noOpenssl }, async (t) => {
  const headers = signatureHeaders(MESSAGE, 'a secret', NOW);
  const input = `${NOW}.${MESSAGE.body}`;
  const openssl = spawnSync('openssl', ['dgst', '-sha256', '-hmac', 'a secret'], { input, encoding: 'utf8' });
  t.equal(headers['lvsentry-signature'], `v1=${openssl.stdout.trim().split(' ').at(-1)}`);
});

t.test('the example of docs/alerts.md takes what is genuine and refuses everything else', async (t) => {
  const [, source] = /```js\n([\s\S]*?)```/.exec(DOCUMENT) ?? [];
  const folder = mkdtempSync(join(tmpdir(), 'lvsentry-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'verify.mjs');
  writeFileSync(path, source ?? '');
  type Verify = (secret: string, headers: object, body: string | Buffer, now?: number) => boolean;
  const { isGenuine } = (await import(pathToFileURL(path).href)) as { isGenuine: Verify };
  const headers = signatureHeaders(MESSAGE, 'key', NOW);
  t.equal(isGenuine('key', headers, MESSAGE.body, NOW), true);
  t.equal(isGenuine('key', headers, Buffer.from(MESSAGE.body), NOW + 299), true);
  for (const [why, is] of Object.entries({
    'another key': isGenuine('kez', headers, MESSAGE.body, NOW),
    'another body': isGenuine('key', headers, `${MESSAGE.body} `, NOW),
    'another time': isGenuine(
      'key',
      { ...headers, 'lvsentry-timestamp': String(NOW + 1) },
      MESSAGE.body,
      NOW,
    ),
    'an old message': isGenuine('key', headers, MESSAGE.body, NOW + 301),
    'today, an old message': isGenuine('key', headers, MESSAGE.body),
    'no signature': isGenuine('key', signatureHeaders(MESSAGE, undefined, NOW), MESSAGE.body, NOW),
    'no headers': isGenuine('key', {}, MESSAGE.body, NOW),
  }))
    t.equal(is, false, why);
});

t.test('docs/alerts.md lists every event with its meaning', async (t) => {
  const rows = [...DOCUMENT.matchAll(/^\| `([a-z-]+)` *\| (.*?) *\|$/gm)]
    .map((match): [string, string] => [match[1] ?? '', match[2] ?? ''])
    .filter(([name]) => !name.startsWith('lvsentry-'));
  t.same(Object.fromEntries(rows), EVENT_KINDS);
});

t.test('credentials in the address become basic authentication', async (t) => {
  let authorization: string | undefined;
  const receiver = await httpReceiver((request, response) => {
    ({ authorization } = request.headers);
    response.end();
  });
  t.teardown(() => receiver.close());
  t.equal((await send({ url: `http://al:p%40%C3%A4@127.0.0.1:${receiver.port}/` })).kind, 'delivered');
  t.equal(authorization, `Basic ${Buffer.from('al:p@ä').toString('base64')}`);
});

t.test('IPv6 addresses work', async (t) => {
  const receiver = await httpReceiver((_request, response) => response.end('ok'), '::1');
  t.teardown(() => receiver.close());
  t.equal((await send({ url: receiver.origin })).kind, 'delivered');
});

interface Case {
  readonly handler: (socket: Socket) => void;
  readonly scheme?: 'https';
  readonly deadline?: number;
  readonly expected: object;
}

const ENDLESS = Buffer.alloc(16_384, 'x');

/** Writes as fast as it may until the connection is closed. */
function pour(socket: Socket): void {
  const more = (): void => {
    while (socket.writable && socket.write(ENDLESS));
  };
  socket.on('drain', more);
  more();
}

/** A byte every few milliseconds until the connection is closed. */
function drip(socket: Socket, text: string): void {
  let at = 0;
  const timer = setInterval(() => {
    socket.write(text[at % text.length] ?? '');
    at += 1;
  }, 5);
  socket.on('close', () => clearInterval(timer));
}

const LATE = { kind: 'failed', detail: 'no answer in time' };
const CASES: Readonly<Record<string, Case>> = {
  'says nothing': { handler: () => undefined, deadline: 100, expected: LATE },
  'says nothing to a TLS greeting': {
    handler: () => undefined,
    scheme: 'https',
    deadline: 100,
    expected: LATE,
  },
  'drips its header lines': {
    handler: (socket) => socket.once('data', () => drip(socket, `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(9999)}`)),
    deadline: 150,
    expected: LATE,
  },
  'sends header lines without end': {
    handler: (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nx: ');
      pour(socket);
    },
    expected: { kind: 'failed', detail: /UND_ERR_HEADERS_OVERFLOW/ },
  },
  'takes it, and then drips a body': {
    handler: (socket) =>
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 3000\r\n\r\n');
        drip(socket, 'x');
      }),
    deadline: 150,
    expected: { kind: 'delivered' },
  },
  'takes it, and then sends a body without end': {
    handler: (socket) =>
      socket.once('data', () => {
        socket.write('HTTP/1.1 202 Accepted\r\n\r\n');
        pour(socket);
      }),
    expected: { kind: 'delivered' },
  },
  'fails with a body without end': {
    handler: (socket) =>
      socket.once('data', () => {
        socket.write('HTTP/1.1 500 Oops\r\nretry-after: 9\r\n\r\n');
        pour(socket);
      }),
    expected: { kind: 'failed', detail: 'status 500', retryAfter: 9000 },
  },
  'resets the connection': {
    handler: (socket) => socket.once('data', () => socket.resetAndDestroy()),
    expected: { kind: 'failed', detail: /ECONNRESET/ },
  },
  'closes without an answer': {
    handler: (socket) => socket.once('data', () => socket.end()),
    expected: { kind: 'failed', detail: /other side closed/ },
  },
  'closes within the header': {
    handler: (socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nx: ')),
    expected: { kind: 'failed' },
  },
  'speaks another protocol': {
    handler: (socket) => socket.end('220 mail.example.org ESMTP\r\n'),
    expected: { kind: 'failed', detail: /does not match the HTTP/ },
  },
  'speaks no TLS where TLS is asked for': {
    handler: answer('HTTP/1.1 400 Bad Request\r\n\r\n'),
    scheme: 'https',
    expected: { kind: 'failed', detail: /SSL|EPROTO/ },
  },
  'says that it is busy': {
    handler: answer('HTTP/1.1 429 Slow down\r\nretry-after: 3\r\ncontent-length: 0\r\n\r\n'),
    expected: { kind: 'failed', detail: 'status 429', retryAfter: 3000 },
  },
  'refuses it': {
    handler: answer('HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n'),
    expected: { kind: 'refused', detail: 'status 401' },
  },
};

for (const [name, { handler, scheme, deadline, expected }] of Object.entries(CASES)) {
  t.test(`a receiver that ${name}`, async (t) => {
    const receiver = await rawReceiver(handler);
    t.teardown(() => receiver.close());
    const started = performance.now();
    const delivery = await send({ url: `${scheme ?? 'http'}://127.0.0.1:${receiver.port}/` }, deadline);
    t.match(delivery, expected);
    t.ok(performance.now() - started < (deadline ?? 0) + 15_000, 'in time');
    await receiver.idle();
    t.ok(receiver.accepted() <= 1, 'one attempt, and its connection is closed');
  });
}

t.test('a redirect is refused, not followed', async (t) => {
  const elsewhere = await httpReceiver((_request, response) => response.end());
  const receiver = await httpReceiver((_request, response) =>
    response.writeHead(307, { location: `${elsewhere.origin}/` }).end(),
  );
  t.teardown(() => Promise.all([receiver.close(), elsewhere.close()]));
  t.match(await send({ url: receiver.origin }), { kind: 'refused', detail: /^status 307: redirects/ });
  t.equal(elsewhere.accepted(), 0);
});

t.test('nobody listening, no such name, an unusable address: failed, with the cause', async (t) => {
  const gone: Receiver = await rawReceiver(() => undefined);
  await gone.close();
  t.match(await send({ url: gone.origin }), { kind: 'failed', detail: /ECONNREFUSED/ });
  t.match(await send({ url: 'http://name.invalid/' }), { kind: 'failed', detail: /ENOTFOUND|EAI_AGAIN/ });
  t.match(await send({ url: 'ftp://127.0.0.1/' }), { kind: 'failed', detail: /protocol/i });
  t.match(await send({ url: 'not an address' }), { kind: 'failed', detail: /Invalid URL/ });
});

/** Delivers from a process that trusts the authority of `trusted`. */
async function sendTrusting(trusted: string, url: string): Promise<Delivery> {
  const module = new URL('../../src/alerts/webhook.js', import.meta.url).href;
  const script = `
    import { webhookCourier } from ${JSON.stringify(module)};
    const courier = webhookCourier({ wall: () => 0 });
    const target = { url: ${JSON.stringify(url)}, secret: undefined };
    const delivery = await courier.deliver(target, { id: 'a-1', body: '{}' }, AbortSignal.timeout(5000));
    console.log(JSON.stringify(delivery));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: trusted },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const chunk of child.stdout) output += chunk;
  return JSON.parse(output) as Delivery;
}

t.test('TLS is verified: the chain and the name', { skip: noOpenssl }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lvsentry-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  writeFileSync(keyFile, key);
  const words = ['req', '-x509', '-key', keyFile, '-subj', '/CN=test', '-days', '1', '-out', certFile];
  spawnSync('openssl', [...words, '-addext', 'subjectAltName=IP:127.0.0.1']);
  const server = createHttpsServer({ key, cert: readFileSync(certFile) }, (_request, response) =>
    response.end(),
  );
  const receiver = await listen(server);
  t.teardown(() => receiver.close());
  const url = `https://127.0.0.1:${receiver.port}/`;
  t.match(await send({ url }), { kind: 'failed', detail: /DEPTH_ZERO_SELF_SIGNED_CERT/ });
  t.same(await sendTrusting(certFile, url), { kind: 'delivered' });
  const wrongName = await sendTrusting(certFile, `https://localhost:${receiver.port}/`);
  t.match(wrongName, { kind: 'failed', detail: /ERR_TLS_CERT_ALTNAME_INVALID/ });
});

t.test('a signal that has fired already ends the attempt before it connects', async (t) => {
  const receiver = await rawReceiver(() => undefined);
  t.teardown(() => receiver.close());
  const target = { url: receiver.origin, secret: undefined };
  t.match(await courier.deliver(target, MESSAGE, AbortSignal.abort()), LATE);
  t.equal(receiver.accepted(), 0);
});

t.test(
  'the outbox with real receivers: one hangs, one fails at first; the other gets all in order, signed',
  async (t) => {
    const got: Received[] = [];
    const hangs = await rawReceiver(() => undefined);
    const works = await httpReceiver((request, response) => {
      void readRequest(request).then((received) => {
        got.push(received);
        response.writeHead(got.length <= 2 ? 503 : 200).end();
      });
    });
    const log = new FakeLog();
    const entropy = { uniform: () => 0.02 };
    const settled = new EventEmitter();
    const real = webhookCourier(systemClock);
    const watched: Courier = {
      prepare: () => real.prepare(),
      deliver: (...words) => real.deliver(...words).finally(() => setImmediate(() => settled.emit('one'))),
    };
    const outbox = new Outbox('r', { courier: watched, timers: systemTimers, entropy, log });
    t.teardown(() => Promise.all([outbox.close(millis(0)), hangs.close(), works.close()]));
    outbox.configure('director-a', [
      rule({ name: 'hangs', webhook: { url: hangs.origin, secret: 'k' } }),
      rule({ name: 'works', webhook: { url: works.origin, secret: 'k' } }),
    ]);
    for (let sequence = 1; sequence <= 30; sequence += 1) outbox.offer(event(sequence, `web${sequence % 3}`));
    while ((outbox.stats[1]?.waiting ?? 0) > 0) await once(settled, 'one');
    t.match(outbox.stats, [
      { delivered: 0, waiting: 30 },
      { delivered: 30, lost: 0, dropped: 0 },
    ]);
    const taken = got.slice(2).map(({ body }) => JSON.parse(body) as AlertBody);
    for (const server of ['web0', 'web1', 'web2']) {
      const sequences = taken.filter((body) => body.server === server).map(({ sequence }) => sequence);
      t.same(
        sequences,
        [...sequences].sort((a, b) => a - b),
      );
      t.equal(sequences.length, 10);
    }
    for (const { request, body } of got) {
      const timestamp = Number(request.headers['lvsentry-timestamp']);
      const { id } = JSON.parse(body) as AlertBody;
      t.match(request.headers, signatureHeaders({ id, body }, 'k', timestamp));
      t.ok(Math.abs(timestamp - systemClock.wall() / 1000) < 60);
    }
  },
);
