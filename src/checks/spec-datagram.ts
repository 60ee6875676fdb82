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
