/** Netlink messages (linux/netlink.h, RFC 3549 section 2): bytes <-> values. Attributes are in attributes.ts. */
import { ByteReader, type ByteWriter } from '../core/bytes.js';
import { LvsError } from '../core/errors.js';
import { AttributeReader, align4 } from './attributes.js';

/** Protocols of AF_NETLINK that lvsentry uses. */
export const NETLINK = { ROUTE: 0, GENERIC: 16 } as const;

/** Message types that every protocol has; a protocol's own begin at MIN_TYPE. */
export const NLMSG = { NOOP: 1, ERROR: 2, DONE: 3, OVERRUN: 4, MIN_TYPE: 0x10 } as const;

/** Flags of the header. The same bits mean other things in GET, NEW and ERROR messages. */
export const NLM_F = {
  REQUEST: 0x1,
  /** Part of an answer that DONE ends. */
  MULTI: 0x2,
  ACK: 0x4,
  ECHO: 0x8,
  /** The table changed during this dump: it has to be repeated. */
  DUMP_INTR: 0x10,
  DUMP_FILTERED: 0x20,
  /** GET: both bits of DUMP have to be set. */
  ROOT: 0x100,
  MATCH: 0x200,
  DUMP: 0x300,
  /** NEW */
  REPLACE: 0x100,
  EXCL: 0x200,
  CREATE: 0x400,
  APPEND: 0x800,
  /** ERROR: the payload of the request is left out. */
  CAPPED: 0x100,
  /** ERROR and DONE: attributes (NLMSGERR_ATTR) follow. */
  ACK_TLVS: 0x200,
} as const;

/** sizeof(struct nlmsghdr), already aligned. */
const NLMSG_HDRLEN = 16;

/** What a header says besides the length. */
export interface MessageHeader {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Port id of the socket that asked; 0 is the kernel, or "fill it in". */
  readonly portId: number;
}

export interface Message extends MessageHeader {
  /** A view into the datagram: copy it to keep it. */
  readonly payload: Uint8Array;
}

/** Begins a message; the payload follows, then `endMessage`. @returns where it begins */
export function beginMessage(writer: ByteWriter, header: MessageHeader): number {
  const start = writer.length;
  writer.u32le(0);
  writer.u16le(header.type);
  writer.u16le(header.flags);
  writer.u32le(header.sequence);
  writer.u32le(header.portId);
  return start;
}

/** Fills in the length, which does not count padding, and pads so that another message can follow. */
export function endMessage(writer: ByteWriter, start: number): void {
  writer.patchU32le(start, writer.length - start);
  writer.align(4);
}

function readHeader(reader: ByteReader): MessageHeader {
  return { type: reader.u16le(), flags: reader.u16le(), sequence: reader.u32le(), portId: reader.u32le() };
}

/**
 * The messages of one datagram, in order. The last may lack its padding.
 * @throws TRUNCATED where a message is longer than what is left, MALFORMED for a length below a header's.
 */
export function splitDatagram(datagram: Uint8Array): Message[] {
  const messages: Message[] = [];
  const reader = new ByteReader(datagram);
  while (reader.left > 0) {
    const length = reader.u32le();
    if (length < NLMSG_HDRLEN) {
      throw new LvsError('MALFORMED', `a netlink message claims ${length} bytes, below its header's 16`);
    }
    const { type, flags, sequence, portId } = readHeader(reader);
    const payload = reader.take(length - NLMSG_HDRLEN);
    messages.push({ type, flags, sequence, portId, payload });
    reader.skip(Math.min(align4(length) - length, reader.left));
  }
  return messages;
}

/** What the kernel adds to an error in words (enum nlmsgerr_attrs); undefined where it did not. */
export interface ExtendedAck {
  readonly text: string | undefined;
  /** Offset of the offending attribute from the start of the request's header, in bytes. */
  readonly offset: number | undefined;
  readonly cookie: Uint8Array | undefined;
  /** Attributes that describe the policy which the request broke (enum netlink_policy_type_attr). */
  readonly policy: Uint8Array | undefined;
}

/** An NLMSG_ERROR. */
export interface ErrorAnswer extends ExtendedAck {
  /** Positive error number; 0 is an acknowledgement. */
  readonly errno: number;
  /** Header of the request. */
  readonly request: MessageHeader & { readonly length: number };
  /** What the kernel echoed of the request after its header: empty when capped. */
  readonly echo: Uint8Array;
}

/** An NLMSG_DONE. `errno` is not 0 where the dump was given up. */
export interface DoneAnswer extends ExtendedAck {
  readonly errno: number;
}

/** enum nlmsgerr_attrs */
const NLMSGERR_ATTR = { MSG: 1, OFFS: 2, COOKIE: 3, POLICY: 4 } as const;

const NO_WORDS: ExtendedAck = { text: undefined, offset: undefined, cookie: undefined, policy: undefined };

function readExtendedAck(bytes: Uint8Array): ExtendedAck {
  let { text, offset, cookie, policy } = NO_WORDS;
  const reader = AttributeReader.over(bytes);
  while (reader.next()) {
    // Unknown types are skipped: newer kernels have more (MISS_TYPE, MISS_NEST).
    if (reader.type === NLMSGERR_ATTR.MSG) text = reader.text();
    else if (reader.type === NLMSGERR_ATTR.OFFS) offset = reader.u32le();
    else if (reader.type === NLMSGERR_ATTR.COOKIE) cookie = reader.bytes();
    else if (reader.type === NLMSGERR_ATTR.POLICY) policy = reader.bytes();
  }
  return { text, offset, cookie, policy };
}

function positiveErrno(code: number): number {
  if (code > 0) throw new LvsError('MALFORMED', `an error number of the kernel is ${code}, above 0`);
  return -code;
}

/**
 * Reads the payload of an NLMSG_ERROR: i32 -errno, the request's header, its payload unless CAPPED, then the
 * attributes where ACK_TLVS is set.
 * @throws TRUNCATED, MALFORMED
 */
export function readError(message: Message): ErrorAnswer {
  const reader = new ByteReader(message.payload);
  const errno = positiveErrno(reader.i32le());
  const length = reader.u32le();
  const request = { length, ...readHeader(reader) };
  const hasWords = (message.flags & NLM_F.ACK_TLVS) !== 0;
  // An acknowledgement never echoes the payload; kernels before 4.3 do not set the flag on it.
  const capped = errno === 0 || (message.flags & NLM_F.CAPPED) !== 0;
  if (length < NLMSG_HDRLEN) throw new LvsError('MALFORMED', `an echoed request claims ${length} bytes`);
  const echo = reader.take(capped ? 0 : length - NLMSG_HDRLEN);
  reader.skip(Math.min(capped ? 0 : align4(length) - length, reader.left));
  const words = hasWords ? readExtendedAck(reader.take(reader.left)) : NO_WORDS;
  return { errno, request, echo, ...words };
}

/** Reads the payload of an NLMSG_DONE. Some protocols end a dump without the i32: that is no error. */
export function readDone(message: Message): DoneAnswer {
  if (message.payload.length === 0) return { errno: 0, ...NO_WORDS };
  const reader = new ByteReader(message.payload);
  const errno = positiveErrno(reader.i32le());
  const hasWords = (message.flags & NLM_F.ACK_TLVS) !== 0;
  return { errno, ...(hasWords ? readExtendedAck(reader.take(reader.left)) : NO_WORDS) };
}
