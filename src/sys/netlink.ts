/** Netlink sockets over the native part. */
import { errnoName } from '../core/errno.js';
import { LvsError } from '../core/errors.js';
import type { NetlinkSocket, OpenNetlink } from '../core/ports.js';
import { loadNative, type Native, type NativeDescriptor, POLL_READABLE } from './native.js';

// sys/socket.h, linux/netlink.h
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;

const SOCKADDR_NL_BYTES = 12;
/** Room for the answers to a large batch: each costs some 800 bytes of the kernel's accounting. */
const RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024;

/** struct sockaddr_nl of the kernel, and of "choose a port id for me": family, then zeros. */
const KERNEL = new Uint8Array(SOCKADDR_NL_BYTES);
KERNEL[0] = AF_NETLINK;

function check(result: number, operation: string, protocol: number): number {
  if (result >= 0) return result;
  const errno = errnoName(-result);
  throw new LvsError(
    errno === 'EPERM' || errno === 'EACCES' ? 'PERMISSION' : 'NETLINK',
    `cannot open a netlink socket of protocol ${protocol}: ${operation} says ${errno}`,
    { operation, errno, protocol },
  );
}

function configure(descriptor: NativeDescriptor, protocol: number): number {
  check(descriptor.bind(KERNEL), 'bind', protocol);
  check(descriptor.connect(KERNEL), 'connect', protocol);
  // Kernels before 4.12 have neither: errors then come without a text and echo the request, which readers allow for.
  descriptor.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1);
  descriptor.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1);
  // Since 4.20 a dump of routes can ask for some of them; before it gives all, and whoever asked has to choose.
  descriptor.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
  // Without CAP_NET_ADMIN only as much as net.core.rmem_max allows.
  if (descriptor.setsockopt(SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES) < 0)
    descriptor.setsockopt(SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
  const name = new Uint8Array(SOCKADDR_NL_BYTES);
  check(descriptor.getsockname(name), 'getsockname', protocol);
  return new DataView(name.buffer).getUint32(4, true);
}

class KernelSocket implements NetlinkSocket {
  constructor(
    readonly descriptor: NativeDescriptor,
    readonly portId: number,
  ) {}

  send(bytes: Uint8Array): number {
    return this.descriptor.send(bytes);
  }

  receive(into: Uint8Array): number {
    return this.descriptor.receive(into);
  }

  onReadable(listener: (() => void) | undefined): void {
    if (listener === undefined) this.descriptor.poll(0);
    else this.descriptor.poll(POLL_READABLE, () => listener());
  }

  close(): void {
    this.descriptor.close();
  }
}

/** `openNetlink` over a given native part. */
export function netlinkOpener(load: () => Native): OpenNetlink {
  return (protocol, groups = []) => {
    const descriptor = load().openSocket(AF_NETLINK, SOCK_RAW, protocol);
    if (typeof descriptor === 'number') {
      check(descriptor, 'socket', protocol);
      throw new LvsError('INTERNAL', 'the native part gave a number for a socket');
    }
    try {
      const portId = configure(descriptor, protocol);
      for (const group of groups)
        check(descriptor.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group), `group ${group}`, protocol);
      return new KernelSocket(descriptor, portId);
    } catch (thrown) {
      descriptor.close();
      throw thrown;
    }
  };
}

/** Opens a netlink socket that is connected to the kernel. @throws NATIVE, NETLINK, PERMISSION */
export const openNetlink: OpenNetlink = netlinkOpener(loadNative);
