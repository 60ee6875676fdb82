/** When windows begin: clocks that are put forward and back, and node-cron's reading held against one of our own. */
import fc from 'fast-check';
import { validate } from 'node-cron';
import t from 'tap';
import { cronProblem } from '../../src/config/cron.js';
import { epochMillis, millis } from '../../src/core/units.js';
import type { MaintenanceWindow } from '../../src/maintenance/model.js';
import { dayAt, instantOf, instantsOfDay, isZone } from '../../src/maintenance/zone.js';
import { occurrences, Schedule } from '../../src/schedule.js';

const at = (text: string) => epochMillis(Date.parse(text));
const iso = (time: number): string => new Date(time).toISOString().slice(0, 16);
const between = (expression: string, zone: string, after: string, until: string): string[] =>
  occurrences(expression, zone, at(after), at(until)).map(iso);

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'America/St_Johns',
  'Pacific/Kiritimati',
];

const CLOCKS: readonly (readonly [string, string, string, string])[] = [
  ['winter', 'Europe/Berlin', '2026-01-15T03:00', '2026-01-15T02:00'],
  ['summer', 'Europe/Berlin', '2026-07-15T03:00', '2026-07-15T01:00'],
  ['skipped: as much later', 'Europe/Berlin', '2026-03-29T02:30', '2026-03-29T01:30'],
  ['shown twice: the first', 'Europe/Berlin', '2026-10-25T02:30', '2026-10-25T00:30'],
  ['just behind the hour that is shown twice', 'Europe/Berlin', '2026-10-25T03:00', '2026-10-25T02:00'],
  ['skipped, west of Greenwich', 'America/New_York', '2026-03-08T02:30', '2026-03-08T07:30'],
  ['shown twice, west of Greenwich', 'America/New_York', '2026-11-01T01:30', '2026-11-01T05:30'],
  ['half an hour', 'Australia/Lord_Howe', '2026-10-04T02:15', '2026-10-03T15:45'],
  ['quarters', 'Asia/Kathmandu', '2026-10-04T00:00', '2026-10-03T18:15'],
  ['fourteen hours', 'Pacific/Kiritimati', '2026-10-04T00:00', '2026-10-03T10:00'],
];

t.test('what a clock shows is an instant, also where clocks are put forward or back', async (t) => {
  for (const [name, zone, shown, expected] of CLOCKS) {
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = shown.split(/[-T:]/).map(Number);
    t.equal(iso(instantOf({ year, month, day, hour, minute }, zone)), expected, name);
    t.equal(iso(instantsOfDay({ year, month, day }, zone)(hour, minute)), expected, `${name}, by the day`);
  }
  t.same([isZone('Europe/Berlin'), isZone('Europe/Nowhere')], [true, false]);
});

/** What clocks show, by another way than the program's. */
function shown(time: number, zone: string): string {
  return new Date(time).toLocaleString('sv-SE', { timeZone: zone }).slice(0, 16);
}

t.test('a clock shows at its instant what was asked for, unless it skips it', async (t) => {
  const times = fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(2030, 0) });
  fc.assert(
    fc.property(times, fc.constantFrom(...ZONES), (raw, zone) => {
      const time = Math.floor(raw / 60_000) * 60_000;
      const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = shown(time, zone)
        .split(/[- :]/)
        .map(Number);
      const found = instantOf({ year, month, day, hour, minute }, zone);
      t.equal(shown(found, zone), shown(time, zone));
      t.ok(found <= time, 'the first of two');
      t.same(dayAt(epochMillis(time), zone), { year, month, day });
    }),
    { numRuns: 150 },
  );
});

const EXPRESSIONS: readonly (readonly [string, string, string, string, readonly string[]])[] = [
  [
    '0 3 * * sun',
    'Europe/Berlin',
    '2026-03-20T00:00Z',
    '2026-04-01T00:00Z',
    ['2026-03-22T02:00', '2026-03-29T01:00', '2026-04-05T01:00'],
  ],
  [
    '30 2 * * *',
    'Europe/Berlin',
    '2026-03-28T12:00Z',
    '2026-03-30T12:00Z',
    ['2026-03-29T01:30', '2026-03-30T00:30', '2026-03-31T00:30'],
  ],
  [
    '30 2 * * *',
    'Europe/Berlin',
    '2026-10-24T12:00Z',
    '2026-10-26T12:00Z',
    ['2026-10-25T00:30', '2026-10-26T01:30', '2026-10-27T01:30'],
  ],
  [
    '0 22 31 * *',
    'UTC',
    '2026-03-01T00:00Z',
    '2026-06-01T00:00Z',
    ['2026-03-31T22:00', '2026-05-31T22:00', '2026-07-31T22:00'],
  ],
  ['0 0 29 feb *', 'UTC', '2026-01-01T00:00Z', '2026-01-02T00:00Z', ['2028-02-29T00:00']],
  ['0 0 29 2 *', 'UTC', '2096-03-01T00:00Z', '2096-03-02T00:00Z', ['2104-02-29T00:00']],
  [
    '*/20 6-7 * * 7',
    'UTC',
    '2026-11-22T06:10Z',
    '2026-11-22T07:00Z',
    ['2026-11-22T06:20', '2026-11-22T06:40', '2026-11-22T07:00', '2026-11-22T07:20'],
  ],
];

t.test('the beginnings of an expression, each once, and the next one', async (t) => {
  for (const [expression, zone, after, until, expected] of EXPRESSIONS)
    t.same(between(expression, zone, after, until), expected, `${expression} in ${zone}`);
});

