/** Sending and receiving: what comes back is what was sent, and no byte beside it changes. */
import assert from 'node:assert/strict';
import type { Native, NativeDescriptor } from '../../../src/sys/native.js';
import {
  ACK_BYTES,
  AF,
  inet,
  type NativeCase,
  negative,
  netlinkSocket,
  noop,
  opened,
  request,
  SOCK,
  SOL,
  sequenceOf,
  udpPair,
} from './support.js';

const EAGAIN = negative('EAGAIN');
const EMSGSIZE = negative('EMSGSIZE');
const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;

/** struct ifinfomsg with index 1, the loopback device of every namespace. */
const LOOPBACK = Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

function typeOf(message: Uint8Array): number {
  return new DataView(message.buffer, message.byteOffset).getUint16(4, true);
}

function echo(native: Native): void {
  const socket = netlinkSocket(native);
  const into = new Uint8Array(32768);
  assert.equal(socket.receive(into), EAGAIN, 'nothing there yet');
  assert.equal(socket.send(noop(7)), 16);
  assert.equal(socket.receive(into), ACK_BYTES);
  assert.equal(typeOf(into), NLMSG_ERROR);
  assert.equal(sequenceOf(into), 7);
  assert.equal(socket.receive(into), EAGAIN);
  assert.equal(socket.send(request(RTM_GETLINK, 1, 8, LOOPBACK)), 32);
  const length = socket.receive(into);
  assert.equal(typeOf(into), RTM_NEWLINK);
  assert.ok(Buffer.from(into.subarray(0, length)).includes('lo\0'));
  socket.close();
}

function roundTrip(native: Native): void {
  const socket = netlinkSocket(native);
  const into = new Uint8Array(65536);
  const ends = new Int32Array(8);
  assert.equal(socket.transact(noop(1), into, 64, ends), 1);
  assert.equal(ends[0], ACK_BYTES);
  const three = Uint8Array.of(...noop(1), ...noop(2), ...noop(3));
  assert.equal(socket.transact(three, into, 64, ends), 3);
  assert.deepEqual([...ends.subarray(0, 3)], [ACK_BYTES, 2 * ACK_BYTES, 3 * ACK_BYTES]);
  assert.equal(sequenceOf(into.subarray(2 * ACK_BYTES)), 3);
  // A dump: links, then DONE in a datagram of its own or at the end of the last.
  const count = socket.transact(request(RTM_GETLINK, 0x301, 9, new Uint8Array(16)), into, 32768, ends);
  assert.ok(count >= 1);
  const last = into.subarray(count > 1 ? ends[count - 2] : 0, ends[count - 1]);
  let at = 0;
  while (typeOf(last.subarray(at)) !== NLMSG_DONE) {
    assert.equal(typeOf(last.subarray(at)), RTM_NEWLINK);
    at += (new DataView(last.buffer, last.byteOffset + at).getUint32(0, true) + 3) & ~3;
  }
  socket.close();
}

/** Stops for want of room or of ends, and leaves the rest to be received. */
function roundTripLimits(native: Native): void {
  const socket = netlinkSocket(native);
  const three = Uint8Array.of(...noop(1), ...noop(2), ...noop(3));
  const into = new Uint8Array(3 * ACK_BYTES);
  assert.equal(socket.transact(three, into, ACK_BYTES, new Int32Array(2)), 2, 'ends are used up');
  assert.equal(socket.receive(into), ACK_BYTES);
  assert.equal(sequenceOf(into), 3);
  assert.equal(socket.transact(three, into, 2 * ACK_BYTES, new Int32Array(8)), 2, 'room is used up');
  assert.equal(socket.receive(into), ACK_BYTES);
  assert.equal(socket.transact(three, into, 1, new Int32Array(0)), 0, 'no ends: nothing is received');
  for (const _ of [1, 2, 3]) assert.equal(socket.receive(into), ACK_BYTES);
  assert.equal(socket.receive(into), EAGAIN);
  socket.close();
  const unconnected = opened(native.openSocket(AF.INET, SOCK.DGRAM, 0));
  assert.equal(
    unconnected.transact(noop(1), into, 1, new Int32Array(2)),
    -89,
    'EDESTADDRREQ: nothing was sent',
  );
  unconnected.close();
}

