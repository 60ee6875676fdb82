/** Ping check: an ICMP echo that comes back as it was sent. */
import { randomBytes, randomInt } from 'node:crypto';
import { errnoName, errnoValue } from '../core/errno.js';
import { type Family, ipBytes, ipFamily } from '../core/ip.js';
import type { OpenPacketSocket, PacketSocket } from '../core/ports.js';
import {
  decodeEchoAnswer,
  type EchoAnswer,
  type EchoKey,
  echoFilter,
  encodeEcho,
  withoutIpv4Header,
} from '../wire/icmp.js';
import { IPPROTO } from '../wire/ip-protocols.js';
import { encodeSockaddr } from '../wire/sockaddr.js';
import { reasonOfError } from './errno.js';
import { deviceBytes, markBits, namespacePath, originFailure, sourceBytes } from './origin.js';
import { type Now, type ProbeRun, runProbe } from './probe-run.js';
import type { Prober } from './prober.js';
import { bytesText } from './reason.js';
import type { PingCheck } from './spec-ping.js';
import type { Origin, Target } from './spec-target.js';

// socket.h (asm-generic too), in.h, in6.h
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;
const SO_MARK = 36;
const RECVERR: Readonly<Record<Family, readonly [level: number, name: number]>> = {
  ipv4: [0, 11],
  ipv6: [41, 25],
};
const DOMAIN: Readonly<Record<Family, number>> = { ipv4: 2, ipv6: 10 };
const PROTOCOL: Readonly<Record<Family, number>> = { ipv4: IPPROTO.ICMP, ipv6: IPPROTO.ICMPV6 };
/** Where the address stands in a struct sockaddr. */
const ADDRESS_AT: Readonly<Record<Family, number>> = { ipv4: 4, ipv6: 8 };

const EAGAIN = errnoValue('EAGAIN');
const EMSGSIZE = errnoValue('EMSGSIZE');
/** The user's group is not in net.ipv4.ping_group_range, or the kernel is built without such sockets. */
const REFUSALS: ReadonlySet<number> = new Set(
  (['EACCES', 'EPERM', 'EPROTONOSUPPORT'] as const).map((name) => -errnoValue(name)),
);
/** What a socket reports of what others have answered; anything else is our own trouble. */
const ANSWERED: ReadonlySet<string> = new Set<string>([
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENONET',
  'ENOPROTOOPT',
  'EOPNOTSUPP',
  'EPROTO',
  'EACCES',
  'EMSGSIZE',
]);

const PAYLOAD_LENGTH = 56;
/** Messages that are read before anything else gets its turn. */
const SLICE = 64;

// One message is read at a time on a thread, so one set of buffers does for all probes.
const MESSAGE = new Uint8Array(2048);
const SENDER = new Uint8Array(28);
const NO_CONTROL = new Uint8Array(0);
const FACTS = new Int32Array(3);

/** A socket for one echo. */
interface EchoSocket {
  readonly socket: PacketSocket;
  /** It hears everybody's messages, with the header of IPv4; else the kernel has chosen the identifier and keeps to it. */
  readonly isRaw: boolean;
}

/** Has a socket send from there: 0 or -errno. */
function setOrigin(socket: PacketSocket, origin: Origin): number {
  const [mark, device, source] = [markBits(origin), deviceBytes(origin), sourceBytes(origin)];
  let result = mark === 0 ? 0 : socket.setOption(SOL_SOCKET, SO_MARK, mark);
  if (result >= 0 && device.length > 0) result = socket.setOption(SOL_SOCKET, SO_BINDTODEVICE, device);
  return result >= 0 && source.length > 0 ? socket.bind(source) : result;
}

interface Wanted {
  readonly family: Family;
  /** By which a raw socket tells its echoes apart. */
  readonly id: number;
  readonly origin: Origin | undefined;
}

function open({ family, id, origin }: Wanted, openSocket: OpenPacketSocket): EchoSocket | number {
  const namespace = origin?.namespace === undefined ? undefined : namespacePath(origin.namespace);
  const openAs = (type: number) => openSocket(DOMAIN[family], type, PROTOCOL[family], namespace);
  const unprivileged = openAs(SOCK_DGRAM);
  if (typeof unprivileged !== 'number') {
    const result = unprivileged.setOption(...RECVERR[family], 1);
    return kept({ socket: unprivileged, isRaw: false }, result, origin);
  }
  if (!REFUSALS.has(unprivileged)) return unprivileged;
  const raw = openAs(SOCK_RAW);
  if (typeof raw === 'number') return raw;
  return kept({ socket: raw, isRaw: true }, raw.filter(echoFilter(family, id)), origin);
}

