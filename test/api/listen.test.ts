import { once } from 'node:events';
import { existsSync, lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { listenText } from '../../src/api/listen.js';
import { startApi } from '../../src/api/server.js';
import type { Status } from '../../src/api/status.js';
import type { Listen } from '../../src/config/model.js';
import { source } from './build.js';

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'lvsentry-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

/** A port that was free a moment ago. */
async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function ask(where: { port: number; host?: string } | { socketPath: string }, path = '/v1/status') {
  const [response] = (await once(get({ ...where, path, agent: false }), 'response')) as [IncomingMessage];
  return { status: response.statusCode, body: JSON.parse(await text(response)) as unknown };
}

/** Sends bytes and gives back all that comes until the other side closes. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(bytes);
  return text(socket);
}

const tcp = (port: number, host = '127.0.0.1'): Listen => ({ kind: 'tcp', host, port });

t.test('listens on a port, on IPv4 and on IPv6', async (t) => {
  for (const host of ['127.0.0.1', '::1']) {
    const port = await freePort(host);
    const api = await startApi(tcp(port, host), source());
    t.match(await ask({ port, host }), { status: 200, body: { name: 'director-test' } });
    await api.close();
    await t.rejects(ask({ port, host }), { code: 'ECONNREFUSED' });
  }
});

t.test('an address is said as the configuration says it', async (t) => {
  t.equal(listenText(tcp(8405)), '127.0.0.1:8405');
  t.equal(listenText(tcp(8405, '::1')), '[::1]:8405');
  t.equal(listenText(tcp(8405, 'localhost')), 'localhost:8405');
  t.equal(listenText({ kind: 'unix', path: '/run/x.sock' }), 'unix:/run/x.sock');
});

t.test('a taken port is an error that names it and says what to do', async (t) => {
  const port = await freePort();
  const first = await startApi(tcp(port), source());
  t.teardown(() => first.close());
  await t.rejects(startApi(tcp(port), source()), {
    code: 'API',
    message: `cannot listen on 127.0.0.1:${port}: somebody listens there already, perhaps another lvsentry: end it, or give \`api: listen\` another address`,
    facts: { address: `127.0.0.1:${port}` },
  });
  t.match(await ask({ port }), { status: 200 }, 'the first is undisturbed');
});

t.test('an address that is not ours, a folder that is not there: errors that say so', async (t) => {
  const missing: Listen = { kind: 'unix', path: join(folder(t), 'missing/api.sock') };
  for (const [listen, message] of [
    [tcp(8405, '192.0.2.1'), /^cannot listen on 192\.0\.2\.1:8405: this machine has no such address/],
    [tcp(8405, 'name.invalid'), /^cannot listen on name\.invalid:8405: /],
    [missing, /^cannot listen on unix:.*missing\/api\.sock: its folder does not exist/],
  ] as const)
    await t.rejects(startApi(listen, source()), { code: 'API', message });
});

t.test('a unix socket: for owner and group, and gone after the end', async (t) => {
  const path = join(folder(t), 'api.sock');
  const api = await startApi({ kind: 'unix', path }, source());
  t.equal(lstatSync(path).mode & 0o777, 0o660);
  t.match(await ask({ socketPath: path }), { status: 200, body: { name: 'director-test' } });
  await t.rejects(startApi({ kind: 'unix', path }, source()), {
    code: 'API',
    message: /somebody listens there already/,
  });
  t.match(await ask({ socketPath: path }), { status: 200 }, 'and the first is undisturbed');
  await api.close();
  t.equal(existsSync(path), false);
});

t.test('a socket file whose daemon was killed is replaced', async (t) => {
  const path = join(folder(t), 'api.sock');
  const { spawn } = await import('node:child_process');
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
  const killed = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(killed.stdout, 'data');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  t.ok(lstatSync(path).isSocket(), 'it was left behind');
  const api = await startApi({ kind: 'unix', path }, source());
  t.match(await ask({ socketPath: path }), { status: 200 });
  await api.close();
});

t.test('a file that is no socket is never removed', async (t) => {
  const path = join(folder(t), 'api.sock');
  writeFileSync(path, 'precious');
  await t.rejects(startApi({ kind: 'unix', path }, source()), {
    code: 'API',
    message: /a file that is no socket/,
  });
  t.ok(lstatSync(path).isFile());
});

t.test('the end is prompt: idle, half-sent and waiting connections are closed', async (t) => {
  const port = await freePort();
  const api = await startApi(tcp(port), source());
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const [response] = (await once(get({ port, path: '/healthz', agent }), 'response')) as [IncomingMessage];
  await text(response);
  const half = connect(port, '127.0.0.1');
  half.on('error', () => undefined);
  await new Promise<void>((resolve) => half.write('GET /v1/st', () => resolve()));
  const started = performance.now();
  const closed = new Promise((resolve) => half.once('close', resolve));
  await api.close();
  await closed;
  t.ok(performance.now() - started < 1000, `${Math.round(performance.now() - started)} ms`);
});

t.test(
  'what is not HTTP, or too much of it, is refused with a JSON error, and the connection closed',
  async (t) => {
    const port = await freePort();
    const api = await startApi(tcp(port), source());
    t.teardown(() => api.close());
    for (const [bytes, status, code] of [
      ['\u0016\u0003\u0001\u0002\u0000', 400, 'BAD_REQUEST'],
      ['GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nhost : b\r\n\r\n', 400, 'BAD_REQUEST'],
      [`GET / HTTP/1.1\r\nx: ${'y'.repeat(9000)}\r\n\r\n`, 431, 'TOO_LARGE'],
    ] as const) {
      const answer = await exchange(port, bytes);
      t.match(answer, new RegExp(`^HTTP/1.1 ${status} `), bytes.slice(0, 30));
      t.match(JSON.parse(answer.split('\r\n\r\n')[1] ?? ''), { error: { code } });
    }
    t.match(await ask({ port }), { status: 200 });
  },
);

t.test('a request that does not come to its end is ended', async (t) => {
  const port = await freePort();
  const api = await startApi(tcp(port), source());
  t.teardown(() => api.close());
  const started = performance.now();
  const answer = await exchange(port, 'GET /v1/status HTTP/1.1\r\nhost: 127.0.0.1\r\n');
  t.match(answer, /^HTTP\/1\.1 408 /);
  t.ok(performance.now() - started > 4000);
});

t.test('more connections than allowed are closed; those that are open work', async (t) => {
  const port = await freePort();
  const api = await startApi(tcp(port), source());
  t.teardown(() => api.close());
  const sockets: Socket[] = [];
  for (let count = 0; count < 210; count += 1) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    sockets.push(socket);
  }
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(
    sockets.slice(200).map((socket) => new Promise((resolve) => socket.once('close', resolve))),
  );
  const [first] = sockets;
  first?.write('GET /v1/status HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n');
  const answer = await text(first as Socket);
  t.match(JSON.parse(answer.split('\r\n\r\n')[1] ?? '') as Status, { name: 'director-test' });
});