/** The datagram that did not fit is lost, and said so; the next one is whole. */
function truncation(native: Native): void {
  const socket = netlinkSocket(native);
  const into = new Uint8Array(64);
  const ends = new Int32Array(4);
  socket.send(noop(1));
  socket.send(noop(2));
  assert.equal(socket.receive(into.subarray(0, ACK_BYTES - 1)), EMSGSIZE);
  assert.equal(socket.receive(into.subarray(0, ACK_BYTES)), ACK_BYTES, 'exactly enough');
  assert.equal(sequenceOf(into), 2);
  socket.send(noop(3));
  assert.equal(socket.receive(into.subarray(0, 0)), EMSGSIZE, 'no room at all');
  assert.equal(socket.transact(noop(4), into.subarray(0, 20), 8, ends), 1);
  assert.equal(ends[0], EMSGSIZE);
  socket.send(noop(5));
  const results = new Int32Array(4);
  assert.equal(socket.receiveBatch(into.subarray(0, 20), 20, 0, results), 1);
  assert.equal(results[0], EMSGSIZE);
  assert.equal(socket.receive(into), EAGAIN);
  socket.close();
}

/** Every reader gets a window of a larger buffer, and must leave the rest alone. */
function windows(native: Native): void {
  const [left, right] = udpPair(native);
  const buffer = new Uint8Array(256);
  const window = (size: number): Uint8Array => {
    buffer.fill(0xa5);
    return buffer.subarray(64, 64 + size);
  };
  const untouched = (size: number, name: string): void => {
    const outside = [...buffer.subarray(0, 64), ...buffer.subarray(64 + size)];
    assert.ok(
      outside.every((byte) => byte === 0xa5),
      name,
    );
  };
  const readers: readonly (readonly [string, number, (into: Uint8Array) => number])[] = [
    ['receive', 16, (into) => right.receive(into)],
    ['the sender', 7, (into) => right.receive(new Uint8Array(64), into)],
    ['control data', 20, (into) => right.receive(new Uint8Array(64), undefined, into)],
    ['receiveBatch', 35, (into) => right.receiveBatch(into, 17, 4, new Int32Array(8))],
    ['getsockname', 5, (into) => right.getsockname(into)],
    ['getsockopt', 3, (into) => right.getsockopt(SOL.SOCKET, 8, into)],
    ['transact', 24, (into) => right.transact(Uint8Array.of(1), into, 4, new Int32Array(4))],
  ];
  assert.equal(right.setsockopt(SOL.IP, 8, 1), 0, 'IP_PKTINFO: more control data than there is room');
  for (const [name, size, read] of readers) {
    for (let index = 0; index < 2; index += 1) left.send(new Uint8Array(48).fill(0x11));
    read(window(size));
    untouched(size, name);
    while (right.receive(new Uint8Array(64)) > 0);
  }
  left.close();
  right.close();
}

function shortRoom(native: Native): void {
  const socket = opened(native.openSocket(AF.INET, SOCK.DGRAM, 0));
  socket.bind(inet([127, 0, 0, 1], 0));
  assert.equal(socket.getsockname(new Uint8Array(15)), EMSGSIZE);
  assert.equal(socket.getsockname(new Uint8Array(16)), 16);
  assert.equal(socket.getsockname(new Uint8Array(100)), 16);
  assert.equal(socket.getsockopt(SOL.SOCKET, 8, new Uint8Array(100)), 4);
  socket.close();
}

