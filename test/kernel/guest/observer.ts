/**
 * `main.mjs observer ADDRESS`: one on the client's side who keeps connections to an address, makes new requests all the time,
 * and asks by ARP who has it. It has the clock for all of that: its parent is often busy.
 */
import { readFileSync } from 'node:fs';
import { get, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { ip } from '../../../src/core/ip.js';
import { mac } from '../../../src/core/mac.js';
import { openPacketSocket } from '../../../src/sys/packet.js';
import { ARP_OP, arpProbe, readArp } from '../../../src/wire/arp.js';

export type ObserverOrder =
  /** Opens a connection and says something on it every tenth of a second, for good. */
  | { readonly kind: 'talk'; readonly id: number }
  /** Opens a connection and says nothing. */
  | { readonly kind: 'dial'; readonly id: number }
  /** Ends a connection. */
  | { readonly kind: 'hang-up'; readonly id: number }
  /** Makes no new requests until told otherwise. */
  | { readonly kind: 'rest'; readonly isResting: boolean }
  | { readonly kind: 'who-has' };

export type ObserverReport =
  /** `server` is the name of who answers, where it said so. */
  | { readonly kind: 'opened'; readonly id: number; readonly port: number; readonly server?: string }
  /** What was said came back. */
  | { readonly kind: 'echo'; readonly id: number; readonly count: number; readonly atMs: number }
  | { readonly kind: 'closed'; readonly id: number; readonly why: string }
  /** A request on a connection of its own; no status where it failed. */
  | {
      readonly kind: 'answer';
      readonly status: number | undefined;
      readonly server: string;
      readonly atMs: number;
    }
  /** The MAC addresses that answered within the time. */
  | { readonly kind: 'holders'; readonly macs: readonly string[] };

const SAY_EVERY_MS = 100;
const ANSWERS_WITHIN_MS = 300;
const ASK_EVERY_MS = 250;
const ASK_LIMIT_MS = 20_000;

// linux/if_packet.h, linux/if_ether.h
const AF_PACKET = 17;
const SOCK_RAW = 3;
/** In network order. */
const ETH_P_ARP = 0x0608;

const open = new Map<number, Socket>();

const report = (said: ObserverReport): void => void process.send?.(said);

function chat(id: number, socket: Socket): void {
  let said = 0;
  let rest = '';
  const timer = setInterval(() => {
    said += 1;
    socket.write(`${said}\n`);
  }, SAY_EVERY_MS);
  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) report({ kind: 'echo', id, count: Number(line), atMs: performance.now() });
  });
  socket.once('close', () => {
    clearInterval(timer);
    report({ kind: 'closed', id, why: 'closed' });
  });
  socket.on('error', ({ message }) => report({ kind: 'closed', id, why: message }));
}

function talk(id: number, host: string): void {
  const headers = { connection: 'upgrade', upgrade: 'echo' };
  const asked = request({ host, port: 80, agent: false, headers });
  asked.once('upgrade', ({ headers: answered }, socket: Socket) => {
    open.set(id, socket);
    report({ kind: 'opened', id, port: socket.localPort ?? 0, server: String(answered.server) });
    chat(id, socket);
  });
  asked.once('error', ({ message }) => report({ kind: 'closed', id, why: message }));
  asked.end();
}

function dial(id: number, host: string): void {
  const socket = connect({ host, port: 80 });
  socket.once('connect', () => report({ kind: 'opened', id, port: socket.localPort ?? 0 }));
  socket.once('close', () => report({ kind: 'closed', id, why: 'closed' }));
  socket.on('error', ({ message }) => report({ kind: 'closed', id, why: message }));
}

function ask(host: string): void {
  const answer = (status: number | undefined, server = ''): void =>
    report({ kind: 'answer', status, server: server.trim(), atMs: performance.now() });
  const asked = get(
    { host, port: 80, agent: false, signal: AbortSignal.timeout(ASK_LIMIT_MS) },
    (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString('latin1');
      });
      response.once('end', () => answer(response.statusCode, body));
      response.once('error', () => answer(undefined));
    },
  );
  asked.once('error', () => answer(undefined));
}

async function whoHas(address: string): Promise<void> {
  const socket = openPacketSocket(AF_PACKET, SOCK_RAW, ETH_P_ARP);
  if (typeof socket === 'number') throw new Error(`no packet socket: ${socket}`);
  const own = mac(readFileSync('/sys/class/net/eth0/address', 'latin1').trim());
  const index = Number(readFileSync('/sys/class/net/eth0/ifindex', 'latin1'));
  // struct sockaddr_ll
  const everybody = new Uint8Array(20);
  const view = new DataView(everybody.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, ETH_P_ARP, true);
  view.setInt32(4, index, true);
  everybody[11] = 6;
  everybody.fill(0xff, 12, 18);
  const macs = new Set<string>();
  const [frame, from, control, facts] = [
    new Uint8Array(2048),
    new Uint8Array(32),
    new Uint8Array(0),
    new Int32Array(3),
  ];
  socket.onReadable(() => {
    for (let size = socket.receive(frame, from, control, facts); size > 0; ) {
      const { operation, senderIp, senderMac } = readArp(frame.subarray(0, size));
      if (operation === ARP_OP.REPLY && senderIp === address) macs.add(senderMac);
      size = socket.receive(frame, from, control, facts);
    }
  });
  socket.send(arpProbe(ip(address), own), everybody);
  await pause(ANSWERS_WITHIN_MS);
  socket.close();
  report({ kind: 'holders', macs: [...macs].sort() });
}

export async function program([address = '']: readonly string[]): Promise<void> {
  let isResting = false;
  setInterval(() => {
    if (!isResting) ask(address);
  }, ASK_EVERY_MS);
  process.on('message', (order: ObserverOrder) => {
    if (order.kind === 'talk') talk(order.id, address);
    else if (order.kind === 'dial') dial(order.id, address);
    else if (order.kind === 'hang-up') open.get(order.id)?.end();
    else if (order.kind === 'rest') isResting = order.isResting;
    else void whoHas(address);
  });
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
}
