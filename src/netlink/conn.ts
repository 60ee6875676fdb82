/**
 * A connection to one protocol of the kernel's netlink: requests out, answers matched by sequence number. One exchange
 * at a time; the rest waits in line. The kernel answers inside `send`, so an exchange is usually over without a
 * turn of the event loop; long work gives the loop a turn in between.
 */
import { ByteWriter } from '../core/bytes.js';
import { errnoName, errnoValue } from '../core/errno.js';
import { LvsError } from '../core/errors.js';
import type { NetlinkSocket, Timer, Timers, Turns } from '../core/ports.js';
import { seconds } from '../core/units.js';
import { type Message, NLMSG, splitDatagram } from '../wire/netlink.js';
import {
  BATCH_MESSAGES_MAX,
  BatchExchange,
  type Exchange,
  type NetlinkRequest,
  type NetlinkResult,
  QuestionExchange,
  type ReadPayload,
} from './exchange.js';
import { failureError, type NetlinkFailure, ownFailure } from './failure.js';

/** How long the kernel may be silent within an exchange. */
const SILENCE_MAX = seconds(3);

/** The kernel fills no more than 32 KiB of it in a dump; single answers may be larger. */
const RECEIVE_BYTES = 64 * 1024;

/** Room for a batch; it grows where a single request is larger. */
const SEND_BYTES = 36 * 1024;

/** What may be received and asked before the event loop gets a turn. */
const TURN_BYTES_MAX = 32 * 1024;
const TURN_DATAGRAMS_MAX = 64;
const TURN_REQUESTS_MAX = BATCH_MESSAGES_MAX;

/** Turns that may go into emptying the socket of answers that nobody waits for any more. */
const STALE_TURNS_MAX = 256;

/** A dump that the table's changes keep interrupting is tried this often. */
const DUMP_TRIES_MAX = 5;

const SEQUENCE_MAX = 0xffffffff;

const EINTR = errnoValue('EINTR');
const EAGAIN = errnoValue('EAGAIN');
const ENOBUFS = errnoValue('ENOBUFS');
const EMSGSIZE = errnoValue('EMSGSIZE');

/** An exchange under way. */
interface Run {
  readonly exchange: Exchange;
  readonly first: number;
  /** Some answer was lost or cannot be read, but others may still come. */
  lost: NetlinkFailure | undefined;
  /** An answer came since the silence was last measured. */
  heard: boolean;
}

export class NetlinkConnection {
  readonly #socket: NetlinkSocket;
  readonly #timers: Timers;
  readonly #turns: Turns;
  readonly #buffer = new Uint8Array(RECEIVE_BYTES);
  readonly #writer = new ByteWriter(SEND_BYTES);
  #sequence = 1;
  /** Settles when the last exchange in line is over. */
  #line: Promise<unknown> = Promise.resolve();
  /** The last exchange was given up: its answers may still come. */
  #stale = false;
  #closed = false;
  #turnBytes = 0;
  #turnDatagrams = 0;
  #turnRequests = 0;
  /** Ends the wait for the socket. */
  #wake: (() => void) | undefined;

  /** Takes the socket over. */
  constructor(socket: NetlinkSocket, timers: Timers, turns: Turns) {
    this.#socket = socket;
    this.#timers = timers;
    this.#turns = turns;
  }

  /**
   * Carries out changes in their order; an error does not stop the rest. One result for each request: where an answer
   * was lost (ENOBUFS, ETIMEDOUT, EPROTO) the request may have been carried out, so look at the table.
   * @throws NETLINK (rejects) only where the connection is closed.
   */
  async batch(requests: readonly NetlinkRequest[]): Promise<NetlinkResult[]> {
    const results: NetlinkResult[] = [];
    while (results.length < requests.length) {
      const exchange = new BatchExchange(requests, results.length);
      await this.#inLine(exchange);
      results.push(...exchange.results);
    }
    return results;
  }

  /** One question, one answer. @throws NETLINK, PERMISSION (facts: errno, text), and what `read` throws */
  async ask<Value>(request: NetlinkRequest, read: ReadPayload<Value>): Promise<Value> {
    const exchange = new QuestionExchange(request, read, false);
    await this.#inLine(exchange);
    const [value] = exchange.result();
    // A finished question without failure has its answer; the answer itself may be undefined.
    return value as Value;
  }

  /** One change that is acknowledged. @throws NETLINK, PERMISSION (facts: errno, text) */
  async acknowledge(request: NetlinkRequest): Promise<void> {
    const [result] = await this.batch([request]);
    if (result?.ok === false) throw failureError(result);
  }

  /**
   * All messages of a dump. One that the kernel marks as interrupted is repeated.
   * @throws NETLINK, PERMISSION (facts: errno, text), and what `read` throws
   */
  async dump<Value>(request: NetlinkRequest, read: ReadPayload<Value>): Promise<Value[]> {
    for (let attempt = 0; attempt < DUMP_TRIES_MAX; attempt += 1) {
      const exchange = new QuestionExchange(request, read, true);
      await this.#inLine(exchange);
      const values = exchange.result();
      if (!exchange.interrupted) return values;
    }
    throw failureError(ownFailure('EINTR'));
  }

