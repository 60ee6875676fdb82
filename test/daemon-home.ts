/** The bundled program on the memory table: its files in a folder of its own, its API on a socket. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { EventStatus, EventsStatus } from '../src/api/events.js';
import { askSocket, DaemonRun } from './daemon-run.js';

export class Home {
  readonly folder: string;
  readonly state: string;
  readonly socket: string;
  readonly file: string;

  /** @param more keys of `state` @param name of the director */
  constructor(t: Test, port: number, more = '', name = 'director-t') {
    this.folder = mkdtempSync(join(tmpdir(), 'lvsentry-state-'));
    t.teardown(() => rmSync(this.folder, { recursive: true, force: true }));
    this.state = join(this.folder, 'state');
    this.socket = join(this.folder, 'api.sock');
    this.file = join(this.folder, 'lvsentry.yaml');
    writeFileSync(
      this.file,
      `
name: ${name}
table: memory
api: { listen: "unix:${this.socket}" }
state: { directory: ${this.state} ${more} }
defaults: { check: { interval: 100ms, timeout: 80ms, rise: 1, fall: 1 } }
services:
  web:
    address: 127.0.0.1:8480
    forward: masquerade
    servers:
      - { name: here, address: 127.0.0.1, port: ${port} }
      - { name: gone, address: 127.0.0.1, port: 1 }
`,
    );
  }

  async ask<T>(path: string): Promise<T> {
    return JSON.parse((await askSocket(this.socket, path)).text) as T;
  }

  /** The socket is there a moment before anybody listens at it. */
  async answers(): Promise<boolean> {
    return this.ask('/healthz').then(
      () => true,
      () => false,
    );
  }

  async post(path: string): Promise<unknown> {
    const { status, text } = await askSocket(this.socket, path, 'POST');
    if (status !== 200) throw new Error(`status ${status}`);
    return JSON.parse(text);
  }

  async events(): Promise<readonly EventStatus[]> {
    return (await this.ask<EventsStatus>('/v1/events?since=0&limit=1000')).events;
  }

  start(t: Test): DaemonRun {
    return new DaemonRun(t, this.file);
  }
}

export async function listener(t: Test): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}
