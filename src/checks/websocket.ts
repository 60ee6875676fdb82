/** WebSocket check: the opening handshake (RFC 6455 4), a ping if asked for, and a clean close. */
import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { HttpResponseReader } from '../wire/http.js';
import { encodeRequest } from '../wire/http-request.js';
import { type ControlFrame, closeCode, encodeControl, FrameReader, OPCODE } from '../wire/websocket.js';
import { reasonOfFault } from './http-answer.js';
import { headersWith } from './http-headers.js';
import type { Reason } from './model.js';
import { type LinkHandlers, type Now, type ProbeRun, runProbe } from './probe-run.js';
import type { Prober } from './prober.js';
import { printable } from './reason.js';
import type { WebSocketCheck } from './spec-web.js';
import type { TlsClient } from './tls.js';

/** RFC 6455 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const NORMAL_CLOSURE = Uint8Array.of(1000 >> 8, 1000 & 0xff);

const WANTED: ReadonlySet<string> = new Set([
  'upgrade',
  'connection',
  'sec-websocket-accept',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
]);

/**
 * Passes when the server opens the WebSocket as RFC 6455 says, has agreed to `spec.subprotocol`, answers a ping where
 * `spec.ping` is set, and closes when it is asked to. Phases after the request: `response`, `data` (ping), `quit`.
 */
export function webSocketProber(now: Now, client: TlsClient): Prober<WebSocketCheck> {
  return (spec, signal) =>
    runProbe(now, signal, (run) => {
      const talk = new Talk(run, spec);
      if (spec.tls === undefined) run.openTcp(spec.target, talk);
      else client.open(run, spec.target, spec.tls, talk);
    });
}

class Talk implements LinkHandlers {
  readonly #run: ProbeRun;
  readonly #spec: WebSocketCheck;
  readonly #key = randomBytes(16).toString('base64');
  readonly #nonce = randomBytes(8);
  readonly #request: Buffer;
  readonly #reader = new HttpResponseReader('GET', () => undefined, WANTED);
  readonly #frames = new FrameReader((frame) => this.#onControl(frame));
  #socket: Socket | undefined;
  #isOpen = false;

  constructor(run: ProbeRun, spec: WebSocketCheck) {
    this.#run = run;
    this.#spec = spec;
    this.#request = Buffer.from(requestOf(spec, this.#key), 'latin1');
  }

  open(socket: Socket): void {
    this.#socket = socket;
    this.#run.enter('request');
    socket.write(this.#request, () => {
      if (!this.#isOpen) this.#run.enter('response');
    });
  }

  data(bytes: Uint8Array): void {
    if (!this.#isOpen) this.#run.enter('response');
    const taken = this.#isOpen ? 0 : this.#reader.push(bytes);
    if (!this.#isOpen) this.#judge();
    if (!this.#isOpen || this.#run.ended) return;
    this.#frames.push(bytes.subarray(taken));
    const { fault } = this.#frames;
    if (fault?.kind === 'malformed') this.#broken(fault.detail);
    else if (fault !== undefined)
      this.#run.end({ kind: 'too-long', phase: this.#run.phase, limit: fault.limit });
  }

  /** A server that has our close frame may close the connection instead of saying so. */
  end(): void {
    const { phase } = this.#run;
    this.#run.end(phase === 'quit' ? { kind: 'ok' } : { kind: 'closed', phase });
  }

  /** Looks at the answer to the handshake, once its head is there. */
  #judge(): void {
    const { status, fault } = this.#reader;
    if (fault !== undefined) this.#run.end(reasonOfFault(fault));
    if (status === undefined) return;
    const reason = this.#refusal(status);
    if (reason !== undefined) {
      this.#run.end(reason);
      return;
    }
    this.#isOpen = true;
    if (!this.#spec.ping) this.#quit();
    else {
      this.#run.enter('data');
      this.#send({ opcode: OPCODE.ping, payload: this.#nonce });
    }
  }

  /** RFC 6455 4.1: what a client must refuse. */
  #refusal(status: number): Reason | undefined {
    if (status !== 101) return { kind: 'bad-status', status };
    const { fields } = this.#reader;
    const broken = (detail: string): Reason => ({ kind: 'protocol-error', phase: 'response', detail });
    if (fields.get('upgrade')?.toLowerCase() !== 'websocket') return broken('no upgrade to websocket');
    if (!/(?:^|,)[ \t]*upgrade[ \t]*(?:,|$)/i.test(fields.get('connection') ?? ''))
      return broken('no upgrade of the connection');
    const accept = createHash('sha1').update(`${this.#key}${GUID}`).digest('base64');
    if (fields.get('sec-websocket-accept') !== accept) return broken('wrong sec-websocket-accept');
    if (fields.has('sec-websocket-extensions')) return broken('an extension that was not offered');
    return this.#protocolRefusal(fields.get('sec-websocket-protocol'));
  }

  #protocolRefusal(agreed: string | undefined): Reason | undefined {
    const { subprotocol } = this.#spec;
    if (agreed === subprotocol) return undefined;
    const word = agreed === undefined ? 'none' : JSON.stringify(printable(agreed));
    if (subprotocol === undefined)
      return { kind: 'protocol-error', phase: 'response', detail: `subprotocol ${word} was not offered` };
    const detail = `subprotocol ${word}, not ${JSON.stringify(subprotocol)}`;
    return { kind: 'bad-content', phase: 'response', detail };
  }

  #onControl({ opcode, payload }: ControlFrame): void {
    if (opcode === OPCODE.ping) this.#send({ opcode: OPCODE.pong, payload });
    else if (opcode === OPCODE.pong && this.#run.phase === 'data' && this.#nonce.equals(payload))
      this.#quit();
    else if (opcode === OPCODE.close) this.#onClose(payload);
  }

  #onClose(payload: Uint8Array): void {
    const code = closeCode(payload);
    const { phase } = this.#run;
    if (phase === 'quit') this.#run.end({ kind: 'ok' });
    else
      this.#run.end({
        kind: 'rejected',
        phase,
        code,
        detail: printable(Buffer.from(payload.subarray(2)).toString()),
      });
  }

  #quit(): void {
    this.#run.enter('quit');
    this.#send({ opcode: OPCODE.close, payload: NORMAL_CLOSURE });
  }

  #send(frame: ControlFrame): void {
    this.#socket?.write(encodeControl(frame, randomBytes(4)));
  }

  #broken(detail: string): void {
    this.#run.end({ kind: 'protocol-error', phase: this.#run.phase, detail });
  }
}

function requestOf(spec: WebSocketCheck, key: string): string {
  const { path, host, subprotocol } = spec;
  const headers: (readonly [string, string])[] = [
    ['upgrade', 'websocket'],
    ['connection', 'Upgrade'],
    ['sec-websocket-version', '13'],
    ['sec-websocket-key', key],
    ...(subprotocol === undefined ? [] : [['sec-websocket-protocol', subprotocol] as const]),
    ...headersWith(spec),
  ];
  const head = { version: '1.1', method: 'GET', path, host, headers } as const;
  return encodeRequest({ ...head, bodyLength: undefined, keepsConnection: true });
}
