/** The stream that `tcpdump -w -` writes (draft-ietf-opsawg-pcap), with the kernel's time of each frame. */

import type { Millis } from '../../src/core/units.js';
import { millis } from '../../src/core/units.js';

const HEADER_BYTES = 24;
const RECORD_BYTES = 16;
/** Times in nanoseconds, written by a little-endian machine. */
const MAGIC_NANO = 0xa1b23c4d;
const LINKTYPE_ETHERNET = 1;

/** One captured frame; `at` is wall time with the kernel's precision. */
export interface Frame {
  readonly at: Millis;
  readonly bytes: Buffer;
}

/** Cuts the stream into frames, however it arrives. */
export class PcapReader {
  #rest: Buffer = Buffer.alloc(0);
  #hasHeader = false;

  /** @throws Error where it is not the stream that was asked for */
  push(chunk: Buffer): Frame[] {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#hasHeader) {
      if (data.length < HEADER_BYTES) {
        this.#rest = data;
        return [];
      }
      if (data.readUInt32LE(0) !== MAGIC_NANO || data.readUInt32LE(20) !== LINKTYPE_ETHERNET)
        throw new Error('not a capture of Ethernet frames with times in nanoseconds');
      this.#hasHeader = true;
      data = data.subarray(HEADER_BYTES);
    }
    const frames: Frame[] = [];
    while (data.length >= RECORD_BYTES) {
      const end = RECORD_BYTES + data.readUInt32LE(8);
      if (data.length < end) break;
      const at = millis(data.readUInt32LE(0) * 1000 + data.readUInt32LE(4) / 1e6);
      frames.push({ at, bytes: data.subarray(RECORD_BYTES, end) });
      data = data.subarray(end);
    }
    this.#rest = data;
    return frames;
  }
}
