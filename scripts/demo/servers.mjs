/** The demo's real servers: one child process each, so that stopping one is a real process gone. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Stop } from '../lib/process.mjs';

/** As config/lvsentry.demo.yaml names them. */
const SERVERS = [
  { name: 'web1', kind: 'http', port: 18081 },
  { name: 'web2', kind: 'http', port: 18082 },
  { name: 'ftp1', kind: 'ftp', port: 18021 },
];

/** @typedef {'running' | 'hanging' | 'stopped'} Condition */

class Server {
  #spec;
  #child;
  /** @type {Condition} */
  condition = 'stopped';

  constructor(spec) {
    this.#spec = spec;
  }

  get pid() {
    return this.#child?.pid;
  }

  async start() {
    if (this.condition === 'hanging') this.#child.send('heal');
    if (this.condition === 'stopped') await this.#spawn();
    this.condition = 'running';
  }

  async #spawn() {
    const { name, kind, port } = this.#spec;
    const program = fileURLToPath(new URL(`${kind}-server.mjs`, import.meta.url));
    // A group of its own: Ctrl-C reaches the demo alone, which ends its children in order.
    const child = fork(program, [name, String(port)], { detached: true, stdio: 'ignore' });
    const [first] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
    if (first !== 'listening')
      throw new Stop(
        first?.failed === 'EADDRINUSE'
          ? `port 127.0.0.1:${port} is taken, and ${name} needs it: end what listens there`
          : `${name} does not start on 127.0.0.1:${port}: ${first?.failed ?? `exit code ${first}`}`,
      );
    child.once('exit', () => {
      if (this.#child === child) this.condition = 'stopped';
    });
    this.#child = child;
  }

  async stop() {
    const child = this.#child;
    if (this.condition === 'stopped' || child === undefined) return;
    this.condition = 'stopped';
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  hang() {
    if (this.condition === 'stopped') throw new Stop(`${this.#spec.name} is stopped: start it first`);
    this.#child.send('hang');
    this.condition = 'hanging';
  }
}

export class Servers {
  #all = new Map(SERVERS.map((spec) => [spec.name, new Server(spec)]));

  /** Starts all; where one does not start, those before it are ended again. @throws Stop */
  async startAll() {
    try {
      for (const server of this.#all.values()) await server.start();
    } catch (cause) {
      await this.stopAll();
      throw cause;
    }
  }

  async stopAll() {
    await Promise.all([...this.#all.values()].map((server) => server.stop()));
  }

  /** `stop`, `start` or `hang` one server. @throws Stop where there is no such server */
  async order(verb, name) {
    const server = this.#all.get(name);
    if (server === undefined)
      throw new Stop(
        `no server is called ${name ?? '(nothing)'}; there are ${[...this.#all.keys()].join(', ')}`,
      );
    await server[verb]();
  }

  /** Name -> condition and process id. */
  list() {
    return [...this.#all].map(([name, { condition, pid }]) => ({ name, condition, pid }));
  }
}