const number = (least: number, most: number) => fc.integer({ min: least, max: most });
const item = (least: number, most: number) =>
  fc.oneof(
    fc.constant('*'),
    number(least, most).map(String),
    fc.tuple(number(least, most), number(least, most)).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
    number(1, most).map((step) => `*/${step}`),
    fc
      .tuple(number(least, most), number(least, most), number(1, 5))
      .map(([a, b, step]) => `${Math.min(a, b)}-${Math.max(a, b)}/${step}`),
  );
const field = (least: number, most: number) =>
  fc.array(item(least, most), { minLength: 1, maxLength: 3 }).map((items) => items.join(','));
const lines = fc
  .tuple(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7), fc.boolean())
  .map(([minute, hour, day, month, weekday, byDay]) =>
    [minute, hour, byDay ? day : '*', month, byDay ? '*' : weekday].join(' '),
  );

/** crontab(5), read again: the minutes of a day of UTC at which an expression holds. */
function holds(expression: string, time: Date): boolean {
  const values = [
    time.getUTCMinutes(),
    time.getUTCHours(),
    time.getUTCDate(),
    time.getUTCMonth() + 1,
    time.getUTCDay(),
  ];
  const least = [0, 0, 1, 1, 0];
  return expression.split(' ').every((text, index) =>
    text.split(',').some((each) => {
      const [range = '', step = '1'] = each.split('/');
      const [from, to] =
        range === '*'
          ? [least[index] ?? 0, 99]
          : [Number(range.split('-')[0]), Number(range.split('-').at(-1))];
      const candidates = index === 4 ? [values[4] ?? 0, (values[4] ?? 0) + 7] : [values[index] ?? 0];
      return candidates.some(
        (value) =>
          value <= (range === '*' && index === 4 ? 6 : 99) &&
          value >= from &&
          value <= to &&
          (value - from) % Number(step) === 0,
      );
    }),
  );
}

t.test('the beginnings are those of crontab(5), read by somebody else', async (t) => {
  fc.assert(
    fc.property(lines, number(0, 1500), (expression, day) => {
      if (cronProblem(expression) !== undefined) return;
      const start = Date.UTC(2026, 0, 1) + day * 86_400_000;
      const end = start + 86_400_000;
      const found = occurrences(expression, 'UTC', epochMillis(start - 1), epochMillis(end - 1)).filter(
        (time) => time < end,
      );
      const expected: number[] = [];
      for (let time = start; time < end; time += 60_000)
        if (holds(expression, new Date(time))) expected.push(time);
      t.same(found, expected, expression);
    }),
    { numRuns: 60 },
  );
});

t.test('node-cron understands every expression that the configuration lets pass', async (t) => {
  const words = fc.oneof(lines, fc.stringMatching(/^[0-9*/,a-z -]{1,20}$/));
  fc.assert(
    fc.property(words, (expression) => {
      if (cronProblem(expression) === undefined) t.ok(validate(expression), expression);
    }),
    { numRuns: 300 },
  );
});

const WRONG: readonly (readonly [string, RegExp])[] = [
  ['0 3 * *', /it has 4 fields; write five/],
  ['0 0 3 * * sun', /it has 6 fields; write five/],
  ['@daily', /it has 1 fields/],
  ['60 3 * * *', /"60" is no minute, or no range upwards, from 0 to 59/],
  ['0 24 * * *', /is no hour/],
  ['0 3 * * fri-sun', /"fri-sun" is no day of the week, or no range upwards/],
  ['0 3 * * sonntag', /"sonntag" is not understood in the field for the day of the week/],
  ['0 3 * sun *', /is no month/],
  ['*/61 3 * * *', /the step of "\*\/61" is not from 1 to 59/],
  ['5/10 3 * * *', /"5\/10" has a step, but no range/],
  ['0 3 1 * sun', /one thing to one cron and another to the next/],
  ['0 3 30 2 *', /no month of these has such a day/],
  ['0 3 31 4,6 *', /no month of these has such a day/],
  ['0 3 ? * *', /"\?" is not understood/],
  ['0 3 , * *', /"" is not understood/],
];

t.test('what would not be understood, or not as it is meant, is seen', async (t) => {
  for (const [expression, expected] of WRONG) t.match(cronProblem(expression), expected, expression);
  for (const fine of [
    '0 3 * * sun',
    '0 3 29 2 *',
    '*/15 0-6/2 * jan,JUL *',
    '0 3 * * 7',
    '0  3 *  * Mon-Fri',
  ])
    t.equal(cronProblem(fine), undefined, fine);
});

t.test('beginnings are worked out once, until time has passed them, or goes back', async (t) => {
  const window: MaintenanceWindow = {
    name: 'w',
    times: { kind: 'recurring', schedule: '0 3 * * *', timezone: 'UTC', duration: millis(3_600_000) },
    servers: ['web/a'],
    ahead: millis(600_000),
    reason: undefined,
  };
  const schedule = new Schedule();
  const noon = at('2026-11-22T12:00Z');
  const first = schedule.beginnings(window, noon);
  t.equal(iso(first.at(-1) ?? 0), '2026-11-23T03:00');
  t.equal(schedule.beginnings(window, epochMillis(noon + 3_600_000)), first);
  const next = schedule.beginnings(window, at('2026-11-23T02:50Z'));
  t.same(next.slice(-2).map(iso), ['2026-11-23T03:00', '2026-11-24T03:00'], 'with the one that is under way');
  t.not(schedule.beginnings(window, noon), next, 'a clock that was set back');
  t.not(schedule.beginnings({ ...window }, noon), first, 'another window of that name');
});
