/** Servers by name in the bundled program: they follow DNS, and nothing that a resolver does takes them away. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ServiceStatus, Status } from '../src/api/status.js';
import { askSocket, DaemonRun } from './daemon-run.js';
import { DnsServer } from './names/dns-server.js';

/** A port at which some addresses of loopback are well. */
async function wellAt(t: Test, addresses: readonly string[]): Promise<number> {
  let port = 0;
  for (const address of addresses) {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(port, address, resolve));
    port = (server.address() as AddressInfo).port;
    t.teardown(() => server.close());
  }
  return port;
}

class Home {
  readonly folder: string;
  readonly socket: string;
  readonly file: string;
  readonly #dns: DnsServer;

  constructor(t: Test, dns: DnsServer) {
    this.#dns = dns;
    this.folder = mkdtempSync(join(tmpdir(), 'lvsentry-names-'));
    t.teardown(() => rmSync(this.folder, { recursive: true, force: true }));
    this.socket = join(this.folder, 'api.sock');
    this.file = join(this.folder, 'lvsentry.yaml');
  }

  write(servers: string, more = ''): void {
    const { port } = this.#dns.resolver;
    writeFileSync(
      this.file,
      `
name: director-n
table: memory
api: { listen: "unix:${this.socket}" }
state: { directory: ${join(this.folder, 'state')} }
resolve: { resolvers: ["127.0.0.1:${port}"], timeout: 500ms, minimum-ttl: 1s, maximum-ttl: 1s, hold: 1s }
defaults: { check: { interval: 50ms, timeout: 40ms, rise: 1, fall: 1 } }
${more}
services:
  web:
    address: 127.0.0.1:8480
    forward: masquerade
    servers: [${servers}]
`,
    );
  }

  async status(): Promise<Status> {
    return JSON.parse((await askSocket(this.socket, '/v1/status')).text) as Status;
  }

  async post(path: string): Promise<number | undefined> {
    return (await askSocket(this.socket, path, 'POST')).status;
  }

