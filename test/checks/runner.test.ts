import fc from 'fast-check';
import t from 'tap';
import type { Reason } from '../../src/checks/model.js';
import { millis } from '../../src/core/units.js';
import { turn } from '../fakes/time.js';
import { Bench, check, FAIL, PASS, UNKNOWN } from './runner-bench.js';

t.test('starts are spread over the interval, and each check keeps to its own grid', async (t) => {
  const bench = new Bench();
  bench.answer = () => PASS;
  bench.chances = [0, 0.25, 0.5, 0.999];
  bench.update([check(1), check(2), check(3), check(4)]);
  await bench.time.advance(3000);
  t.same(bench.startsOf(1), [0, 1000, 2000, 3000]);
  t.same(bench.startsOf(2), [250, 1250, 2250]);
  t.same(bench.startsOf(3), [500, 1500, 2500]);
  t.same(bench.startsOf(4), [999, 1999, 2999]);
});

t.test('the period counts from start to start, however long a probe takes', async (t) => {
  const bench = new Bench();
  bench.update([check(1)]);
  await bench.time.advance(0);
  for (const slow of [1, 399, 250, 17]) {
    await bench.time.advance(slow);
    await bench.flight(1).land(PASS);
    await bench.time.advance(1000 - slow);
  }
  t.same(bench.startsOf(1), [0, 1000, 2000, 3000, 4000]);
});

t.test('a probe that takes the whole interval neither overlaps the next nor costs a period', async (t) => {
  const bench = new Bench();
  bench.update([check(1, { timeout: millis(1000) })]);
  for (let count = 0; count < 4; count += 1) {
    await bench.time.advance(0);
    await bench.time.advance(1000);
  }
  t.same(bench.startsOf(1), [0, 1000, 2000, 3000, 4000]);
  t.equal(bench.overlaps, 0);
});

t.test('a late start leaves the grid where it was', async (t) => {
  const bench = new Bench();
  bench.answer = () => PASS;
  bench.update([check(1)]);
  await bench.time.advance(990);
  bench.time.stall(30);
  await bench.time.advance(980);
  t.same(bench.startsOf(1), [0, 1020, 2000]);
});

t.test(
  'a start in the later half of its slot leaves one slot out: no two failures shortly after each other',
  async (t) => {
    const bench = new Bench();
    bench.answer = () => PASS;
    bench.update([check(1)]);
    await bench.time.advance(990);
    bench.time.stall(610);
    await bench.time.advance(2400);
    t.same(bench.startsOf(1), [0, 1600, 3000, 4000]);
  },
);

t.test('the deadline fires once, at its time, and its probe is a failure', async (t) => {
  const bench = new Bench();
  bench.update([check(1, { fall: 1 })]);
  await bench.time.advance(0);
  await bench.time.advance(399);
  t.notOk(bench.flight(1).signal.aborted);
  await bench.time.advance(1);
  t.same(bench.told(), ['web/1 unknown>down']);
  t.equal(bench.flights.length, 0);
});

t.test(
  'a verdict change is told at once, with the result that made it; steady results tell nothing',
  async (t) => {
    const bench = new Bench();
    let reason = PASS as Reason;
    bench.answer = () => reason;
    bench.update([check(1)]);
    await bench.time.advance(5000);
    t.same(bench.told(), ['web/1 unknown>up'], 'six passes, one message');
    reason = UNKNOWN;
    await bench.time.advance(9000);
    t.same(bench.told(), [], 'trouble of our own takes nobody out');
    reason = FAIL;
    await bench.time.advance(2000);
    t.same(bench.told(), [], 'two failures of three');
    await bench.time.advance(1000);
    t.match(bench.changes, [
      { id: 'web/1', previous: 'up', verdict: 'down', result: { outcome: 'fail', reason: FAIL }, at: Number },
    ]);
    t.equal(bench.changes[0]?.at, bench.time.wall());
    bench.told();
    await bench.time.advance(9000);
    t.same(bench.told(), [], 'still down');
    reason = PASS;
    await bench.time.advance(2000);
    t.same(bench.told(), ['web/1 down>up']);
  },
);

