/** SIP as a probe speaks it (RFC 3261): OPTIONS, and the head of what comes back. */
import { LvsError } from '../core/errors.js';

/** A head with its blank line may have this many bytes. */
export const SIP_HEAD_LIMIT = 16 * 1024;

export interface SipOptions {
  readonly transport: 'udp' | 'tcp';
  /** Where we are reached: address and port, IPv6 in brackets. */
  readonly local: string;
  readonly remote: string;
  /** Letters and digits that tell this request from all others. */
  readonly id: string;
}

/** RFC 3261 11.1. `rport` (RFC 3581) has the answer sent to where the request came from. */
export function encodeSipOptions({ transport, local, remote, id }: SipOptions): string {
  if (!/^[A-Za-z0-9]+$/.test(id)) throw new LvsError('MALFORMED', 'an id of SIP is letters and digits');
  const lines = [
    `OPTIONS sip:${remote} SIP/2.0`,
    `Via: SIP/2.0/${transport.toUpperCase()} ${local};branch=z9hG4bK${id};rport`,
    'Max-Forwards: 70',
    `From: <sip:lvsentry@${local}>;tag=${id}`,
    `To: <sip:${remote}>`,
    `Call-ID: ${id}`,
    'CSeq: 1 OPTIONS',
    `Contact: <sip:lvsentry@${local}>`,
    'Accept: application/sdp',
    'User-Agent: lvsentry',
    'Content-Length: 0',
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

export interface SipResponse {
  readonly status: number;
  readonly callId: string | undefined;
  /** Bytes of its body. */
  readonly length: number;
}

/** Reads the head of a response, all lines up to the blank one; undefined where it is none. */
export function decodeSipHead(head: string): SipResponse | undefined {
  const [first = '', ...fields] = head.split('\r\n');
  const status = /^SIP\/2\.0 ([1-6]\d\d)(?: |$)/.exec(first)?.[1];
  if (status === undefined || /[\0\n]/.test(head.replaceAll('\r\n', ''))) return undefined;
  const field = (name: RegExp): string | undefined =>
    fields.map((line) => name.exec(line)?.[1]).find(Boolean);
  const length = field(/^(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*$/i);
  const callId = field(/^(?:call-id|i)[ \t]*:[ \t]*(\S+)[ \t]*$/i);
  return { status: Number(status), callId, length: Number(length ?? 0) };
}
