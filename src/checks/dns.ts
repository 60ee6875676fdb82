/** DNS check: a question, its response code and, if asked for, an answer among the answers. */
import { randomInt } from 'node:crypto';
import { type DnsResponse, decodeDnsResponse, encodeDnsQuestion } from '../wire/dns.js';
import { type Now, type ProbeRun, runProbe } from './probe-run.js';
import type { Prober } from './prober.js';
import { bytesText, printable } from './reason.js';
import type { DnsCheck } from './spec-datagram.js';

/** A message over TCP has at most this many bytes, by its length of two bytes (RFC 1035 4.2.2). */
const MESSAGE_MAX = 65_535;

/**
 * Passes when the response has the code `spec.rcode` and, with `spec.answer`, that answer among those of its type. A
 * response over UDP that was cut is asked for again over TCP where the answers matter (RFC 7766 5); messages with
 * another id or question are not heard, as they may be of somebody else. Phases: `request`, `response`.
 */
export function dnsProber(now: Now): Prober<DnsCheck> {
  return (spec, signal) =>
    runProbe(now, signal, (run) => {
      const query = new Query(run, spec);
      if (spec.transport === 'udp') query.overUdp();
      else query.overTcp();
    });
}

class Query {
  readonly #run: ProbeRun;
  readonly #spec: DnsCheck;
  readonly #id = randomInt(0x1_0000);
  readonly #message: Uint8Array;

  constructor(run: ProbeRun, spec: DnsCheck) {
    this.#run = run;
    this.#spec = spec;
    this.#message = encodeDnsQuestion({ id: this.#id, name: spec.name, record: spec.record });
  }

  overUdp(): void {
    this.#run.openUdp(this.#spec.target, {
      open: (socket) => {
        this.#run.enter('request');
        this.#run.send(socket, this.#message);
        this.#run.enter('response');
      },
      data: (bytes) => this.#onMessage(bytes, true),
    });
  }

  overTcp(): void {
    let heard = Buffer.alloc(0);
    this.#run.openTcp(this.#spec.target, {
      open: (socket) => {
        this.#run.enter('request');
        const length = Buffer.from([this.#message.length >> 8, this.#message.length & 255]);
        socket.write(Buffer.concat([length, this.#message]));
        this.#run.enter('response');
      },
      data: (bytes) => {
        heard = Buffer.concat([heard, bytes]);
        while (!this.#run.ended && heard.length >= 2 && heard.length >= 2 + heard.readUInt16BE(0)) {
          const end = 2 + heard.readUInt16BE(0);
          this.#onMessage(heard.subarray(2, end), false);
          heard = heard.subarray(end);
        }
        if (heard.length > MESSAGE_MAX + 2)
          this.#run.end({ kind: 'too-long', phase: 'response', limit: MESSAGE_MAX });
      },
      end: () => this.#run.end({ kind: 'closed', phase: 'response' }),
    });
  }

  #onMessage(bytes: Uint8Array, mayBeCut: boolean): void {
    const response = decodeDnsResponse(bytes);
    if (response === undefined) {
      const detail = `no DNS response: message ${bytesText(bytes)}`;
      this.#run.end({ kind: 'protocol-error', phase: 'response', detail });
    } else if (this.#isOurs(response)) this.#judge(response, mayBeCut);
  }

  #isOurs({ id, question }: DnsResponse): boolean {
    const name = this.#spec.name === '.' ? '.' : `${this.#spec.name.replace(/\.$/, '')}.`;
    const isSame = question === undefined || question.name === name.toLowerCase();
    return id === this.#id && isSame && (question?.record ?? this.#spec.record) === this.#spec.record;
  }

  #judge({ rcode, isTruncated, answers }: DnsResponse, mayBeCut: boolean): void {
    const { rcode: wanted, answer, record } = this.#spec;
    if (rcode !== wanted) {
      this.#run.end({ kind: 'rejected', phase: 'response', code: rcode, detail: `wanted ${wanted}` });
      return;
    }
    const texts = answers.filter((one) => one.record === record).map(({ text }) => text);
    if (answer === undefined || texts.some((text) => isSameAnswer(text, answer, record)))
      this.#run.end({ kind: 'ok' });
    else if (isTruncated && mayBeCut) this.overTcp();
    else {
      const detail = printable(`no ${answer} among ${texts.length === 0 ? 'no answers' : texts.join(', ')}`);
      this.#run.end({ kind: 'bad-content', phase: 'response', detail });
    }
  }
}

const TXT = 16;

/** Names are compared without regard to case and to the dot at their end; texts as they are. */
function isSameAnswer(one: string, other: string, record: number): boolean {
  const plain = (text: string): string =>
    record === TXT ? text : text.toLowerCase().replace(/\.(?= |$)/g, '');
  return plain(one) === plain(other);
}