t.test(
  'restored verdicts are confirmed by the first equal result, and overthrown only by a full count',
  async (t) => {
    const bench = new Bench();
    bench.answer = (port) => (port < 3 ? PASS : FAIL);
    const checks = [check(1), check(2), check(3), check(4)];
    bench.update(checks, { 'web/1': 'up', 'web/2': 'down', 'web/3': 'up', 'web/4': 'down' });
    await bench.time.advance(0);
    t.same(bench.told(), ['web/1 unknown>up', 'web/4 unknown>down']);
    await bench.time.advance(1000);
    t.same(bench.told(), ['web/2 unknown>up']);
    await bench.time.advance(1000);
    t.same(bench.told(), ['web/3 unknown>down']);
  },
);

t.test('an update leaves alone what did not change: timers, counters and probes in flight', async (t) => {
  const bench = new Bench();
  bench.update([check(1), check(2)]);
  await bench.time.advance(100);
  await bench.flight(1).land(FAIL);
  const inFlight = bench.flight(2);
  bench.chances = [0.5];
  bench.update([check(2), check(1), check(3)], { 'web/1': 'down' });
  t.notOk(inFlight.signal.aborted, 'the probe goes on');
  await inFlight.land(PASS);
  t.same(bench.told(), ['web/2 unknown>up'], 'and its result counts');
  await bench.time.advance(900);
  t.same(bench.startsOf(1), [0, 1000], 'the grid stays');
  t.same(bench.startsOf(3), [600], 'the new one is spread');
  await bench.flight(1).land(FAIL);
  await bench.time.advance(1000);
  await bench.flight(1).land(FAIL);
  t.same(bench.told(), ['web/1 unknown>down'], 'its third failure: the first one still counts');
});

t.test('an update aborts what is gone and starts anew what is different', async (t) => {
  const bench = new Bench();
  bench.update([check(1), check(2), check(3, {}, 'web/3')]);
  await bench.time.advance(0);
  const [gone, changed, moved] = [bench.flight(1), bench.flight(2), bench.flight(3)];
  bench.chances = [0.5];
  bench.update([check(2, { fall: 1 }), check(33, {}, 'web/3')], { 'web/2': 'down', 'web/3': 'up' });
  for (const [name, flight] of Object.entries({ gone, changed, moved }))
    t.ok(flight.signal.aborted, `${name}: aborted`);
  await turn();
  t.same(bench.told(), [], 'what was aborted has no say');
  bench.answer = () => PASS;
  await bench.time.advance(3000);
  t.same(bench.startsOf(1), [0], 'no more of the one that is gone');
  t.same(bench.startsOf(2), [0, 500, 1500, 2500]);
  t.same(bench.startsOf(33), [500, 1500, 2500], 'the new target');
  t.same(bench.told(), ['web/3 unknown>up', 'web/2 unknown>up'], 'from the verdicts that were given');
});

t.test(
  'no more probes at the same time than allowed; those that wait go first come, first served',
  async (t) => {
    const bench = new Bench({ inFlightMax: 2 });
    bench.chances = [0, 0.1, 0.2, 0.3, 0.4];
    bench.update(
      [1, 2, 3, 4, 5].map((port) => check(port, { interval: millis(10_000), timeout: millis(9000) })),
    );
    await bench.time.advance(6000);
    t.same(bench.starts, [
      [1, 0],
      [2, 1000],
    ]);
    await bench.flight(2).land(PASS);
    await bench.time.advance(0);
    t.same(bench.starts.slice(2), [[3, 6000]], 'at once');
    await bench.flight(1).land(PASS);
    await bench.flight(3).land(PASS);
    await bench.time.advance(0);
    t.same(bench.starts.slice(3), [
      [4, 6000],
      [5, 6000],
    ]);
    t.equal(bench.atOnceMax, 2);
    await bench.flight(4).land(PASS);
    await bench.flight(5).land(PASS);
    await bench.time.advance(7000);
    t.same(
      bench.starts.slice(5),
      [
        [1, 10_000],
        [2, 11_000],
      ],
      'and the grids have not moved',
    );
  },
);

