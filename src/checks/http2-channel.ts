/** A connection of HTTP/2 (RFC 9113): node:http2 over a connection of a probe, with bounds of our own. */
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
} from 'node:http2';
import type { Socket } from 'node:net';
import { getBuiltinModule } from 'node:process';
import { Duplex } from 'node:stream';
import { errorCode, errorCodeText, GoawayFinder } from '../wire/http2.js';
import { reasonOfError } from './errno.js';
import type { Reason } from './model.js';
import type { LinkHandlers, ProbeRun } from './probe-run.js';
import { printable } from './reason.js';

/** What all frames of an answer may have beside the body that is looked at: heads, settings, pings, empty frames. */
export const FRAMES_LIMIT = 64 * 1024;
const HEADERS_MAX = 128;
const HEADER_LIST_SIZE = 16 * 1024;
const SETTINGS_MAX = 32;

const NO_ERROR = errorCode('NO_ERROR');
const INTERNAL_ERROR = errorCode('INTERNAL_ERROR');

/** What a request wants to hear of its answer. */
export interface StreamHandlers {
  /** The head of the final response. Header names are in lower case. */
  response(status: number, headers: IncomingHttpHeaders): void;
  data(bytes: Uint8Array): void;
  /** The answer is whole; `trailers` are empty where there are none. */
  end(trailers: IncomingHttpHeaders): void;
}

/** What the owner of a channel wants to hear. */
export interface ChannelHandlers {
  /** Requests may be made now. */
  opened(socket: Socket): void;
  /** The server closed the connection before the answer to a request that was not the first. */
  stale(): void;
}

interface PipeHandlers {
  /** The kernel has taken what was written. */
  sent(): void;
  /** Our side gives the connection up with an error; node:http2 then waits for the server to close it. */
  gaveUp(code: number): void;
}

/**
 * The probe's socket as the stream that node:http2 takes. It closes nothing: sockets are the probe's. Bytes go through
 * here, so that what a server says can be counted whatever frames it is made of.
 */
class Pipe extends Duplex {
  readonly #socket: Socket;
  readonly #told: PipeHandlers;
  readonly #finder = new GoawayFinder();

  constructor(socket: Socket, told: PipeHandlers) {
    super();
    this.#socket = socket;
    this.#told = told;
  }

  override _read(): void {
    // What comes is pushed.
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(bytes, (error) => {
      done(error);
      this.#told.sent();
    });
    const code = this.#finder.push(bytes);
    if (code !== undefined) this.#told.gaveUp(code);
  }
}

export class Http2Channel implements LinkHandlers {
  readonly #run: ProbeRun;
  readonly #owner: ChannelHandlers;
  readonly #bodyLimit: number;
  #socket: Socket | undefined;
  #pipe: Pipe | undefined;
  #session: ClientHttp2Session | undefined;
  #closed = false;
  #requests = 0;
  /** Bytes that came for the request that runs. */
  #read = 0;
  /** A final head came for it. */
  #answered = false;

  /** @param bodyLimit more body than this many bytes is never wanted of one answer */
  constructor(run: ProbeRun, owner: ChannelHandlers, bodyLimit: number) {
    this.#run = run;
    this.#owner = owner;
    this.#bodyLimit = bodyLimit;
  }

  /** Whether another request can be made. */
  get isOpen(): boolean {
    const session = this.#session;
    return !this.#closed && session !== undefined && !session.closed && !session.destroyed;
  }

