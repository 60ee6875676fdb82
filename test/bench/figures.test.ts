import t from 'tap';
import { type Figure, figuresTable, median } from '../../bench/figures.js';

t.test(
  'the median of an even number is the upper of the two in the middle, of none there is none',
  async (t) => {
    t.equal(median([]), undefined);
    t.equal(median([3]), 3);
    t.equal(median([9, 1, 5]), 5);
    t.equal(median([9, 1, 5, 7]), 7);
  },
);

t.test('a row for each size and figure, in their order, with the ratio of the medians', async (t) => {
  const one = (contender: Figure['contender'], figure: string, value: number, size = '10 × 1'): Figure => ({
    contender,
    figure,
    value,
    size,
  });
  const text = figuresTable([
    one('keepalived', 'load', 100),
    one('keepalived', 'load', 300),
    one('keepalived', 'load', 200),
    one('lvsentry', 'load', 50),
    one('C', 'load', 1.25),
    one('lvsentry', 'plan', 20),
    one('lvsentry', 'load', 7, '20 × 1'),
  ]);
  const rows = text.split('\n').map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
  t.strictSame(rows.slice(2), [
    ['10 × 1', 'load', '200 (100–300)', '50', '0.25', '–', '1.3'],
    ['10 × 1', 'plan', '–', '20', '–', '–', '–'],
    ['20 × 1', 'load', '–', '7.0', '–', '–', '–'],
  ]);
});
