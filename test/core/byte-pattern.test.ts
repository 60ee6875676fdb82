import fc from 'fast-check';
import t from 'tap';
import { parseBytePattern, startsWithPattern } from '../../src/core/byte-pattern.js';

function fits(text: string, hex: string): boolean {
  const pattern = parseBytePattern(text);
  if (pattern === undefined) throw new Error(text);
  return startsWithPattern(Buffer.from(hex, 'hex'), pattern);
}

t.test('what fits a pattern, and what does not', async (t) => {
  const rows: readonly (readonly [string, string, boolean])[] = [
    ['01', '01', true],
    ['01', '0102', true],
    ['01', '11', false],
    ['0102', '01', false],
    ['01 XX 03', '01ff03', true],
    ['01 XX 03', '01ff04', false],
    ['X1', 'f1', true],
    ['X1', 'f2', false],
    ['fX', 'fa', true],
    ['FX', 'fa', true],
    ['XX', '', false],
    [' 01  02 ', '0102', true],
  ];
  for (const [text, hex, expected] of rows) t.equal(fits(text, hex), expected, `${text} and ${hex}`);
});

t.test('what is no pattern', async (t) => {
  for (const text of ['', ' ', '0', '0 1', '0g', '01x2', '??', 'xx', '0x01'])
    t.equal(parseBytePattern(text), undefined, JSON.stringify(text));
});

t.test(
  'law: bytes in hex fit themselves, also with any digit blotted out, and no bytes of another first byte',
  async (t) => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 8 }),
        fc.nat(15),
        fc.uint8Array(),
        (bytes, at, tail) => {
          const hex = Buffer.from(bytes).toString('hex');
          const blotted = [...hex].map((digit, index) => (index === at ? 'X' : digit)).join('');
          const longer = hex + Buffer.from(tail).toString('hex');
          const other = Buffer.from([(bytes[0] ?? 0) ^ 0x11, ...bytes.slice(1)]).toString('hex');
          return fits(hex, longer) && fits(blotted, longer) && !fits(hex, other);
        },
      ),
    );
    t.pass();
  },
);
