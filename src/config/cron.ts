/**
 * What an expression of crontab(5) may look like here: five fields of numbers, names, ranges, lists and steps. What it
 * means is node-cron's to say; here it is only seen, with its place, what would not be understood, or not as meant.
 */

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly words: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const FIELDS: readonly Field[] = [
  { name: 'minute', least: 0, most: 59, words: [] },
  { name: 'hour', least: 0, most: 23, words: [] },
  { name: 'day of the month', least: 1, most: 31, words: [] },
  { name: 'month', least: 1, most: 12, words: MONTHS },
  { name: 'day of the week', least: 0, most: 7, words: WEEKDAYS },
];

const ITEM = /^(?:\*|(?<from>\d{1,2}|[a-z]{3})(?:-(?<to>\d{1,2}|[a-z]{3}))?)(?:\/(?<step>\d{1,2}))?$/i;

function numberOf(text: string, { least, words }: Field): number {
  const index = words.indexOf(text.toLowerCase());
  return index < 0 ? Number(text) : index + least;
}

/** The values of one item of a list; a text where it is wrong. */
function valuesOf(item: string, field: Field): readonly number[] | string {
  const groups = ITEM.exec(item)?.groups;
  if (groups === undefined) return `"${item}" is not understood in the field for the ${field.name}`;
  const { from, to, step } = groups;
  const first = from === undefined ? field.least : numberOf(from, field);
  const last = to === undefined ? (from === undefined ? field.most : first) : numberOf(to, field);
  if (!(first >= field.least && last <= field.most && first <= last))
    return `"${item}" is no ${field.name}, or no range upwards, from ${field.least} to ${field.most}`;
  const width = Number(step ?? 1);
  if (width < 1 || width > field.most) return `the step of "${item}" is not from 1 to ${field.most}`;
  if (step !== undefined && from !== undefined && to === undefined)
    return `"${item}" has a step, but no range that it divides`;
  return Array.from({ length: Math.floor((last - first) / width) + 1 }, (_, index) => first + index * width);
}

/** The days of each month in the longest year. */
const LENGTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function combinationProblem(
  texts: readonly string[],
  values: readonly (readonly number[])[],
): string | undefined {
  const [, , days = [], months = []] = values;
  if (texts[2] !== '*' && texts[4] !== '*')
    return 'a day of the month together with a day of the week means one thing to one cron and another to the next: keep one of them';
  const isPossible = months.some((month) => days.some((day) => day <= (LENGTHS[month - 1] ?? 0)));
  return isPossible ? undefined : 'no month of these has such a day';
}

/** What is wrong with an expression; undefined where it is right. */
export function cronProblem(expression: string): string | undefined {
  const texts = expression.trim().split(/ +/);
  if (texts.length !== FIELDS.length)
    return `it has ${texts.length} fields; write five: minute, hour, day of the month, month, day of the week`;
  const values: (readonly number[])[] = [];
  for (const [index, field] of FIELDS.entries()) {
    const all: number[] = [];
    for (const item of (texts[index] ?? '').split(',')) {
      const found = valuesOf(item, field);
      if (typeof found === 'string') return found;
      all.push(...found);
    }
    values.push(all);
  }
  return combinationProblem(texts, values);
}
