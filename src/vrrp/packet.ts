/** VRRP messages as values: what came from the wire before anybody judged it. Types only. */
import type { Ip } from '../core/ip.js';

export type VrrpVersion = 2 | 3;

/** How a message of version 3 for IPv4 is summed: RFC 5798 5.2.8 or RFC 9568 5.2.8. */
export type ChecksumForm = 'pseudo-header' | 'message';

/** What the IP layer says of a message. */
export interface Envelope {
  readonly source: Ip;
  readonly destination: Ip;
  /** TTL or hop limit, on arrival. */
  readonly hops: number;
}

interface MessageFields {
  /** 1 is an advertisement; there is no other. */
  readonly type: number;
  readonly vrid: number;
  /** 255 owner, 1-254, 0 "I stop". */
  readonly priority: number;
  readonly addresses: readonly Ip[];
}

/** RFC 3768 5.1. IPv4 only. */
export interface MessageV2 extends MessageFields {
  readonly version: 2;
  /** 0 none, 1 password, 2 authentication header. */
  readonly authType: number;
  readonly intervalSeconds: number;
  /** Always 8 bytes. */
  readonly authData: Uint8Array;
}

/** RFC 5798 5.1, RFC 9568 5.1. */
export interface MessageV3 extends MessageFields {
  readonly version: 3;
  /** Four bits that are 0 on sending and mean nothing on receiving. */
  readonly reserved: number;
  /** 12 bits. */
  readonly intervalCentis: number;
}

export type VrrpMessage = MessageV2 | MessageV3;

/** The 28 bytes that keepalived 2.4 appends with `auth_hmac`. */
export interface Trailer {
  /** 1 is HMAC-SHA-256 cut to 128 bits. */
  readonly type: number;
  readonly keyId: number;
  readonly reserved: number;
  /** Seconds since 1970 (32 bits), fraction (16), counter (16): grows with every packet of one sender. */
  readonly sequence: bigint;
  /** 16 bytes. */
  readonly mac: Uint8Array;
}

/** What follows a message inside its IP packet. */
export type Rest =
  | { readonly kind: 'none' }
  | { readonly kind: 'trailer'; readonly trailer: Trailer }
  /** Zeros up to the 46 bytes that an Ethernet frame must carry: some senders count them in the IP length. */
  | { readonly kind: 'padding' }
  | { readonly kind: 'other'; readonly length: number };

/** What a reader makes of the payload of an IP packet of protocol 112. */
export type Received =
  | {
      readonly kind: 'message';
      readonly message: VrrpMessage;
      readonly checksum: ChecksumForm | 'wrong';
      readonly rest: Rest;
    }
  /** Fewer bytes than the message says it has. */
  | { readonly kind: 'incomplete'; readonly need: number; readonly have: number }
  | { readonly kind: 'unknown-version'; readonly version: number };