function kept(opened: EchoSocket, set: number, origin: Origin | undefined): EchoSocket | number {
  const result = set >= 0 && origin !== undefined ? setOrigin(opened.socket, origin) : set;
  if (result >= 0) return opened;
  opened.socket.close();
  return result;
}

/** One echo, from its socket to its answer. */
class Echo {
  readonly #run: ProbeRun;
  readonly #family: Family;
  readonly #target: Uint8Array;
  readonly #key: EchoKey;
  readonly #payload = randomBytes(PAYLOAD_LENGTH);
  readonly #origin: Origin | undefined;

  constructor(run: ProbeRun, { address, origin }: Target, sequence: number) {
    this.#run = run;
    this.#origin = origin;
    this.#family = ipFamily(address);
    this.#target = ipBytes(address);
    this.#key = { id: randomInt(0x1_0000), sequence };
  }

  begin(address: Uint8Array, openSocket: OpenPacketSocket): void {
    const opened = open({ family: this.#family, id: this.#key.id, origin: this.#origin }, openSocket);
    if (typeof opened === 'number') this.#failToOpen(opened);
    else this.#send(opened, address);
  }

  #send(opened: EchoSocket, address: Uint8Array): void {
    const { socket } = opened;
    this.#run.atEnd(() => socket.close());
    socket.onReadable(() => this.#run.guard(() => this.#read(opened)));
    this.#run.enter('request');
    const sent = socket.send(encodeEcho(this.#family, this.#key, this.#payload), address);
    if (sent < 0) this.#fail(sent);
    else this.#run.enter('response');
  }

  #read(opened: EchoSocket): void {
    for (let count = 0; count < SLICE && !this.#run.ended; count += 1) {
      const length = opened.socket.receive(MESSAGE, SENDER, NO_CONTROL, FACTS);
      if (length === -EAGAIN) return;
      if (length >= 0) this.#hear(opened, length);
      // Longer than anything that could be of ours.
      else if (length !== -EMSGSIZE) this.#onError(length);
    }
  }

  #hear({ isRaw }: EchoSocket, length: number): void {
    const bytes = MESSAGE.subarray(0, length);
    const message = isRaw && this.#family === 'ipv4' ? withoutIpv4Header(bytes) : bytes;
    const answer = message === undefined ? undefined : decodeEchoAnswer(this.#family, message);
    if (answer === undefined || answer.key.sequence !== this.#key.sequence) return;
    if (isRaw && answer.key.id !== this.#key.id) return;
    if (answer.kind === 'error') this.#end(answer.errno);
    else if (this.#isFromTarget()) this.#judge(answer);
  }

  #isFromTarget(): boolean {
    const at = ADDRESS_AT[this.#family];
    return this.#target.every((byte, index) => SENDER[at + index] === byte);
  }

  #judge({ payload }: Extract<EchoAnswer, { kind: 'reply' }>): void {
    const detail = `another payload than was sent: ${bytesText(payload)}`;
    const isWhole = this.#payload.equals(payload);
    this.#run.end(isWhole ? { kind: 'ok' } : { kind: 'bad-content', phase: 'response', detail });
  }

  #onError(result: number): void {
    const errno = errnoName(-result);
    if (ANSWERED.has(errno)) this.#end(errno);
    else this.#fail(result);
  }

  /** What somebody has answered in place of a reply. */
  #end(errno: string): void {
    const { phase } = this.#run;
    if (errno === 'ECONNREFUSED') this.#run.end({ kind: 'refused', phase });
    else this.#run.end({ kind: 'unreachable', phase, errno });
  }

  #failToOpen(result: number): void {
    const [errno, { phase }] = [errnoName(-result), this.#run];
    const error = this.#origin === undefined ? { code: errno } : originFailure(this.#origin, errno);
    this.#run.end(reasonOfError(error, phase));
  }

  #fail(result: number): void {
    this.#run.end(reasonOfError({ code: errnoName(-result) }, this.#run.phase));
  }
}

/**
 * Passes when the target sends one echo back, unchanged. The socket is an unprivileged one where
 * net.ipv4.ping_group_range allows it, else a raw one (CAP_NET_RAW). Answers of others, and those to other echoes, are
 * not heard. Phases: `request`, `response`.
 */
export function pingProber(now: Now, openSocket: OpenPacketSocket): Prober<PingCheck> {
  let sequence = 0;
  return ({ target }, signal) =>
    runProbe(now, signal, (run) => {
      sequence = (sequence + 1) & 0xffff;
      new Echo(run, target, sequence).begin(encodeSockaddr(target.address, 0), openSocket);
    });
}
