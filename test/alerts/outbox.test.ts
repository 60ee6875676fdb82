import fc from 'fast-check';
import t from 'tap';
import type { AlertRule } from '../../src/alerts/model.js';
import { Outbox } from '../../src/alerts/outbox.js';
import { ATTEMPTS_MAX, QUEUE_LENGTH_MAX } from '../../src/alerts/queue.js';
import type { Courier } from '../../src/alerts/webhook.js';
import { seconds } from '../../src/core/units.js';
import { FakeTime, turn } from '../fakes/time.js';
import {
  DELIVERED,
  event,
  FAILED,
  FakeCourier,
  FakeLog,
  failedFor,
  REFUSED,
  rule,
  type Sent,
} from './build.js';

interface Setup {
  readonly outbox: Outbox;
  readonly courier: FakeCourier;
  readonly time: FakeTime;
  readonly log: FakeLog;
}

function setup(rules: readonly AlertRule[] = [rule()], uniform: () => number = () => 0.5): Setup {
  const [courier, time, log] = [new FakeCourier(), new FakeTime(), new FakeLog()];
  const outbox = new Outbox('run1', { courier, timers: time, entropy: { uniform }, log });
  outbox.configure('director-a', rules);
  return { outbox, courier, time, log };
}

/** The first attempts begin in a later turn than the offer. */
const begin = (time: FakeTime): Promise<void> => time.advance(0);

t.test('an event goes to every rule that wants it, and to no other', async (t) => {
  const rules = [rule({ name: 'a' }), rule({ name: 'b', on: new Set(['server-up']) }), rule({ name: 'c' })];
  const { outbox, courier, time } = setup(rules);
  outbox.offer(event(1, 'web1'));
  await begin(time);
  t.same(
    courier.sent.map(({ body }) => [body.rule, body.id]),
    [
      ['a', 'run1-1'],
      ['c', 'run1-1'],
    ],
  );
});

t.test('offering an event only queues it: nothing is built or sent in the same turn', async (t) => {
  const { outbox, courier, time } = setup();
  outbox.offer(event(1, 'web1'));
  t.equal(courier.sent.length, 0);
  t.match(outbox.stats, [{ rule: 'oncall', waiting: 1 }]);
  await turn();
  t.equal(courier.sent.length, 0, 'not even in the next one');
  await begin(time);
  t.equal(courier.sent.length, 1);
});

t.test('one server’s events go one after the other, other servers’ beside them', async (t) => {
  const { outbox, courier, time } = setup();
  for (const [sequence, server] of [
    [1, 'web1'],
    [2, 'web1'],
    [3, 'web2'],
    [4, 'web1'],
    [5, undefined],
  ] as const)
    outbox.offer(event(sequence, server));
  await begin(time);
  t.same(courier.sequences, [1, 3, 5]);
  courier.sent[0]?.answer(DELIVERED);
  await turn();
  t.same(courier.sequences, [1, 3, 5, 2]);
  courier.sent[1]?.answer(DELIVERED);
  await turn();
  t.same(courier.sequences, [1, 3, 5, 2], '4 waits for 2');
  courier.sent[3]?.answer(DELIVERED);
  await turn();
  t.same(courier.sequences, [1, 3, 5, 2, 4]);
});

t.test('a server whose alert fails holds up its own later events only', async (t) => {
  const { outbox, courier, time } = setup();
  courier.respond = ({ sequence }) => (sequence === 1 ? FAILED : DELIVERED);
  for (const [sequence, server] of [
    [1, 'web1'],
    [2, 'web1'],
    [3, 'web2'],
    [4, 'web2'],
  ] as const)
    outbox.offer(event(sequence, server));
  await begin(time);
  t.same(courier.sequences, [1, 3, 4]);
  courier.respond = () => DELIVERED;
  await time.advance(500);
  t.same(courier.sequences, [1, 3, 4, 1, 2], 'the failed one first');
});

