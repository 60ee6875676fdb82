/** The service manager's notification socket (sd_notify(3)). */
import { errnoName } from '../core/errno.js';
import { LvsError } from '../core/errors.js';
import { loadNative } from './native.js';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
/** sizeof sun_path in struct sockaddr_un (sys/un.h). */
const PATH_BYTES_MAX = 108;

function socketAddress(path: string): Uint8Array {
  // An abstract name is written with @ and begins with a NUL on the wire (unix(7)).
  const name = Buffer.from(path.startsWith('@') ? `\0${path.slice(1)}` : path);
  if (name.length === 0 || name.length > PATH_BYTES_MAX) {
    throw new LvsError('NATIVE', `NOTIFY_SOCKET names no socket: ${path}`);
  }
  return Buffer.concat([Uint8Array.of(AF_UNIX, 0), name]);
}

/**
 * Tells the service manager a state such as `READY=1` or `STOPPING=1`; without one (`path` undefined) does nothing.
 * @throws NATIVE where it cannot be told
 */
export function notifyManager(path: string | undefined, state: string): void {
  if (path === undefined || path === '') return;
  const socket = loadNative().openSocket(AF_UNIX, SOCK_DGRAM, 0);
  if (typeof socket === 'number') {
    throw new LvsError('NATIVE', `cannot open a socket for ${path}: ${errnoName(-socket)}`);
  }
  const sent = socket.send(Buffer.from(state), socketAddress(path));
  socket.close();
  if (sent < 0) throw new LvsError('NATIVE', `cannot notify ${path}: ${errnoName(-sent)}`);
}
