/** ICMP and ICMPv6 as ping speaks them (RFC 792, RFC 4443): an echo, its reply, and the errors that name it. */
import { ByteWriter } from '../core/bytes.js';
import type { Errno } from '../core/errno.js';
import type { Family } from '../core/ip.js';
import { addWords, checksum, finishChecksum } from './checksum.js';
import { IPPROTO } from './ip-protocols.js';
import { encodeFilter, type FilterInstruction } from './socket-filter.js';

/** Type, code, checksum, identifier, sequence. */
const HEADER_LENGTH = 8;
const IPV4_HEADER_MIN = 20;
const IPV6_HEADER_LENGTH = 40;

interface Numbers {
  readonly request: number;
  readonly reply: number;
  /** Of the protocol in an IP header. */
  readonly protocol: number;
  /** By type, by code, what Linux makes of an error; a type with one entry has it for all codes. */
  readonly errors: ReadonlyMap<number, readonly Errno[]>;
}

const NUMBERS: Readonly<Record<Family, Numbers>> = {
  ipv4: {
    request: 8,
    reply: 0,
    protocol: IPPROTO.ICMP,
    // net/ipv4/icmp.c icmp_err_convert, net/ipv4/ping.c ping_err
    errors: new Map<number, readonly Errno[]>([
      [
        3,
        [
          'ENETUNREACH',
          'EHOSTUNREACH',
          'ENOPROTOOPT',
          'ECONNREFUSED',
          'EMSGSIZE',
          'EOPNOTSUPP',
          'ENETUNREACH',
          'EHOSTDOWN',
          'ENONET',
          'ENETUNREACH',
          'EHOSTUNREACH',
          'ENETUNREACH',
          'EHOSTUNREACH',
          'EHOSTUNREACH',
          'EHOSTUNREACH',
          'EHOSTUNREACH',
        ],
      ],
      [11, ['EHOSTUNREACH']],
      [12, ['EPROTO']],
    ]),
  },
  ipv6: {
    request: 128,
    reply: 129,
    protocol: IPPROTO.ICMPV6,
    // net/ipv6/icmp.c icmpv6_err_convert
    errors: new Map<number, readonly Errno[]>([
      [1, ['ENETUNREACH', 'EACCES', 'EHOSTUNREACH', 'EHOSTUNREACH', 'ECONNREFUSED', 'EACCES', 'EACCES']],
      [2, ['EMSGSIZE']],
      [3, ['EHOSTUNREACH']],
      [4, ['EPROTO']],
    ]),
  },
};

/** What an echo is known by: 16 bits each. */
export interface EchoKey {
  readonly id: number;
  readonly sequence: number;
}

/** An echo request. The checksum is that of ICMP; for ICMPv6 the kernel fills it in, whatever stands there. */
export function encodeEcho(family: Family, { id, sequence }: EchoKey, payload: Uint8Array): Uint8Array {
  const writer = new ByteWriter(HEADER_LENGTH + payload.length);
  writer.u8(NUMBERS[family].request);
  writer.zeros(3);
  writer.u16be(id);
  writer.u16be(sequence);
  writer.raw(payload);
  if (family === 'ipv4') writer.patchU16be(2, checksum(writer.finish()));
  return writer.finish();
}

export type EchoAnswer =
  | { readonly kind: 'reply'; readonly key: EchoKey; readonly payload: Uint8Array }
  /** Somebody on the way, or the target, sends the echo back. `errno`: what Linux calls it. */
  | { readonly kind: 'error'; readonly key: EchoKey; readonly errno: Errno };

function keyAt(bytes: Uint8Array, at: number): EchoKey {
  const word = (from: number): number => ((bytes[from] ?? 0) << 8) | (bytes[from + 1] ?? 0);
  return { id: word(at + 4), sequence: word(at + 6) };
}

/** Where the echo begins that an error has behind its header, in an IP packet; undefined where it holds no echo of ours. */
function innerEcho(family: Family, bytes: Uint8Array): number | undefined {
  const { protocol, request } = NUMBERS[family];
  const first = bytes[HEADER_LENGTH] ?? 0;
  const length = family === 'ipv4' ? (first & 0xf) * 4 : IPV6_HEADER_LENGTH;
  const next = bytes[HEADER_LENGTH + (family === 'ipv4' ? 9 : 6)];
  const at = HEADER_LENGTH + length;
  const fits = first >> 4 === (family === 'ipv4' ? 4 : 6) && length >= IPV4_HEADER_MIN && next === protocol;
  return fits && bytes.length >= at + HEADER_LENGTH && bytes[at] === request ? at : undefined;
}