  /** Gives the connection up. */
  close(): void {
    this.#closed = true;
    if (this.#socket !== undefined) this.#run.drop(this.#socket);
  }

  open(socket: Socket): void {
    this.#socket = socket;
    this.#run.enter('request');
    const pipe = new Pipe(socket, {
      sent: () => {
        if (!this.#closed) this.#run.enter('response');
      },
      // With INTERNAL_ERROR node:http2 gives up by itself, and tells us of it.
      gaveUp: (code) => {
        if (code !== INTERNAL_ERROR) this.#end(breach(errorCodeText(code)));
      },
    });
    pipe.on('error', () => undefined);
    // Loaded for the first check that needs it: it costs every thread two megabytes.
    const session = getBuiltinModule('node:http2').connect('http://localhost', {
      createConnection: () => pipe,
      maxHeaderListPairs: HEADERS_MAX,
      maxReservedRemoteStreams: 0,
      maxSessionMemory: 1,
      maxSettings: SETTINGS_MAX,
      settings: { enablePush: false, maxHeaderListSize: HEADER_LIST_SIZE },
    });
    session.on('error', (error) => this.#end(reasonOfSession(error)));
    session.on('goaway', (code) => {
      if (code !== NO_ERROR) this.#end(rejection('GOAWAY', code));
    });
    socket.once('close', () => session.destroy());
    this.#pipe = pipe;
    this.#session = session;
    this.#owner.opened(socket);
  }

  data(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#read += bytes.length;
    // Even a body of the smallest frames of any use costs no more than twice its length.
    const limit = 2 * this.#bodyLimit + FRAMES_LIMIT;
    if (this.#read > limit) this.#end({ kind: 'too-long', phase: 'response', limit });
    // The buffer is lent; what is pushed is kept until it was read.
    else this.#pipe?.push(Buffer.from(bytes));
  }

  end(): void {
    if (this.#closed) return;
    // What came before the end is told by then.
    setImmediate(() => {
      if (this.#closed) return;
      if (this.#requests > 1 && !this.#answered) this.#owner.stale();
      else this.#end({ kind: 'closed', phase: this.#run.phase });
    });
  }

  /** Makes a request. Whatever ends it too early ends the probe. */
  request(headers: OutgoingHttpHeaders, body: Uint8Array | undefined, handlers: StreamHandlers): void {
    if (this.#session === undefined) return;
    this.#requests += 1;
    this.#read = 0;
    this.#answered = false;
    this.#run.enter('request');
    const stream = this.#session.request(headers, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
    this.#listen(stream, handlers);
  }

  #listen(stream: ClientHttp2Stream, handlers: StreamHandlers): void {
    let trailers: IncomingHttpHeaders = {};
    let isWhole = false;
    let failure: CodedError | undefined;
    stream.on('error', (error: CodedError) => {
      failure = error;
    });
    stream.on('response', (headers) => {
      this.#answered = true;
      this.#run.enter('response');
      this.#tell(() => handlers.response(headers[':status'] ?? 0, headers));
    });
    stream.on('data', (bytes: Buffer) => this.#tell(() => handlers.data(bytes)));
    stream.on('trailers', (headers) => {
      trailers = headers;
    });
    stream.on('end', () => {
      // A stream that was reset ends too.
      isWhole = this.#answered && stream.rstCode === NO_ERROR;
      if (isWhole) this.#tell(() => handlers.end(trailers));
    });
    stream.once('close', () => {
      if (isWhole) return;
      const reason = failureOfStream(failure, stream.rstCode ?? NO_ERROR);
      // A GOAWAY that has closed it is told later, and says more.
      setImmediate(() => this.#end(reason));
    });
  }

  /** A defect met by what one server says must not end the worker. */
  #tell(run: () => void): void {
    if (this.#closed || this.#run.ended) return;
    try {
      run();
    } catch (thrown) {
      this.#run.fail(thrown);
    }
  }

  #end(reason: Reason): void {
    if (!this.#closed) this.#run.end(reason);
  }
}

function rejection(frame: string, code: number): Reason {
  return { kind: 'rejected', phase: 'response', code, detail: `${frame} ${errorCodeText(code)}` };
}

/** Codes by which this side, too, says that the peer has broken the protocol. */
const BREACHES: ReadonlySet<number> = new Set(
  (
    [
      'PROTOCOL_ERROR',
      'FLOW_CONTROL_ERROR',
      'STREAM_CLOSED',
      'FRAME_SIZE_ERROR',
      'COMPRESSION_ERROR',
    ] as const
  ).map(errorCode),
);

interface CodedError extends Error {
  readonly code?: string;
}

/** A stream ends with the error of its session, if that is what has ended it. */
function failureOfStream(failure: CodedError | undefined, code: number): Reason {
  const isOwn = failure === undefined || OF_STREAMS.has(failure.code ?? '');
  return isOwn ? reasonOfStream(code) : reasonOfSession(failure);
}

const OF_STREAMS: ReadonlySet<string> = new Set(['ERR_HTTP2_STREAM_ERROR', 'ERR_HTTP2_STREAM_CANCEL']);

function breach(what: string): Reason {
  return { kind: 'protocol-error', phase: 'response', detail: `HTTP/2: ${what}` };
}

function reasonOfStream(code: number): Reason {
  if (code === NO_ERROR) return { kind: 'closed', phase: 'response' };
  if (!BREACHES.has(code)) return rejection('RST_STREAM', code);
  return { kind: 'protocol-error', phase: 'response', detail: `stream closed with ${errorCodeText(code)}` };
}

/** Errors of the session that no frame of the server's has told us: it has broken the protocol. */
function reasonOfSession(error: CodedError): Reason {
  const isHttp2 = error.code?.startsWith('ERR_HTTP2_') === true;
  if (!isHttp2) return reasonOfError(error, 'response');
  return breach(printable(error.message));
}
