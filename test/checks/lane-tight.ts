/** A lane in a process with few descriptors: what its probes come to while there are none, and after. */
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { lanePlanOf } from '../../src/checks/kinds.js';
import { Lane, type LaneToken } from '../../src/checks/lane.js';
import type { ProbeResult, TcpCheck } from '../../src/checks/model.js';
import { ip } from '../../src/core/ip.js';
import { openConnector } from '../../src/sys/connector.js';

const results: ProbeResult[] = [];
let crowded: string[] | undefined;

const server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  const spec: TcpCheck = { type: 'tcp', target: { address: ip('127.0.0.1'), port } };
  const lane = Lane.open<LaneToken>({
    openConnector,
    slots: 100,
    planOf: lanePlanOf,
    onResult: (_token, result) => {
      results.push(result);
      if (crowded === undefined || results.length < 2) return;
      process.stdout.write(JSON.stringify({ crowded, after: result.outcome }), () => process.exit(0));
    },
    onTold: () => undefined,
  });
  if (lane === undefined) throw new Error('no lane');
  const held: number[] = [];
  try {
    for (;;) held.push(openSync('/dev/null', 'r'));
  } catch {
    lane.start({ laneSlot: -1 }, spec);
    lane.flush();
    crowded = results.map(({ reason }) => ('errno' in reason ? reason.errno : reason.kind));
  }
  // Descriptors are free again; the listener has a free one to accept with.
  for (const fd of held.splice(0, 10)) closeSync(fd);
  lane.start({ laneSlot: -1 }, spec);
  lane.flush();
});
