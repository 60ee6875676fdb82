/** The last events in memory, which of them a query gets, and the lines of the journal. */
import fc from 'fast-check';
import t from 'tap';
import { epochMillis } from '../../src/core/units.js';
import { eventJson, headLine, isClosedLine, readEvent, readHead } from '../../src/events/line.js';
import type { EventQuery, RecordedEvent } from '../../src/events/model.js';
import {
  ALL_EVENTS,
  cursorText,
  isWanted,
  parseCursor,
  parseTime,
  resumeAfter,
} from '../../src/events/query.js';
import { EventRing } from '../../src/events/ring.js';
import { behind, event, START } from './build.js';

t.test('the pages of a ring are what a plain list would give, whatever was pushed', async (t) => {
  const steps = fc.array(fc.record({ jump: fc.integer({ min: 1, max: 5 }), web: fc.boolean() }), {
    maxLength: 60,
  });
  const asked = fc.record({
    after: fc.integer({ min: 0, max: 200 }),
    since: fc.option(fc.integer({ min: 0, max: 200 }), { nil: undefined }),
    service: fc.constantFrom('web', 'ftp', undefined),
    limit: fc.integer({ min: 1, max: 20 }),
  });
  fc.assert(
    fc.property(
      steps,
      fc.integer({ min: 1, max: 12 }),
      asked,
      (pushed, capacity, { limit, since, ...rest }) => {
        const ring = new EventRing(capacity);
        const all: RecordedEvent[] = [];
        let sequence = 0;
        for (const { jump, web } of pushed) {
          sequence += jump;
          const one = event(sequence, { service: web ? 'web' : 'ftp' });
          ring.push(one);
          all.push(one);
        }
        const at = since === undefined ? undefined : epochMillis(START + since * 1000);
        const query: EventQuery = { ...ALL_EVENTS, ...rest, since: at };
        const kept = all.slice(-capacity);
        const wanted = kept.filter((each) => isWanted(query, each)).slice(0, limit);
        const page = ring.page(query, limit);
        t.same(page.events, wanted);
        t.equal(
          page.upTo,
          wanted.length === limit ? wanted.at(-1)?.sequence : Math.max(rest.after, sequence),
        );
        t.equal(ring.newest, sequence);
        t.equal(ring.oldest, kept[0]?.sequence);
      },
    ),
    { numRuns: 200 },
  );
});

t.test('a number that does not count up is a defect', async (t) => {
  const ring = new EventRing(3);
  ring.push(event(5));
  t.throws(() => ring.push(event(5)), { code: 'INTERNAL' });
  t.throws(() => new EventRing(0), { code: 'INTERNAL' });
});

t.test('a query asks for kinds, services and times, and for nothing else', async (t) => {
  const one = event(7);
  const rows: readonly (readonly [string, Partial<EventQuery>, boolean])[] = [
    ['everything', {}, true],
    ['behind the one before', { after: 6 }, true],
    ['behind itself', { after: 7 }, false],
    ['since its own time', { since: one.at }, true],
    ['since a millisecond later', { since: epochMillis(one.at + 1) }, false],
    ['its kind', { kinds: new Set(['server-down']) }, true],
    ['another kind', { kinds: new Set(['server-up']) }, false],
    ['its service', { service: 'web' }, true],
    ['another service', { service: 'ftp' }, false],
  ];
  for (const [name, query, expected] of rows)
    t.equal(isWanted({ ...ALL_EVENTS, ...query }, one), expected, name);
  t.equal(isWanted({ ...behind(0), service: 'web' }, event(1, { service: undefined })), false);
});

t.test('times have a zone', async (t) => {
  t.equal(parseTime('2026-03-01T03:00:00+01:00'), Date.UTC(2026, 2, 1, 2));
  t.equal(parseTime('2026-03-01T03:00Z'), Date.UTC(2026, 2, 1, 3));
  for (const text of ['2026-03-01T03:00:00', '2026-03-01', 'yesterday', '2026-13-01T00:00:00Z', ''])
    t.equal(parseTime(text), undefined, text);
});

t.test('a place in one journal is the beginning in another', async (t) => {
  const text = cursorText({ journal: 'ab12', sequence: 17 });
  t.same(parseCursor(text), { journal: 'ab12', sequence: 17 });
  t.equal(resumeAfter(text, 'ab12'), 17);
  t.equal(resumeAfter(text, 'cd34'), 0);
  for (const wrong of ['17', 'ab12-', '-17', 'ab-12-17', `${'a'.repeat(40)}-1`, 'ab12-9999999999999999'])
    t.equal(resumeAfter(wrong, 'ab12'), undefined, wrong);
});

t.test('an event comes back from its line as it was', async (t) => {
  const words = fc.string({ unit: 'binary', maxLength: 40 });
  fc.assert(
    fc.property(words, fc.option(words, { nil: undefined }), fc.jsonValue(), (message, service, value) => {
      const one = event(3, { message, service, facts: { value } });
      const line = eventJson(one);
      t.notMatch(line, /\n/);
      t.same(readEvent(line), { ...one, facts: JSON.parse(JSON.stringify({ value })) as object });
    }),
    { numRuns: 100 },
  );
});

t.test('facts that are no JSON do not lose their event, and long texts are cut', async (t) => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  t.same(readEvent(eventJson(event(1, { facts: circle })))?.facts, { omitted: 'not representable in JSON' });
  t.same(readEvent(eventJson(event(1, { facts: { n: 5n } })))?.facts, { n: '5' });
  t.same(readEvent(eventJson(event(1, { facts: { a: 'x'.repeat(20_000) } })))?.facts, {
    omitted: 'too long',
  });
  t.equal(readEvent(eventJson(event(1, { message: 'm'.repeat(9000) })))?.message.length, 4000);
});

t.test('a line that is no event is none', async (t) => {
  const good = JSON.parse(eventJson(event(1))) as object;
  const wrong = [
    { sequence: 0 },
    { sequence: 1.5 },
    { sequence: '1' },
    { time: 'x' },
    { time: 5 },
    { kind: null },
    { message: 5 },
    { facts: null },
  ];
  for (const change of wrong)
    t.equal(readEvent(JSON.stringify({ ...good, ...change })), undefined, JSON.stringify(change));
  for (const line of ['', '{', '[]', 'null', '5', '{"closed":true}'])
    t.equal(readEvent(line), undefined, line);
  t.ok(readEvent(JSON.stringify(good)), 'the unchanged one is');
});

t.test('the head of a file names format and journal', async (t) => {
  const line = headLine({ format: 1, journal: 'ab12' });
  t.same(readHead(line), { format: 1, journal: 'ab12' });
  for (const wrong of [
    '',
    '{}',
    '{"lvsentry":"events","format":1}',
    '{"lvsentry":"events","format":1,"journal":"a/b"}',
  ])
    t.equal(readHead(wrong), undefined, wrong);
  t.equal(isClosedLine('{"closed":true}'), true);
  t.equal(isClosedLine('{"closed":false}'), false);
});
