/** HTTP and HTTPS check: one request on a connection of its own; the status and, if asked for, a text in the body. */
import type { Socket } from 'node:net';
import { assert } from '../core/assert.js';
import { encodeRequest, type HttpFault, HttpResponseReader } from '../wire/http.js';
import type { LanePlan, ProbeSide } from './lane.js';
import type { HttpCheck, Reason } from './model.js';
import { type LinkHandlers, type Now, runProbe } from './probe-run.js';
import type { Prober } from './prober.js';
import { printable } from './reason.js';
import type { TlsClient } from './tls.js';

/** What is the same in every probe of a check. */
interface Prepared {
  readonly request: Buffer;
  readonly contains: Buffer | undefined;
}

function prepare(spec: HttpCheck): Prepared {
  return {
    request: Buffer.from(encodeRequest(spec), 'latin1'),
    contains: spec.contains === undefined ? undefined : Buffer.from(spec.contains, 'utf8'),
  };
}

/**
 * Passes when the final status is one of `spec.status` and, with `spec.contains`, the text is among the first
 * `spec.bodyLimit` bytes of the body. Without it the probe ends at the end of the head. Redirects are not followed.
 * Phase `request` lasts until the kernel has taken the request, `response` until the answer is known.
 */
export function httpProber(now: Now, client: TlsClient): Prober<HttpCheck> {
  const prepared = new WeakMap<HttpCheck, Prepared>();
  return (spec, signal) =>
    runProbe(now, signal, (run) => {
      const ready = prepared.get(spec) ?? prepare(spec);
      prepared.set(spec, ready);
      const exchange = new Exchange(run, spec, ready);
      assert((spec.type === 'https') === (spec.tls !== undefined), 'https, and only https, has tls settings');
      if (spec.tls === undefined) run.openTcp(spec.target, exchange);
      else client.open(run, spec.target, spec.tls, exchange);
    });
}

/** The same probe in the fast lane, where the request leaves with the connection. */
export function httpPlan(spec: HttpCheck): LanePlan {
  const prepared = prepare(spec);
  return { payload: prepared.request, waits: 'response', talk: (side) => new Exchange(side, spec, prepared) };
}

/** One request and its response. */
class Exchange implements LinkHandlers {
  readonly #run: ProbeSide;
  readonly #spec: HttpCheck;
  readonly #prepared: Prepared;
  readonly #reader: HttpResponseReader;
  #bodyLength = 0;
  #found = false;
  /** The end of the body so far: where a text that is searched for may have begun. */
  #tail: Uint8Array = new Uint8Array(0);

  constructor(run: ProbeSide, spec: HttpCheck, prepared: Prepared) {
    this.#run = run;
    this.#spec = spec;
    this.#prepared = prepared;
    this.#reader = new HttpResponseReader(spec.method, (bytes) => this.#onBody(bytes));
  }

  open(socket: Socket): void {
    this.#run.enter('request');
    socket.write(this.#prepared.request, () => this.#run.enter('response'));
  }

  data(bytes: Uint8Array): void {
    this.#run.enter('response');
    this.#reader.push(bytes);
    this.#judge();
  }

  end(): void {
    this.#run.enter('response');
    this.#reader.finish();
    this.#judge();
  }

  #onBody(bytes: Uint8Array): void {
    const { contains } = this.#prepared;
    if (contains === undefined || this.#found) return;
    const wanted = bytes.subarray(0, Math.max(0, this.#spec.bodyLimit - this.#bodyLength));
    this.#bodyLength += bytes.length;
    const text = Buffer.concat([this.#tail, wanted]);
    this.#found = text.includes(contains);
    this.#tail = text.subarray(Math.max(0, text.length - contains.length + 1));
  }

  #judge(): void {
    const reason = this.#reason();
    if (reason !== undefined) this.#run.end(reason);
  }

  /** What the response means, as soon as that is known. */
  #reason(): Reason | undefined {
    const { status, fault, done } = this.#reader;
    const { bodyLimit } = this.#spec;
    if (status !== undefined && !this.#spec.status.some(([from, to]) => status >= from && status <= to))
      return { kind: 'bad-status', status };
    if (status !== undefined && (this.#prepared.contains === undefined || this.#found)) return { kind: 'ok' };
    if (this.#bodyLength > bodyLimit) return { kind: 'too-long', phase: 'response', limit: bodyLimit };
    if (fault !== undefined) return reasonOfFault(fault);
    return done ? this.#notFound() : undefined;
  }

  #notFound(): Reason {
    const detail = `no ${JSON.stringify(printable(this.#spec.contains ?? ''))} in ${this.#bodyLength} bytes`;
    return { kind: 'bad-content', phase: 'response', detail };
  }
}

function reasonOfFault(fault: HttpFault): Reason {
  switch (fault.kind) {
    case 'malformed':
      return { kind: 'protocol-error', phase: 'response', detail: fault.detail };
    case 'too-long':
      return { kind: 'too-long', phase: 'response', limit: fault.limit };
    case 'truncated':
      return { kind: 'closed', phase: 'response' };
  }
}
