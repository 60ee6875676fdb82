/**
 * A host on the other end of a link, in a network namespace of its own, that asks by ARP who has an address, over and
 * over. It is told what to do, and tells how often it was answered.
 */
import { execFileSync } from 'node:child_process';
import { ip } from '../../src/core/ip.js';
import { mac } from '../../src/core/mac.js';
import { openPacketSocket } from '../../src/sys/packet.js';
import { ARP_OP, readArp, writeArp } from '../../src/wire/arp.js';
import { BROADCAST, ETH_P, NO_MAC } from '../../src/wire/ethernet.js';

export interface Order {
  readonly device: string;
  /** Its own address, with a prefix. */
  readonly address: string;
  readonly wanted: string;
}

/** Since the last telling: how often it asked, how often it was answered, who asked it with `wanted` as sender. */
export interface Heard {
  readonly asked: number;
  readonly answered: number;
  readonly announced: number;
}

const AF_PACKET = 17;
const SOCK_RAW = 3;

function networkOrder(value: number): number {
  return ((value & 0xff) << 8) | (value >> 8);
}

/** struct sockaddr_ll */
function linkAddress(index: number): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, ETH_P.ARP);
  view.setInt32(4, index, true);
  view.setUint8(11, 6);
  return bytes;
}

function ask({ device, address, wanted }: Order): void {
  execFileSync('ip', ['address', 'add', address, 'dev', device]);
  execFileSync('ip', ['link', 'set', device, 'up']);
  // /sys shows another namespace.
  const shown = execFileSync('ip', ['-j', 'link', 'show', device], { encoding: 'utf8' });
  const [link] = JSON.parse(shown) as { readonly ifindex: number; readonly address: string }[];
  if (link === undefined) throw new Error(`no ${device}`);
  const own = mac(link.address);
  const socket = openPacketSocket(AF_PACKET, SOCK_RAW, networkOrder(ETH_P.ARP));
  if (typeof socket === 'number') throw new Error(`no packet socket: ${socket}`);
  let [asked, answered, announced] = [0, 0, 0];
  const [frame, from, facts] = [new Uint8Array(2048), new Uint8Array(32), new Int32Array(3)];
  socket.onReadable(() => {
    for (;;) {
      const size = socket.receive(frame, from, new Uint8Array(0), facts);
      if (size < 0) return;
      const { operation, senderIp, senderMac } = readArp(frame.subarray(0, size));
      if (senderIp !== wanted || senderMac === own) continue;
      if (operation === ARP_OP.REPLY) answered += 1;
      else announced += 1;
    }
  });
  const question = writeArp({
    ethernet: { destination: BROADCAST, source: own, type: ETH_P.ARP },
    operation: ARP_OP.REQUEST,
    senderMac: own,
    senderIp: ip(address.split('/')[0] ?? ''),
    targetMac: NO_MAC,
    targetIp: ip(wanted),
  });
  const to = linkAddress(link.ifindex);
  setInterval(() => {
    if (socket.send(question, to) > 0) asked += 1;
  }, 1);
  process.on('message', (what) => {
    if (what !== 'tell') return;
    process.send?.({ asked, answered, announced } satisfies Heard);
    [asked, answered, announced] = [0, 0, 0];
  });
}

process.once('message', (order) => ask(order as Order));
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