t.test('a thread that stood still gives its probes the time back, once', async (t) => {
  const bench = new Bench();
  bench.update([check(1, { fall: 1 }), check(2, { fall: 1 })]);
  await bench.time.advance(100);
  bench.time.stall(5000);
  await bench.time.advance(0);
  t.equal(bench.flights.length, 2, 'the deadline passed during the stall and is not held against the server');
  bench.answer = (port) => (port === 1 ? PASS : undefined);
  await bench.flight(1).land(PASS);
  t.same(bench.told(), ['web/1 unknown>up'], 'an answer that lay unread counts');
  await bench.time.advance(400);
  t.same(bench.told(), ['web/2 unknown>down'], 'a server that is really silent is down all the same');
});

t.test('a second stall is no second excuse', async (t) => {
  const bench = new Bench();
  bench.update([check(1, { fall: 1, interval: millis(60_000) })]);
  await bench.time.advance(100);
  bench.time.stall(5000);
  await bench.time.advance(0);
  t.same(bench.told(), []);
  bench.time.stall(5000);
  await bench.time.advance(0);
  t.same(bench.told(), ['web/1 unknown>down']);
});

t.test('after a long stall the missed slots are left out and starts are shared out over turns', async (t) => {
  const bench = new Bench({ inFlightMax: 10_000 });
  bench.answer = () => PASS;
  bench.update(Array.from({ length: 450 }, (_, port) => check(port)));
  await bench.time.advance(1);
  bench.starts.length = 0;
  bench.time.stall(7300);
  const before = bench.starts.length;
  await bench.time.advance(0);
  t.ok(bench.starts.length - before <= 450, 'one start each, not one for each slot that was missed');
  await bench.time.advance(10);
  t.equal(bench.starts.length, 450);
  await bench.time.advance(1000);
  t.equal(bench.starts.length, 900, 'and on the old grid again');
  t.ok(bench.starts.slice(450).every(([, at]) => at % 1000 <= 1));
});

t.test('a thread that is late starts little, so that it can read what it has asked for', async (t) => {
  const bench = new Bench();
  bench.answer = () => PASS;
  bench.update(Array.from({ length: 300 }, (_, port) => check(port)));
  bench.time.stall(60);
  await bench.time.advance(0);
  t.same(bench.startsPerTurn, [5, 100, 100, 95]);
});

t.test('a prober that rejects or throws is a defect: told, unknown, and the check goes on', async (t) => {
  const bench = new Bench();
  bench.update([check(1)]);
  await bench.time.advance(0);
  await bench.flight(1).crash(new Error('oops'));
  t.same(bench.defects, ['web/1: oops']);
  await bench.time.advance(1000);
  await bench.flight(1).land(PASS);
  t.same(bench.told(), ['web/1 unknown>up']);
  const throwing = new Bench({
    probe: () => {
      throw new Error('at once');
    },
  });
  throwing.update([check(1)]);
  await throwing.time.advance(1000);
  t.same(throwing.defects, ['web/1: at once', 'web/1: at once']);
  t.same(throwing.told(), []);
});

t.test('a prober that outlives its deadline is given up, and its late result has no say', async (t) => {
  const bench = new Bench();
  bench.endsAtDeadline = false;
  bench.update([check(1, { fall: 1 })]);
  await bench.time.advance(1399);
  t.same(bench.defects, []);
  const stuck = bench.flight(1);
  t.ok(stuck.signal.aborted);
  await bench.time.advance(1);
  t.same(bench.defects, ['web/1: the probe outlived its deadline']);
  t.same(bench.startsOf(1), [0, 1400], 'the next one starts, late');
  await stuck.land(FAIL);
  t.same(bench.told(), []);
  await bench.flight(1).land(PASS);
  t.same(bench.told(), ['web/1 unknown>up']);
  await bench.time.advance(600);
  t.same(bench.startsOf(1), [0, 1400, 2000]);
});

