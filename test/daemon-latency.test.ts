/** The bundled program beside a fast and a slow server: the slow one gets a smaller share of its weight, and has it back. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Services } from '../src/api/status.js';
import type { Why } from '../src/api/why.js';
import { askSocket, DaemonRun, until } from './daemon-run.js';

/** Answers after so many milliseconds. */
class Page {
  delay = 0;
  readonly #server = createServer((_, response) => void setTimeout(() => response.end('ok'), this.delay));

  async open(t: Test): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    t.teardown(() => {
      this.#server.closeAllConnections();
      this.#server.close();
    });
    return (this.#server.address() as AddressInfo).port;
  }
}

t.test(
  'a slow server gets less, by steps, and its whole weight when it is fast again',
  { timeout: 120_000 },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'lvsentry-latency-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const [socket, file] = [join(folder, 'api.sock'), join(folder, 'lvsentry.yaml')];
    const [fast, slow] = [new Page(), new Page()];
    slow.delay = 400;
    const rule = 'latency-weight: { target: 100ms, half-life: 1s, floor: 10%, maximum-step: 30% }';
    writeFileSync(
      file,
      `
name: director-t
table: memory
api: { listen: "unix:${socket}" }
services:
  web:
    address: 127.0.0.1:8480
    forward: masquerade
    check: { type: http, interval: 500ms, timeout: 500ms, ${rule} }
    servers:
      - { name: fast, address: 127.0.0.1, port: ${await fast.open(t)}, weight: 100 }
      - { name: slow, address: 127.0.0.1, port: ${await slow.open(t)}, weight: 100 }
`,
    );
    void new DaemonRun(t, file);
    /** Of the fast one and of the slow one. */
    const weights = async (): Promise<readonly number[]> => {
      const { text } = await askSocket(socket, '/v1/services').catch(() => ({ text: '{"services":[]}' }));
      const { services } = JSON.parse(text) as Services;
      return services[0]?.servers.map(({ weight }) => weight ?? 0) ?? [];
    };
    const seen = new Set<number>();
    await until(async () => {
      const [less = 100] = (await weights()).slice(1);
      seen.add(less);
      return less <= 25;
    });
    const [most = 0, least = 100] = await weights();
    t.ok(most > least, `${most} and ${least}`);
    t.ok(least >= 10, 'not below the floor');
    t.ok(
      [...seen].some((weight) => weight > 25 && weight < 100),
      `by steps: ${[...seen].join()}`,
    );
    const { servers } = JSON.parse((await askSocket(socket, '/v1/servers/slow/why')).text) as Why;
    t.match(servers[0]?.weight[1], {
      of: 'check web/slow',
      text: /^\d+% of it, since its probes took \d+\.\d ms$/,
    });
    slow.delay = 0;
    await until(async () => ((await weights())[1] ?? 0) >= 90);
    t.match(servers[0]?.checks[0], { verdict: 'up' }, 'it was up all the time');
  },
);
