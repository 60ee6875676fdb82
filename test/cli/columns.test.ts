import fc from 'fast-check';
import t from 'tap';
import { ageText, columns } from '../../src/cli/columns.js';

t.test('columns are as wide as their widest cell; numbers stand flush right', async (t) => {
  t.same(
    columns(
      [['NAME', 'WEIGHT', 'REASON'], ['web1', '1', 'ok'], ['a-long-name', '65535', ''], ['short']],
      new Set([1]),
    ),
    ['NAME         WEIGHT  REASON', 'web1              1  ok', 'a-long-name   65535', 'short'],
  );
  t.same(columns([], new Set()), []);
});

t.test('nothing that a terminal would obey comes through', async (t) => {
  t.same(columns([['a\u001b[31mred\nline\u0007\u2028']], new Set()), ['a?[31mred?line??']);
  fc.assert(
    fc.property(fc.array(fc.array(fc.string({ unit: 'binary' }))), (rows) => {
      const lines = columns(rows, new Set([0]));
      return lines.length === rows.length && lines.every((line) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(line));
    }),
  );
});

t.test('an age is told in its two largest units', async (t) => {
  const cases: readonly (readonly [number, string])[] = [
    [-5000, '0s'],
    [0, '0s'],
    [999, '0s'],
    [1000, '1s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [61_000, '1m 1s'],
    [3_600_000, '1h'],
    [3_601_000, '1h'],
    [3_660_000, '1h 1m'],
    [86_399_000, '23h 59m'],
    [86_400_000, '1d'],
    [90_000_000, '1d 1h'],
    [86_400_000 * 400 + 3_600_000 * 3, '400d 3h'],
  ];
  for (const [milliseconds, expected] of cases)
    t.equal(ageText(milliseconds), expected, String(milliseconds));
});
