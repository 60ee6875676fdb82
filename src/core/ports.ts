/** Interfaces of the outside world. Only `src/sys` implements them for real; tests bring their own. */
import type { Family } from './ip.js';
import type { EpochMillis, Millis } from './units.js';

export interface Clock {
  /** Never goes back; for deadlines and intervals. */
  monotonic(): Millis;
  /** UTC, may jump; for people and peers only. */
  wall(): EpochMillis;
}

/** A running timer. `cancel` may be called any number of times. */
export interface Timer {
  cancel(): void;
}

export interface Timers {
  /** Calls `run` once, not earlier than `delay` from now. */
  after(delay: Millis, run: () => void): Timer;
}

/** For long work in pieces: lets I/O and due timers run in between. */
export interface Turns {
  /** Calls `run` in the next turn of the event loop, without a timer's delay. */
  soon(run: () => void): void;
}

export interface Entropy {
  /** Uniform in [0, 1). */
  uniform(): number;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** The shape of pino, so that pure tests need no pino. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/**
 * A netlink socket that is connected to the kernel (port id 0). Results below 0 are -errno.
 * The kernel answers inside `send`: answers are usually there when it returns.
 */
export interface NetlinkSocket {
  /** This socket's port id, from getsockname. */
  readonly portId: number;
  /** Bytes sent, or -errno. */
  send(bytes: Uint8Array): number;
  /** Bytes of one datagram, or -errno; -EAGAIN (-11) where there is none; -EMSGSIZE where it did not fit. */
  receive(into: Uint8Array): number;
  /** Calls `listener` whenever something can be received, until it is set to undefined. */
  onReadable(listener: (() => void) | undefined): void;
  close(): void;
}

/**
 * Opens a netlink socket of one protocol (NETLINK_ROUTE 0, NETLINK_GENERIC 16) that hears the notifications of
 * `groups` (RTNLGRP_*). @throws NATIVE, NETLINK, PERMISSION
 */
export type OpenNetlink = (protocol: number, groups?: readonly number[]) => NetlinkSocket;

/** Settings of the kernel (/proc/sys/net), by paths such as `ipv4/conf/eth0/arp_ignore`. */
export interface Sysctls {
  /** Undefined where there is no such setting. */
  read(path: string): string | undefined;
  /** @returns the error, such as `EROFS`; undefined where it is written, or stood so already */
  write(path: string, value: string): string | undefined;
}

/** A raw or packet socket. Addresses are the bytes of a struct sockaddr_*; results below 0 are -errno; nothing waits. */
export interface PacketSocket {
  /** The address that it sends from: 0 or -errno. */
  bind(address: Uint8Array): number;
  /** A number is a C int. */
  setOption(level: number, name: number, value: number | Uint8Array): number;
  /** Attaches a classic BPF program (struct sock_filter, 8 bytes each): what it refuses never arrives. */
  filter(program: Uint8Array): number;
  /** Bytes sent. `control` holds struct cmsghdr records. */
  send(bytes: Uint8Array, to: Uint8Array, control?: Uint8Array): number;
  /**
   * Bytes of one packet; -EAGAIN where there is none. `facts` becomes [length of the sender's address, length of the
   * control data, MSG_* flags].
   */
  receive(into: Uint8Array, from: Uint8Array, control: Uint8Array, facts: Int32Array): number;
  /** Calls `listener` whenever something can be received, until it is set to undefined. */
  onReadable(listener: (() => void) | undefined): void;
  close(): void;
}

/**
 * Opens a socket by the numbers of socket(2), or -errno.
 * @param namespace the path of a network namespace's file; undefined: the thread's own
 * @throws NATIVE
 */
export type OpenPacketSocket = (
  domain: number,
  type: number,
  protocol: number,
  namespace?: string,
) => PacketSocket | number;

/** A timer of its own that rings at absolute instants, whatever the load. */
export interface Alarm {
  /** When to ring next, in monotonic time; one that has passed rings at once. Undefined: not at all. */
  set(deadline: Millis | undefined): void;
  close(): void;
}

/** @throws NATIVE */
export type OpenAlarm = (ring: () => void) => Alarm;

/** The file descriptors of a pipe, which whoever asks for it closes; programs that are run do not inherit them. */
export interface Pipe {
  readonly read: number;
  readonly write: number;
}

/** Opens a pipe, or -errno. @throws NATIVE */
export type OpenPipe = () => Pipe | number;

/** Takes the exit of a child that nobody waits for any more. @returns whether it still runs @throws NATIVE */
export type ReapChild = (pid: number) => boolean;

/** Many TCP connections in batches, each in a slot that the caller chooses. Results below 0 are -errno; nothing waits. */
export interface Connector {
  /** Begins one connection for each row of CONNECT_ROW integers. */
  start(rows: Int32Array, slab: Uint8Array): number;
  /** What happened: the number of rows of COLLECT_ROW integers written; 0 where nothing is left to tell. */
  collect(rows: Int32Array, slab: Uint8Array): number;
  /** Closes what is under way in these slots. */
  stop(slots: Int32Array): number;
  /** Calls `listener` whenever there is something to collect. */
  onReady(listener: () => void): void;
  close(): void;
}

/** Opens a connector of so many slots (1 to 65,536), or -errno. @throws NATIVE */
export type OpenConnector = (slots: number) => Connector | number;

/** A socket that is to come from somewhere else than the kernel would have it. */
export interface OriginRequest {
  readonly family: Family;
  readonly type: 'tcp' | 'udp';
  /** SO_MARK as an int; 0: none. */
  readonly mark: number;
  /** Name of an interface; empty: any. */
  readonly device: Uint8Array;
  /** A struct sockaddr_in or sockaddr_in6; empty: the kernel's choice. */
  readonly source: Uint8Array;
  /** The path of a namespace's file; undefined: the thread's own. */
  readonly namespace: string | undefined;
}

/** Opens such a socket, not connected yet: its number, which the caller closes, or -errno. @throws NATIVE */
export type OpenOrigin = (request: OriginRequest) => number;
