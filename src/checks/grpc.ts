/** gRPC check: the health service's Check (grpc.health.v1). */
import type { IncomingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import { encodeHealthRequest, GRPC_MESSAGE_LIMIT, grpcStatusName, HealthReader } from '../wire/grpc.js';
import { Http2Channel, type StreamHandlers } from './http2-channel.js';
import { endsIfNotHttp2 } from './http2-link.js';
import type { Reason } from './model.js';
import { type Now, type ProbeRun, runProbe } from './probe-run.js';
import type { Prober } from './prober.js';
import { printable } from './reason.js';
import type { GrpcCheck } from './spec-web.js';
import type { TlsClient } from './tls.js';

/**
 * Passes when the service is SERVING. In plain text HTTP/2 is spoken at once (prior knowledge), in TLS `h2` must be
 * agreed to. A grpc-status other than OK is `rejected` with its number.
 */
export function grpcProber(now: Now, client: TlsClient): Prober<GrpcCheck> {
  return (spec, signal) =>
    runProbe(now, signal, (run) => {
      const opened = (socket: Socket): void => {
        if (!endsIfNotHttp2(run, socket)) ask(channel, run, spec);
      };
      const channel = new Http2Channel(run, { opened, stale: () => undefined }, GRPC_MESSAGE_LIMIT);
      if (spec.tls === undefined) run.openTcp(spec.target, channel);
      else client.open(run, spec.target, spec.tls, channel);
    });
}

function ask(channel: Http2Channel, run: ProbeRun, { service, host, tls }: GrpcCheck): void {
  const headers = {
    ':method': 'POST',
    ':scheme': tls === undefined ? 'http' : 'https',
    ':authority': host,
    ':path': '/grpc.health.v1.Health/Check',
    te: 'trailers',
    'content-type': 'application/grpc',
    'user-agent': 'lvsentry',
  };
  channel.request(headers, encodeHealthRequest(Buffer.from(service, 'utf8')), new Health(run));
}

class Health implements StreamHandlers {
  readonly #run: ProbeRun;
  readonly #reader = new HealthReader();
  /** An answer without messages has its status in the head (Trailers-Only). */
  #head: IncomingHttpHeaders = {};

  constructor(run: ProbeRun) {
    this.#run = run;
  }

  response(status: number, headers: IncomingHttpHeaders): void {
    this.#head = headers;
    const type = headers['content-type'] ?? '';
    if (status !== 200) this.#run.end({ kind: 'bad-status', status });
    else if (!type.startsWith('application/grpc'))
      this.#broken(`content-type is ${JSON.stringify(printable(type))}`);
  }

  data(bytes: Uint8Array): void {
    if (!this.#reader.push(bytes))
      this.#run.end({ kind: 'too-long', phase: 'response', limit: GRPC_MESSAGE_LIMIT });
  }

  end(trailers: IncomingHttpHeaders): void {
    const told = trailers['grpc-status'] === undefined ? this.#head : trailers;
    const status = textOf(told['grpc-status']);
    if (status === undefined || !/^\d{1,9}$/.test(status)) this.#broken('no grpc-status');
    else if (Number(status) === 0) this.#judge();
    else this.#run.end(refusal(Number(status), textOf(told['grpc-message'])));
  }

  #judge(): void {
    const answer = this.#reader.finish();
    if (answer.kind === 'malformed') this.#broken(answer.detail);
    else if (answer.status === 'SERVING') this.#run.end({ kind: 'ok' });
    else this.#run.end({ kind: 'bad-content', phase: 'response', detail: answer.status });
  }

  #broken(detail: string): void {
    this.#run.end({ kind: 'protocol-error', phase: 'response', detail });
  }
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

function refusal(code: number, message: string | undefined): Reason {
  const name = grpcStatusName(code) ?? 'not a status of gRPC';
  const detail = message === undefined || message === '' ? name : `${name}: ${printable(plain(message))}`;
  return { kind: 'rejected', phase: 'response', code, detail };
}

/** grpc-message is percent-encoded UTF-8; what is not stays as it is. */
function plain(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
