/**
 * Probes whose protocol is spoken by a library. The library gets a stream over our own connection, so that the deadline,
 * the phases, TLS and the sockets stay those of every other probe, and it never connects, waits or comes back by itself.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { errorText } from '../core/errors.js';
import { reasonOfError } from './errno.js';
import type { ProbeResult, Reason } from './model.js';
import { type LinkHandlers, type Now, type ProbeRun, runProbe } from './probe-run.js';
import { printable } from './reason.js';
import type { Target } from './spec-target.js';
import type { TlsUse } from './spec-tls.js';
import type { TlsClient } from './tls.js';

/** More than this is never read in one probe: libraries collect answers of any length. */
export const DRIVER_LIMIT = 64 * 1024;

/** One kind of check that a library speaks for. */
export interface Driver<Library> {
  readonly target: Target;
  /** Begins with the connection, or when the dialogue says so; undefined: no TLS. */
  readonly tls: TlsUse | undefined;
  /** Imports the library. */
  readonly load: () => Promise<Library>;
  /**
   * Holds the dialogue on a connection that stands. What it resolves to ends the probe; what it rejects with means what
   * the server said could not be understood, unless `rejection` knows better.
   */
  readonly talk: (library: Library, stream: DriverStream, run: ProbeRun) => Promise<Reason>;
  /** What the library rejects with where the server refused in its own words; undefined: it is something else. */
  readonly rejection: (thrown: unknown, run: ProbeRun) => Reason | undefined;
}

/** What a library thinks is its socket. Emits `sent` for all that the library writes. */
export class DriverStream extends Duplex {
  readonly #run: ProbeRun;
  readonly #upgrade: (socket: Socket, handlers: LinkHandlers) => void;
  #socket: Socket;
  #heard = 0;
  /** What is written while TLS begins. */
  #held: Buffer[] | undefined;
  #isSecure = false;

  constructor(
    run: ProbeRun,
    socket: Socket,
    upgrade: (socket: Socket, handlers: LinkHandlers) => void = () => undefined,
  ) {
    super();
    this.#run = run;
    this.#socket = socket;
    this.#upgrade = upgrade;
  }

  /** Whether `secure` has done its work. */
  get isSecure(): boolean {
    return this.#isSecure;
  }

  /** Begins TLS, as both sides have agreed; resolves when it stands. Failure ends the probe. */
  secure(): Promise<void> {
    this.#held = [];
    return new Promise((resolve) => {
      this.#upgrade(this.#socket, {
        open: (socket) => {
          this.#socket = socket;
          this.#isSecure = true;
          for (const bytes of this.#held ?? []) socket.write(bytes);
          this.#held = undefined;
          resolve();
        },
        data: (bytes) => this.hear(bytes),
        end: () => this.#run.end({ kind: 'closed', phase: this.#run.phase }),
      });
    });
  }

  /**
   * Gives the library what came. It reads in this very call, so that whatever it throws is known to be about these bytes:
   * a parser that fails is the server's fault, and must not end the thread.
   */
  hear(bytes: Uint8Array): void {
    this.#heard += bytes.length;
    const { phase } = this.#run;
    if (this.#heard > DRIVER_LIMIT) {
      this.#run.end({ kind: 'too-long', phase, limit: DRIVER_LIMIT });
      return;
    }
    try {
      this.emit('data', Buffer.from(bytes));
    } catch (thrown) {
      this.#run.end({ kind: 'protocol-error', phase, detail: printable(errorText(thrown)) });
    }
  }

  override _read(): void {
    // Everything is handed on in `hear`.
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.emit('sent');
    if (this.#held !== undefined) this.#held.push(bytes);
    else if (!this.#run.ended) this.#socket.write(bytes);
    done();
  }

  // What libraries ask of sockets, and what is not theirs to decide here.

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  /** It stands already: whoever waits for that hears so at once. */
  connect(): this {
    process.nextTick(() => this.emit('connect'));
    return this;
  }
}

/** Runs one probe by a library. What keeps the library from being there is trouble of ours. */
export async function probeByDriver<Library>(
  { now, client }: { readonly now: Now; readonly client: TlsClient },
  signal: AbortSignal,
  driver: Driver<Library>,
): Promise<ProbeResult> {
  let library: Library;
  try {
    library = await driver.load();
  } catch (thrown) {
    return unable(now, reasonOfError(thrown, 'connect'));
  }
  // The first probe waits until the library is read; the time that this took says nothing about the server.
  if (signal.aborted) return unable(now, { kind: 'local', phase: 'connect', errno: 'ETIME' });
  let stream: DriverStream | undefined;
  const { target, tls } = driver;
  const result = await runProbe(now, signal, (run) => {
    const handlers: LinkHandlers = {
      open: (socket) => {
        stream = new DriverStream(run, socket, (plain, secured) => {
          if (tls !== undefined)
            client.upgrade(
              run,
              { link: { socket: plain, hasUnread: false }, target, settings: tls },
              secured,
            );
        });
        driver.talk(library, stream, run).then(
          (reason) => run.end(reason),
          (thrown: unknown) => run.end(driver.rejection(thrown, run) ?? notUnderstood(thrown, run)),
        );
      },
      data: (bytes) => stream?.hear(bytes),
      end: () => run.end({ kind: 'closed', phase: run.phase }),
    };
    if (tls?.start === 'implicit') client.open(run, target, tls, handlers);
    else run.openTcp(target, handlers);
  });
  stream?.destroy();
  return result;
}

function notUnderstood(thrown: unknown, { phase }: ProbeRun): Reason {
  return { kind: 'protocol-error', phase, detail: printable(errorText(thrown)) };
}

function unable(now: Now, reason: Reason): Promise<ProbeResult> {
  return runProbe(now, new AbortController().signal, (run) => run.end(reason));
}
