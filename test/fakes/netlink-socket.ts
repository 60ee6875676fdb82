/** A kernel that is a function: from each request to what the socket receives. It has the nasty habits of the real one. */
import { errnoValue } from '../../src/core/errno.js';
import type { NetlinkSocket } from '../../src/core/ports.js';
import { type Message, NLMSG, splitDatagram } from '../../src/wire/netlink.js';
import { datagram, doneAnswer, type ErrorWords, errorAnswer } from './answers.js';

/** A datagram, or a receive that fails with -errno. */
export type Arrival = Uint8Array | number;

/** What one request brings. */
export type Kernel = (request: Message) => readonly Arrival[];

export class FakeNetlinkSocket implements NetlinkSocket {
  readonly portId = 4711;
  /** The messages of each send. */
  readonly sends: Message[][] = [];
  closed = 0;
  /** Control messages are acknowledged, unless this is set. */
  mute = false;
  /** -errno for the next send. */
  sendFails: number | undefined;
  readonly #arrivals: Arrival[] = [];
  #listener: (() => void) | undefined;
  #announced = false;

  constructor(public kernel: Kernel) {}

  send(bytes: Uint8Array): number {
    const failure = this.sendFails;
    this.sendFails = undefined;
    if (failure !== undefined) return failure;
    const messages = splitDatagram(bytes.slice());
    this.sends.push(messages);
    for (const message of messages) this.#arrivals.push(...this.#answer(message));
    return bytes.length;
  }

  /** netlink_rcv_skb: control messages are not the protocol's. */
  #answer(message: Message): readonly Arrival[] {
    if (message.type >= NLMSG.MIN_TYPE) return this.kernel(message);
    return this.mute ? [] : acknowledged(message);
  }

  receive(into: Uint8Array): number {
    if (this.closed > 0) return -errnoValue('EBADF');
    const arrival = this.#arrivals.shift();
    if (arrival === undefined) return -errnoValue('EAGAIN');
    if (typeof arrival === 'number') return arrival;
    if (arrival.length > into.length) return -errnoValue('EMSGSIZE');
    into.set(arrival);
    return arrival.length;
  }

  onReadable(listener: (() => void) | undefined): void {
    this.#listener = listener;
    this.#announce();
  }

  close(): void {
    this.closed += 1;
  }

  /** Arrives late: after the send that caused it has returned. */
  deliver(...arrivals: readonly Arrival[]): void {
    this.#arrivals.push(...arrivals);
    this.#announce();
  }

  /** All requests but control messages, whatever sends they came in. */
  get requests(): Message[] {
    return this.sends.flat().filter(({ type }) => type >= NLMSG.MIN_TYPE);
  }

  get unread(): number {
    return this.#arrivals.length;
  }

  get isWatched(): boolean {
    return this.#listener !== undefined;
  }

  /** Level-triggered, as poll is. */
  #announce(): void {
    if (this.#announced || this.#listener === undefined || this.#arrivals.length === 0) return;
    this.#announced = true;
    setImmediate(() => {
      this.#announced = false;
      this.#listener?.();
      this.#announce();
    });
  }
}

const ACK = 0x4;

/** The request's header with its length, as an error answer echoes it. */
function lengthened(request: Message): Message & { readonly length: number } {
  return { ...request, length: 16 + request.payload.length };
}

/** One datagram with an acknowledgement; none where none was asked for. */
export function acknowledged(request: Message): Arrival[] {
  return (request.flags & ACK) === 0 ? [] : [datagram(errorAnswer(lengthened(request), 0))];
}

/** One datagram with an error. */
export function refused(request: Message, errno: number, words?: ErrorWords): Arrival[] {
  return [datagram(errorAnswer(lengthened(request), errno, words === undefined ? {} : { words }))];
}

/** One message of an answer. */
export function answer(request: Message, payload: Uint8Array, flags = 0): Message {
  return { type: request.type, flags, sequence: request.sequence, portId: request.portId, payload };
}

const MULTI = 0x2;

/** A dump as the kernel sends it: in parts of `perDatagram` messages, DONE in a datagram of its own. */
export function dumped(
  request: Message,
  payloads: readonly Uint8Array[],
  perDatagram = payloads.length,
): Arrival[] {
  const parts: Arrival[] = [];
  for (let from = 0; from < payloads.length; from += perDatagram) {
    const part = payloads.slice(from, from + perDatagram);
    parts.push(datagram(...part.map((payload) => answer(request, payload, MULTI))));
  }
  return [...parts, datagram(doneAnswer(request))];
}
