/**
 * A program that probes with every kind where the machine itself is the trouble: the tests start it with few descriptors,
 * or in a network namespace with two ports. Prints what the rows came to, as JSON: while there was nothing, and after.
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { allProbers, probeByType } from '../../src/checks/kinds.js';
import { readLibraries } from '../../src/checks/libraries.js';
import { CHECK_TYPES } from '../../src/checks/model.js';
import type { Target } from '../../src/checks/spec-target.js';
import { systemClock } from '../../src/sys/clock.js';
import { openPacketSocket } from '../../src/sys/packet.js';
import { ROWS } from './every-kind.js';
import { LOCALHOST, openSockets } from './listeners.js';
import { runProgram } from './programs.js';
import { tlsSettings } from './secure.js';

const probers = allProbers({ clock: systemClock, openSocket: openPacketSocket, run: runProgram });
const SETTINGS = tlsSettings();
const TARGET: Target = { address: LOCALHOST, port: 80 };

/** One after the other: two probes would take each other's port. */
async function all(): Promise<Record<string, string>> {
  const words: Record<string, string> = {};
  for (const [name, { spec, tls }] of Object.entries(ROWS)) {
    const probe = spec(TARGET, tls === 'always' ? SETTINGS : undefined);
    const { outcome, reason } = await probeByType(probers, probe, AbortSignal.timeout(10_000));
    words[name] = `${outcome} ${reason.kind}${'errno' in reason ? ` ${reason.errno}` : ''}`;
  }
  return words;
}

async function withoutDescriptors() {
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch {
    // EMFILE: there is none left.
  }
  const without = await all();
  for (const fd of taken) closeSync(fd);
  return without;
}

async function withoutPorts() {
  writeFileSync('/proc/sys/net/ipv4/ip_local_port_range', '40000 40001');
  const server = createServer((socket) => socket.on('error', () => undefined));
  server.listen(TARGET.port, TARGET.address);
  await once(server, 'listening');
  const streams = [connect(TARGET.port, TARGET.address), connect(TARGET.port, TARGET.address)];
  const datagrams = [createSocket('udp4'), createSocket('udp4')];
  for (const socket of streams) await once(socket, 'connect');
  for (const socket of datagrams) {
    socket.bind(0, TARGET.address);
    await once(socket, 'listening');
  }
  const without = await all();
  for (const socket of datagrams) socket.close();
  for (const socket of streams) socket.resetAndDestroy();
  server.close();
  await once(server, 'close');
  return without;
}

// As a worker has it, before it takes the rest.
await readLibraries(CHECK_TYPES);
await probeByType(probers, { type: 'ping', target: TARGET }, AbortSignal.timeout(10_000));
const before = openSockets();
const without = await (process.argv[2] === 'descriptors' ? withoutDescriptors() : withoutPorts());
const after = await all();
const left = openSockets() - before;
process.stdout.write(JSON.stringify({ without, after, left }), () => process.exit(0));