/** Sender, control data and flags of a datagram. */
function facts(native: Native): void {
  const receiver = opened(native.openSocket(AF.INET, SOCK.DGRAM, 0));
  receiver.bind(inet([127, 0, 0, 1], 0));
  const name = new Uint8Array(16);
  receiver.getsockname(name);
  assert.equal(receiver.setsockopt(SOL.IP, 12, Uint8Array.of(1, 0, 0, 0)), 0, 'IP_RECVTTL, as bytes');
  const sender = opened(native.openSocket(AF.INET, SOCK.DGRAM, 0));
  assert.equal(sender.setsockopt(SOL.IP, 2, 77), 0, 'IP_TTL, as a number');
  assert.equal(sender.send(Uint8Array.of(1, 2, 3), name), 3);
  const own = new Uint8Array(16);
  sender.getsockname(own);
  const [from, control, lengths] = [new Uint8Array(128), new Uint8Array(64), new Int32Array(3)];
  assert.equal(receiver.receive(new Uint8Array(64), from, control, lengths), 3);
  assert.deepEqual([...lengths], [16, 24, 0]);
  assert.deepEqual([...from.subarray(2, 8)], [own[2], own[3], 127, 0, 0, 1]);
  // struct cmsghdr {size_t 20, SOL_IP, IP_TTL}, then the time to live
  assert.deepEqual([...new Int32Array(control.buffer, 0, 5)], [20, 0, SOL.IP, 2, 77]);
  sender.close();
  receiver.close();
}

/** A time to live sent as control data: struct cmsghdr, 4 bytes, padding. */
function sentControl(native: Native): void {
  const [left, right] = udpPair(native);
  const control = new Uint8Array(24);
  control.set([20, 0, 0, 0, 0, 0, 0, 0, SOL.IP, 0, 0, 0, 2, 0, 0, 0, 33]);
  right.setsockopt(SOL.IP, 12, 1);
  assert.equal(left.send(Uint8Array.of(9), undefined, control), 1);
  const seen = new Uint8Array(64);
  assert.equal(right.receive(new Uint8Array(8), undefined, seen), 1);
  assert.equal(seen[16], 33);
  assert.equal(
    left.send(Uint8Array.of(9), undefined, control.fill(0xff)),
    negative('EINVAL'),
    'garbage is refused',
  );
  left.close();
  right.close();
}

function batches(native: Native): void {
  const [left, right] = udpPair(native);
  const third = opened(native.openSocket(AF.INET, SOCK.DGRAM, 0));
  third.bind(inet([127, 0, 0, 1], 0));
  const slab = new Uint8Array(256);
  third.getsockname(slab.subarray(240));
  slab.set([10, 11, 12, 13, 14, 15]);
  assert.equal(third.sendBatch(slab, new Int32Array(0)), 0, 'nothing to send');
  const free = opened(native.openSocket(AF.INET, SOCK.DGRAM, 0));
  assert.equal(free.sendBatch(slab, Int32Array.of(0, 2, 240, 16, 2, 3, 240, 16)), 2);
  assert.equal(left.sendBatch(slab, Int32Array.of(0, 1, 0, 0, 3, 3, 0, 0)), 2);
  const results = new Int32Array(8);
  const into = new Uint8Array(4 * 32);
  assert.equal(third.receiveBatch(into, 32, 16, results), 2);
  assert.deepEqual([...results.subarray(0, 4)], [2, 16, 3, 16]);
  assert.deepEqual([...into.subarray(16, 18), ...into.subarray(48, 51)], [10, 11, 12, 13, 14]);
  assert.equal(right.receiveBatch(into, 8, 0, results), 2);
  assert.deepEqual([...results.subarray(0, 4)], [1, 0, 3, 0]);
  assert.equal(right.receiveBatch(into, 8, 0, results), EAGAIN);
  for (const socket of [left, right, third, free]) socket.close();
}

function localSockets(native: Native): void {
  const name = Uint8Array.from([AF.UNIX, 0, 0, ...Buffer.from(`lvsentry-test-${process.pid}`)]);
  const receiver = opened(native.openSocket(AF.UNIX, SOCK.DGRAM, 0));
  assert.equal(receiver.bind(name), 0, 'an abstract name');
  const sender = opened(native.openSocket(AF.UNIX, SOCK.DGRAM, 0));
  assert.equal(sender.connect(name), 0);
  assert.equal(sender.send(Buffer.from('READY=1')), 7);
  const into = new Uint8Array(16);
  assert.equal(receiver.receive(into), 7);
  assert.equal(Buffer.from(into.subarray(0, 7)).toString(), 'READY=1');
  receiver.close();
  assert.equal(sender.send(Buffer.from('WATCHDOG=1')), negative('ECONNREFUSED'));
  sender.close();
}

