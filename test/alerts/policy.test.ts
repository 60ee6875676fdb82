import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import t from 'tap';
import {
  ALERT_SCHEMA,
  type AlertBody,
  alertBody,
  alertMessage,
  eventId,
  judgeStatus,
  laneOf,
  parseRetryAfter,
  retryDelay,
  wants,
} from '../../src/alerts/policy.js';
import { epochMillis, millis, seconds } from '../../src/core/units.js';
import { ALL_KINDS, event, rule } from './build.js';

const SENDER = { director: 'director-a', run: 'k3x9' };
const validate = new Ajv({ strict: true, strictTypes: false, allErrors: true }).compile(ALERT_SCHEMA);
const parse = (text: string): AlertBody => JSON.parse(text) as AlertBody;

t.test('the published schema is the one that the code has', async (t) => {
  const file = new URL('../../../config/alert.schema.json', import.meta.url);
  t.same(JSON.parse(readFileSync(file, 'utf8')), ALERT_SCHEMA, 'else run `npm run generate`');
});

t.test('every kind of event makes a body that the schema takes', async (t) => {
  for (const kind of ALL_KINDS) {
    for (const [service, server] of [
      ['web', 'web1'],
      ['web', undefined],
      [undefined, undefined],
    ]) {
      const { body } = alertMessage(SENDER, rule(), event(7, server, { kind, service, facts: { a: 1n } }));
      t.ok(validate(JSON.parse(body)), `${kind}: ${JSON.stringify(validate.errors)}`);
      t.same(Object.keys(parse(body)).sort(), [...ALERT_SCHEMA.required].sort(), 'no member more or less');
    }
  }
});

t.test('the schema refuses what is not an alert', async (t) => {
  const good = parse(alertMessage(SENDER, rule(), event(1, 'web1')).body);
  t.ok(validate(good));
  t.ok(validate({ ...good, added: 'by a later version' }), 'but takes members of later versions');
  for (const bad of [
    { ...good, version: 2 },
    { ...good, event: 'server-gone' },
    { ...good, sequence: 0 },
    { ...good, time: '2023-11-14' },
    { ...good, service: 5 },
    { ...good, facts: [] },
    { ...good, id: 'a b' },
    {},
    null,
  ])
    t.notOk(validate(bad), JSON.stringify(bad));
});

t.test('a body says what happened, where, when, and who tells it', async (t) => {
  const facts = { reason: { kind: 'refused', phase: 'connect' } };
  const happened = event(17, 'web1', { message: 'web1 is down: connection refused', facts });
  t.same(alertBody(SENDER, rule(), happened), {
    version: 1,
    id: 'k3x9-17',
    sequence: 17,
    time: '2023-11-14T22:13:20.017Z',
    director: 'director-a',
    rule: 'oncall',
    event: 'server-down',
    service: 'web',
    server: 'web1',
    message: 'web1 is down: connection refused',
    facts,
  });
  t.same(parse(alertMessage(SENDER, rule(), happened).body), alertBody(SENDER, rule(), happened));
  t.equal(alertMessage(SENDER, rule(), happened).id, eventId(SENDER, happened));
});

t.test('facts that JSON cannot hold, or too many of them, do not stop the alert', async (t) => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const cases: readonly (readonly [Record<string, unknown>, unknown])[] = [
    [{ bytes: 12345678901234567890n }, { bytes: '12345678901234567890' }],
    [circle, { omitted: 'not representable in JSON' }],
    [{ text: 'x'.repeat(20_000) }, { omitted: 'too long' }],
    [{ nothing: undefined, f: () => 1 }, {}],
    [{ quote: '"}, "sequence": 99' }, { quote: '"}, "sequence": 99' }],
  ];
  for (const [facts, expected] of cases) {
    const body = parse(alertMessage(SENDER, rule(), event(3, 'web1', { facts })).body);
    t.same(body.facts, expected);
    t.equal(body.sequence, 3);
    t.ok(validate(body));
  }
  const long = parse(alertMessage(SENDER, rule(), event(3, 'web1', { message: 'y'.repeat(5000) })).body);
  t.equal(long.message.length, 2000);
});

