/** The bundled program as an operator meets it: started, reloaded, stopped, and started wrongly. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadNative, POLL_READABLE } from '../src/sys/native.js';
import { DaemonRun } from './daemon-run.js';

// sys/socket.h
const AF_UNIX = 1;
const SOCK_DGRAM = 2;

interface Setting {
  readonly folder: string;
  readonly file: string;
  readonly socket: string;
  write(yaml: string): void;
}

function setting(t: Test): Setting {
  const folder = mkdtempSync(join(tmpdir(), 'lvsentry-daemon-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'lvsentry.yaml');
  return { folder, file, socket: join(folder, 'api.sock'), write: (yaml) => writeFileSync(file, yaml) };
}

function yaml(socket: string, servers: readonly number[], more = ''): string {
  return `
name: director-t
table: memory
api: { listen: "unix:${socket}" }
defaults: { check: { type: http, interval: 200ms, timeout: 150ms, rise: 1, fall: 1 } }
services:
  web:
    address: 127.0.0.1:8480
    forward: masquerade
    servers:
${servers.map((port) => `      - { name: "s${port}", address: 127.0.0.1, port: ${port} }`).join('\n')}
${more}`;
}

async function httpServer(t: Test): Promise<{ port: number; server: Server }> {
  const server = createServer((_, response) => response.end('alive'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server };
}

t.test('verdicts, a reload, a refused reload and a stop', async (t) => {
  const { file, socket, write } = setting(t);
  const one = await httpServer(t);
  const two = await httpServer(t);
  write(yaml(socket, [one.port]));
  const daemon = new DaemonRun(t, file);
  t.match(await daemon.kind('daemon-started'), { director: 'director-t', inSync: true, table: 'memory' });
  one.server.closeAllConnections();
  one.server.close();
  t.match(await daemon.kind('server-down'), { server: `s${one.port}`, reason: { kind: 'refused' } });
  await daemon.kind('service-lost');
  write(yaml(socket, [one.port, two.port]));
  daemon.child.kill('SIGHUP');
  await daemon.kind('config-reloaded');
  t.match(
    await daemon.kind('server-up'),
    { server: `s${two.port}` },
    'the new server comes in with its verdict',
  );
  await daemon.kind('service-recovered');
  write('services: { web: { adress: 1 } }');
  daemon.child.kill('SIGHUP');
  const refused = await daemon.kind('config-refused');
  t.match(
    refused.msg,
    /lvsentry\.yaml:1:\d+: .*the old one stays|the old one stays in force: .*lvsentry\.yaml:1:/,
  );
  t.equal(await daemon.end('SIGTERM'), 0);
  t.match(daemon.lines.at(-1), { kind: 'daemon-stopping' });
  t.notOk(existsSync(socket), 'the socket is gone');
  t.equal(daemon.errors, '');
});

t.test(
  'the synchronisation of connections starts with the daemon, follows a reload, and is told',
  async (t) => {
    const { file, socket, write } = setting(t);
    const { port } = await httpServer(t);
    write(yaml(socket, [port], 'sync: { interface: sync0, role: both }'));
    const daemon = new DaemonRun(t, file);
    t.match(await daemon.kind('sync-role'), { started: ['master', 'backup'] });
    await daemon.kind('daemon-started');
    write(yaml(socket, [port], 'sync: { interface: sync0, role: backup }'));
    daemon.child.kill('SIGHUP');
    await daemon.kind('config-reloaded');
    t.equal(await daemon.end('SIGTERM'), 0);
    const roles = daemon.lines.filter(({ kind }) => kind === 'sync-role');
    t.match(roles[1], { started: [], msg: /master was stopped$/ });
    t.equal(daemon.errors, '');
  },
);

t.test('time-outs of connections are set at the start, by a reload, and put back at the end', async (t) => {
  const { file, socket, write } = setting(t);
  write(`table: memory\napi: { listen: "unix:${socket}" }\nservices: {}\ntimeouts: { tcp: 60s }\n`);
  const daemon = new DaemonRun(t, file);
  t.match(await daemon.kind('timeouts-set'), { set: { tcp: 60 } });
  write(`table: memory\napi: { listen: "unix:${socket}" }\nservices: {}\ntimeouts: { udp: 5s }\n`);
  daemon.child.kill('SIGHUP');
  t.match(await daemon.kind('config-reloaded'), {});
  t.equal(await daemon.end('SIGTERM'), 0);
  const sets = daemon.lines.filter(({ kind }) => kind === 'timeouts-set').map(({ set }) => set);
  t.same(sets, [{ tcp: 60 }, { tcp: 900, udp: 5 }, { udp: 300 }]);
});

/** What a daemon tells the service manager from its start to its stop. @param extra in its configuration */
async function toldManager(t: Test, extra: string, last: string): Promise<readonly string[]> {
  const { folder, file, socket: api, write } = setting(t);
  const { port } = await httpServer(t);
  write(yaml(api, [port], extra));
  const manager = join(folder, 'notify');
  const socket = loadNative().openSocket(AF_UNIX, SOCK_DGRAM, 0);
  if (typeof socket === 'number') throw new Error(`socket: ${socket}`);
  t.equal(socket.bind(Buffer.concat([Uint8Array.of(AF_UNIX, 0), Buffer.from(manager)])), 0);
  t.teardown(() => socket.close());
  const told: string[] = [];
  const hear = (state: string): Promise<void> =>
    new Promise((resolve) => {
      socket.poll(POLL_READABLE, () => {
        const into = new Uint8Array(64);
        const length = socket.receive(into);
        if (length > 0) told.push(Buffer.from(into.subarray(0, length)).toString());
        if (told.includes(state)) resolve();
      });
    });
  const ready = hear('READY=1');
  const daemon = new DaemonRun(t, file, { NOTIFY_SOCKET: manager });
  await ready;
  const stopping = hear(last);
  t.equal(await daemon.end('SIGTERM'), 0);
  await stopping;
  return told;
}

