/** NTP check: one request, and a server that knows the time. */
import { randomBytes } from 'node:crypto';
import { decodeNtpReply, encodeNtpRequest, type NtpReply } from '../wire/ntp.js';
import type { Reason } from './model.js';
import { type Now, runProbe } from './probe-run.js';
import type { Prober } from './prober.js';
import { bytesText, printable } from './reason.js';
import type { NtpCheck } from './spec-datagram.js';

const UNSYNCHRONISED = 3;

/**
 * Passes when the server is synchronised and no further than `spec.maxStratum` from a clock. Replies that do not repeat
 * our request's time are not heard, as they may be of somebody else. Phases: `request`, `response`.
 */
export function ntpProber(now: Now): Prober<NtpCheck> {
  return ({ target, maxStratum }, signal) =>
    runProbe(now, signal, (run) => {
      const nonce = randomBytes(8);
      run.openUdp(target, {
        open: (socket) => {
          run.enter('request');
          run.send(socket, encodeNtpRequest(nonce));
          run.enter('response');
        },
        data: (bytes) => {
          const reply = decodeNtpReply(bytes);
          const detail = `no NTP reply: message ${bytesText(bytes)}`;
          if (reply === undefined) run.end({ kind: 'protocol-error', phase: 'response', detail });
          else if (nonce.equals(reply.origin)) run.end(judge(reply, maxStratum));
        },
      });
    });
}

function judge({ leap, stratum, reference }: NtpReply, maxStratum: number): Reason {
  const phase = 'response';
  if (stratum === 0) {
    return { kind: 'rejected', phase, code: undefined, detail: printable(`kiss of death ${reference}`) };
  }
  if (leap === UNSYNCHRONISED || stratum === 16) {
    return { kind: 'bad-content', phase, detail: 'its clock is not synchronised' };
  }
  if (stratum <= maxStratum) return { kind: 'ok' };
  return { kind: 'bad-content', phase, detail: `stratum ${stratum}, at most ${maxStratum} is wanted` };
}
