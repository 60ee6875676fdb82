/** One send and the answers that it calls for. No socket here: the connection feeds in what it receives. */
import { ByteWriter } from '../core/bytes.js';
import {
  type Message,
  messageSize,
  NLM_F,
  NLMSG,
  readDone,
  readError,
  writeMessage,
} from '../wire/netlink.js';
import { failureError, kernelFailure, type NetlinkFailure, ownFailure } from './failure.js';

/** One request: the payload after the netlink header, and flags besides REQUEST, ACK and DUMP. */
export interface NetlinkRequest {
  readonly type: number;
  readonly flags?: number;
  readonly payload: Uint8Array;
}

export type NetlinkResult = { readonly ok: true } | NetlinkFailure;

/** Reads an answer's payload. The bytes change once it returns: copy what has to stay. */
export type ReadPayload<Value> = (payload: Uint8Array) => Value;

export interface Exchange {
  /** How many sequence numbers it uses up. */
  readonly count: number;
  /** The bytes to send where the first request has this sequence number. */
  encode(first: number): Uint8Array;
  /** Takes an answer to request `index`; true when no more is to come. @throws TRUNCATED, MALFORMED */
  take(index: number, message: Message): boolean;
  /** Called once, last: with the failure where answers are missing. */
  finish(failure: NetlinkFailure | undefined): void;
}

const OK: NetlinkResult = { ok: true };

/**
 * Many changes in one send. The kernel carries them out in order, reports every error, and an error does not stop the
 * rest. So none asks for an acknowledgement; behind them goes an empty message that does, and its answer says that
 * all before it is done. Against acknowledging all this takes a quarter of the time, the receive buffer cannot
 * overflow by our own doing, and nothing hangs on a request that the kernel never answers (netlink_rcv_skb is silent
 * where a command returns -EINTR, as stopping a sync daemon that has not run yet does).
 */
export class BatchExchange implements Exchange {
  readonly #failures: (NetlinkFailure | undefined)[];
  #results: readonly NetlinkResult[] = [];

  constructor(readonly requests: readonly NetlinkRequest[]) {
    this.#failures = requests.map(() => undefined);
  }

  get count(): number {
    return this.requests.length + 1;
  }

  /** One for each request, once the exchange is finished. */
  get results(): readonly NetlinkResult[] {
    return this.#results;
  }

  encode(first: number): Uint8Array {
    const writer = new ByteWriter(16 * 1024);
    for (const [index, { type, flags = 0, payload }] of this.requests.entries()) {
      const header = { type, flags: flags | NLM_F.REQUEST, sequence: first + index, portId: 0 };
      writeMessage(writer, { ...header, payload });
    }
    const barrier = { type: NLMSG.NOOP, flags: NLM_F.REQUEST | NLM_F.ACK, portId: 0 };
    writeMessage(writer, { ...barrier, sequence: first + this.requests.length, payload: new Uint8Array(0) });
    return writer.finish();
  }

  take(index: number, message: Message): boolean {
    if (message.type !== NLMSG.ERROR) return false;
    const answer = readError(message);
    if (index === this.requests.length) return true;
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

  encode(first: number): Uint8Array {
    const { type, flags = 0, payload } = this.request;
    const writer = new ByteWriter(messageSize(payload.length));
    const all = flags | NLM_F.REQUEST | (this.dump ? NLM_F.DUMP : 0);
    writeMessage(writer, { type, flags: all, sequence: first, portId: 0, payload });
    return writer.finish();
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
