/**
 * Netlink attributes (linux/netlink.h, struct nlattr): u16 length of header and payload, u16 type, payload,
 * zeros up to a multiple of 4 that the length does not count. A nest is an attribute whose payload is attributes.
 */
import type { ByteWriter } from '../core/bytes.js';
import { LvsError } from '../core/errors.js';

/** linux/netlink.h: the two top bits of an attribute's type. */
export const NLA = { F_NESTED: 0x8000, F_NET_BYTEORDER: 0x4000, TYPE_MASK: 0x3fff } as const;

/** sizeof(struct nlattr), already aligned. */
const NLA_HDRLEN = 4;

/** `#define NLA_ALIGN(len) (((len) + NLA_ALIGNTO - 1) & ~(NLA_ALIGNTO - 1))`, NLA_ALIGNTO 4. */
export function align4(length: number): number {
  return (length + 3) & ~3;
}

/**
 * Walks over a list of attributes without copying: `while (reader.next()) switch (reader.type)`.
 * The typed readers read the payload of the attribute that `next` stopped at and want its exact size.
 * Everything throws TRUNCATED where bytes are missing and MALFORMED where a length is impossible.
 */
export class AttributeReader {
  /** Type of the current attribute, without the two flag bits. */
  type = 0;
  /** The two flag bits of the current attribute. The kernel's own answers seldom set NESTED. */
  flags = 0;
  #at = 0;
  #size = 0;
  #next: number;

  private constructor(
    private readonly view: DataView,
    start: number,
    private readonly end: number,
  ) {
    this.#next = start;
  }

  /** Over all of `bytes` from `offset` on. The bytes must not change while the reader is used. */
  static over(bytes: Uint8Array, offset = 0): AttributeReader {
    if (offset > bytes.length) throw truncated(offset, offset - bytes.length, 0);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new AttributeReader(view, offset, bytes.length);
  }

  /** Goes to the next attribute; false at the end. */
  next(): boolean {
    const start = this.#next;
    const left = this.end - start;
    if (left <= 0) return false;
    if (left < NLA_HDRLEN) throw truncated(start, NLA_HDRLEN, left);
    const length = this.view.getUint16(start, true);
    const type = this.view.getUint16(start + 2, true);
    if (length < NLA_HDRLEN) {
      throw new LvsError('MALFORMED', `attribute ${type} at offset ${start} claims ${length} bytes, below 4`);
    }
    if (length > left) throw truncated(start, length, left);
    this.type = type & NLA.TYPE_MASK;
    this.flags = type & ~NLA.TYPE_MASK;
    this.#at = start + NLA_HDRLEN;
    this.#size = length - NLA_HDRLEN;
    this.#next = start + align4(length);
    return true;
  }

  /** Bytes of the current attribute's payload. */
  get size(): number {
    return this.#size;
  }

  #exactly(size: number): number {
    if (this.#size < size) throw truncated(this.#at, size, this.#size);
    if (this.#size > size) {
      throw new LvsError('MALFORMED', `attribute ${this.type} has ${this.#size} bytes where ${size} belong`);
    }
    return this.#at;
  }

