/** SIP check: OPTIONS, over UDP or TCP. */
import { randomBytes } from 'node:crypto';
import { endpointText, parseIp } from '../core/ip.js';
import { decodeSipHead, encodeSipOptions, SIP_HEAD_LIMIT } from '../wire/sip.js';
import { type Now, type ProbeRun, runProbe } from './probe-run.js';
import type { Prober } from './prober.js';
import { bytesText } from './reason.js';
import type { SipCheck } from './spec-datagram.js';

/**
 * Passes when the final response to OPTIONS has one of the wanted statuses. Provisional responses are waited out, and
 * those of other calls are not heard. Phases: `request`, `response`.
 */
export function sipProber(now: Now): Prober<SipCheck> {
  return (spec, signal) =>
    runProbe(now, signal, (run) => {
      const call = new Call(run, spec);
      if (spec.transport === 'udp') call.overUdp();
      else call.overTcp();
    });
}

/** What both kinds of socket know of their own end. */
interface LocalEnd {
  readonly address?: string | undefined;
  readonly port?: number | undefined;
}

class Call {
  readonly #run: ProbeRun;
  readonly #spec: SipCheck;
  readonly #id = randomBytes(12).toString('hex');

  constructor(run: ProbeRun, spec: SipCheck) {
    this.#run = run;
    this.#spec = spec;
  }

  overUdp(): void {
    this.#run.openUdp(this.#spec.target, {
      open: (socket) => {
        this.#run.enter('request');
        this.#run.send(socket, this.#request(socket.address()));
        this.#run.enter('response');
      },
      data: (bytes) => {
        const text = Buffer.from(bytes).toString('latin1');
        const end = text.indexOf('\r\n\r\n');
        this.#onHead(end < 0 ? text : text.slice(0, end), bytes);
      },
    });
  }

  overTcp(): void {
    let heard = Buffer.alloc(0);
    this.#run.openTcp(this.#spec.target, {
      open: (socket) => {
        this.#run.enter('request');
        socket.write(this.#request({ address: socket.localAddress, port: socket.localPort }));
        this.#run.enter('response');
      },
      data: (bytes) => {
        heard = this.#takeHeads(Buffer.concat([heard, bytes]));
        if (heard.length > SIP_HEAD_LIMIT)
          this.#run.end({ kind: 'too-long', phase: 'response', limit: SIP_HEAD_LIMIT });
      },
      end: () => this.#run.end({ kind: 'closed', phase: 'response' }),
    });
  }

  /** Reads all whole messages; what is left is part of one. */
  #takeHeads(heard: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
    let left = heard;
    for (;;) {
      // RFC 5626 4.4.1: line ends between messages keep a connection alive.
      while (left[0] === 0x0d || left[0] === 0x0a) left = left.subarray(1);
      const end = left.indexOf('\r\n\r\n');
      if (end < 0 || this.#run.ended) return left;
      const length = this.#onHead(left.subarray(0, end).toString('latin1'), left);
      if (left.length < end + 4 + length) return left;
      left = left.subarray(end + 4 + length);
    }
  }

  #request({ address, port }: LocalEnd): Buffer {
    const local = parseIp(address ?? '') ?? this.#spec.target.address;
    const { target, transport } = this.#spec;
    const remote = endpointText(target.address, target.port);
    const options = { transport, local: endpointText(local, port ?? 5060), remote, id: this.#id };
    return Buffer.from(encodeSipOptions(options), 'latin1');
  }

  /** Judges the head of a response; says how long its body is. */
  #onHead(head: string, bytes: Uint8Array): number {
    const response = decodeSipHead(head);
    if (response === undefined) {
      const detail = `no SIP response: message ${bytesText(bytes)}`;
      this.#run.end({ kind: 'protocol-error', phase: 'response', detail });
      return 0;
    }
    const { status, callId, length } = response;
    if (callId !== this.#id || status < 200) return length;
    const isWanted = this.#spec.status.some(([from, to]) => status >= from && status <= to);
    this.#run.end(isWanted ? { kind: 'ok' } : { kind: 'bad-status', status });
    return length;
  }
}