t.test('a failed attempt is repeated after a growing, spread wait, with the same id and body', async (t) => {
  const { outbox, courier, time, log } = setup([rule({ retries: 4 })]);
  courier.respond = () => FAILED;
  outbox.offer(event(1, 'web1'));
  await begin(time);
  // Half of 1, 2, 4 and 8 seconds.
  for (const [attempts, wait] of [500, 1000, 2000, 4000].entries()) {
    t.equal(courier.sent.length, attempts + 1);
    await time.advance(wait - 1);
    t.equal(courier.sent.length, attempts + 1, 'not before');
    await time.advance(1);
  }
  t.equal(courier.sent.length, 5);
  t.equal(new Set(courier.sent.map(({ message }) => JSON.stringify(message))).size, 1);
  t.match(outbox.stats, [{ waiting: 0, delivered: 0, lost: 1, dropped: 0 }]);
  t.same(log.messages, [
    'warn alert oncall: the receiver fails: status 500',
    'error alert oncall: not delivered, given up: status 500: event 1',
  ]);
  t.match(log.lines[1]?.fields, {
    code: 'ALERT',
    event: 'run1-1',
    attempts: 5,
    target: 'http://127.0.0.1:9',
  });
  t.equal(time.waiting, 0, 'no timer is left');
});

t.test('a receiver that asks for a longer wait gets it', async (t) => {
  const { outbox, courier, time } = setup();
  courier.respond = () => failedFor(seconds(20));
  outbox.offer(event(1, 'web1'));
  await time.advance(19_999);
  t.equal(courier.sent.length, 1);
  await time.advance(1);
  t.equal(courier.sent.length, 2);
});

t.test('a refusal is final, and the next event of the server goes on', async (t) => {
  const { outbox, courier, time, log } = setup();
  courier.respond = ({ sequence }) => (sequence === 1 ? REFUSED : DELIVERED);
  outbox.offer(event(1, 'web1'));
  outbox.offer(event(2, 'web1'));
  await begin(time);
  t.same(courier.sequences, [1, 2]);
  t.match(outbox.stats, [{ waiting: 0, delivered: 1, lost: 1 }]);
  t.same(log.messages, ['error alert oncall: not delivered, given up: status 400: event 1']);
});

t.test('an attempt that gets no answer is ended at its deadline, and repeated', async (t) => {
  const { outbox, courier, time } = setup([rule({ timeout: seconds(5) })]);
  outbox.offer(event(1, 'web1'));
  await time.advance(4999);
  t.equal(courier.sent[0]?.signal.aborted, false);
  await time.advance(1);
  t.equal(courier.sent[0]?.signal.aborted, true);
  await time.advance(500);
  t.same(courier.sequences, [1, 1]);
});

t.test('a receiver that hangs takes a few connections and holds up no other rule', async (t) => {
  const rules = [
    rule({ name: 'hangs' }),
    rule({ name: 'works', webhook: { url: 'http://w', secret: undefined } }),
  ];
  const { outbox, courier, time } = setup(rules);
  courier.respond = ({ url }) => (url === 'http://w' ? DELIVERED : undefined);
  for (let sequence = 1; sequence <= 200; sequence += 1) outbox.offer(event(sequence, `web${sequence}`));
  await begin(time);
  t.equal(courier.open.size, ATTEMPTS_MAX);
  t.match(outbox.stats, [
    { rule: 'hangs', waiting: 200, delivered: 0 },
    { rule: 'works', waiting: 0, delivered: 200 },
  ]);
  await time.advance(60_000);
  t.equal(courier.open.size, ATTEMPTS_MAX, 'and never more');
});

t.test('a failing receiver is one warning, and one line when it is back', async (t) => {
  const { outbox, courier, time, log } = setup();
  courier.respond = () => FAILED;
  for (let sequence = 1; sequence <= 10; sequence += 1) outbox.offer(event(sequence, `web${sequence}`));
  await begin(time);
  courier.respond = () => DELIVERED;
  await time.advance(60_000);
  t.same(log.messages, [
    'warn alert oncall: the receiver fails: status 500',
    'info alert oncall: the receiver takes alerts again',
  ]);
  t.match(outbox.stats, [{ waiting: 0, delivered: 10, lost: 0 }]);
});

t.test('a full queue drops its oldest alert that is not being sent, counts it and says so', async (t) => {
  const { outbox, courier, time, log } = setup();
  for (let sequence = 1; sequence <= QUEUE_LENGTH_MAX; sequence += 1)
    outbox.offer(event(sequence, `web${sequence}`));
  await begin(time);
  t.same(courier.sequences, [1, 2, 3, 4]);
  for (let more = 1; more <= 5; more += 1) outbox.offer(event(QUEUE_LENGTH_MAX + more, 'web1'));
  t.match(outbox.stats, [{ waiting: QUEUE_LENGTH_MAX, dropped: 5 }]);
  t.equal(log.lines.length, 1, 'the first drop is told at once');
  t.match(log.messages[0], /^error alert oncall: the queue is full \(1000\): 1 of the oldest alerts dropped/);
  for (const sent of courier.open) sent.answer(DELIVERED);
  await turn();
  t.same(courier.sequences.slice(4), [10, 11, 12, 13], '5 to 9 were dropped');
  courier.respond = () => DELIVERED;
  for (const sent of courier.open) sent.answer(DELIVERED);
  await time.advance(60_000);
  t.equal(outbox.stats[0]?.waiting, 0);
  t.equal(outbox.stats[0]?.delivered, QUEUE_LENGTH_MAX);
  t.match(log.messages[1], /4 of the oldest alerts dropped/, 'the others together, a minute later');
  t.equal(log.lines.length, 2);
});

