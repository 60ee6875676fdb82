/** Sockets of probes that do not come from where the kernel would have them: another address, interface, mark, namespace. */
import type { Socket as Datagrams } from 'node:dgram';
import { connect, type OnReadOpts, Socket } from 'node:net';
import { errnoName } from '../core/errno.js';
import { ipFamily } from '../core/ip.js';
import type { OpenOrigin } from '../core/ports.js';
import { encodeSockaddr } from '../wire/sockaddr.js';
import type { Origin, Target } from './spec-target.js';

const NOTHING = new Uint8Array(0);

/** A namespace as `ip netns` keeps it, unless it is a path. */
export function namespacePath(namespace: string): string {
  return namespace.startsWith('/') ? namespace : `/run/netns/${namespace}`;
}

/** The name of an interface as SO_BINDTODEVICE takes it. */
export function deviceBytes({ device }: Origin): Uint8Array {
  return device === undefined ? NOTHING : new TextEncoder().encode(device);
}

/** Whose turn it is to choose the port: 0. */
export function sourceBytes({ source }: Origin): Uint8Array {
  return source === undefined ? NOTHING : encodeSockaddr(source, 0);
}

/** As an int, as setsockopt(2) takes it; 0: none. */
export function markBits({ mark }: Origin): number {
  return (mark ?? 0) | 0;
}

/** Opens sockets of this thread; set once, where the thread starts. */
let opener: OpenOrigin | undefined;

/** Says how sockets with an origin are opened: by whoever starts the thread, for node:net cannot. */
export function useOrigins(open: OpenOrigin): void {
  opener = open;
}

/**
 * What is missing for an origin, by the error that opening a socket there came to; undefined where that says more of
 * something else.
 */
function missingOrigin(origin: Origin, errno: string): string | undefined {
  const { source, device, namespace } = origin;
  if (errno === 'ENOENT' && namespace !== undefined)
    return `there is no network namespace ${namespacePath(namespace)}`;
  const where = namespace === undefined ? 'here' : `in ${namespace}`;
  if (errno === 'ENODEV' && device !== undefined) return `there is no interface ${device} ${where}`;
  if (errno === 'EADDRNOTAVAIL' && source !== undefined) return `there is no address ${source} ${where}`;
  return undefined;
}

/** What node:net's errors have, and what is missing. */
export function originFailure(origin: Origin, errno: string): Error {
  const detail = missingOrigin(origin, errno);
  return failure(errno, detail);
}

function failure(errno: string, detail: string | undefined): Error {
  const error = Object.assign(new Error(`the origin of the probe: ${errno}`), { code: errno });
  return detail === undefined ? error : Object.assign(error, { detail });
}

/** The number of a socket. @throws Error whose `code` is none that speaks of the server */
function openFrom(origin: Origin, target: Target, type: 'tcp' | 'udp'): number {
  if (origin.blocked !== undefined) throw failure('ECANCELED', origin.blocked);
  if (opener === undefined) throw failure('ENOSYS', undefined);
  const fd = opener({
    family: ipFamily(target.address),
    type,
    mark: markBits(origin),
    device: deviceBytes(origin),
    source: sourceBytes(origin),
    namespace: origin.namespace === undefined ? undefined : namespacePath(origin.namespace),
  });
  if (fd < 0) throw originFailure(origin, errnoName(-fd));
  return fd;
}

/** Connects to a target, from its origin. @throws where the socket cannot be opened there */
export function connectTo(target: Target, onread: OnReadOpts): Socket {
  const family = ipFamily(target.address) === 'ipv6' ? 6 : 4;
  const address = { host: target.address, port: target.port, family, autoSelectFamily: false };
  // A reset fails, and the descriptor is lost, while Node closes our half because the peer has closed its own.
  const options = { onread, allowHalfOpen: true };
  if (target.origin === undefined) return connect({ ...address, ...options });
  const fd = openFrom(target.origin, target, 'tcp');
  // Reading begins with the connection: before it there is nothing to read from.
  const inherited = { ...options, fd, manualStart: true };
  return new Socket(inherited).connect(address);
}

/** Gives a UDP socket its origin, before it is connected. @throws where the socket cannot be opened there */
export function bindTo(socket: Datagrams, target: Target): void {
  if (target.origin !== undefined) socket.bind({ fd: openFrom(target.origin, target, 'udp') });
}
