/** What the cases of the native part share: they run under tap and, in plain node, under the sanitizers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { type Errno, errnoValue } from '../../../src/core/errno.js';
import { type Native, type NativeDescriptor, POLL_READABLE } from '../../../src/sys/native.js';

export interface NativeCase {
  readonly name: string;
  /** Raw sockets, namespaces and schedulers ask for privileges. */
  readonly needsRoot?: true;
  /** `file` is where the native part was loaded from, for workers. */
  run(native: Native, file: string): Promise<void> | void;
}

export const AF = { UNIX: 1, INET: 2, INET6: 10, NETLINK: 16, PACKET: 17 } as const;
export const SOCK = { STREAM: 1, DGRAM: 2, RAW: 3 } as const;
export const SOL = { IP: 0, SOCKET: 1, IPV6: 41, RAW: 255, PACKET: 263, NETLINK: 270 } as const;

export const isRoot = process.getuid?.() === 0;

export const negative = (name: Errno): number => -errnoValue(name);

export function opened(result: NativeDescriptor | number): NativeDescriptor {
  if (typeof result === 'number') assert.fail(`opening gave ${result}`);
  return result;
}

/** struct sockaddr_in */
export function inet(address: readonly [number, number, number, number], port: number): Uint8Array {
  return Uint8Array.of(AF.INET, 0, port >> 8, port & 0xff, ...address, 0, 0, 0, 0, 0, 0, 0, 0);
}

/** struct sockaddr_nl */
function netlinkAddress(portId: number): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF.NETLINK, true);
  view.setUint32(4, portId, true);
  return bytes;
}

export function netlinkSocket(native: Native): NativeDescriptor {
  const socket = opened(native.openSocket(AF.NETLINK, SOCK.RAW, 0));
  assert.equal(socket.bind(netlinkAddress(0)), 0);
  assert.equal(socket.connect(netlinkAddress(0)), 0);
  return socket;
}

/** A netlink message without attributes. */
export function request(
  type: number,
  flags: number,
  sequence: number,
  payload = new Uint8Array(0),
): Uint8Array {
  const bytes = new Uint8Array(16 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  bytes.set(payload, 16);
  return bytes;
}

/** NLMSG_NOOP with NLM_F_REQUEST and NLM_F_ACK: the kernel does nothing and says so, in 36 bytes. */
export const noop = (sequence: number): Uint8Array => request(1, 5, sequence);
export const ACK_BYTES = 36;

export function sequenceOf(message: Uint8Array): number {
  return new DataView(message.buffer, message.byteOffset).getUint32(8, true);
}

/** Two UDP sockets on loopback, connected to each other. */
export function udpPair(native: Native): [NativeDescriptor, NativeDescriptor] {
  const pair = [AF.INET, AF.INET].map((family) => opened(native.openSocket(family, SOCK.DGRAM, 0)));
  const [left, right] = pair;
  assert.ok(left !== undefined && right !== undefined);
  const names = pair.map((socket) => {
    assert.equal(socket.bind(inet([127, 0, 0, 1], 0)), 0);
    const name = new Uint8Array(16);
    assert.equal(socket.getsockname(name), 16);
    return name;
  });
  assert.equal(left.connect(names[1] ?? assert.fail()), 0);
  assert.equal(right.connect(names[0] ?? assert.fail()), 0);
  return [left, right];
}

/** Resolves when the descriptor is ready once; stops listening then. */
export function ready(descriptor: NativeDescriptor, events: number = POLL_READABLE): Promise<number> {
  return new Promise((resolve, reject) => {
    const result = descriptor.poll(events, (seen) => {
      descriptor.poll(0);
      resolve(seen);
    });
    if (result < 0) reject(new Error(`poll gave ${result}`));
  });
}

export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

export const turns = async (count: number): Promise<void> => {
  for (let index = 0; index < count; index += 1) await turn();
};

/** Collects garbage and runs finalizers until `done` says so; fails after a hundred rounds. */
export async function collectUntil(done: () => boolean): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 100; round += 1) {
    if (done()) return;
    collect();
    await turns(2);
  }
  assert.fail('not collected');
}

const WORKER = new URL('./worker.js', import.meta.url);

export function startWorker(file: string, scenario: string, facts: object = {}): Worker {
  return new Worker(fileURLToPath(WORKER), { execArgv: [], workerData: { file, scenario, ...facts } });
}

/** The first message of a worker; an error of the worker rejects. */
export async function firstMessage(worker: Worker): Promise<unknown> {
  const [message] = await once(worker, 'message');
  return message;
}