  /** The service, once it is as wanted. */
  async service(isWanted: (service: ServiceStatus) => boolean): Promise<ServiceStatus> {
    for (;;) {
      const [service] = await this.status().then(
        ({ services }) => services,
        () => [],
      );
      if (service !== undefined && isWanted(service)) return service;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

const named = (port: number): string =>
  `{ resolve: { name: App.Example. }, name: app, port: ${port}, tags: [blue] }`;
const inTable = ({ servers }: ServiceStatus): readonly string[] =>
  servers.filter((server) => server.inTable).map(({ name }) => name);
const isIn =
  (...names: readonly string[]) =>
  (service: ServiceStatus): boolean =>
    inTable(service).join() === names.map((name) => `app@${name}`).join();

t.test('servers follow the record, and an address that left goes after its hold', async (t) => {
  const port = await wellAt(t, ['127.0.0.2', '127.0.0.3', '127.0.0.4']);
  const dns = await DnsServer.open(t);
  dns.set('app.example', { A: ['127.0.0.3', '127.0.0.2'] });
  const home = new Home(t, dns);
  home.write(named(port));
  const run = new DaemonRun(t, home.file);
  await home.service(isIn('127.0.0.2', '127.0.0.3'));
  t.equal(run.of('service-lost').length, 0, 'nobody says the service was lost before the first answer');
  const asked = dns.asked;
  dns.set('app.example', { A: ['127.0.0.2', '127.0.0.3'] });
  while (dns.asked < asked + 2) await new Promise((resolve) => setTimeout(resolve, 20));
  t.equal(run.of('name-changed').length, 1, 'another order is no change');
  dns.set('app.example', { A: ['127.0.0.4', '127.0.0.2'] });
  await home.service(isIn('127.0.0.2', '127.0.0.4'));
  const [name] = (await home.status()).names;
  t.match(name, {
    name: 'app.example',
    family: 'ipv4',
    services: ['web'],
    addresses: ['127.0.0.2', '127.0.0.4'],
    missing: [],
    source: 'answer',
    trouble: null,
  });
  t.equal(run.of('config-reloaded').length, 0, 'the configuration is the same');
  await run.end('SIGTERM');
});

t.test('a resolver that fails, lies or dies takes no server away', async (t) => {
  const port = await wellAt(t, ['127.0.0.2', '127.0.0.3']);
  const dns = await DnsServer.open(t);
  const truth = { A: ['127.0.0.2', '127.0.0.3'] };
  dns.set('app.example', truth);
  const home = new Home(t, dns);
  home.write(named(port));
  const run = new DaemonRun(t, home.file);
  await home.service(isIn('127.0.0.2', '127.0.0.3'));
  let troubles = 0;
  for (const manner of ['servfail', 'wrong-id', 'refused', 'from-elsewhere'] as const) {
    dns.manner = manner;
    await run.kind('name-trouble', troubles);
    troubles += 1;
    t.ok(isIn('127.0.0.2', '127.0.0.3')(await home.service(() => true)), manner);
  }
  dns.manner = 'well';
  dns.set('app.example', { A: [] });
  const empty = await run.kind('name-trouble', troubles);
  t.match(empty.msg, /no address of this family.*its 2 addresses stay/);
  dns.zones.delete('app.example');
  t.match((await run.kind('name-trouble', troubles + 1)).msg, /no such name/);
  dns.set('app.example', { A: ['0.0.0.0', '224.0.0.9'] });
  t.match((await run.kind('name-trouble', troubles + 2)).msg, /0\.0\.0\.0 is an unspecified address/);
  t.ok(isIn('127.0.0.2', '127.0.0.3')(await home.service(() => true)), 'whatever it said');
  dns.set('app.example', { A: ['127.0.0.9'] });
  t.match((await run.kind('name-trouble', troubles + 3)).msg, /none of the addresses of the answer is up/);
  t.ok(isIn('127.0.0.2', '127.0.0.3')(await home.service(() => true)), 'somewhere where nobody is');
  dns.set('app.example', truth);
  await run.kind('name-resolved');
  t.equal(run.of('service-lost').length, 0);
  await run.end('SIGTERM');
});

t.test('a start while the resolver is dead knows the last good answer, and who was drained', async (t) => {
  const port = await wellAt(t, ['127.0.0.2', '127.0.0.3']);
  const dns = await DnsServer.open(t);
  dns.set('app.example', { A: ['127.0.0.2', '127.0.0.3'] });
  const home = new Home(t, dns);
  home.write(named(port));
  const first = new DaemonRun(t, home.file);
  await home.service(isIn('127.0.0.2', '127.0.0.3'));
  t.equal(await home.post('/v1/servers/app@127.0.0.3/drain'), 200);
  await first.end('SIGTERM');
  dns.manner = 'silent';
  const second = new DaemonRun(t, home.file);
  t.match(
    (await second.kind('name-trouble')).msg,
    /no resolver answered in time.*its 2 addresses stay as of 20/,
  );
  const service = await home.service(isIn('127.0.0.2', '127.0.0.3'));
  t.match(service.servers.find(({ name }) => name === 'app@127.0.0.3')?.admin?.by, /operator/);
  t.equal((await home.status()).names[0]?.source, 'memory');
  t.equal(second.of('service-lost').length, 0);
  await second.end('SIGTERM');
});

t.test(
  'a start that knows nothing begins without these servers, says so, and has them when it can',
  async (t) => {
    const port = await wellAt(t, ['127.0.0.2', '127.0.0.3']);
    const dns = await DnsServer.open(t);
    dns.manner = 'servfail';
    const home = new Home(t, dns);
    home.write(named(port));
    const run = new DaemonRun(t, home.file);
    t.match(
      (await run.kind('name-trouble')).msg,
      /no address of it is known, and web goes without its servers/,
    );
    t.same((await home.service(({ inTable }) => inTable)).servers, []);
    t.equal((await home.status()).services[0]?.quorum.state, 'unknown', 'nothing is known: nothing is lost');
    dns.set('app.example', { A: ['127.0.0.2'] });
    dns.manner = 'well';
    await home.service(isIn('127.0.0.2'));
    t.equal(run.of('service-lost').length, 0);
    await run.end('SIGTERM');
  },
);

t.test('a reload keeps what is known, and a name in place of addresses keeps who serves', async (t) => {
  const port = await wellAt(t, ['127.0.0.2', '127.0.0.3']);
  const dns = await DnsServer.open(t);
  dns.manner = 'silent';
  const home = new Home(t, dns);
  home.write(`{ address: 127.0.0.2, port: ${port} }, { address: 127.0.0.3, port: ${port} }`);
  const run = new DaemonRun(t, home.file);
  await home.service(({ servers }) => servers.length === 2 && servers.every((server) => server.inTable));
  home.write(named(port));
  t.equal(await home.post('/v1/reload'), 200);
  const service = await home.service(isIn('127.0.0.2', '127.0.0.3'));
  t.equal(service.up + service.unknown, 2);
  t.equal((await home.status()).names[0]?.source, 'table');
  t.equal(run.of('service-lost').length, 0);
  dns.set('app.example', { A: ['127.0.0.2', '127.0.0.3'] });
  dns.manner = 'well';
  const window =
    'maintenance: { now: { from: 2020-01-01T00:00:00Z, until: 2099-01-01T00:00:00Z, tags: [blue] } }';
  home.write(named(port), window);
  t.equal(await home.post('/v1/reload'), 200);
  const drained = await home.service(({ servers }) =>
    servers.every(({ admin }) => admin?.by === 'maintenance now'),
  );
  t.equal(drained.servers.length, 2, 'a window covers all servers of a name');
  await run.end('SIGTERM');
});
