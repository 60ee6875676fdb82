/** Figures as rows of Markdown: keepalived's, ours, and what lies between. */
import { markdownTable } from '../../scripts/markdown.js';
import type { Millis } from '../../src/core/units.js';
import type { Figures } from './figures.js';
import type { Punctuality } from './lateness.js';
import type { Many } from './many.js';
import type { TakeOver } from './takeover.js';

/** A figure that only one of them has. */
const NONE = '–';
const THEIRS = 'keepalived';
const OURS = 'lvsentry';

function ms(value: number): string {
  return value.toFixed(Math.abs(value) < 10 ? 2 : 0);
}

function spread({ p50, p99, max }: Figures): string {
  return [p50, p99, max].map(ms).join(' / ');
}

function difference(theirs: number | undefined, ours: number | undefined): string {
  if (theirs === undefined || ours === undefined) return NONE;
  return `${ours < theirs ? '−' : '+'}${ms(Math.abs(ours - theirs))}`;
}

function ratio(theirs: number | undefined, ours: number | undefined): string {
  return theirs === undefined || ours === undefined ? NONE : `× ${(ours / theirs).toFixed(2)}`;
}

function of<Row extends { readonly contender: string }>(
  rows: readonly Row[],
  contender: string,
): Row | undefined {
  return rows.find((row) => row.contender === contender);
}

function per(interval: Millis): string {
  return interval < 1000 ? `${interval} ms` : `${interval / 1000} s`;
}

/** One row for each condition and interval. */
export function latenessTable(rows: readonly Punctuality[]): string {
  const header = [
    'beside it',
    'interval',
    'adverts',
    'keepalived',
    'keepalived, real-time',
    'lvsentry',
    'difference',
  ];
  const gaps: string[][] = [];
  const schedules: string[][] = [];
  for (const { condition, interval, gaps: ours, schedule } of rows.filter((row) => row.contender === OURS)) {
    const same = rows.filter((row) => row.condition === condition && row.interval === interval);
    const [plain, realtime] = [of(same, THEIRS), same.find((row) => row.contender.startsWith(`${THEIRS},`))];
    const start = [condition, per(interval), String(ours.count)];
    for (const [table, pick, own] of [
      [gaps, (row: Punctuality) => row.gaps, ours],
      [schedules, (row: Punctuality) => row.schedule, schedule],
    ] as const) {
      const cells = [plain, realtime].map((row) => (row === undefined ? NONE : spread(pick(row))));
      const theirs = plain === undefined ? undefined : pick(plain).p99;
      table.push([...start, ...cells, spread(own), difference(theirs, own.p99)]);
    }
  }
  return [
    'From one advert to the next, how far off the interval (ms, p50 / p99 / max; difference of the p99):',
    markdownTable([header, ...gaps]),
    'Behind a schedule of exact intervals (the same):',
    markdownTable([header, ...schedules]),
  ].join('\n\n');
}

/** One row for each interval. */
export function takeOverTable(rows: readonly TakeOver[]): string {
  const lines = rows
    .filter((row) => row.contender === OURS)
    .flatMap((ours) => {
      const theirs = of(
        rows.filter((row) => row.interval === ours.interval),
        THEIRS,
      );
      return (['beyond', 'announced'] as const).map((figure) => [
        figure === 'beyond'
          ? 'first advert, beyond the master-down interval'
          : 'first gratuitous ARP, beyond the same',
        per(ours.interval),
        String(ours[figure].count),
        theirs === undefined ? NONE : spread(theirs[figure]),
        spread(ours[figure]),
        difference(theirs?.[figure].p99, ours[figure].p99),
      ]);
    });
  return markdownTable([
    ['ms, p50 / p99 / max', 'interval', 'rounds', 'keepalived', 'lvsentry', 'difference of p99'],
    ...lines,
  ]);
}

/** One row for each figure. */
export function manyTable(rows: readonly Many[]): string {
  const lines: string[][] = [];
  for (const ours of rows.filter((row) => row.contender === OURS)) {
    const { interval } = ours;
    const theirs = of(
      rows.filter((row) => row.interval === interval),
      THEIRS,
    );
    const add = (
      what: string,
      value: (row: Many) => number,
      text: (row: Many) => string,
      compare = ratio,
    ): void => {
      const [their, our] = [theirs && value(theirs), value(ours)];
      lines.push([
        what,
        per(interval),
        theirs === undefined ? NONE : text(theirs),
        text(ours),
        compare(their, our),
      ]);
    };
    add(
      'start of the program to all master, ms',
      (row) => row.started,
      (row) => ms(row.started),
      difference,
    );
    add(
      'processor, % of one core',
      (row) => row.cpuShare,
      (row) => (row.cpuShare * 100).toFixed(1),
    );
    add(
      'memory (PSS), MB',
      (row) => row.memory,
      (row) => (row.memory / 1e6).toFixed(1),
    );
    for (const [what, figure] of [
      ['off the interval, ms', 'gaps'],
      ['take-over of all, beyond the master-down interval, ms', 'beyond'],
      ['first gratuitous ARP for each, beyond the same, ms', 'announced'],
    ] as const)
      add(
        `${what}, p50 / p99 / max`,
        (row) => row[figure].p99,
        (row) => spread(row[figure]),
        difference,
      );
  }
  return markdownTable([
    ['figure', 'interval', 'keepalived', 'lvsentry', 'ratio, or difference of p99'],
    ...lines,
  ]);
}
