/** Reading and writing of bytes. Both check; neither clamps. */
import { LvsError } from './errors.js';

/** Walks over bytes. Every read that goes past the end throws TRUNCATED with need, have and offset. */
export class ByteReader {
  readonly #view: DataView;
  #offset = 0;

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  get left(): number {
    return this.bytes.length - this.#offset;
  }

  #take(need: number): number {
    const at = this.#offset;
    if (need < 0 || need > this.left) {
      throw new LvsError('TRUNCATED', `need ${need} bytes at offset ${at}, have ${this.left}`, {
        need,
        have: this.left,
        offset: at,
      });
    }
    this.#offset = at + need;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  /** Network order. */
  u16be(): number {
    return this.#view.getUint16(this.#take(2), false);
  }

  /** Host order of every platform Node runs on with Linux: little-endian. */
  u16le(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32be(): number {
    return this.#view.getUint32(this.#take(4), false);
  }

  u32le(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  i32le(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  u64le(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** A view, not a copy: it lives as long as the buffer is not written again. */
  take(length: number): Uint8Array {
    const at = this.#take(length);
    return this.bytes.subarray(at, at + length);
  }

  skip(length: number): void {
    this.#take(length);
  }
}

function checkUnsigned(value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new LvsError('MALFORMED', `${value} is not an integer from 0 to ${max}`);
  }
}

/** Grows as needed; `finish` gives exactly the bytes written. Values outside their type throw MALFORMED. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** May replace #bytes and #view: it has to run in a statement of its own, before either is read. */
  #grow(need: number): number {
    const at = this.#length;
    if (at + need > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, at + need));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#length = at + need;
    return at;
  }

  /** Room for `size` bytes of a number that must be an integer from 0 to `max`. A bad one leaves no trace. */
  #place(size: number, value: number, max: number): number {
    checkUnsigned(value, max);
    return this.#grow(size);
  }

  u8(value: number): void {
    const at = this.#place(1, value, 0xff);
    this.#view.setUint8(at, value);
  }

  u16be(value: number): void {
    const at = this.#place(2, value, 0xffff);
    this.#view.setUint16(at, value, false);
  }

  u16le(value: number): void {
    const at = this.#place(2, value, 0xffff);
    this.#view.setUint16(at, value, true);
  }

  u32be(value: number): void {
    const at = this.#place(4, value, 0xffffffff);
    this.#view.setUint32(at, value, false);
  }

  u32le(value: number): void {
    const at = this.#place(4, value, 0xffffffff);
    this.#view.setUint32(at, value, true);
  }

  i32le(value: number): void {
    if (!Number.isInteger(value) || value < -0x80000000 || value > 0x7fffffff) {
      throw new LvsError('MALFORMED', `${value} is not a 32-bit signed integer`);
    }
    const at = this.#grow(4);
    this.#view.setInt32(at, value, true);
  }

  u64le(value: bigint): void {
    if (value < 0n || value > 0xffffffffffffffffn)
      throw new LvsError('MALFORMED', `${value} is not a 64-bit unsigned integer`);
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value, true);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
  }

  zeros(count: number): void {
    const at = this.#grow(count);
    this.#bytes.fill(0, at, at + count);
  }

  /** Zeros up to the next multiple of `size`. */
  align(size: number): void {
    this.zeros((size - (this.#length % size)) % size);
  }

  /** Forgets what was written from `length` on: the room stays. */
  truncate(length: number): void {
    if (length < 0 || length > this.#length) {
      throw new LvsError('INTERNAL', `cannot cut ${this.#length} bytes to ${length}`);
    }
    this.#length = length;
  }

  /** Overwrites two bytes written before: for lengths known only afterwards. */
  patchU16le(at: number, value: number): void {
    if (at + 2 > this.#length) throw new LvsError('INTERNAL', `patch at ${at} past the end ${this.#length}`);
    checkUnsigned(value, 0xffff);
    this.#view.setUint16(at, value, true);
  }

  patchU16be(at: number, value: number): void {
    if (at + 2 > this.#length) throw new LvsError('INTERNAL', `patch at ${at} past the end ${this.#length}`);
    checkUnsigned(value, 0xffff);
    this.#view.setUint16(at, value, false);
  }

  patchU32le(at: number, value: number): void {
    if (at + 4 > this.#length) throw new LvsError('INTERNAL', `patch at ${at} past the end ${this.#length}`);
    checkUnsigned(value, 0xffffffff);
    this.#view.setUint32(at, value, true);
  }

  /** The bytes written so far, as a view. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}