  /** Rejects what is under way and what waits with ECANCELED. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.onReadable(undefined);
    this.#socket.close();
    this.#wake?.();
  }

  #inLine(exchange: Exchange): Promise<void> {
    const done = this.#line.then(() => this.#perform(exchange));
    this.#line = done.catch(() => undefined);
    return done;
  }

  async #perform(exchange: Exchange): Promise<void> {
    if (this.#stale) await this.#discardStale();
    if (this.#turnIsUp() || this.#turnRequests >= TURN_REQUESTS_MAX) await this.#turn();
    if (this.#closed) throw failureError(ownFailure('ECANCELED'));
    const first = this.#reserve(exchange.count);
    this.#turnRequests += exchange.count;
    this.#writer.truncate(0);
    exchange.encode(this.#writer, first);
    const sent = this.#socket.send(this.#writer.finish());
    if (sent < 0) {
      exchange.finish({ ok: false, errno: errnoName(-sent), text: 'the request was not sent' });
      return;
    }
    this.#stale = true;
    const run: Run = { exchange, first, lost: undefined, heard: false };
    const failure = await this.#collect(run);
    this.#stale = failure !== undefined;
    exchange.finish(failure);
  }

  #reserve(count: number): number {
    if (this.#sequence + count > SEQUENCE_MAX) this.#sequence = 1;
    const first = this.#sequence;
    this.#sequence += count;
    return first;
  }

  /** Receives until the exchange is complete. @returns why some of its answers are missing */
  async #collect(run: Run): Promise<NetlinkFailure | undefined> {
    let timer: Timer | undefined;
    let silent = false;
    try {
      for (;;) {
        const state = this.#receive(run);
        // The kernel answers at once: after a loss, what is not there by now will not come.
        if (state === 'complete' || (state === 'empty' && run.lost !== undefined)) return run.lost;
        if (silent) return ownFailure('ETIMEDOUT');
        if (run.heard || timer === undefined) {
          timer?.cancel();
          timer = this.#timers.after(SILENCE_MAX, () => {
            silent = true;
            this.#wake?.();
          });
          run.heard = false;
        }
        await (state === 'more' ? this.#turn() : this.#readable());
        if (this.#closed) throw failureError(ownFailure('ECANCELED'));
      }
    } finally {
      timer?.cancel();
    }
  }

  /** Takes what is there, as far as this turn allows. */
  #receive(run: Run | undefined): 'complete' | 'empty' | 'more' {
    while (!this.#turnIsUp()) {
      const size = this.#socket.receive(this.#buffer);
      if (size === -EAGAIN) return 'empty';
      this.#turnDatagrams += 1;
      if (size >= 0) {
        this.#turnBytes += size;
        if (run !== undefined && this.#feed(run, this.#buffer.subarray(0, size))) return 'complete';
      } else if (size === -ENOBUFS || size === -EMSGSIZE) {
        if (run !== undefined) run.lost ??= ownFailure('ENOBUFS');
      } else if (size !== -EINTR) {
        if (run !== undefined) run.lost = { ok: false, errno: errnoName(-size), text: undefined };
        return 'complete';
      }
    }
    return 'more';
  }

  /** Gives a datagram's messages to the exchange; true when it is complete. */
  #feed(run: Run, datagram: Uint8Array): boolean {
    try {
      return splitDatagram(datagram).some((message) => this.#take(run, message));
    } catch (thrown) {
      if (!(thrown instanceof LvsError)) throw thrown;
      run.lost ??= ownFailure('EPROTO');
      return false;
    }
  }

  #take(run: Run, message: Message): boolean {
    const index = message.sequence - run.first;
    // Answers to an exchange that was given up, and notifications (sequence 0), are nobody's.
    if (index < 0 || index >= run.exchange.count) return false;
    run.heard = true;
    if (message.type === NLMSG.OVERRUN) run.lost ??= ownFailure('ENOBUFS');
    return run.exchange.take(index, message);
  }

  /** A dump that was given up goes on in the kernel, and no other can begin, until all of it is received. */
  async #discardStale(): Promise<void> {
    for (let turns = 0; turns < STALE_TURNS_MAX && !this.#closed; turns += 1) {
      if (this.#receive(undefined) !== 'more') break;
      await this.#turn();
    }
    this.#stale = false;
  }

  #turnIsUp(): boolean {
    return this.#turnBytes >= TURN_BYTES_MAX || this.#turnDatagrams >= TURN_DATAGRAMS_MAX;
  }

  async #turn(): Promise<void> {
    await new Promise<void>((resolve) => this.#turns.soon(resolve));
    this.#beginTurn();
  }

  #beginTurn(): void {
    this.#turnBytes = 0;
    this.#turnDatagrams = 0;
    this.#turnRequests = 0;
  }

  async #readable(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#socket.onReadable(resolve);
    });
    this.#wake = undefined;
    if (!this.#closed) this.#socket.onReadable(undefined);
    this.#beginTurn();
  }
}