t.test('an alert that waits for its next attempt can be dropped; its server goes on', async (t) => {
  const { outbox, courier, time } = setup();
  courier.respond = ({ sequence }) => (sequence === 1 ? failedFor(seconds(300)) : undefined);
  outbox.offer(event(1, 'web1'));
  outbox.offer(event(2, 'web1'));
  for (let n = 3; n <= QUEUE_LENGTH_MAX; n += 1) outbox.offer(event(n, 'web2'));
  await begin(time);
  t.same(courier.sequences, [1, 3]);
  outbox.offer(event(QUEUE_LENGTH_MAX + 1, 'web2'));
  await begin(time);
  t.same(courier.sequences, [1, 3, 2]);
  await time.advance(4_000);
  t.equal(outbox.stats[0]?.dropped, 1);
});

t.test('a drop behind an alert that is being sent does not send that one twice', async (t) => {
  const { outbox, courier, time } = setup();
  for (let n = 1; n <= QUEUE_LENGTH_MAX + 1; n += 1) outbox.offer(event(n, 'web1'));
  await begin(time);
  for (let n = 1; n <= 3; n += 1) outbox.offer(event(QUEUE_LENGTH_MAX + 1 + n, 'web1'));
  await begin(time);
  t.same(courier.sequences, [2], 'the first was dropped before it was sent');
});

t.test('a courier that breaks is a failed attempt, not a crash', async (t) => {
  const broken: Courier = {
    prepare: () => undefined,
    deliver: () => {
      throw new Error('a defect');
    },
  };
  const [time, log] = [new FakeTime(), new FakeLog()];
  const outbox = new Outbox('r', { courier: broken, timers: time, entropy: { uniform: () => 0 }, log });
  outbox.configure('director-a', [rule({ retries: 1 })]);
  outbox.offer(event(1, 'web1'));
  await time.advance(10);
  t.match(log.messages.at(-1), /given up: a defect/);
});

t.test('offer never throws, whatever it is given', async (t) => {
  const { outbox, log, time } = setup([rule({ on: undefined as unknown as AlertRule['on'] })]);
  outbox.offer(event(1, 'web1'));
  t.match(log.messages, ['error an alert was lost by a defect']);
  outbox.configure('director-a', [rule({ retries: 0 })]);
  outbox.offer(event(2, 'web1', { at: Number.NaN as never }));
  await time.advance(10);
  t.match(log.messages.at(-1), /given up: Invalid time value/);
});

t.test('closing sends what waits, without pauses, and takes nothing more', async (t) => {
  const { outbox, courier, time } = setup();
  courier.respond = () => failedFor(seconds(100));
  outbox.offer(event(1, 'web1'));
  await begin(time);
  courier.respond = () => DELIVERED;
  outbox.offer(event(2, 'web1'));
  outbox.offer(event(3, undefined, { kind: 'daemon-stopping' }));
  const closing = outbox.close(seconds(5));
  outbox.offer(event(4, 'web1'));
  t.equal(await closing, 0);
  t.same(courier.sequences, [1, 3, 1, 2]);
  t.equal(time.waiting, 0, 'no timer is left');
});

t.test('closing gives up after its limit, and says how much', async (t) => {
  const { outbox, courier, time, log } = setup();
  for (let sequence = 1; sequence <= 7; sequence += 1) outbox.offer(event(sequence, `web${sequence}`));
  const closing = outbox.close(seconds(3));
  await time.advance(2999);
  t.equal(courier.open.size, 4);
  await time.advance(1);
  t.equal(await closing, 7);
  t.equal(courier.open.size, 0, 'the attempts were ended');
  t.match(log.messages.at(-1), 'error alert oncall: 7 alerts given up: lvsentry stops');
  t.equal(time.waiting, 0, 'no timer is left');
});

