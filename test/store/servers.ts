/** A real Redis server for tests, which can be killed, frozen and started again at the same place. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import type { RedisTarget } from '../../src/store/model.js';
import type { Identity } from '../checks/certificates.js';
import { folder } from '../files/places.js';

function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Why tests with Redis are skipped, or false. */
export const NO_REDIS = !hasRedis() && 'redis-server is not installed';

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export interface RedisSetting {
  /** Further lines of its configuration. */
  readonly lines?: readonly string[];
  readonly tls?: Identity;
}

export class RedisServer {
  readonly #place: string;
  readonly port: number;
  readonly #setting: RedisSetting;
  #child: ChildProcess | undefined;

  private constructor(place: string, port: number, setting: RedisSetting) {
    this.#place = place;
    this.port = port;
    this.#setting = setting;
  }

  /** Started, and ended with its test. */
  static async start(t: Test, setting: RedisSetting = {}): Promise<RedisServer> {
    const server = new RedisServer(folder(t), await freePort(), setting);
    await server.start();
    t.teardown(() => server.kill());
    return server;
  }

  get target(): RedisTarget {
    const nobody = { username: undefined, password: undefined, tls: undefined };
    return { host: '127.0.0.1', port: this.port, database: 0, ...nobody };
  }

  async start(): Promise<void> {
    const path = join(this.#place, 'redis.conf');
    writeFileSync(path, [...this.#lines(), ...(this.#setting.lines ?? []), ''].join('\n'));
    const child = spawn('redis-server', [path], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    const lines = createInterface(child.stdout);
    for await (const line of lines) if (/eady to accept connections/.test(line)) break;
    child.stdout.resume();
  }

  #lines(): readonly string[] {
    const { tls } = this.#setting;
    const common = [`dir ${this.#place}`, 'bind 127.0.0.1', 'save ""', 'appendonly yes', 'appendfsync no'];
    if (tls === undefined) return [...common, `port ${this.port}`];
    const [key, certificate] = ['key', 'certificate'].map((name) => join(this.#place, `${name}.pem`));
    writeFileSync(key ?? '', tls.key);
    writeFileSync(certificate ?? '', tls.cert);
    return [
      ...common,
      'port 0',
      `tls-port ${this.port}`,
      `tls-key-file ${key}`,
      `tls-cert-file ${certificate}`,
      'tls-auth-clients no',
    ];
  }

  /** As if its machine lost power. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** It takes connections, and answers nothing. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** What redis-cli prints. */
  cli(...words: readonly string[]): string {
    return execFileSync('redis-cli', ['-p', String(this.port), ...words], { encoding: 'utf8' }).trim();
  }
}
