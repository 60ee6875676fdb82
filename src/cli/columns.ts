/** Text in columns, for terminals and for eyes. */

/** What a terminal would obey (a line's end, an escape) stands as a question mark. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '?');
}

/**
 * Rows as lines, columns two spaces apart.
 * @param right which columns are flush right: numbers
 */
export function columns(rows: readonly (readonly string[])[], right: ReadonlySet<number>): string[] {
  const cells = rows.map((row) => row.map(plain));
  const widths: number[] = [];
  for (const row of cells)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return cells.map((row) =>
    row
      .map((cell, index) =>
        right.has(index) ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
];

/** How long ago, in its two largest units: `3h 12m`, `45s`. @param milliseconds below a second is `0s` */
export function ageText(milliseconds: number): string {
  let seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const first = UNITS.findIndex(([, size]) => seconds >= size);
  if (first < 0) return '0s';
  const words: string[] = [];
  for (const [name, size] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(seconds / size);
    seconds -= count * size;
    if (count > 0) words.push(`${count}${name}`);
  }
  return words.join(' ');
}
