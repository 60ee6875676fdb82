/**
 * The packets of one interface and family: adverts over a raw socket of IP protocol 112, announcements over a packet
 * socket. Layouts are those of linux/in.h, linux/in6.h, linux/if_packet.h and linux/socket.h.
 */
import { ByteWriter } from '../core/bytes.js';
import { errnoName, errnoValue } from '../core/errno.js';
import { LvsError } from '../core/errors.js';
import { type Family, type Ip, ipBytes, ipFromBytes } from '../core/ip.js';
import { type Mac, macBytes } from '../core/mac.js';
import type { OpenPacketSocket, PacketSocket } from '../core/ports.js';
import { BROADCAST, ETH_P } from '../wire/ethernet.js';
import { IPPROTO } from '../wire/ip-protocols.js';
import { readIpv4, writeIpv4 } from '../wire/ipv4.js';
import { VRRP_GROUP, VRRP_HOPS, VRRP_TOS } from '../wire/vrrp.js';
import {
  CMSGHDR_BYTES,
  IPPROTO_IPV6,
  IPV6_PKTINFO,
  IPV6_RECVHOPLIMIT,
  IPV6_RECVPKTINFO,
  readControl,
} from './control.js';
import type { Envelope } from './packet.js';

// sys/socket.h, asm-generic/socket.h
const AF_INET = 2;
const AF_INET6 = 10;
const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SO_BINDTODEVICE = 25;
const SO_PRIORITY = 12;
// linux/in.h
const IPPROTO_IP = 0;
const IP_HDRINCL = 3;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_LOOP = 34;
const IP_ADD_MEMBERSHIP = 35;
const IP_MULTICAST_ALL = 49;
// linux/in6.h
const IPV6_UNICAST_HOPS = 16;
const IPV6_MULTICAST_IF = 17;
const IPV6_MULTICAST_HOPS = 18;
const IPV6_MULTICAST_LOOP = 19;
const IPV6_ADD_MEMBERSHIP = 20;
const IPV6_MULTICAST_ALL = 29;
const IPV6_TCLASS = 67;
const IPV6_FREEBIND = 78;

const EAGAIN = errnoValue('EAGAIN');
const EINTR = errnoValue('EINTR');
const EPERM = errnoValue('EPERM');
const EMSGSIZE = errnoValue('EMSGSIZE');
const ENETDOWN = errnoValue('ENETDOWN');

/** TC_PRIO_CONTROL: before all other traffic of the interface (linux/pkt_sched.h). */
const PRIORITY_CONTROL = 6;
const RECEIVE_BUFFER_BYTES = 1024 * 1024;
/** The longest advert, 255 addresses of IPv6 and a trailer, has 4116 bytes. */
const PACKET_BYTES_MAX = 8192;
const CONTROL_BYTES = 256;
const SOCKADDR_IN6_BYTES = 28;

/** One interface as the kernel has it now, and the family of the adverts. */
export interface Place {
  readonly device: string;
  readonly index: number;
  readonly family: Family;
  /** The interface below it, where it is the link of a virtual MAC. */
  readonly parent?: string;
}

/** An IP packet of protocol 112. The payload is a view that the next packet overwrites. */
export type OnPacket = (envelope: Envelope, payload: Uint8Array) => void;

function failure(operation: string, place: Place, result: number): LvsError {
  const errno = errnoName(-result);
  const rights = -result === EPERM ? ': run as root, or with CAP_NET_RAW' : '';
  return new LvsError(
    rights === '' ? 'VRRP' : 'PERMISSION',
    `no socket for VRRP on ${place.device}: ${operation} says ${errno}${rights}`,
    { operation, errno, interface: place.device },
  );
}

/** struct sockaddr_in, port 0. */
function inetAddress(address: Ip): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes[0] = AF_INET;
  bytes.set(ipBytes(address), 4);
  return bytes;
}

/** struct sockaddr_in6 { u16 family; u16 port; u32 flowinfo; u8 address[16]; u32 scope }. */
function inet6Address(address: Ip, index: number): Uint8Array {
  const writer = new ByteWriter(SOCKADDR_IN6_BYTES);
  writer.u16le(AF_INET6);
  writer.zeros(6);
  writer.raw(ipBytes(address));
  writer.u32le(index);
  return writer.finish();
}

/** struct ip_mreqn { u8 group[4]; u8 address[4]; i32 index }. */
function membership(group: Uint8Array, index: number): Uint8Array {
  const writer = new ByteWriter(12);
  writer.raw(group);
  writer.zeros(4);
  writer.i32le(index);
  return writer.finish();
}

/** struct ipv6_mreq { u8 group[16]; u32 index }. */
function membership6(group: Uint8Array, index: number): Uint8Array {
  const writer = new ByteWriter(20);
  writer.raw(group);
  writer.u32le(index);
  return writer.finish();
}

