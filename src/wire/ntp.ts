/** NTP as a client speaks it (RFC 5905 7.3): 48 bytes out, 48 or more back. */

const NTP_LENGTH = 48;
const [VERSION_4, MODE_CLIENT, MODE_SERVER] = [4, 3, 4];

/** A request of version 4. @param nonce 8 bytes that stand as the time of sending: only the answer repeats them. */
export function encodeNtpRequest(nonce: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(NTP_LENGTH);
  bytes[0] = (VERSION_4 << 3) | MODE_CLIENT;
  bytes.set(nonce.subarray(0, 8), 40);
  return bytes;
}

export interface NtpReply {
  /** 3: its clock is not synchronised. */
  readonly leap: number;
  /** 0: a kiss of death; 16: not synchronised. */
  readonly stratum: number;
  /** The reference as four letters, which with stratum 0 say why (RFC 5905 7.4). */
  readonly reference: string;
  /** The time of our request, as it repeats it. */
  readonly origin: Uint8Array;
}

/** A server's reply; undefined where the bytes are none. */
export function decodeNtpReply(bytes: Uint8Array): NtpReply | undefined {
  const [first = 0, stratum = 0] = bytes;
  if (bytes.length < NTP_LENGTH || (first & 7) !== MODE_SERVER || stratum > 16) return undefined;
  const reference = String.fromCharCode(...bytes.subarray(12, 16)).replace(/\0+$/, '');
  return { leap: first >> 6, stratum, reference, origin: bytes.subarray(24, 32) };
}