t.test('a digest comes once a second and counts', async (t) => {
  const bench = new Bench();
  bench.answer = (port) => (port === 1 ? PASS : port === 2 ? FAIL : port === 3 ? UNKNOWN : undefined);
  bench.update([
    check(1),
    check(2),
    check(3),
    check(4, { interval: millis(60_000), timeout: millis(50_000) }),
  ]);
  await bench.time.advance(2500);
  t.equal(bench.digests.length, 2);
  const { at, ...rest } = bench.digests[1] ?? {};
  t.same(rest, { worker: 7, checks: 4, inFlight: 1, probes: 7, failures: 2, unknowns: 2 });
  t.equal(at, bench.time.wall() - 500);
});

t.test('close aborts everything and leaves no timer', async (t) => {
  const bench = new Bench();
  bench.update([check(1), check(2, { assume: 'down' })]);
  await bench.time.advance(0);
  const flights = [...bench.flights];
  bench.runner.close();
  t.ok(flights.every(({ signal }) => signal.aborted));
  await turn();
  t.same(bench.flights, []);
  t.equal(bench.time.waiting, 0);
  t.same(bench.told(), []);
});

t.test('five thousand checks run on at most two timers', async (t) => {
  const bench = new Bench({ inFlightMax: 4096 });
  let state = 1;
  bench.runner.close();
  const many = new Bench({
    inFlightMax: 4096,
    entropy: {
      uniform: () => {
        state = (state * 48_271) % 0x7fffffff;
        return state / 0x7fffffff;
      },
    },
  });
  many.answer = () => PASS;
  many.update(Array.from({ length: 5000 }, (_, port) => check(port, { interval: millis(2000) })));
  t.equal(many.time.waiting, 2, 'one for what is due, one for the digest');
  await many.time.advance(2000);
  t.equal(many.starts.length, 5000);
  t.equal(many.changes.length, 5000);
  const perTenth = new Map<number, number>();
  for (const [, at] of many.starts)
    perTenth.set(Math.floor(at / 200), (perTenth.get(Math.floor(at / 200)) ?? 0) + 1);
  t.ok(
    [...perTenth.values()].every((count) => count > 350 && count < 650),
    'spread evenly',
  );
});

const event = fc.record({ wait: fc.integer({ min: 0, max: 700 }), land: fc.nat(20), good: fc.boolean() });

t.test(
  'law: whatever comes when, no check has two probes, no start is early, and every probe ends',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 25 }),
        fc.integer({ min: 1, max: 3 }),
        async (events, inFlightMax) => {
          const bench = new Bench({ inFlightMax });
          bench.chances = [0, 0.3, 0.6, 0.9];
          bench.update([check(1), check(2, { timeout: millis(1000) }), check(3), check(4)]);
          for (const { wait, land, good } of events) {
            await bench.time.advance(wait);
            await bench.flights[land % 5]?.land(good ? PASS : FAIL);
          }
          if (bench.overlaps > 0 || bench.atOnceMax > inFlightMax || bench.defects.length > 0) return false;
          for (const [index, port] of [1, 2, 3, 4].entries()) {
            const phase = [0, 300, 600, 900][index] ?? 0;
            const slots = bench.startsOf(port).map((at) => Math.floor((at - phase) / 1000));
            if (slots.some((slot, at) => slot < 0 || slot === slots[at - 1])) return false;
            if (bench.startsOf(port).some((at, index, all) => at - (all[index - 1] ?? -1000) < 500))
              return false;
          }
          return true;
        },
      ),
      { numRuns: 150 },
    );
    t.pass();
  },
);
