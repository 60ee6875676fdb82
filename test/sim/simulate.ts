/** Runs a scenario under a checker; where a rule does not hold, finds a smaller scenario in which it does not either. */
import { stepVrrp } from '../../src/vrrp/fsm.js';
import { Checker, Violation } from './checker.js';
import { describeScenario, type Scenario } from './scenario.js';
import { type StepFunction, World } from './world.js';

/** The first rule that does not hold; undefined where all do. */
export function simulate(scenario: Scenario, step: StepFunction = stepVrrp): Violation | undefined {
  const world = new World(scenario, step);
  world.observer = new Checker(world);
  try {
    world.run(scenario.duration);
  } catch (thrown) {
    if (thrown instanceof Violation) return thrown;
    throw thrown;
  }
  return undefined;
}

/** A run may not take longer than this in all while it shrinks. */
const TRIES_MAX = 400;

interface Found {
  readonly scenario: Scenario;
  readonly violation: Violation;
}

/** Scenarios with one thing less, the largest cuts first. */
function* smaller({ scenario, violation }: Found): Generator<Scenario> {
  const { disturbances } = scenario;
  const began = disturbances.filter(({ at }) => at < violation.at);
  if (began.length < disturbances.length) yield { ...scenario, disturbances: began };
  for (let size = Math.ceil(began.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < began.length; start += size) {
      yield { ...scenario, disturbances: began.filter((_, index) => index < start || index >= start + size) };
    }
  }
}

/** The same violation with as few disturbances as can be found. */
export function shrink(scenario: Scenario, violation: Violation, step: StepFunction = stepVrrp): Found {
  let found: Found = { scenario, violation };
  let tries = 0;
  for (let improved = true; improved && tries < TRIES_MAX; ) {
    improved = false;
    for (const candidate of smaller(found)) {
      tries += 1;
      const again = tries > TRIES_MAX ? undefined : simulate(candidate, step);
      if (again?.rule !== violation.rule) continue;
      found = { scenario: candidate, violation: again };
      improved = true;
      break;
    }
  }
  return found;
}

/** What a person needs to look into it. */
export function describeFailure(
  scenario: Scenario,
  violation: Violation,
  step: StepFunction = stepVrrp,
): string {
  const small = shrink(scenario, violation, step);
  return [
    `${violation.message}`,
    `again with: npm run sim -- ${scenario.seed}`,
    `shrunk: ${small.violation.message}`,
    describeScenario(small.scenario),
  ].join('\n');
}