t.test('any texts and facts make a valid body of bounded length', async () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.string(),
      fc.string(),
      fc.dictionary(fc.string(), fc.jsonValue()),
      (a, b, c, facts) => {
        const { body } = alertMessage(SENDER, rule({ name: a }), event(1, b, { message: c, facts }));
        const read = parse(body);
        return (
          validate(read) === true &&
          read.rule === a &&
          read.server === b &&
          body.length < 40_000 &&
          read.message === c
        );
      },
    ),
  );
});

t.test('a rule wants the kinds that it names and no others', async (t) => {
  const some = rule({ on: new Set(['server-down', 'daemon-started']) });
  const wanted = ALL_KINDS.filter((kind) => wants(some, event(1, 'web1', { kind })));
  t.same(wanted, ['server-down', 'daemon-started']);
});

t.test('a lane is one server of one service; a service and the daemon have lanes of their own', async (t) => {
  const lanes = [
    event(1, 'web1'),
    event(1, 'web2'),
    event(1, undefined),
    event(1, 'web1', { service: 'ftp' }),
    event(1, undefined, { service: undefined }),
    event(1, 'b', { service: 'a/' }),
    event(1, '/b', { service: 'a' }),
    event(1, undefined, { service: undefined, facts: { instance: 'a' } }),
    event(1, undefined, { service: undefined, facts: { instance: 'b' } }),
  ].map(laneOf);
  t.equal(new Set(lanes).size, lanes.length, 'all different');
  t.equal(laneOf(event(1, 'web1')), laneOf(event(2, 'web1', { kind: 'server-up' })));
  const role = { service: undefined, facts: { instance: 'outside' } };
  t.equal(
    laneOf(event(1, undefined, { ...role, kind: 'became-master' })),
    laneOf(event(2, undefined, { ...role, kind: 'fault' })),
    'all events of a virtual router are of one lane',
  );
});

t.test('the status of an answer decides what happens next', async (t) => {
  const kinds: Readonly<Record<string, readonly number[]>> = {
    delivered: [200, 201, 202, 204, 299],
    refused: [300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 410, 413, 422, 451, 499],
    failed: [408, 425, 429, 500, 501, 502, 503, 504, 599],
  };
  for (const [kind, statuses] of Object.entries(kinds))
    for (const status of statuses) t.equal(judgeStatus(status, undefined).kind, kind, String(status));
  t.match(judgeStatus(302, undefined), { detail: /redirects are not followed.*`url`/ });
  t.match(judgeStatus(503, seconds(7)), { detail: 'status 503', retryAfter: 7000 });
});

t.test('Retry-After is seconds or a date, within bounds', async (t) => {
  const now = epochMillis(Date.UTC(2026, 0, 1, 12, 0, 0));
  const cases: readonly (readonly [string, number | undefined])[] = [
    ['0', 0],
    ['7', 7000],
    ['300', 300_000],
    ['301', 300_000],
    ['9999999999', 300_000],
    ['Thu, 01 Jan 2026 12:00:30 GMT', 30_000],
    ['Thu, 01 Jan 2026 11:00:00 GMT', 0],
    ['Fri, 01 Jan 2027 12:00:00 GMT', 300_000],
    ['soon', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of cases) t.equal(parseRetryAfter(text, now), expected, JSON.stringify(text));
});

t.test(
  'the wait doubles up to a minute, is spread over its whole length, and respects the receiver',
  async (t) => {
    const almost = 1 - 2 ** -53;
    const limits = [1, 2, 3, 4, 5, 6, 7, 8, 30].map((failures) =>
      Math.ceil(retryDelay(failures, almost, undefined)),
    );
    t.same(limits, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    t.equal(retryDelay(5, 0, undefined), 0);
    t.equal(retryDelay(5, 0.5, undefined), 8000);
    t.equal(retryDelay(1, 0.5, seconds(20)), 20_000);
    t.equal(retryDelay(6, 0.9, millis(5)), 28_800);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.double({ min: 0, max: almost, noNaN: true }),
        fc.option(fc.integer({ min: 0, max: 300_000 }), { nil: undefined }),
        (failures, uniform, asked) => {
          const delay = retryDelay(failures, uniform, asked === undefined ? undefined : millis(asked));
          return delay >= (asked ?? 0) && delay <= Math.max(60_000, asked ?? 0);
        },
      ),
    );
  },
);
