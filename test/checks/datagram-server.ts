/** A server that speaks in datagrams. */
import { createSocket, type RemoteInfo } from 'node:dgram';
import type { Test } from 'tap';
import type { Target } from '../../src/checks/spec-target.js';
import type { Ip } from '../../src/core/ip.js';
import { LOCALHOST } from './listeners.js';

export interface DatagramServer {
  readonly target: Target;
  readonly heard: readonly Buffer[];
}

/** Answers each datagram as `answer` says, until the test ends. */
export async function datagramServer(
  t: Test,
  answer: (bytes: Buffer, from: RemoteInfo) => readonly Uint8Array[],
  address: Ip = LOCALHOST,
): Promise<DatagramServer> {
  const heard: Buffer[] = [];
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (bytes, from) => {
    heard.push(bytes);
    for (const reply of answer(bytes, from)) socket.send(reply, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, address, resolve));
  t.teardown(() => socket.close());
  return { target: { address, port: socket.address().port }, heard };
}
