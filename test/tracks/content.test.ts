import fc from 'fast-check';
import t from 'tap';
import { numberIn } from '../../src/tracks/content.js';

const ROWS: readonly (readonly [string, number | undefined])[] = [
  ['0', 0],
  ['5\n', 5],
  ['-20', -20],
  ['+7', 7],
  ['  12\t\r\n', 12],
  ['007', 7],
  ['9999999999', 9_999_999_999],
  ['', undefined],
  ['\n', undefined],
  ['5 6', undefined],
  ['1.5', undefined],
  ['0x10', undefined],
  ['1e3', undefined],
  ['--1', undefined],
  ['- 1', undefined],
  ['five', undefined],
  ['5\0', undefined],
  ['10000000000', undefined],
  ['٣', undefined],
];

t.test('a file holds one whole number and blanks, or none', async (t) => {
  for (const [text, expected] of ROWS) t.equal(numberIn(text), expected, JSON.stringify(text));
  t.ok(Object.is(numberIn('-0'), 0), 'there is no -0');
});

t.test('law: any text is a number that a priority can be reckoned with, or none', async (t) => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const value = numberIn(text);
      return value === undefined || (Number.isSafeInteger(value) && Number(text) === value);
    }),
  );
  t.pass('held');
});
