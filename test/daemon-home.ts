/** The bundled program on the memory table: its files in a folder of its own, its API on a socket. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import type { EventStatus, EventsStatus } from '../src/api/events.js';

const PROGRAM = fileURLToPath(new URL('../../dist/bundle/src/main.js', import.meta.url));

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
    const asked = get({ socketPath: this.socket, path, agent: false });
    const [response] = (await once(asked, 'response')) as [AsyncIterable<Buffer>];
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part);
    return JSON.parse(Buffer.concat(parts).toString()) as T;
  }

  /** The socket is there a moment before anybody listens at it. */
  async answers(): Promise<boolean> {
    return this.ask('/healthz').then(
      () => true,
      () => false,
    );
  }

  async post(path: string): Promise<unknown> {
    const sent = request({ socketPath: this.socket, path, method: 'POST', agent: false });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const parts: Buffer[] = [];
    for await (const part of response as AsyncIterable<Buffer>) parts.push(part);
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
    return JSON.parse(Buffer.concat(parts).toString());
  }

  async events(): Promise<readonly EventStatus[]> {
    return (await this.ask<EventsStatus>('/v1/events?since=0&limit=1000')).events;
  }

  start(t: Test): Run {
    return new Run(t, this);
  }
}

/** One run of the daemon; ended with its test. */
export class Run {
  readonly child: ChildProcess;
  readonly lines: Readonly<Record<string, unknown>>[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(t: Test, { file }: Home) {
    this.child = spawn(process.execPath, [PROGRAM, 'run', '-c', file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (this.child.stdout === null) throw new Error('no pipe');
    createInterface(this.child.stdout).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Readonly<Record<string, unknown>>);
      for (const look of this.#waiting) look();
    });
    t.teardown(() => this.child.kill('SIGKILL'));
  }

  /** The first line of that kind, past or future. */
  kind(kind: string): Promise<Readonly<Record<string, unknown>>> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.lines.find((line) => line.kind === kind);
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
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

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}