/** An ICMP echo request (RFC 792): type 8, code 0, checksum, identifier, sequence 1. */
function icmpEcho(identifier: number): Uint8Array {
  const sum = 0x0800 + identifier + 1;
  const checksum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
  return Uint8Array.of(8, 0, checksum >> 8, checksum & 0xff, identifier >> 8, identifier & 0xff, 0, 1);
}

/** An ICMP echo to loopback, seen by a packet socket with and without a filter that drops everything. */
function rawSockets(native: Native): void {
  const everything = opened(native.openSocket(AF.PACKET, SOCK.DGRAM, 0x0008));
  const nothing = opened(native.openSocket(AF.PACKET, SOCK.DGRAM, 0));
  assert.equal(nothing.attachFilter(Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 0)), 0, 'BPF_RET 0');
  // struct sockaddr_ll: family, protocol ETH_P_IP in network order, ifindex 1
  const loopback = Uint8Array.of(AF.PACKET, 0, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  for (const socket of [everything, nothing]) assert.equal(socket.bind(loopback), 0);
  const icmp = opened(native.openSocket(AF.INET, SOCK.RAW, 1));
  const echoRequest = icmpEcho(process.pid & 0xffff);
  assert.equal(icmp.send(echoRequest, inet([127, 0, 0, 1], 0)), 8);
  // Loopback is shared with whoever runs on this machine: only what carries our identifier counts.
  const into = new Uint8Array(65600);
  const typesSeen = (socket: NativeDescriptor): Set<number | undefined> => {
    const types = new Set<number | undefined>();
    for (let length = socket.receive(into); length >= 0; length = socket.receive(into))
      if (into[9] === 1 && into[24] === echoRequest[4] && into[25] === echoRequest[5]) types.add(into[20]);
    return types;
  };
  assert.ok(typesSeen(icmp).has(0), 'an echo reply');
  assert.deepEqual([...typesSeen(everything)].sort(), [0, 8], 'request and reply');
  assert.equal(nothing.receive(into), EAGAIN);
  for (const socket of [everything, nothing, icmp]) socket.close();
}

/** Answers pile up unread until the kernel drops them: the loss is said once, and the socket goes on. */
export function overrun(socket: NativeDescriptor): void {
  assert.equal(socket.setsockopt(SOL.SOCKET, 8, 4096), 0);
  for (let index = 0; index < 200; index += 1) socket.send(noop(index));
}

function overruns(native: Native): void {
  const socket = netlinkSocket(native);
  const into = new Uint8Array(64);
  overrun(socket);
  const seen: number[] = [];
  for (
    let result = socket.receive(into);
    result !== EAGAIN && seen.length < 300;
    result = socket.receive(into)
  )
    seen.push(result);
  assert.equal(seen.filter((result) => result === negative('ENOBUFS')).length, 1);
  assert.ok(seen.filter((result) => result === ACK_BYTES).length < 200);
  overrun(socket);
  const ends = new Int32Array(300);
  const count = socket.transact(noop(1), new Uint8Array(65536), 64, ends);
  assert.equal(ends[count - 1], negative('ENOBUFS'), 'transact ends with it');
  socket.close();
}

export const messageCases: readonly NativeCase[] = [
  { name: 'the kernel acknowledges a NOOP and tells of the loopback link', run: echo },
  { name: 'transact is a whole round trip, dumps included', run: roundTrip },
  { name: 'transact stops at its limits and loses nothing', run: roundTripLimits },
  { name: 'a datagram that does not fit is -EMSGSIZE everywhere', run: truncation },
  { name: 'a view of a larger buffer is never written past its ends', run: windows },
  { name: 'a name or option that does not fit is -EMSGSIZE', run: shortRoom },
  { name: 'receive tells the sender, the control data and the flags', run: facts },
  { name: 'control data is sent', run: sentControl },
  { name: 'batches are sent and received, with and without addresses', run: batches },
  { name: 'local datagram sockets take abstract names', run: localSockets },
  { name: 'raw and packet sockets work, and filters filter', needsRoot: true, run: rawSockets },
  { name: 'an overrun is -ENOBUFS once, and the socket goes on', run: overruns },
];
