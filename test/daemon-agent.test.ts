/** The bundled program beside agents: the table follows what they say, and holds it when they say nothing. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ServerStatus, Services } from '../src/api/status.js';
import type { Why } from '../src/api/why.js';
import { askSocket, DaemonRun, until } from './daemon-run.js';

/** An agent that says what it is told to say. */
class Agent {
  says: string | undefined = 'up\n';
  asked = 0;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.asked += 1;
      socket.on('error', () => undefined);
      if (this.says !== undefined) socket.end(this.says);
    });
  }

  static async open(t: Test): Promise<Agent> {
    const agent = new Agent(createServer());
    agent.#server.listen(0, '127.0.0.1');
    await once(agent.#server, 'listening');
    t.teardown(() => agent.#server.close());
    return agent;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Two more probes have begun, so that one has ended. */
  async heard(): Promise<void> {
    const before = this.asked;
    await until(() => this.asked >= before + 2);
  }

  async close(): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** One daemon with one service of two servers, of which `a` has an agent. Ended with its test. */
class Director {
  readonly #socket: string;
  readonly #run: DaemonRun;

  constructor(t: Test, agent: number, page: number) {
    const folder = mkdtempSync(join(tmpdir(), 'lvsentry-agent-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    this.#socket = join(folder, 'api.sock');
    const file = join(folder, 'lvsentry.yaml');
    writeFileSync(
      file,
      `
name: director-t
table: memory
api: { listen: "unix:${this.#socket}" }
defaults: { check: { type: tcp, port: ${page}, interval: 100ms, timeout: 80ms, rise: 1, fall: 1 } }
services:
  web:
    address: 127.0.0.1:8480
    forward: masquerade
    servers:
      - name: a
        address: 127.0.0.1
        port: 8001
        weight: 100
        checks:
          - { type: tcp }
          - { type: agent, port: ${agent} }
      - { name: b, address: 127.0.0.1, port: 8002, weight: 100 }
`,
    );
    this.#run = new DaemonRun(t, file);
  }

  async #ask<T>(path: string): Promise<T> {
    return JSON.parse((await askSocket(this.#socket, path)).text) as T;
  }

  get messages(): readonly string[] {
    return this.#run.lines.map(({ msg }) => String(msg));
  }

  async server(name: string): Promise<ServerStatus | undefined> {
    const services = await this.#ask<Services>('/v1/services').catch(() => undefined);
    return services?.services[0]?.servers.find((server) => server.name === name);
  }

  why(name: string): Promise<Why> {
    return this.#ask<Why>(`/v1/servers/${name}/why`);
  }

  /** Waits until the table has the server with that weight; null: has it not. */
  async weighs(name: string, weight: number | null): Promise<void> {
    await until(async () => {
      const server = await this.server(name);
      return server !== undefined && server.weight === weight;
    });
  }

  async says(pattern: RegExp): Promise<void> {
    await until(() => this.messages.some((message) => pattern.test(message)));
  }
}

async function page(t: Test): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => undefined).end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

t.test(
  'the table follows an agent word by word, and holds its last ones',
  { timeout: 120_000 },
  async (t) => {
    const agent = await Agent.open(t);
    const director = new Director(t, agent.port, await page(t));
    await director.weighs('a', 100);
    await director.weighs('b', 100);
    const rows: readonly (readonly [string, number | null])[] = [
      ['up 50%\n', 50],
      ['25%\r\n', 25],
      ['drain\n', 0],
      ['ready\n', 25],
      ['100%\n', 100],
      ['maint # new disks\n', null],
      ['ready up\n', 100],
      ['down # out of disk\n', null],
    ];
    for (const [says, weight] of rows) {
      agent.says = says;
      await director.weighs('a', weight);
      t.pass(`${JSON.stringify(says)}: ${weight}`);
    }
    await director.says(/127\.0\.0\.1:8001\) of web is draining by its check agent/);
    await director.says(/is disabled by its check agent/);
    await director.says(/is down by its check agent: rejected in response: down: out of disk/);
    agent.says = '40% ready\n';
    await agent.heard();
    t.match(await director.server('a'), { weight: null, verdict: 'down' }, 'only `up` undoes `down`');
    agent.says = 'up\n';
    await director.weighs('a', 40);
    agent.says = undefined;
    await agent.heard();
    t.match(await director.server('a'), { weight: 40, verdict: 'up' }, 'a silent agent changes nothing');
    await agent.close();
    await until(async () =>
      (await director.why('a')).servers.some(({ checks }) =>
        checks.some(({ probes }) => probes.some(({ reason }) => reason === 'connection refused in connect')),
      ),
    );
    const [why] = (await director.why('a')).servers;
    t.match(why?.weight, [
      { of: 'configuration', weight: 100 },
      { of: 'check web/a/agent', text: '40% of it, says its check' },
      { of: 'standing', text: 'serves with weight 40 in place of 100, as its checks say' },
      { of: 'table', weight: 40 },
    ]);
    t.match(why?.checks[1], { verdict: 'up', probes: [] });
    t.equal(why?.checks[1]?.probes.at(-1)?.outcome, 'neutral');
    t.match(await director.server('b'), { weight: 100, verdict: 'up' }, 'the other one was left alone');
  },
);

t.test('an agent that was never heard takes nobody down', { timeout: 60_000 }, async (t) => {
  const agent = await Agent.open(t);
  const { port } = agent;
  await agent.close();
  const director = new Director(t, port, await page(t));
  await until(async () => (await director.server('a'))?.verdict === 'up');
  await director.weighs('a', 100);
  t.match(await director.server('a'), { verdict: 'up', weight: 100 });
  t.notOk(
    director.messages.some((message) => /down/.test(message)),
    'nothing was down',
  );
});
