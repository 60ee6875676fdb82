/** Interfaces of the outside world. Only `src/sys` implements them for real; tests bring their own. */
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

/** Opens a netlink socket of one protocol (NETLINK_ROUTE 0, NETLINK_GENERIC 16). @throws NATIVE, NETLINK */
export type OpenNetlink = (protocol: number) => NetlinkSocket;