t.test('a failure while closing is final', async (t) => {
  const { outbox, courier } = setup();
  courier.respond = () => FAILED;
  outbox.offer(event(1, 'web1'));
  t.equal(await outbox.close(seconds(3)), 0);
  t.equal(courier.sent.length, 1);
  t.match(outbox.stats, [{ lost: 1, waiting: 0 }]);
});

t.test('closing an empty outbox, or one without rules, is immediate', async (t) => {
  t.equal(await setup().outbox.close(seconds(3)), 0);
  t.equal(await setup([]).outbox.close(seconds(3)), 0);
});

t.test('the courier is prepared when there is a rule, not before', async (t) => {
  const { outbox, courier } = setup([]);
  outbox.offer(event(1, 'web1'));
  t.equal(courier.prepared, 0);
  outbox.configure('director-a', [rule()]);
  t.equal(courier.prepared, 1);
});

t.test(
  'a reload keeps the waiting alerts of a rule that stays, and gives up those of one that is gone',
  async (t) => {
    const { outbox, courier, time, log } = setup([rule({ name: 'stays' }), rule({ name: 'goes' })]);
    courier.respond = () => FAILED;
    outbox.offer(event(1, 'web1'));
    await begin(time);
    courier.respond = () => DELIVERED;
    outbox.configure('director-b', [
      rule({ name: 'stays', webhook: { url: 'http://new', secret: undefined } }),
    ]);
    outbox.offer(event(2, 'web2'));
    await time.advance(60_000);
    t.same(
      courier.sent.slice(2).map(({ body, url }) => [body.rule, body.sequence, body.director, url]),
      [
        ['stays', 2, 'director-b', 'http://new'],
        ['stays', 1, 'director-b', 'http://new'],
      ],
    );
    t.ok(log.messages.includes('error alert goes: 1 alerts given up: its rule is gone'));
  },
);

t.test('nothing secret reaches the log', async (t) => {
  const url = 'https://user:pa55@hooks.example.org/T00/s3cret?token=t0ken';
  const { outbox, courier, time, log } = setup([
    rule({ retries: 0, webhook: { url, secret: 'signing-key' } }),
  ]);
  courier.respond = () => FAILED;
  for (let n = 1; n <= QUEUE_LENGTH_MAX + 2; n += 1) outbox.offer(event(n, 'web1'));
  await time.advance(60_000);
  const text = JSON.stringify(log.lines);
  t.match(text, /https:\/\/hooks\.example\.org/);
  t.notMatch(text, /pa55|s3cret|t0ken|signing-key/);
});

t.test(
  'whatever the receiver does: order in each lane, nothing twice after success, all accounted for',
  async (t) => {
    const script = fc.array(
      fc.record({
        server: fc.constantFrom('a', 'b', 'c', undefined),
        pause: fc.constantFrom(0, 0, 1, 700, 5000),
      }),
      { minLength: 1, maxLength: 60 },
    );
    const outcome = fc.constantFrom(DELIVERED, FAILED, REFUSED, undefined);
    await fc.assert(
      fc.asyncProperty(
        script,
        fc.infiniteStream(outcome),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        async (steps, outcomes, chances) => {
          const { outbox, courier, time } = setup([rule({ retries: 2 })], () => chances.next().value ?? 0);
          const finished = new Map<string, number>();
          const faults: string[] = [];
          const respond = (sent: Sent) => {
            const lane = sent.body.server ?? '';
            if (sent.sequence <= (finished.get(lane) ?? 0)) faults.push(`${sent.sequence} after its end`);
            if ([...courier.open].some((other) => other !== sent && (other.body.server ?? '') === lane))
              faults.push(`two of lane ${lane} at once`);
            const delivery = outcomes.next().value;
            if (delivery?.kind === 'delivered' || delivery?.kind === 'refused')
              finished.set(lane, sent.sequence);
            return delivery;
          };
          courier.respond = respond;
          for (const [index, { server, pause }] of steps.entries()) {
            outbox.offer(event(index + 1, server));
            if (pause > 0) await time.advance(pause);
          }
          await time.advance(60_000 * steps.length);
          const [stats] = outbox.stats;
          t.same(faults, []);
          t.equal(stats?.waiting, 0);
          t.equal((stats?.delivered ?? 0) + (stats?.lost ?? 0), steps.length);
          t.equal(time.waiting, 0);
        },
      ),
      { numRuns: 60 },
    );
  },
);
