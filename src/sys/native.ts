/** The native part as TypeScript sees it. Numbers below 0 are -errno; a wrong argument is -EINVAL, a closed descriptor -EBADF. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { errorText, LvsError } from '../core/errors.js';
import type { Connector } from '../core/ports.js';

/** For `NativeDescriptor.poll`: what to listen for, and what has come (uv.h UV_READABLE, UV_WRITABLE). */
export const POLL_READABLE = 1;
export const POLL_WRITABLE = 2;

/** A socket or a timer. Nothing waits; what cannot be done at once is -EAGAIN. */
export interface NativeDescriptor {
  /** 0, or -EBADF where it was closed before. */
  close(): number;
  /** `address` is the bytes of a struct sockaddr_*. */
  bind(address: Uint8Array): number;
  connect(address: Uint8Array): number;
  /** The length of the address written into `into`; -EMSGSIZE where it did not fit. */
  getsockname(into: Uint8Array): number;
  /** A number is a C int. Options whose values hold pointers are -EINVAL. */
  setsockopt(level: number, name: number, value: number | Uint8Array): number;
  /** The length of the value written into `into`; -EMSGSIZE where it did not fit. */
  getsockopt(level: number, name: number, into: Uint8Array): number;
  /** Attaches a classic BPF program of 8-byte instructions (struct sock_filter). */
  attachFilter(program: Uint8Array): number;
  /** Bytes sent. `to` is for sockets that are not connected, `control` holds struct cmsghdr records. */
  send(bytes: Uint8Array, to?: Uint8Array, control?: Uint8Array): number;
  /**
   * Bytes of one datagram; -EMSGSIZE where it did not fit (it is lost).
   * `facts` becomes [length of the sender's address, length of the control data, MSG_* flags].
   */
  receive(into: Uint8Array, from?: Uint8Array, control?: Uint8Array, facts?: Int32Array): number;
  /**
   * Messages sent, at most 256. `spans` has four integers a message: offset and length of its bytes in `slab`, offset
   * and length of its address in `slab` (length 0: the connected peer).
   */
  sendBatch(slab: Uint8Array, spans: Int32Array): number;
  /**
   * Messages received, at most 256. `slab` is cut into slots of `stride` bytes: `addressSize` bytes for the sender's
   * address, then the message. `results` has two integers a message: its length or -EMSGSIZE, the address's length.
   */
  receiveBatch(slab: Uint8Array, stride: number, addressSize: number, results: Int32Array): number;
  /**
   * Sends, then receives what has come: for netlink a whole round trip. The result is the number of datagrams; below 0,
   * nothing was sent. Datagram i ends at `ends[i]` in `into` and begins where the one before ended; an entry below 0 is
   * the last and the -errno of a failed receive. It ends when less than `room` bytes are left, or `ends` is full.
   */
  transact(request: Uint8Array, into: Uint8Array, room: number, ends: Int32Array): number;
  /**
   * Calls `listener` on this thread's loop whenever it is ready, or has an error to receive, until `poll(0)` or `close`.
   * Listening keeps the descriptor from being collected, and the thread alive unless `unref` was called.
   */
  poll(events: number, listener?: (events: number) => void): number;
  ref(): number;
  unref(): number;
  /** Arms a timer for an absolute instant of CLOCK_MONOTONIC in milliseconds, fractions allowed; 0 disarms it. */
  setTimer(deadline: number): number;
  /** How often the timer has fired since it was read last; -EAGAIN where it has not. */
  readTimer(): number;
}

/** As core/ports.ts tells it. */
export interface NativeConnector
  extends Pick<NativeDescriptor, 'close' | 'poll' | 'ref' | 'unref'>,
    Pick<Connector, 'start' | 'collect' | 'stop'> {}

export interface Native {
  /** AF_NETLINK, AF_PACKET, AF_INET, AF_INET6 or AF_UNIX; SOCK_RAW or SOCK_DGRAM; `namespace` as below. Or -errno. */
  openSocket(domain: number, type: number, protocol: number, namespace?: string): NativeDescriptor | number;
  /** A timer that fires at absolute instants, whatever the load (timerfd_create(2)). Or -errno. */
  openTimer(): NativeDescriptor | number;
  /** Many TCP connections on one epoll descriptor; 1 to 65,536 slots. Or -errno. */
  openConnector(slots: number): NativeConnector | number;
  /** pipe2(2): 0 or -errno. `ends` becomes [number to read from, number to write to]; whoever asks closes both. */
  openPipe(ends: Int32Array): number;
  /** waitpid(2) with WNOHANG: 0 while it runs, its number when its exit is taken, or -errno. */
  reapChild(pid: number): number;
  /**
   * The number of a socket (AF_INET or AF_INET6; SOCK_STREAM or SOCK_DGRAM) that is not connected, which the caller
   * closes, or -errno. `mark` 0, an empty `device` and `source` (a struct sockaddr_*), and no namespace: the usual.
   * -ENOTRECOVERABLE: the thread could not come back from the namespace file `namespace`, and must end.
   */
  openOrigin(
    domain: number,
    type: number,
    mark: number,
    device: Uint8Array,
    source: Uint8Array,
    namespace?: string,
  ): number;
  /** sched_setscheduler(2) of the calling thread: SCHED_OTHER 0, SCHED_FIFO 1, SCHED_RR 2. */
  setScheduler(policy: number, priority: number): number;
  /** mlock2(2), as pages are used, of all code and constants of the process: not of what V8 or anybody writes to. */
  lockProgram(): number;
  /** setns(2) of the calling thread alone: the namespace file `path`, CLONE_NEWNET 0x40000000 or 0 for any type. */
  enterNamespace(path: string, type: number): number;
}

// From dist/src/sys/ to the project's folder.
const NATIVE_FILE = fileURLToPath(new URL('../../../native/build/Release/lvsentry.node', import.meta.url));

/** What a file that an older version has built may lack. */
const FUNCTIONS: readonly (keyof Native)[] = [
  'openSocket',
  'openTimer',
  'openConnector',
  'openOrigin',
  'openPipe',
  'reapChild',
  'setScheduler',
  'lockProgram',
  'enterNamespace',
];

const loaded = new Map<string, Native>();

/** Loads the native part at its first use. @throws NATIVE, with what to do */
export function loadNative(file: string = NATIVE_FILE): Native {
  const known = loaded.get(file);
  if (known !== undefined) return known;
  try {
    const native = createRequire(import.meta.url)(file) as Native;
    const missing = FUNCTIONS.find((name) => typeof native[name] !== 'function');
    if (missing !== undefined) throw new Error(`it is of another version and has no ${missing}`);
    loaded.set(file, native);
    return native;
  } catch (thrown) {
    throw new LvsError(
      'NATIVE',
      `the native part does not load from ${file}: ${errorText(thrown).split('\n')[0]}; build it with \`npm run build:native\``,
      { file },
      { cause: thrown },
    );
  }
}

// errno.h
const ENOTRECOVERABLE = 131;

/**
 * After a socket was opened in another namespace. A thread that did not come back from there is in a foreign network for
 * ever. What it probes there would say nothing true: it ends, and starts anew.
 */
export function leaveIfLost(opened: unknown): void {
  if (opened === -ENOTRECOVERABLE) process.exit(1);
}