/** A cmsghdr { u64 length; i32 level; i32 type } with struct in6_pktinfo { u8 address[16]; u32 index }. */
function packetInfo(source: Ip, index: number): Uint8Array {
  const writer = new ByteWriter(40);
  writer.u64le(BigInt(CMSGHDR_BYTES + 20));
  writer.i32le(IPPROTO_IPV6);
  writer.i32le(IPV6_PKTINFO);
  writer.raw(ipBytes(source));
  writer.u32le(index);
  writer.align(8);
  return writer.finish();
}

type Setting = readonly [name: string, level: number, option: number, value: number | Uint8Array];

function settingsOf(place: Place): readonly Setting[] {
  const { family, index } = place;
  const group = ipBytes(VRRP_GROUP[family]);
  if (family === 'ipv4')
    return [
      ['IP_HDRINCL', IPPROTO_IP, IP_HDRINCL, 1],
      ['IP_MULTICAST_ALL', IPPROTO_IP, IP_MULTICAST_ALL, 0],
      ['IP_MULTICAST_LOOP', IPPROTO_IP, IP_MULTICAST_LOOP, 0],
      ['IP_MULTICAST_IF', IPPROTO_IP, IP_MULTICAST_IF, membership(new Uint8Array(4), index)],
      ['IP_ADD_MEMBERSHIP', IPPROTO_IP, IP_ADD_MEMBERSHIP, membership(group, index)],
    ];
  return [
    ['IPV6_MULTICAST_ALL', IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0],
    ['IPV6_MULTICAST_LOOP', IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0],
    ['IPV6_MULTICAST_IF', IPPROTO_IPV6, IPV6_MULTICAST_IF, index],
    ['IPV6_MULTICAST_HOPS', IPPROTO_IPV6, IPV6_MULTICAST_HOPS, VRRP_HOPS],
    ['IPV6_UNICAST_HOPS', IPPROTO_IPV6, IPV6_UNICAST_HOPS, VRRP_HOPS],
    ['IPV6_TCLASS', IPPROTO_IPV6, IPV6_TCLASS, VRRP_TOS],
    ['IPV6_RECVPKTINFO', IPPROTO_IPV6, IPV6_RECVPKTINFO, 1],
    ['IPV6_RECVHOPLIMIT', IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1],
    ['IPV6_ADD_MEMBERSHIP', IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, membership6(group, index)],
  ];
}

function bindToDevice(place: Place): Setting {
  const name = Uint8Array.from(`${place.device}\0`, (letter) => letter.charCodeAt(0));
  return ['SO_BINDTODEVICE', SOL_SOCKET, SO_BINDTODEVICE, name];
}

/** A message as the kernel takes it. */
interface Written {
  readonly envelope: Envelope;
  readonly bytes: Uint8Array;
  readonly address: Uint8Array;
  readonly control: Uint8Array | undefined;
}

/** The adverts of one interface and family, sent and heard; its instances share it. */
export class VrrpSocket {
  readonly #socket: PacketSocket;
  readonly #bytes = new Uint8Array(PACKET_BYTES_MAX);
  readonly #from = new Uint8Array(SOCKADDR_IN6_BYTES);
  readonly #control = new Uint8Array(CONTROL_BYTES);
  readonly #facts = new Int32Array(3);
  /** By the message that it was made of. */
  readonly #written = new WeakMap<Uint8Array, Written>();
  /** Packets that no IP header could be read of, or that did not fit. */
  unreadable = 0;

  private constructor(
    socket: PacketSocket,
    readonly place: Place,
  ) {
    this.#socket = socket;
  }

  /** Opens it and joins the group of the family. @throws VRRP, PERMISSION, NATIVE */
  static open(openSocket: OpenPacketSocket, place: Place): VrrpSocket {
    const domain = place.family === 'ipv4' ? AF_INET : AF_INET6;
    const socket = openSocket(domain, SOCK_RAW, IPPROTO.VRRP);
    if (typeof socket === 'number') throw failure('socket', place, socket);
    for (const [name, level, option, value] of [bindToDevice(place), ...settingsOf(place)]) {
      const result = socket.setOption(level, option, value);
      if (result >= 0) continue;
      socket.close();
      throw failure(name, place, result);
    }
    // Adverts come from an address of the interface below. RFC 5798 section 7.4: the virtual MAC makes none.
    if (place.parent !== undefined && place.family === 'ipv6')
      socket.setOption(IPPROTO_IPV6, IPV6_FREEBIND, 1);
    // Better with than without; both need more rights than the rest.
    socket.setOption(SOL_SOCKET, SO_PRIORITY, PRIORITY_CONTROL);
    socket.setOption(SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES);
    return new VrrpSocket(socket, place);
  }

