/** UDP check: a datagram that nobody refuses, or that is answered. */
import { assert } from '../core/assert.js';
import { parseBytePattern, startsWithPattern } from '../core/byte-pattern.js';
import { type Now, runProbe } from './probe-run.js';
import type { Prober } from './prober.js';
import { bytesText } from './reason.js';
import type { Payload, UdpCheck } from './spec-datagram.js';

interface Prepared {
  readonly payload: Buffer;
  readonly pattern: readonly Uint8Array[];
}

/** The bytes of text, or of hexadecimal digits with blanks between bytes. */
export function bytesOfPayload({ form, value }: Payload): Buffer {
  return form === 'text' ? Buffer.from(value, 'utf8') : Buffer.from(value.replace(/ /g, ''), 'hex');
}

function prepare({ payload, replyPattern }: UdpCheck): Prepared {
  const pattern = replyPattern === undefined ? [] : parseBytePattern(replyPattern);
  assert(pattern !== undefined, 'the configuration lets only patterns through');
  return { payload: bytesOfPayload(payload), pattern };
}

/**
 * Passes with the first reply, which must begin as `spec.replyPattern` says. Without `spec.replyRequired` silence until
 * the deadline is a pass too; an ICMP error (no such port, no such host) is a failure always.
 * Phases: `request`, then `response`.
 */
export function udpProber(now: Now): Prober<UdpCheck> {
  const prepared = new WeakMap<UdpCheck, Prepared>();
  return (spec, signal) =>
    runProbe(now, signal, (run) => {
      const { payload, pattern } = prepared.get(spec) ?? prepare(spec);
      prepared.set(spec, { payload, pattern });
      run.openUdp(spec.target, {
        open: (socket) => {
          run.enter('request');
          run.send(socket, payload);
          run.enter('response');
          if (!spec.replyRequired) run.passAtDeadline();
        },
        data: (bytes) => {
          if (startsWithPattern(bytes, pattern)) run.end({ kind: 'ok' });
          else run.end({ kind: 'bad-content', phase: 'response', detail: `reply ${bytesText(bytes)}` });
        },
      });
    });
}