t.test('ready and stopping are told to the service manager', async (t) => {
  t.same(await toldManager(t, '', 'STOPPING=1'), ['READY=1', 'STOPPING=1']);
});

t.test('a stop that may drain asks the service manager for as much time', async (t) => {
  const state = 'STOPPING=1\nEXTEND_TIMEOUT_USEC=50000000';
  t.same(await toldManager(t, 'on-stop: { drain: 20s }', state), ['READY=1', state]);
});

t.test('`on-stop: remove` takes our services away when somebody stops the daemon', async (t) => {
  const { file, socket, write } = setting(t);
  const { port } = await httpServer(t);
  write(yaml(socket, [port], 'on-stop: remove'));
  const daemon = new DaemonRun(t, file);
  await daemon.kind('daemon-started');
  t.equal(await daemon.end('SIGTERM'), 0);
  t.match(
    daemon.lines.find(({ kind }) => kind === 'daemon-stopping'),
    { leaving: 1 },
  );
  t.match(daemon.lines.at(-1), { msg: 'table changed', applied: 1, failed: 0 });
});

t.test('an API address that is taken ends the start before the table is touched', async (t) => {
  const { file, write } = setting(t);
  const taken = createTcpServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  write(yaml('', [port]).replace('unix:', `127.0.0.1:${port}`));
  const daemon = new DaemonRun(t, file);
  t.equal(await daemon.ended(), 1);
  t.match(daemon.lines, [
    { level: 'error', msg: new RegExp(`127\\.0\\.0\\.1:${port}: somebody listens there already`) },
  ]);
  t.equal(daemon.lines.length, 1, 'nothing else happened');
});

t.test('a wrong configuration is told whole, with places, and exit code 3', async (t) => {
  const { file, write } = setting(t);
  write('tabel: memory\nservices:\n  web: { address: 127.0.0.1:99999 }\n');
  const daemon = new DaemonRun(t, file);
  t.equal(await daemon.ended(), 3);
  t.match(daemon.errors, /yaml:1:1: tabel: unknown key; did you mean "table"\?\n.*yaml:3:\d+: /);
});

t.test(
  'a kernel without IPVS is told in one line',
  { skip: existsSync('/proc/net/ip_vs') && 'this kernel has IPVS' },
  async (t) => {
    const { file, socket, write } = setting(t);
    write(yaml(socket, [1]).replace('table: memory', 'table: kernel'));
    const daemon = new DaemonRun(t, file);
    t.equal(await daemon.ended(), 1);
    t.equal(daemon.lines.length, 1);
    const root = process.getuid?.() === 0;
    t.match(
      daemon.lines[0]?.msg,
      root ? /no IPVS: load it with `modprobe ip_vs`/ : /IPVS|root|CAP_NET_ADMIN/,
    );
  },
);

t.test('a second signal does not wait for the first', async (t) => {
  const { file, socket, write } = setting(t);
  // Probes end with a reset.
  const hanging = createTcpServer((each) => each.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(hanging, 'listening');
  t.teardown(() => hanging.close());
  const { port } = hanging.address() as AddressInfo;
  const alert = `alerts: { hang: { webhook: { url: "http://127.0.0.1:${port}/" }, on: [daemon-stopping], timeout: 60s } }`;
  write(yaml(socket, [port], alert));
  const daemon = new DaemonRun(t, file);
  await daemon.kind('daemon-started');
  daemon.child.kill('SIGTERM');
  await daemon.kind('daemon-stopping');
  daemon.child.kill('SIGTERM');
  t.equal(await daemon.ended(), 1);
});
