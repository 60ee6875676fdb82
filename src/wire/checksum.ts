/** The Internet checksum (RFC 1071) and the pseudo-headers that go into it. */
import { type Ip, ipBytes } from '../core/ip.js';

/** Adds up 16-bit words in network order; an odd last byte counts as the high one. Good for 64 KiB. */
export function addWords(sum: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  let total = sum;
  for (let at = start; at < end; at += 2) {
    total += ((bytes[at] ?? 0) << 8) + (at + 1 < end ? (bytes[at + 1] ?? 0) : 0);
  }
  return total;
}

/** The checksum of a sum. Over a message that holds its right checksum it is 0. */
export function finishChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return ~folded & 0xffff;
}

/** The checksum of bytes whose checksum field is 0. */
export function checksum(bytes: Uint8Array): number {
  return finishChecksum(addWords(0, bytes));
}

/**
 * The sum of the pseudo-header of IPv4 (RFC 5798 5.2.8: source, destination, 0, protocol, length) or of IPv6
 * (RFC 8200 8.1). Both hold the same words, so that one function does for both.
 */
export function addPseudoHeader(
  sum: number,
  source: Ip,
  destination: Ip,
  protocol: number,
  length: number,
): number {
  return addWords(addWords(sum + protocol + length, ipBytes(source)), ipBytes(destination));
}
