/** Real listeners that misbehave, and the means to see that a probe left nothing behind. */
import { getEventListeners } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Test } from 'tap';
import type { ProbeResult, ProbeSpec } from '../../src/checks/model.js';
import type { Prober } from '../../src/checks/prober.js';
import type { Target } from '../../src/checks/spec-target.js';
import { type Ip, ip } from '../../src/core/ip.js';

export const LOCALHOST = ip('127.0.0.1');

/** How many sockets this process holds. */
export function openSockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}

export class Listener {
  readonly #accepted = new Set<Socket>();
  /** How many of its connections ended with a reset. */
  resets = 0;

  private constructor(
    readonly server: Server,
    readonly target: Target,
  ) {
    server.on('connection', (socket: Socket) => {
      this.#accepted.add(socket);
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNRESET') this.resets += 1;
      });
      socket.once('close', () => this.#accepted.delete(socket));
    });
  }

  /** Listens until the test ends. */
  static async open(t: Test, server: Server, address: Ip = LOCALHOST): Promise<Listener> {
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new Error('no port');
    const listener = new Listener(server, { address, port: bound.port });
    t.teardown(() => listener.close());
    return listener;
  }

  /** Sockets of this listener: its own, and its ends of the connections. */
  get sockets(): number {
    return 1 + this.#accepted.size;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.#accepted) socket.destroy();
    await closed;
  }
}

/** A plain listener whose every connection is handed to `talk`. */
export function listen(t: Test, talk: (socket: Socket) => void, address: Ip = LOCALHOST): Promise<Listener> {
  return Listener.open(t, createServer({ noDelay: true, allowHalfOpen: true }, talk), address);
}

/** A port of this machine where nothing listens. */
export async function closedPort(t: Test): Promise<Target> {
  const listener = await listen(t, () => undefined);
  await listener.close();
  return listener.target;
}

/** A prober that keeps sockets which are not connected, for its next probes: so many at most. */
export interface Keeping {
  readonly keeps: number;
}

function keptBy(prober: object): number {
  return 'keeps' in prober ? (prober as Keeping).keeps : 0;
}

/** Runs one probe with a deadline, and checks what every probe promises. */
export async function probeOnce<Spec extends ProbeSpec>(
  t: Test,
  prober: Prober<Spec>,
  spec: Spec,
  { deadline = 5000, listeners = [] as readonly Listener[] } = {},
): Promise<ProbeResult> {
  const before = openSockets() - listeners.reduce((sum, listener) => sum + listener.sockets, 0);
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), deadline);
  const started = performance.now();
  const result = await prober(spec, abort.signal);
  clearTimeout(timer);
  const elapsed = performance.now() - started;
  const after = openSockets() - listeners.reduce((sum, listener) => sum + listener.sockets, 0);
  if (getEventListeners(abort.signal, 'abort').length > 0) t.fail('the probe still listens to its signal');
  if (after > before + keptBy(prober)) t.fail(`the probe left ${after - before} sockets open`);
  if (elapsed > deadline + 2000) t.fail(`the probe took ${elapsed} ms with a deadline of ${deadline} ms`);
  const sum = result.phases.reduce((total, [, time]) => total + time, 0);
  if (Math.abs(sum - result.elapsed) > result.phases.length)
    t.fail(`phases ${sum}, elapsed ${result.elapsed}`);
  return result;
}

/** A listener that accepts nothing: its thread sleeps. Once its queue is full, the kernel drops every SYN. */
const SLEEPER = `
  const { createServer } = require('node:net');
  const { parentPort, workerData } = require('node:worker_threads');
  const server = createServer().listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(new Int32Array(workerData), 0, 0));
  });
`;

/** An endpoint whose packets seem to be lost, until the test ends. */
export async function silentTarget(t: Test): Promise<Target> {
  const asleep = new SharedArrayBuffer(4);
  const sleeper = new Worker(SLEEPER, { eval: true, workerData: asleep });
  t.teardown(() => sleeper.terminate());
  const port = await new Promise<number>((resolve) => sleeper.once('message', resolve));
  const queued = Array.from({ length: 4 }, () => connect({ host: LOCALHOST, port }));
  t.teardown(() => {
    for (const socket of queued) socket.destroy();
  });
  await Promise.all(
    queued.slice(0, 2).map((socket) => new Promise((resolve) => socket.once('connect', resolve))),
  );
  return { address: LOCALHOST, port };
}

/** Writes letter by letter, each in a segment of its own. */
export async function dribble(socket: Socket, text: string): Promise<void> {
  for (const letter of text) {
    socket.write(letter, 'latin1');
    await turn();
  }
}

/** Writes the same again and again for as long as the peer takes it. */
export function flood(socket: Socket, text: string): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(text));
  };
  socket.on('drain', more);
  more();
}

/** A reset and nothing else: `resetAndDestroy` sends an orderly end before it. */
export function resetHard(socket: Socket): void {
  // The peer may have closed it a moment ago.
  const { _handle: handle } = socket as unknown as { _handle: { reset(done: () => void): void } | null };
  handle?.reset(() => undefined);
  socket.destroy();
}

/** Waits until `holds`, for a limited time in milliseconds; says whether it does. */
export async function eventually(holds: () => boolean, limit = 5000): Promise<boolean> {
  for (let count = 0; count < limit / 5 && !holds(); count += 1) await pause(5);
  return holds();
}