  u8(): number {
    return this.view.getUint8(this.#exactly(1));
  }

  /** Host order. */
  u16le(): number {
    return this.view.getUint16(this.#exactly(2), true);
  }

  /** Network order. */
  u16be(): number {
    return this.view.getUint16(this.#exactly(2), false);
  }

  /** Host order. */
  u32le(): number {
    return this.view.getUint32(this.#exactly(4), true);
  }

  /** Network order. */
  u32be(): number {
    return this.view.getUint32(this.#exactly(4), false);
  }

  /** Host order. */
  i32le(): number {
    return this.view.getInt32(this.#exactly(4), true);
  }

  /** Host order. */
  u64le(): bigint {
    return this.view.getBigUint64(this.#exactly(8), true);
  }

  /** A view of the payload, not a copy. */
  bytes(): Uint8Array {
    return new Uint8Array(this.view.buffer, this.view.byteOffset + this.#at, this.#size);
  }

  /**
   * The text up to the first NUL, or all of it where there is none; one character for each byte,
   * so that names that are no UTF-8 come back as they were.
   */
  text(): string {
    let text = '';
    for (let index = 0; index < this.#size; index += 1) {
      const byte = this.view.getUint8(this.#at + index);
      if (byte === 0) break;
      text += String.fromCharCode(byte);
    }
    return text;
  }

  /** A reader over the attributes inside this one. */
  nested(): AttributeReader {
    return new AttributeReader(this.view, this.#at, this.#at + this.#size);
  }
}

function truncated(offset: number, need: number, have: number): LvsError {
  return new LvsError('TRUNCATED', `an attribute at offset ${offset} needs ${need} bytes, has ${have}`, {
    offset,
    need,
    have,
  });
}

function header(writer: ByteWriter, type: number, size: number): void {
  writer.u16le(NLA_HDRLEN + size);
  writer.u16le(type);
}

export function putU8(writer: ByteWriter, type: number, value: number): void {
  header(writer, type, 1);
  writer.u8(value);
  writer.zeros(3);
}

/** Host order. */
export function putU16le(writer: ByteWriter, type: number, value: number): void {
  header(writer, type, 2);
  writer.u16le(value);
  writer.zeros(2);
}

/** Network order. */
export function putU16be(writer: ByteWriter, type: number, value: number): void {
  header(writer, type, 2);
  writer.u16be(value);
  writer.zeros(2);
}

/** Host order. */
export function putU32le(writer: ByteWriter, type: number, value: number): void {
  header(writer, type, 4);
  writer.u32le(value);
}

/** Network order. */
export function putU32be(writer: ByteWriter, type: number, value: number): void {
  header(writer, type, 4);
  writer.u32be(value);
}

/** Host order. */
export function putI32le(writer: ByteWriter, type: number, value: number): void {
  header(writer, type, 4);
  writer.i32le(value);
}

/** Host order. */
export function putU64le(writer: ByteWriter, type: number, value: bigint): void {
  header(writer, type, 8);
  writer.u64le(value);
}

/** Two numbers in host order: a flag word and its mask. */
export function putU32lePair(writer: ByteWriter, type: number, first: number, second: number): void {
  header(writer, type, 8);
  writer.u32le(first);
  writer.u32le(second);
}

/** Bytes, with zeros behind them up to `size`. */
export function putPaddedBytes(writer: ByteWriter, type: number, bytes: Uint8Array, size: number): void {
  header(writer, type, size);
  writer.raw(bytes);
  writer.zeros(align4(size) - bytes.length);
}

export function putBytes(writer: ByteWriter, type: number, bytes: Uint8Array): void {
  header(writer, type, bytes.length);
  writer.raw(bytes);
  writer.zeros(align4(bytes.length) - bytes.length);
}

/**
 * Text with the closing NUL that the kernel's NLA_NUL_STRING wants, one byte for each character.
 * @throws MALFORMED for a NUL inside the text or a character above U+00FF.
 */
export function putText(writer: ByteWriter, type: number, text: string): void {
  header(writer, type, text.length + 1);
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0 || code > 0xff) {
      throw new LvsError('MALFORMED', `character ${index} of ${JSON.stringify(text)} cannot be sent`);
    }
    writer.u8(code);
  }
  writer.zeros(align4(text.length + 1) - text.length);
}

/** An attribute that says all by being there. */
export function putFlag(writer: ByteWriter, type: number): void {
  header(writer, type, 0);
}

/**
 * A nest: `fill` writes the attributes inside. `type` is sent as it is; add NLA.F_NESTED to it as the kernel's
 * newer parsers and libnl do.
 */
export function putNest(writer: ByteWriter, type: number, fill: (writer: ByteWriter) => void): void {
  const start = writer.length;
  header(writer, type, 0);
  fill(writer);
  writer.patchU16le(start, writer.length - start);
}
