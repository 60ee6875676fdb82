/** One send and the answers that it calls for. No socket here: the connection feeds in what it receives. */
import type { ByteWriter } from '../core/bytes.js';
import { LvsError } from '../core/errors.js';
import {
  beginMessage,
  endMessage,
  type Message,
  NLM_F,
  NLMSG,
  readDone,
  readError,
} from '../wire/netlink.js';
import { failureError, kernelFailure, type NetlinkFailure, ownFailure } from './failure.js';

/** Writes a payload where it is wanted. @throws MALFORMED for values that no message can hold */
export type WritePayload = (writer: ByteWriter) => void;

/** What comes after the netlink header. */
export type Payload = Uint8Array | WritePayload;

/** One request. `flags` are those besides REQUEST, ACK and DUMP. */
export interface NetlinkRequest {
  readonly type: number;
  readonly flags?: number;
  readonly payload: Payload;
}

export type NetlinkResult = { readonly ok: true } | NetlinkFailure;

/** Reads an answer's payload. The bytes change once it returns: copy what has to stay. */
export type ReadPayload<Value> = (payload: Uint8Array) => Value;

export interface Exchange {
  /** How many sequence numbers it may use up. */
  readonly count: number;
  /** Writes what is to be sent; the first request gets the sequence number `first`. */
  encode(writer: ByteWriter, first: number): void;
  /** Takes an answer to request `index`; true when no more is to come. @throws TRUNCATED, MALFORMED */
  take(index: number, message: Message): boolean;
  /** Called once, last: with the failure where answers are missing. */
  finish(failure: NetlinkFailure | undefined): void;
}

const OK: NetlinkResult = { ok: true };

/** Of one send: below SO_SNDBUF (212992), and few enough that the event loop is held for a millisecond or two. */
export const BATCH_MESSAGES_MAX = 64;
const BATCH_BYTES_MAX = 32 * 1024;

/** Writes a request. @returns why it cannot be written; then nothing is */
function encodeRequest(
  writer: ByteWriter,
  { type, flags = 0, payload }: NetlinkRequest,
  sequence: number,
  more: number,
): NetlinkFailure | undefined {
  const start = beginMessage(writer, { type, flags: flags | more | NLM_F.REQUEST, sequence, portId: 0 });
  try {
    if (typeof payload === 'function') payload(writer);
    else writer.raw(payload);
    endMessage(writer, start);
    return undefined;
  } catch (thrown) {
    writer.truncate(start);
    if (thrown instanceof LvsError && thrown.code === 'MALFORMED') {
      return { ok: false, errno: 'EINVAL', text: thrown.message };
    }
    throw thrown;
  }
}

/**
 * Many changes in one send. The kernel carries them out in order, reports every error, and an error does not stop the
 * rest. So none asks for an acknowledgement; behind them goes an empty message that does, and its answer says that
 * all before it is done. Against acknowledging all this takes a quarter of the time, the receive buffer cannot
 * overflow by our own doing, and nothing hangs on a request that the kernel never answers (netlink_rcv_skb is silent
 * where a command returns -EINTR, as stopping a sync daemon that has not run yet does).
 */
export class BatchExchange implements Exchange {
  readonly #failures: (NetlinkFailure | undefined)[] = [];
  #results: readonly NetlinkResult[] = [];

  /** As many of the requests as one send may carry, beginning with number `from`. */
  constructor(
    readonly requests: readonly NetlinkRequest[],
    readonly from: number,
  ) {}

  get count(): number {
    return Math.min(this.requests.length - this.from, BATCH_MESSAGES_MAX) + 1;
  }

  /** One for each request that the send carried, once the exchange is finished. */
  get results(): readonly NetlinkResult[] {
    return this.#results;
  }

  encode(writer: ByteWriter, first: number): void {
    for (let index = 0; index < this.count - 1; index += 1) {
      const request = this.requests[this.from + index];
      if (request === undefined) break;
      const before = writer.length;
      const failure = encodeRequest(writer, request, first + index, 0);
      if (index > 0 && writer.length > BATCH_BYTES_MAX) {
        writer.truncate(before);
        break;
      }
      this.#failures.push(failure);
    }
    const barrier = { type: NLMSG.NOOP, flags: NLM_F.REQUEST | NLM_F.ACK, portId: 0 };
    endMessage(writer, beginMessage(writer, { ...barrier, sequence: first + this.#failures.length }));
  }

  take(index: number, message: Message): boolean {
    if (message.type !== NLMSG.ERROR) return false;
    const answer = readError(message);
    if (index >= this.#failures.length) return true;
    if (answer.errno !== 0) this.#failures[index] = kernelFailure(answer.errno, answer);
    return false;
  }

  finish(failure: NetlinkFailure | undefined): void {
    this.#results = this.#failures.map((own) => own ?? failure ?? OK);
  }
}

/** A question: one answer, or with `dump` any number of them, ended by DONE. */
export class QuestionExchange<Value> implements Exchange {
  readonly count = 1;
  /** The table changed while it was read: the values are worth nothing. */
  interrupted = false;
  readonly #values: Value[] = [];
  #failure: NetlinkFailure | undefined;
  #unreadable: { readonly thrown: unknown } | undefined;

  constructor(
    readonly request: NetlinkRequest,
    readonly read: ReadPayload<Value>,
    readonly dump: boolean,
  ) {}

  encode(writer: ByteWriter, first: number): void {
    const failure = encodeRequest(writer, this.request, first, this.dump ? NLM_F.DUMP : 0);
    if (failure !== undefined) throw failureError(failure);
  }

  take(_index: number, message: Message): boolean {
    if ((message.flags & NLM_F.DUMP_INTR) !== 0) this.interrupted = true;
    if (message.type >= NLMSG.MIN_TYPE) {
      this.#readValue(message.payload);
      return !this.dump;
    }
    if (message.type === NLMSG.ERROR) return this.#takeError(message);
    if (message.type !== NLMSG.DONE) return false;
    const done = readDone(message);
    if (done.errno !== 0) this.#failure = kernelFailure(done.errno, done);
    return true;
  }

  /** The kernel will send the rest of a dump whether or not its first message could be read: so go on. */
  #readValue(payload: Uint8Array): void {
    try {
      this.#values.push(this.read(payload));
    } catch (thrown) {
      this.#unreadable ??= { thrown };
    }
  }

  #takeError(message: Message): boolean {
    const answer = readError(message);
    if (answer.errno !== 0) this.#failure = kernelFailure(answer.errno, answer);
    // An acknowledgement was not asked for. Where one answer should come, it says that none will.
    else if (!this.dump) this.#failure = ownFailure('EPROTO');
    return this.#failure !== undefined;
  }

  finish(failure: NetlinkFailure | undefined): void {
    const isComplete = !this.dump && this.#values.length > 0;
    if (!isComplete) this.#failure ??= failure;
  }

  /** The answers, once the exchange is finished. @throws NETLINK, PERMISSION, and what `read` threw */
  result(): Value[] {
    if (this.#failure !== undefined) throw failureError(this.#failure);
    if (this.#unreadable !== undefined) throw this.#unreadable.thrown;
    return this.#values;
  }
}
