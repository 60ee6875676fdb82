/** How far apart checks see what happens to all of them at once: held against the runner that probes them. */
import fc from 'fast-check';
import t from 'tap';
import { delayOf, planBudget } from '../../src/checks/budget.js';
import type { Check, Pace, VerdictChange } from '../../src/checks/model.js';
import { ip } from '../../src/core/ip.js';
import { micros, millis } from '../../src/core/units.js';
import { graceOf, spreadOf } from '../../src/policy/mass-times.js';
import { MassWatch } from '../../src/policy/mass-watch.js';
import { Bench, check, FAIL, PASS } from '../checks/runner-bench.js';

/** Checks of a few servers; their ports are their numbers. */
const checks: fc.Arbitrary<readonly Check[]> = fc
  .record({
    count: fc.integer({ min: 1, max: 12 }),
    hosts: fc.integer({ min: 1, max: 3 }),
    interval: fc.integer({ min: 500, max: 3000 }),
    fast: fc.option(fc.integer({ min: 100, max: 500 }), { nil: undefined }),
    down: fc.option(fc.integer({ min: 300, max: 9000 }), { nil: undefined }),
    rise: fc.integer({ min: 1, max: 4 }),
    fall: fc.integer({ min: 1, max: 4 }),
    jitter: fc.constantFrom(0, 0.2, 0.5),
  })
  .map(({ count, hosts, interval, fast, down, rise, fall, jitter }) => {
    const rule = {
      interval: millis(interval),
      fastInterval: fast === undefined ? undefined : millis(fast),
      downInterval: down === undefined ? undefined : millis(down),
      timeout: millis(100),
      rise,
      fall,
      jitter,
    };
    return Array.from({ length: count }, (_, index): Check => {
      const its = check(index + 1, rule);
      const address = ip(`192.0.2.${1 + (index % hosts)}`);
      return { ...its, probe: { type: 'tcp', target: { address, port: index + 1 } } };
    });
  });

const budgets = fc.constantFrom(
  { total: undefined, perServer: undefined },
  { total: 2, perServer: undefined },
  { total: 10, perServer: undefined },
  { total: undefined, perServer: 2 },
  { total: 8, perServer: 3 },
);

/** Runs all of them until each was probed, and a while beyond. */
async function warm(its: readonly Check[], pace: Pace | undefined, chances: number[]): Promise<Bench> {
  const bench = new Bench();
  bench.answer = () => PASS;
  bench.chances = chances.length === 0 ? [0] : [...chances, 0.5];
  bench.runner.pace(pace);
  bench.update(its);
  await bench.time.advance(120_000);
  return bench;
}

t.test('laws: a server that dies is found within the spread, and is up again within the grace', async () => {
  const chances = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(
      checks,
      budgets,
      chances,
      fc.integer({ max: 9999, min: 0 }),
      async (all, budget, by, at) => {
        const { pace } = planBudget(all, budget);
        const delay = (its: Check) => delayOf(pace, its);
        const bench = await warm(all, pace, by);
        await bench.time.advance(at);
        bench.answer = () => FAIL;
        bench.starts.length = 0;
        const died = bench.now;
        await bench.time.advance(Math.max(...all.map((its) => spreadOf(its, delay(its)))));
        const isFound = all.every((its) => {
          const [first] = bench.startsOf(its.probe.target.port);
          return first !== undefined && first - died <= spreadOf(its, delay(its));
        });
        await bench.time.advance(200_000);
        bench.told();
        bench.answer = () => PASS;
        await bench.time.advance(Math.max(...all.map((its) => graceOf(its, delay(its)))));
        return isFound && bench.told().filter((line) => line.endsWith('down>up')).length === all.length;
      },
    ),
    { numRuns: 60 },
  );
});

/** A watch over four servers, and what it says once three of them failed one after another. */
function watch(pace: Pace | undefined, changed?: Pace): MassWatch {
  const its = new MassWatch();
  const all = [1, 2, 3, 4].map((port) => {
    const probe = { type: 'tcp', target: { address: ip(`192.0.2.${port}`), port } } as const;
    return { ...check(port, { interval: millis(1000), timeout: millis(500), fall: 1 }), probe };
  });
  const rule = { action: 'hold', percent: 60, minimum: 3, within: millis(1000), limit: undefined } as const;
  its.configure({ ...rule, canaries: [] });
  for (const one of all) its.take(one, false);
  for (const now of [pace, changed]) if (now !== undefined) its.pace((one) => delayOf(now, one), all);
  return its;
}

/** Each fails so many ms after the one before. */
function isMassFailure(its: MassWatch, apart: number): boolean {
  const reason = { kind: 'timeout', phase: 'connect' } as const;
  let news = false;
  for (const index of [0, 1, 2]) {
    const now = millis(100_000 + index * apart);
    const result = { outcome: 'fail', reason, phases: [], elapsed: micros(0) } as const;
    const id = `web/${index + 1}`;
    its.verdict({ id, verdict: 'down', previous: 'up', result } as unknown as VerdictChange, now);
    news = its.settle(now)?.kind === 'mass-failure' || news;
  }
  return news;
}

t.test('what is at once goes by the intervals in force, not by those that are configured', async (t) => {
  // `within`, an interval and a time-out are 2.5 s, from the first of the three to the last.
  const half = { all: 0.5, servers: new Map() };
  const roomy = { all: 1.5, servers: new Map() };
  const rows: readonly (readonly [string, Pace | undefined, Pace | undefined, number, boolean])[] = [
    ['no budget', undefined, undefined, 1200, true],
    ['no budget, too far apart', undefined, undefined, 1300, false],
    ['stretched twice', half, undefined, 1300, true],
    ['stretched twice, with the wait for failing ones', half, undefined, 3200, true],
    ['stretched twice, too far apart', half, undefined, 3300, false],
    ['not stretched, but failing ones may be in the way', roomy, undefined, 1900, true],
    ['no longer stretched', half, { all: undefined, servers: new Map() }, 1300, false],
  ];
  for (const [name, pace, changed, apart, expected] of rows)
    t.equal(isMassFailure(watch(pace, changed), apart), expected, name);
});
