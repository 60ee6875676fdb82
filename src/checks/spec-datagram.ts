/** Checks of services that speak in datagrams. */
import type { Target } from './spec-target.js';

/** A datagram as it was configured. */
export interface Payload {
  readonly form: 'text' | 'hex';
  readonly value: string;
}

export interface UdpCheck {
  readonly type: 'udp';
  readonly target: Target;
  readonly payload: Payload;
  /** Whether silence until the deadline is a failure; else it is a pass. */
  readonly replyRequired: boolean;
  /** What a reply must begin with, in the syntax of core/byte-pattern.ts; undefined: any reply. */
  readonly replyPattern: string | undefined;
}

export type Transport = 'udp' | 'tcp';

export interface DnsCheck {
  readonly type: 'dns';
  readonly target: Target;
  readonly transport: Transport;
  /** In ASCII; `.` is the root. */
  readonly name: string;
  /** The number of the record type (RFC 1035 3.2.2). */
  readonly record: number;
  /** The response code that is a pass (RFC 1035 4.1.1). */
  readonly rcode: number;
  /** An answer that must be among those of the record type, as text; undefined: the answers do not matter. */
  readonly answer: string | undefined;
}

export interface NtpCheck {
  readonly type: 'ntp';
  readonly target: Target;
  /** 1 to 15: a server further from its clock fails. */
  readonly maxStratum: number;
}

export interface SipCheck {
  readonly type: 'sip';
  readonly target: Target;
  readonly transport: Transport;
  /** Inclusive ranges of final statuses that are a pass. */
  readonly status: readonly (readonly [number, number])[];
}
