/** A connection to a kernel that is a function, and what the tests of connections share. */
import type { Turns } from '../../src/core/ports.js';
import { NetlinkConnection } from '../../src/netlink/conn.js';
import type { NetlinkRequest } from '../../src/netlink/exchange.js';
import { acknowledged, FakeNetlinkSocket, type Kernel, refused } from '../fakes/netlink-socket.js';
import { FakeTime } from '../fakes/time.js';

export const TYPE = 28;

class CountedTurns implements Turns {
  count = 0;
  /** Called before each turn. */
  before: () => void = () => undefined;

  soon(run: () => void): void {
    this.before();
    this.count += 1;
    setImmediate(run);
  }
}

export function connect(kernel: Kernel) {
  const socket = new FakeNetlinkSocket(kernel);
  const time = new FakeTime();
  const turns = new CountedTurns();
  return { socket, time, turns, conn: new NetlinkConnection(socket, time, turns) };
}

export const request = (...payload: number[]): NetlinkRequest => ({
  type: TYPE,
  payload: Uint8Array.from(payload),
});
export const requests = (count: number): NetlinkRequest[] =>
  Array.from({ length: count }, (_, at) => request(at % 256));
export const first = (payload: Uint8Array): number => payload[0] ?? -1;
export const bytes = (...values: number[]): Uint8Array[] => values.map((value) => Uint8Array.of(value));
export const silent: Kernel = () => [];
export const OK = { ok: true };
export const failing = (errno: string) => ({ code: 'NETLINK', facts: { errno } });

/** Refuses requests whose first byte is a key of `errnos`. */
export const refusing =
  (errnos: Readonly<Record<number, number>>): Kernel =>
  (request) => {
    const errno = errnos[first(request.payload)];
    return errno === undefined ? acknowledged(request) : refused(request, errno, { text: `no ${errno}` });
  };
