/** Figures that a bench prints line by line, and their medians as a table. */
import { markdownTable } from '../scripts/markdown.js';

/** One measurement; milliseconds where `figure` names no unit. */
export interface Figure {
  readonly contender: 'keepalived' | 'lvsentry' | 'ipvsadm -R' | 'C';
  readonly size: string;
  readonly figure: string;
  readonly value: number;
}

/** A figure that a contender has not. */
const NONE = '–';

/** Of an even number the upper of the two in the middle. */
export function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

function cell(values: readonly number[]): string {
  const middle = median(values);
  if (middle === undefined) return NONE;
  const text = (value: number) => value.toFixed(value < 10 ? 1 : 0);
  return values.length === 1
    ? text(middle)
    : `${text(middle)} (${text(Math.min(...values))}–${text(Math.max(...values))})`;
}

function ratio(above: number | undefined, below: number | undefined): string {
  return above === undefined || below === undefined || below === 0 ? NONE : (above / below).toFixed(2);
}

/** One row for each size and figure, in the order in which they came. */
export function figuresTable(figures: readonly Figure[]): string {
  const header = ['services × servers', 'ms, medians (least–most)', 'keepalived', 'lvsentry', 'ratio'];
  const rows = new Map<string, string[]>();
  for (const { size, figure } of figures) {
    const of = (contender: Figure['contender']) =>
      figures
        .filter((one) => one.size === size && one.figure === figure && one.contender === contender)
        .map(({ value }) => value);
    const [theirs, our] = [of('keepalived'), of('lvsentry')];
    const others = (['ipvsadm -R', 'C'] as const).map((contender) => cell(of(contender)));
    const cells = [size, figure, cell(theirs), cell(our), ratio(median(our), median(theirs)), ...others];
    rows.set(`${size} ${figure}`, cells);
  }
  return markdownTable([[...header, 'ipvsadm -R', 'C'], ...rows.values()]);
}
