/** Sockets with an origin, over the native part. */
import type { OpenOrigin } from '../core/ports.js';
import { leaveIfLost, loadNative } from './native.js';

// sys/socket.h
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;

/** Opens a socket that is not connected yet. @throws NATIVE where the native part is missing */
export const openOrigin: OpenOrigin = ({ family, type, mark, device, source, namespace }) => {
  const domain = family === 'ipv6' ? AF_INET6 : AF_INET;
  const kind = type === 'tcp' ? SOCK_STREAM : SOCK_DGRAM;
  const fd = loadNative().openOrigin(domain, kind, mark, device, source, namespace);
  leaveIfLost(fd);
  return fd;
};
