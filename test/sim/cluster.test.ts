import { readFileSync } from 'node:fs';
import t from 'tap';
import { BROKEN, UNGROUPED } from './broken.js';
import { EventQueue } from './queue.js';
import { Random } from './random.js';
import { makeScenario, type Scenario } from './scenario.js';
import { describeFailure, shrink, simulate } from './simulate.js';
import type { StepFunction } from './world.js';

// Alone it takes some 15 seconds of one processor; on a busy machine more than tap's own limit.
t.setTimeout(280_000);

const SEEDS = 1_000;

/** The first seed from 0 that finds a fault in a broken machine must come before this one. */
const BROKEN_SEEDS = 60;

function keptSeeds(): number[] {
  const text = readFileSync(new URL('../../../test/sim/seeds.txt', import.meta.url), 'utf8');
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '')
    .map(Number);
}

function faultOf(seed: number): string | undefined {
  const scenario = makeScenario(seed);
  const violation = simulate(scenario);
  return violation === undefined ? undefined : describeFailure(scenario, violation);
}

t.test('every seed that once found a fault finds none now', async (t) => {
  const seeds = keptSeeds();
  t.ok(seeds.length > 0 && seeds.every(Number.isInteger));
  for (const seed of seeds) t.equal(faultOf(seed), undefined, `seed ${seed}`);
});

t.test(`${SEEDS} seeds of ten virtual minutes each hold every rule`, async (t) => {
  for (let seed = 0; seed < SEEDS; seed += 1) {
    const fault = faultOf(seed);
    if (fault !== undefined) t.fail(fault);
  }
});

/** One link: on two the sync group drives the machines, and these are driven alone. */
function findFault(step: StepFunction, links: 1 | 2): { scenario: Scenario; rule: string } | undefined {
  for (let seed = 0; seed < BROKEN_SEEDS; seed += 1) {
    const scenario = { ...makeScenario(seed), links };
    const violation = simulate(scenario, step);
    if (violation !== undefined) return { scenario, rule: violation.rule };
  }
  return undefined;
}

t.test('the test itself: a rule that is broken on purpose is found', async (t) => {
  for (const { name, step, found } of BROKEN) {
    const fault = findFault(step, 1);
    t.ok(fault !== undefined && found.some((rule) => rule === fault.rule), `${name}: ${fault?.rule}`);
  }
  t.equal(findFault(UNGROUPED, 2)?.rule, 'group', 'members of a sync group that do not know of each other');
});

t.test('the test itself: what is found is shrunk to what matters', async (t) => {
  const broken = BROKEN.find(({ found }) => found.includes('addresses'));
  if (broken === undefined) throw new Error('no such breakage');
  const fault = findFault(broken.step, 1);
  if (fault === undefined) throw new Error('not found');
  const violation = simulate(fault.scenario, broken.step);
  if (violation === undefined) throw new Error('not again');
  const small = shrink(fault.scenario, violation, broken.step);
  t.ok(
    small.scenario.disturbances.length <= 3,
    `${small.scenario.disturbances.length} disturbances are left`,
  );
  t.equal(small.violation.rule, violation.rule);
  t.match(
    describeFailure(fault.scenario, violation, broken.step),
    /npm run sim -- \d+\nshrunk: addresses at/,
  );
});

t.test('a seed gives the same world twice, and another seed another', async (t) => {
  t.same(makeScenario(7), makeScenario(7));
  t.notSame(makeScenario(7), makeScenario(8));
  const numbers = (seed: number): number[] => {
    const random = new Random(seed);
    return Array.from({ length: 1000 }, () => random.uniform());
  };
  t.same(numbers(1), numbers(1));
  const mean = numbers(2).reduce((sum, value) => sum + value, 0) / 1000;
  t.ok(Math.abs(mean - 0.5) < 0.05, `mean ${mean}`);
});

t.test('the queue gives events by time, and in order of arrival among equals', async (t) => {
  const random = new Random(3);
  const queue = new EventQueue<number>();
  const expected = Array.from({ length: 500 }, (_, order) => ({ at: random.whole(0, 50), order }));
  for (const { at, order } of expected) queue.push(at, order);
  expected.sort((a, b) => a.at - b.at || a.order - b.order);
  for (const { order } of expected) t.equal(queue.pop()?.event, order);
  t.equal(queue.pop(), undefined);
  t.equal(queue.size, 0);
});
