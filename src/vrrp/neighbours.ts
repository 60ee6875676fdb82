/**
 * Hears who says that an address is its own: ARP replies and announcements (a packet socket) and neighbour advertisements
 * (a raw socket), of all interfaces together. Layouts are those of linux/if_packet.h, linux/filter.h and linux/icmpv6.h.
 */
import { errnoName, errnoValue } from '../core/errno.js';
import { LvsError } from '../core/errors.js';
import type { Family, Ip } from '../core/ip.js';
import type { Mac } from '../core/mac.js';
import type { OpenPacketSocket, PacketSocket } from '../core/ports.js';
import { readArp } from '../wire/arp.js';
import { ETH_P } from '../wire/ethernet.js';
import { IPPROTO } from '../wire/ip-protocols.js';
import { readAdvertised } from '../wire/ndp.js';
import { encodeFilter, type FilterInstruction } from '../wire/socket-filter.js';
import { IPPROTO_IPV6, IPV6_RECVHOPLIMIT, IPV6_RECVPKTINFO, readControl } from './control.js';

const AF_INET6 = 10;
const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOL_PACKET = 263;
const PACKET_IGNORE_OUTGOING = 23;
const PACKET_OUTGOING = 4;
const ICMP6_FILTER = 1;
const NEIGHBOR_ADVERTISEMENT = 136;
/** RFC 4861 7.1.2: what came through a router is forged. */
const HOPS = 255;

const EAGAIN = errnoValue('EAGAIN');
const EINTR = errnoValue('EINTR');

/** Messages that are read before anything else gets its turn. */
const SLICE = 64;
/** Both are short; what is longer is something else. */
const MESSAGE_BYTES_MAX = 512;

/** Somebody says that `address` is at `mac`. */
export interface Claim {
  readonly address: Ip;
  readonly mac: Mac;
  /** Of the interface on which it was heard. */
  readonly index: number;
}

/** Replies, and requests whose sender and target are the same: offsets are those of ARP behind an Ethernet header. */
function arpFilter(): Uint8Array {
  const program: readonly FilterInstruction[] = [
    [0x28, 0, 0, 20], // ldh [20]: the operation
    [0x15, 5, 0, 2], // jeq #2, accept
    [0x20, 0, 0, 28], // ld [28]: the sender's address
    [0x07, 0, 0, 0], // tax
    [0x20, 0, 0, 38], // ld [38]: the target's
    [0x1d, 1, 0, 0], // jeq x, accept
    [0x06, 0, 0, 0], // ret #0
    [0x06, 0, 0, 0xffff], // ret #65535
  ];
  return encodeFilter(program);
}

/** struct icmp6_filter: a set bit blocks a type. */
function advertisementsOnly(): Uint8Array {
  const filter = new Uint8Array(32).fill(0xff);
  filter[NEIGHBOR_ADVERTISEMENT >> 3] = 0xff & ~(1 << (NEIGHBOR_ADVERTISEMENT & 7));
  return filter;
}

const bigEndian = (value: number): number => ((value & 0xff) << 8) | (value >> 8);

function failure(family: Family, result: number): LvsError {
  const errno = errnoName(-result);
  return new LvsError('VRRP', `cannot hear who else has virtual IPs (${family}): ${errno}`, { errno });
}

interface Kind {
  readonly domain: number;
  readonly protocol: number;
  /** The first result below 0, or one that is not. */
  readonly prepare: (socket: PacketSocket) => number;
}

const KINDS: Readonly<Record<Family, Kind>> = {
  ipv4: {
    domain: AF_PACKET,
    protocol: bigEndian(ETH_P.ARP),
    prepare: (socket) => {
      // Kernels before 4.20 do not know it; what we sent is known by its type too.
      socket.setOption(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
      return socket.filter(arpFilter());
    },
  },
  ipv6: {
    domain: AF_INET6,
    protocol: IPPROTO.ICMPV6,
    prepare: (socket) =>
      Math.min(
        socket.setOption(IPPROTO.ICMPV6, ICMP6_FILTER, advertisementsOnly()),
        socket.setOption(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1),
        socket.setOption(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1),
      ),
  },
};

export class NeighbourSocket {
  readonly #socket: PacketSocket;
  readonly #family: Family;
  readonly #bytes = new Uint8Array(MESSAGE_BYTES_MAX);
  readonly #from = new Uint8Array(28);
  readonly #control = new Uint8Array(256);
  readonly #facts = new Int32Array(3);

  /** @throws VRRP, NATIVE */
  constructor(openSocket: OpenPacketSocket, family: Family) {
    const { domain, protocol, prepare } = KINDS[family];
    const socket = openSocket(domain, SOCK_RAW, protocol);
    if (typeof socket === 'number') throw failure(family, socket);
    this.#family = family;
    this.#socket = socket;
    const result = prepare(socket);
    if (result >= 0) return;
    socket.close();
    throw failure(family, result);
  }

  onReadable(listener: (() => void) | undefined): void {
    this.#socket.onReadable(listener);
  }

  /** Takes some of what has come. What cannot be read is nobody's claim. */
  drain(onClaim: (claim: Claim) => void): void {
    for (let count = 0; count < SLICE; count += 1) {
      const size = this.#socket.receive(this.#bytes, this.#from, this.#control, this.#facts);
      if (size === -EAGAIN) return;
      // Every other error is the state of some interface.
      if (size < 0 && size !== -EINTR) continue;
      const claim = size < 0 ? undefined : this.#read(this.#bytes.subarray(0, size));
      if (claim !== undefined) onClaim(claim);
    }
  }

  #read(bytes: Uint8Array): Claim | undefined {
    try {
      return this.#family === 'ipv4' ? this.#readArp(bytes) : this.#readNdp(bytes);
    } catch (thrown) {
      if (thrown instanceof LvsError && (thrown.code === 'TRUNCATED' || thrown.code === 'MALFORMED'))
        return undefined;
      throw thrown;
    }
  }

  /** The sender is a struct sockaddr_ll { u16; be16; i32 index; u16; u8 pkttype; u8; u8[8] }. */
  #readArp(bytes: Uint8Array): Claim | undefined {
    const from = new DataView(this.#from.buffer);
    if (from.getUint8(10) === PACKET_OUTGOING) return undefined;
    const { senderIp: address, senderMac: mac } = readArp(bytes);
    return { address, mac, index: from.getInt32(4, true) };
  }

  #readNdp(bytes: Uint8Array): Claim | undefined {
    const control = readControl(this.#control.subarray(0, this.#facts[1]));
    if (control === undefined || control.hops !== HOPS) return undefined;
    const { target: address, targetMac: mac } = readAdvertised(bytes);
    return mac === undefined ? undefined : { address, mac, index: control.index };
  }

  close(): void {
    this.#socket.onReadable(undefined);
    this.#socket.close();
  }
}
