/** Bytes as an operator writes them: two hexadecimal digits each, X for any digit, blanks between bytes. */
import { setOf } from './regex-syntax.js';

/** For each byte of the pattern the set of bytes that fit, or undefined where the text is no pattern. */
export function parseBytePattern(text: string): readonly Uint8Array[] | undefined {
  const pairs = text.replace(/ /g, '').match(/../g) ?? [];
  const isPattern = /^ *[0-9A-Fa-fX]{2}(?: *[0-9A-Fa-fX]{2})* *$/.test(text);
  return isPattern ? pairs.map(setOfPair) : undefined;
}

function setOfPair(pair: string): Uint8Array {
  return setOf((byte) => {
    const digits = byte.toString(16).padStart(2, '0');
    return [...pair.toLowerCase()].every((digit, index) => digit === 'x' || digit === digits[index]);
  });
}

/** Whether `bytes` begin as the pattern says. */
export function startsWithPattern(bytes: Uint8Array, pattern: readonly Uint8Array[]): boolean {
  return bytes.length >= pattern.length && pattern.every((set, index) => set[bytes[index] ?? 0] === 1);
}
