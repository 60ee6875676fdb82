/**
 * A program that probes where the machine itself is the trouble; the tests start it with few descriptors or in a network
 * namespace with hardly any ports. Prints its results as JSON.
 */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import type { ProbeResult } from '../../src/checks/model.js';
import { tcpProber } from '../../src/checks/tcp.js';
import { ip } from '../../src/core/ip.js';
import { systemClock } from '../../src/sys/clock.js';

const probe = tcpProber(systemClock.monotonic);
const address = ip('127.0.0.1');
const run = (port: number): Promise<ProbeResult> =>
  probe({ type: 'tcp', target: { address, port } }, AbortSignal.timeout(2000));

async function listening(port: number): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => undefined)).unref();
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

/** All descriptors taken: the probe fails by our fault; one given back: it works again. */
async function withoutDescriptors(): Promise<ProbeResult[]> {
  const port = await listening(0);
  await run(port);
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch {
    // EMFILE: there is none left.
  }
  const without = await run(port);
  for (const fd of taken) closeSync(fd);
  return [without, await run(port)];
}

/** Both ports of the namespace taken towards one server, then a dead server on a port that the kernel will choose. */
async function withoutPorts(): Promise<ProbeResult[]> {
  writeFileSync('/proc/sys/net/ipv4/ip_local_port_range', '40000 40001');
  const port = await listening(80);
  const held: Socket[] = [];
  for (let count = 0; count < 2; count += 1) {
    const socket = connect(port, address);
    held.push(socket);
    await new Promise((resolve) => socket.once('connect', resolve));
  }
  const without = await run(port);
  for (const socket of held) socket.resetAndDestroy();
  await Promise.all(held.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
  // One after the other: two probes of dead ports could meet each other.
  return [without, await run(port), await run(40_000), await run(40_001)];
}

const results = process.argv[2] === 'descriptors' ? await withoutDescriptors() : await withoutPorts();
process.stdout.write(`${JSON.stringify(results)}\n`, () => process.exit(0));