/**
 * Reads an ICMP message. Undefined where it answers no echo, is cut, or has a wrong checksum (ICMP only: that of ICMPv6
 * covers addresses too, and the kernel has looked at it).
 */
export function decodeEchoAnswer(family: Family, bytes: Uint8Array): EchoAnswer | undefined {
  if (bytes.length < HEADER_LENGTH) return undefined;
  if (family === 'ipv4' && finishChecksum(addWords(0, bytes)) !== 0) return undefined;
  const { reply, errors } = NUMBERS[family];
  const [type = 0, code = 0] = bytes;
  if (type === reply) return { kind: 'reply', key: keyAt(bytes, 0), payload: bytes.subarray(HEADER_LENGTH) };
  const names = errors.get(type);
  const at = names === undefined ? undefined : innerEcho(family, bytes);
  if (names === undefined || at === undefined) return undefined;
  // Codes that came after the table was made say as little as the first.
  const errno = names[code] ?? names[0];
  return errno === undefined ? undefined : { kind: 'error', key: keyAt(bytes, at), errno };
}

/** What a raw socket of IPv4 receives, without the header of IP; undefined where there is none. */
export function withoutIpv4Header(bytes: Uint8Array): Uint8Array | undefined {
  const [first = 0] = bytes;
  const length = (first & 0xf) * 4;
  return first >> 4 === 4 && length >= IPV4_HEADER_MIN && length <= bytes.length
    ? bytes.subarray(length)
    : undefined;
}

/** Offsets are behind the header of IP, whose length is in the register x; the header's length byte is at x + 8. */
const FILTER_IPV4 = (id: number): readonly FilterInstruction[] => [
  [0xb1, 0, 0, 0], // ldxb 4*([0]&0xf)
  [0x50, 0, 0, 0], // ldb [x+0]: the type
  [0x15, 0, 2, 0], // jeq #0: a reply
  [0x48, 0, 0, 4], // ldh [x+4]: its identifier
  [0x15, 12, 13, id], // jeq id, accept, refuse
  [0x15, 2, 0, 3], // jeq #3: unreachable
  [0x15, 1, 0, 11], // jeq #11: time exceeded
  [0x15, 0, 10, 12], // jeq #12: parameter problem, else refuse
  [0x50, 0, 0, 8], // ldb [x+8]: version and length of the header that it sends back
  [0x54, 0, 0, 0xf], // and #0xf
  [0x64, 0, 0, 2], // lsh #2
  [0x0c, 0, 0, 0], // add x
  [0x07, 0, 0, 0], // tax
  [0x50, 0, 0, 8], // ldb [x+8]: the type of what was sent
  [0x15, 0, 3, 8], // jeq #8, else refuse
  [0x48, 0, 0, 12], // ldh [x+12]: its identifier
  [0x15, 0, 1, id], // jeq id, accept, refuse
  [0x06, 0, 0, 0xffff], // ret #65535
  [0x06, 0, 0, 0], // ret #0
];

const FILTER_IPV6 = (id: number): readonly FilterInstruction[] => [
  [0x30, 0, 0, 0], // ldb [0]: the type
  [0x15, 0, 2, 129], // jeq #129: a reply
  [0x28, 0, 0, 4], // ldh [4]: its identifier
  [0x15, 6, 7, id], // jeq id, accept, refuse
  [0x25, 6, 0, 4], // jgt #4, refuse: no error
  [0x15, 5, 0, 0], // jeq #0, refuse
  [0x30, 0, 0, 48], // ldb [48]: the type of what was sent
  [0x15, 0, 3, 128], // jeq #128, else refuse
  [0x28, 0, 0, 52], // ldh [52]: its identifier
  [0x15, 0, 1, id], // jeq id, accept, refuse
  [0x06, 0, 0, 0xffff], // ret #65535
  [0x06, 0, 0, 0], // ret #0
];

/**
 * A program for a raw socket, which else hears every ICMP message of the machine: lets in replies to the echoes of this
 * identifier, and errors about them (struct sock_filter of linux/filter.h).
 */
export function echoFilter(family: Family, id: number): Uint8Array {
  return encodeFilter(family === 'ipv4' ? FILTER_IPV4(id) : FILTER_IPV6(id));
}
