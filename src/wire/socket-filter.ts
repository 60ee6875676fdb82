/** Programs that tell the kernel which packets a socket wants to hear (struct sock_filter of linux/filter.h). Pure. */
import { ByteWriter } from '../core/bytes.js';

/** One instruction: what it does, how far to jump where it holds and where it does not, and its operand. */
export type FilterInstruction = readonly [code: number, yes: number, no: number, value: number];

/** The bytes that SO_ATTACH_FILTER takes, in the byte order of little-endian machines. */
export function encodeFilter(program: readonly FilterInstruction[]): Uint8Array {
  const writer = new ByteWriter(8 * program.length);
  for (const [code, yes, no, value] of program) {
    writer.u16le(code);
    writer.u8(yes);
    writer.u8(no);
    writer.u32le(value);
  }
  return writer.finish();
}
