/** Sends random packets of protocol 112 to the group of VRRP: arguments are the interface's index, its net and how many. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openPacketSocket } from '../../src/sys/packet.js';
import { Random } from '../sim/random.js';
import { randomPacket } from '../vrrp/wrong-packets.js';

const AF_INET = 2;
const SOCK_RAW = 3;
const IPPROTO_VRRP = 112;
const IP_HDRINCL = 3;
const IP_MULTICAST_IF = 32;
/** As many as any socket's buffer holds, with a pause in which they are read. */
const BURST = 100;

const [index = 0, count = 0] = process.argv.slice(2).map(Number);
const socket = openPacketSocket(AF_INET, SOCK_RAW, IPPROTO_VRRP);
if (typeof socket === 'number') throw new Error(`no socket: ${socket}`);
const outgoing = new Uint8Array(12);
new DataView(outgoing.buffer).setInt32(8, index, true);
for (const result of [socket.setOption(0, IP_HDRINCL, 1), socket.setOption(0, IP_MULTICAST_IF, outgoing)])
  if (result < 0) throw new Error(`no option: ${result}`);
const to = new Uint8Array(16);
to.set([AF_INET, 0, 0, 0, 224, 0, 0, 18]);
const random = new Random(7);
const packet = new Uint8Array(128);
for (let sent = 0; sent < count; sent += 1) {
  const length = randomPacket(random, packet, 51, { net: [10, 77, 0], strays: false });
  const result = socket.send(packet.subarray(0, length), to);
  if (result < 0) throw new Error(`packet ${sent} was not sent: ${result}`);
  if (sent % BURST === BURST - 1) await sleep(5);
}
process.stdout.write('sent\n');
