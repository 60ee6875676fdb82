/** A connection of HTTP/2 over which the requests of a web check go one after the other. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Fields, Judge } from './http-judge.js';
import type { Asker, Request, WebLink } from './http-link.js';
import { Http2Channel } from './http2-channel.js';
import type { ProbeRun } from './probe-run.js';
import { agreedProtocol } from './tls.js';

/** Fields of HTTP/1 connections, which HTTP/2 does not have (RFC 9113 8.2.2). */
const NOT_IN_HTTP2: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'upgrade']);

export class Http2Link implements WebLink {
  readonly #run: ProbeRun;
  readonly #asker: Asker;
  readonly #channel: Http2Channel;
  #request: Request;
  #judge: Judge;
  #isWhole = false;
  #status: number | undefined;
  #location: string | undefined;

  constructor(run: ProbeRun, asker: Asker, first: Request) {
    this.#run = run;
    this.#asker = asker;
    this.#request = first;
    this.#judge = new Judge(first.expected.wants);
    const owner = { opened: (socket: Socket) => this.#opened(socket), stale: () => asker.onStale() };
    this.#channel = new Http2Channel(run, owner, first.expected.wants.bodyLimit);
  }

  get isFree(): boolean {
    return this.#isWhole && this.#channel.isOpen;
  }

  ask(request: Request): void {
    this.#request = request;
    this.#judge = new Judge(request.expected.wants);
    this.#isWhole = false;
    this.#status = undefined;
    this.#location = undefined;
    this.#send();
  }

  close(): void {
    this.#channel.close();
  }

  open(socket: Socket): void {
    this.#channel.open(socket);
  }

  data(bytes: Uint8Array): void {
    this.#channel.data(bytes);
  }

  end(): void {
    this.#channel.end();
  }

  #opened(socket: Socket): void {
    if (endsIfNotHttp2(this.#run, socket)) return;
    this.#send();
  }

  #send(): void {
    const { visit, headers, body } = this.#request;
    const judge = this.#judge;
    this.#channel.request(headersOf(visit, headers), body, {
      response: (status, fields) => {
        this.#status = status;
        this.#location = fields.location;
        judge.head(status, fieldsOf(fields));
        this.#tell(judge);
      },
      data: (bytes) => {
        judge.body(bytes);
        this.#tell(judge);
      },
      end: () => {
        this.#isWhole = true;
        judge.end();
        this.#tell(judge);
      },
    });
  }

  /** @param judge of the answer; one that is not of the last request has nothing to say any more */
  #tell(judge: Judge): void {
    const { reason, bodyLength } = judge;
    if (reason === undefined || judge !== this.#judge) return;
    const endsSoon = !this.#isWhole && bodyLength <= this.#request.expected.wants.bodyLimit;
    this.#asker.onHeard({ reason, status: this.#status, location: this.#location, endsSoon });
  }
}

/** Ends the probe where TLS was agreed on without HTTP/2. In plain text nothing is agreed (prior knowledge, RFC 9113 3.3). */
export function endsIfNotHttp2(run: ProbeRun, socket: Socket): boolean {
  if (!(socket instanceof TLSSocket) || agreedProtocol(socket) === 'h2') return false;
  run.end({ kind: 'bad-content', phase: 'tls', detail: 'h2 is not agreed to' });
  return true;
}

function headersOf({ url, secure }: Request['visit'], headers: Request['headers']): OutgoingHttpHeaders {
  const all: Record<string, string | string[]> = {
    ':method': url.method,
    ':scheme': secure ? 'https' : 'http',
    ':authority': url.host,
    ':path': url.path,
    'user-agent': 'lvsentry',
    accept: '*/*',
  };
  for (const [name, value] of headers) if (!NOT_IN_HTTP2.has(name)) all[name] = value;
  return all;
}

function fieldsOf(headers: IncomingHttpHeaders): Fields {
  const fields = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string') fields.set(name, value);
    else if (Array.isArray(value)) fields.set(name, value.join(', '));
  }
  return fields;
}