  /** Sends a message. One that is sent again, as every master does, is not written again. @returns bytes sent, or -errno */
  send(envelope: Envelope, payload: Uint8Array): number {
    const { bytes, address, control } = this.prepare(envelope, payload);
    return this.#socket.send(bytes, address, control);
  }

  /** Does all of `send` that can be done before. */
  prepare(envelope: Envelope, payload: Uint8Array): Written {
    const known = this.#written.get(payload);
    if (known?.envelope === envelope) return known;
    const written = this.#write(envelope, payload);
    this.#written.set(payload, written);
    return written;
  }

  #write(envelope: Envelope, payload: Uint8Array): Written {
    const { source, destination, hops } = envelope;
    const { family, index } = this.place;
    if (family === 'ipv6') {
      const address = inet6Address(destination, index);
      return { envelope, bytes: payload, address, control: packetInfo(source, index) };
    }
    const header = { tos: VRRP_TOS, id: 0, fragment: 0, ttl: hops, protocol: IPPROTO.VRRP };
    const bytes = writeIpv4({ ...header, source, destination }, payload);
    return { envelope, bytes, address: inetAddress(destination), control: undefined };
  }

  /** Takes what has come, at most `limit` packets. @returns how many there were */
  drain(limit: number, onPacket: OnPacket): number {
    for (let count = 0; count < limit; count += 1) {
      const size = this.#socket.receive(this.#bytes, this.#from, this.#control, this.#facts);
      if (size === -EAGAIN) return count;
      if (size === -EMSGSIZE) this.unreadable += 1;
      // The rest are states of the interface (ENETDOWN), which the links tell of.
      else if (size >= 0) this.#take(size, onPacket);
      else if (size !== -EINTR && size !== -ENETDOWN) return count;
    }
    return limit;
  }

  #take(size: number, onPacket: OnPacket): void {
    const bytes = this.#bytes.subarray(0, size);
    if (this.place.family === 'ipv6') {
      const known = readControl(this.#control.subarray(0, this.#facts[1]));
      if (known === undefined) {
        this.unreadable += 1;
        return;
      }
      const { destination, hops } = known;
      onPacket({ source: ipFromBytes(this.#from.subarray(8, 24)), destination, hops }, bytes);
      return;
    }
    try {
      const { source, destination, ttl, payload } = readIpv4(bytes);
      onPacket({ source, destination, hops: ttl }, payload);
    } catch (thrown) {
      if (!(thrown instanceof LvsError) || (thrown.code !== 'TRUNCATED' && thrown.code !== 'MALFORMED'))
        throw thrown;
      this.unreadable += 1;
    }
  }

  onReadable(listener: (() => void) | undefined): void {
    this.#socket.onReadable(listener);
  }

  close(): void {
    this.#socket.onReadable(undefined);
    this.#socket.close();
  }
}

/** struct sockaddr_ll { u16 family; be16 protocol; i32 index; u16 hatype; u8 pkttype; u8 halen; u8 addr[8] }. */
function linkAddress(index: number, protocol: number, to: Mac): Uint8Array {
  const writer = new ByteWriter(20);
  writer.u16le(AF_PACKET);
  writer.u16be(protocol);
  writer.i32le(index);
  writer.zeros(3);
  writer.u8(6);
  writer.raw(macBytes(to));
  writer.align(4);
  return writer.finish();
}

/** Sends whole Ethernet frames; it hears nothing. */
export class FrameSocket {
  readonly #socket: PacketSocket;
  /** By index of the link. */
  readonly #places = { ipv4: new Map<number, Uint8Array>(), ipv6: new Map<number, Uint8Array>() };

  private constructor(socket: PacketSocket) {
    this.#socket = socket;
  }

  /** @throws VRRP, PERMISSION, NATIVE */
  static open(openSocket: OpenPacketSocket): FrameSocket {
    // Protocol 0: no frame ever waits in it.
    const socket = openSocket(AF_PACKET, SOCK_RAW, 0);
    const nowhere: Place = { device: 'any interface', index: 0, family: 'ipv4' };
    if (typeof socket === 'number') throw failure('socket', nowhere, socket);
    return new FrameSocket(socket);
  }

  /** Sends an announcement through the link `index`. @returns bytes sent, or -errno */
  send(index: number, family: Family, frame: Uint8Array): number {
    let to = this.#places[family].get(index);
    if (to === undefined) {
      to = linkAddress(index, family === 'ipv4' ? ETH_P.ARP : ETH_P.IPV6, BROADCAST);
      this.#places[family].set(index, to);
    }
    return this.#socket.send(frame, to);
  }

  close(): void {
    this.#socket.close();
  }
}
