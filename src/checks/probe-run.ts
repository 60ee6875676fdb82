/** What all probers share: one deadline, timed phases, sockets that are freed, a result that is given once. */
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import type { Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { ipFamily } from '../core/ip.js';
import { type Micros, type Millis, micros } from '../core/units.js';
import { reasonOfError } from './errno.js';
import type { Outcome, Phase, ProbeResult, Reason } from './model.js';
import { bindTo, connectTo } from './origin.js';
import { outcomeOf } from './reason.js';
import type { Target } from './spec-target.js';

/** A monotonic clock with fractions of a millisecond. */
export type Now = () => Millis;

/** What a server says beside the outcome. */
export type Said = Pick<ProbeResult, 'weight' | 'say' | 'words'>;

/** What a prober wants to hear from a socket. Errors, the deadline and the end of the probe are not its business. */
export interface LinkHandlers {
  /** The connection stands, TLS included. */
  open(socket: Socket): void;
  /** Bytes came. They are valid only during the call: the buffer is shared by all sockets of the thread. */
  data(bytes: Uint8Array): void;
  /** The peer will say no more. */
  end(): void;
}

/** What a prober wants to hear from a UDP socket. */
export interface DatagramHandlers {
  /** It may send now. */
  open(socket: Datagrams): void;
  /** A datagram of the target's came. */
  data(bytes: Uint8Array): void;
}

/** A connection on which plain text was spoken so far. */
export interface PlainLink {
  readonly socket: Socket;
  /** Whether bytes came behind those that agreed on TLS. */
  readonly hasUnread: boolean;
}

/** Reads happen one after the other on a thread's loop, so one buffer does for all of them. */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * One probe while it runs. It ends once, by the first reason given: then every socket is freed, and the promise of
 * `runProbe` settles when the last one is closed. Calls after the end do nothing.
 */
export class ProbeRun {
  readonly #now: Now;
  readonly #signal: AbortSignal;
  readonly #settle: (result: ProbeResult) => void;
  readonly #started: Millis;
  readonly #phases: (readonly [Phase, Micros])[] = [];
  readonly #sockets: (Socket | Datagrams)[] = [];
  /** Connections that belong to the TLS session above them: Node crashes where such a one is reset. */
  readonly #wrapped = new Set<Socket | Datagrams>();
  readonly #atEnd: (() => void)[] = [];
  #phase: Phase = 'connect';
  #phaseStarted: Millis;
  #result: ProbeResult | undefined;
  #warning: string | undefined;
  #at: string | undefined;
  #said: Said = {};
  #isNeutral = false;
  readonly #dropped = new Set<Socket>();
  /** What it means when the deadline comes; undefined: a time-out in the phase that runs. */
  #silence: Reason | undefined;

  constructor(now: Now, signal: AbortSignal, settle: (result: ProbeResult) => void) {
    this.#now = now;
    this.#signal = signal;
    this.#settle = settle;
    this.#started = now();
    this.#phaseStarted = this.#started;
    signal.addEventListener('abort', this.#onDeadline);
  }

  get phase(): Phase {
    return this.#phase;
  }

  get ended(): boolean {
    return this.#result !== undefined;
  }

  /** Closes the phase that runs and begins the next one; the phase that runs already goes on. */
  enter(phase: Phase): void {
    if (phase === this.#phase || this.ended) return;
    const now = this.#now();
    this.#phases.push([this.#phase, microsBetween(this.#phaseStarted, now)]);
    this.#phase = phase;
    this.#phaseStarted = now;
  }

  /** What is to be said of the server although it passes. */
  warn(text: string): void {
    this.#warning = text;
  }

  /** What the server says of its weight and state. */
  tell(said: Said): void {
    this.#said = said;
  }

  /** From now on a failure, the deadline's too, says nothing of whether the server is up. */
  failNeutrally(): void {
    this.#isNeutral = true;
  }

  /** Where the probe is, for its reason; undefined: where it always is. */
  locate(at: string | undefined): void {
    this.#at = at;
  }

  /** From now on silence until the deadline is a pass. */
  passAtDeadline(): void {
    this.#silence = { kind: 'ok' };
  }

  /**
   * Ends the probe. Only the first call counts.
   * @param outcome in place of what the reason means
   */
  end(why: Reason, outcome = this.#meaningOf(why)): void {
    if (this.ended) return;
    const reason = this.#at === undefined ? why : { at: this.#at, ...why };
    const now = this.#now();
    this.#phases.push([this.#phase, microsBetween(this.#phaseStarted, now)]);
    const elapsed = microsBetween(this.#started, now);
    const warning = this.#warning === undefined || reason.kind !== 'ok' ? {} : { warning: this.#warning };
    this.#result = { outcome, reason, phases: this.#phases, elapsed, ...warning, ...this.#said };
    this.#signal.removeEventListener('abort', this.#onDeadline);
    // What stands above goes first.
    for (const socket of [...this.#sockets].reverse()) free(socket, this.#wrapped.has(socket));
    for (const giveBack of this.#atEnd) giveBack();
    this.#settleWhenFree();
  }

  /** What a prober has opened itself is given back here: once, at once, whatever ends the probe. */
  atEnd(free: () => void): void {
    if (this.ended) free();
    else this.#atEnd.push(free);
  }

  /** Ends the probe by an error of a socket, or by a defect of ours. */
  fail(thrown: unknown): void {
    this.end(reasonOfError(thrown, this.#phase));
  }

  /** Opens a TCP connection. Failure ends the probe. */
  openTcp(target: Target, handlers: LinkHandlers): void {
    if (this.ended) return;
    const socket = connectTo(target, {
      buffer: READ_BUFFER,
      callback: (count, buffer) => {
        this.guard(() => handlers.data(buffer.subarray(0, count)));
        return true;
      },
    });
    socket.once('connect', () => {
      if (isSelfConnected(socket, target)) this.end({ kind: 'refused', phase: this.#phase });
      else this.guard(() => handlers.open(socket));
    });
    this.#own(socket, handlers);
  }

  /** Opens a TCP connection and, in phase `tls`, a TLS session over it. Failure ends the probe. */
  openTls(target: Target, options: ConnectionOptions, handlers: LinkHandlers): void {
    if (this.ended) return;
    if (target.origin !== undefined) {
      const open = (socket: Socket): void => this.upgradeTls({ socket, hasUnread: false }, options, handlers);
      this.openTcp(target, { open, data: () => undefined, end: () => handlers.end() });
      return;
    }
    const socket = connectTls({ ...options, ...address(target) });
    socket.once('connect', () => this.enter('tls'));
    this.#ownTls(socket, handlers);
  }

  /**
   * Puts TLS over a connection of `openTcp`, in phase `tls`, once both sides have agreed on it; its old handlers hear
   * nothing more. Bytes that came before the handshake would pass for what was said in secret (STARTTLS injection,
   * RFC 3207 6, CVE-2011-0411): they are a protocol error. Failure ends the probe.
   */
  upgradeTls({ socket, hasUnread }: PlainLink, options: ConnectionOptions, handlers: LinkHandlers): void {
    if (this.ended) return;
    if (hasUnread) {
      this.end({ kind: 'protocol-error', phase: this.#phase, detail: 'plain text before the TLS handshake' });
      return;
    }
    this.enter('tls');
    this.#wrapped.add(socket);
    this.#ownTls(connectTls({ ...options, socket }), handlers);
  }

  /**
   * Opens a UDP socket that hears and tells the target alone. What the network answers in ICMP (no such port, no such
   * host) ends the probe.
   */
  openUdp(target: Target, handlers: DatagramHandlers): void {
    if (this.ended) return;
    const socket = createSocket(ipFamily(target.address) === 'ipv6' ? 'udp6' : 'udp4');
    this.#sockets.push(socket);
    socket.on('error', (error) => this.fail(error));
    socket.on('message', (bytes) => this.guard(() => handlers.data(bytes)));
    socket.once('close', () => this.#onClosed(socket));
    // A callback of `connect` would be given its error too.
    socket.once('connect', () => this.guard(() => handlers.open(socket)));
    bindTo(socket, target);
    socket.connect(target.port, target.address);
  }

  /** Sends a datagram. What the kernel refuses at once ends the probe: without a callback Node would drop the error. */
  send(socket: Datagrams, bytes: Uint8Array): void {
    socket.send(bytes, (error) => {
      if (error !== null && error !== undefined) this.fail(error);
    });
  }

  /** Gives one connection up while the probe goes on. Its handlers may still hear bytes that were under way. */
  drop(socket: Socket): void {
    this.#dropped.add(socket);
    free(socket, false);
  }

  #ownTls(socket: TLSSocket, handlers: LinkHandlers): void {
    socket.once('secureConnect', () => this.guard(() => handlers.open(socket)));
    socket.on('data', (bytes: Buffer) => this.guard(() => handlers.data(bytes)));
    this.#own(socket, handlers);
  }

  #own(socket: Socket, handlers: LinkHandlers): void {
    this.#sockets.push(socket);
    socket.on('error', (error) => {
      if (!this.#dropped.has(socket)) this.fail(error);
    });
    socket.once('end', () => this.guard(() => this.#onPeerEnd(handlers)));
    socket.once('close', () => this.#onClosed(socket));
  }

  #onClosed(socket: Socket | Datagrams): void {
    this.#sockets.splice(this.#sockets.indexOf(socket), 1);
    this.#settleWhenFree();
  }

  #onPeerEnd(handlers: LinkHandlers): void {
    if (this.#phase === 'tls') this.end({ kind: 'closed', phase: 'tls' });
    else handlers.end();
  }

  /**
   * Calls a handler, unless the probe has ended. A defect met by what one server says must not end the worker and, with
   * it, every other check.
   */
  guard(run: () => void): void {
    if (this.ended) return;
    try {
      run();
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  #meaningOf(reason: Reason): Outcome {
    const outcome = outcomeOf(reason);
    return outcome === 'fail' && this.#isNeutral ? 'neutral' : outcome;
  }

  #settleWhenFree(): void {
    if (this.#result !== undefined && this.#sockets.length === 0) this.#settle(this.#result);
  }

  readonly #onDeadline = (): void => this.end(this.#silence ?? { kind: 'timeout', phase: this.#phase });
}

/**
 * Runs one probe. The promise never rejects, and settles when the probe has ended and its sockets are closed.
 * @param signal the deadline; a signal that has fired already is a timeout in `connect`.
 */
export function runProbe(
  now: Now,
  signal: AbortSignal,
  begin: (run: ProbeRun) => void,
): Promise<ProbeResult> {
  return new Promise((settle) => {
    const run = new ProbeRun(now, signal, settle);
    try {
      if (signal.aborted) run.end({ kind: 'timeout', phase: run.phase });
      else begin(run);
    } catch (thrown) {
      run.fail(thrown);
    }
  });
}

/** The address is literal: no resolver, and one attempt, because a probe must not hide a half-broken host. */
function address(target: Target) {
  const family = ipFamily(target.address) === 'ipv6' ? 6 : 4;
  return { host: target.address, port: target.port, family, autoSelectFamily: false } as const;
}

/** Linux connects a socket to itself where the target is this host and the kernel chose the very port (RFC 9293 3.5). */
function isSelfConnected(socket: Socket, target: Target): boolean {
  return socket.localPort === target.port && socket.localAddress === target.address;
}

/**
 * Frees a socket at once, with a reset, which leaves no TIME_WAIT behind and does not wait for unsent bytes. A connection
 * that is not there yet is just given up. TLS sockets have no reset.
 */
function free(socket: Socket | Datagrams, isWrapped: boolean): void {
  if ('disconnect' in socket) {
    socket.close();
    return;
  }
  if (isWrapped || 'encrypted' in socket || socket.connecting || socket.destroyed) socket.destroy();
  else socket.resetAndDestroy();
}

function microsBetween(from: Millis, to: Millis): Micros {
  return micros(Math.round((to - from) * 1000));
}
