/** Reasons in words, and what a reason means for the outcome. */
import { unreachable } from '../core/assert.js';
import type { Micros } from '../core/units.js';
import type { Outcome, Phase, Reason, ReasonKind, TlsProblem } from './model.js';

const TLS_TEXT: Readonly<Record<TlsProblem, string>> = {
  expired: 'certificate expired',
  'not-yet-valid': 'certificate not yet valid',
  'self-signed': 'self-signed certificate',
  'unknown-authority': 'certificate of an unknown authority',
  'wrong-name': 'certificate for another name',
  handshake: 'TLS handshake failed',
};

/** Trouble of our own says nothing about the server: its outcome is unknown. */
export function outcomeOf(reason: Reason): Outcome {
  if (reason.kind === 'ok') return 'pass';
  return reason.kind === 'local' ? 'unknown' : 'fail';
}

/**
 * A short text for logs, events and the API: `status 500`, `timeout in response after 1000 ms`.
 * @param elapsed of the whole probe; named only where the time is the reason.
 */
export function reasonText(reason: Reason, elapsed?: Micros): string {
  const text = ownText(reason, elapsed);
  const whole = reason.at === undefined ? text : `${text} at ${printable(reason.at)}`;
  return reason.serverIsWell === true ? `${whole}; the server is well, the path to it is broken` : whole;
}

function ownText(reason: ReasonKind, elapsed: Micros | undefined): string {
  switch (reason.kind) {
    case 'ok':
      return 'ok';
    case 'refused':
      return `connection refused in ${reason.phase}`;
    case 'reset':
      return `connection reset in ${reason.phase}`;
    case 'closed':
      return `connection closed in ${reason.phase}`;
    case 'timeout':
      return `timeout in ${reason.phase}${elapsed === undefined ? '' : ` after ${Math.round(elapsed / 1000)} ms`}`;
    case 'unreachable':
      return `unreachable in ${reason.phase} (${reason.errno})`;
    case 'tls':
      return withDetail(TLS_TEXT[reason.problem], reason.detail);
    case 'bad-status':
      return `status ${reason.status}`;
    case 'bad-content':
      return withDetail(`wrong content in ${reason.phase}`, reason.detail);
    case 'protocol-error':
      return withDetail(`protocol error in ${reason.phase}`, reason.detail);
    case 'too-long':
      return `more than ${reason.limit} bytes in ${reason.phase}`;
    case 'rejected':
      return withDetail(rejectedText(reason.phase, reason.code), reason.detail);
    case 'local':
      return `not probed: ${reason.detail ?? `local error ${reason.errno} in ${reason.phase}`}`;
    default:
      return unreachable(reason);
  }
}

function rejectedText(phase: Phase, code: number | undefined): string {
  return `rejected in ${phase}${code === undefined ? '' : ` with ${code}`}`;
}

function withDetail(text: string, detail: string): string {
  return detail === '' ? text : `${text}: ${detail}`;
}

/** At most `limit` characters of foreign text, on one line, with nothing that a terminal would obey. */
export function printable(text: string, limit = 80): string {
  // Cut first: what comes from outside may be long.
  const cut = text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
  return cut.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}

/** The first bytes of a message in hex, and how many there are. */
export function bytesText(bytes: Uint8Array, limit = 16): string {
  const shown = [...bytes.subarray(0, limit)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `of ${bytes.length} bytes${bytes.length === 0 ? '' : `: ${shown}${bytes.length > limit ? ' …' : ''}`}`;
}
