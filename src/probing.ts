/** Tells when the probe budget makes intervals longer than configured, and what it would do to a configuration. */
import { planBudget } from './checks/budget.js';
import { UnitBook } from './checks/likes.js';
import type { BudgetPlan, ProbeBudget } from './checks/model.js';
import type { Config } from './config/model.js';
import type { Happening } from './describe.js';
import { serversOf } from './policy/pages.js';
import type { ProbingState } from './world.js';

/** To two digits behind the point, as people read rates and factors. */
const rounded = (value: number): number => Math.round(value * 100) / 100;

function stretchText({ wanted, planned, stretch, stretchedMost, servers }: BudgetPlan, budget: ProbeBudget) {
  const limits = [
    ...(budget.total === undefined ? [] : [`${budget.total} in all`]),
    ...(budget.perServer === undefined ? [] : [`${budget.perServer} a server`]),
  ];
  const where =
    servers === 0
      ? ''
      : `; servers that want more than theirs: ${servers}, and of all ${stretchedMost} the most`;
  return `checks want ${rounded(wanted)} probes a second and probe-budget leaves ${rounded(planned)} (${limits.join(', ')}): intervals are up to ${rounded(stretch)} times as long as configured${where}`;
}

/** What the budget does to the checks of a configuration, in one sentence; undefined: nothing. */
export function budgetText({ services, massFailure, probeBudget }: Config): string | undefined {
  if (probeBudget === undefined) return undefined;
  const book = new UnitBook();
  book.take([
    ...services.flatMap((service) => serversOf(service).flatMap(({ checks }) => checks)),
    ...(massFailure?.canaries.map(({ check }) => check) ?? []),
  ]);
  const plan = planBudget(book.units, probeBudget);
  return plan.stretch > 1 ? stretchText(plan, probeBudget) : undefined;
}

/** What there is to tell of a change of what is probed. */
export function probingHappening(before: ProbingState | undefined, now: ProbingState): Happening | undefined {
  const { plan, budget } = now;
  const was = before === undefined ? 1 : rounded(before.plan.stretch);
  if (was === rounded(plan.stretch) && (before?.plan.servers ?? 0) === plan.servers) return undefined;
  if (budget === undefined || plan.stretch === 1)
    return {
      kind: 'probes-unstretched',
      message: `intervals of checks are as configured again: ${rounded(plan.wanted)} probes a second`,
      facts: { wanted: plan.wanted },
    };
  return {
    kind: 'probes-stretched',
    message: stretchText(plan, budget),
    facts: {
      wanted: plan.wanted,
      planned: plan.planned,
      stretch: plan.stretch,
      servers: plan.servers,
      ...(plan.stretchedMost === undefined ? {} : { stretchedMost: plan.stretchedMost }),
    },
  };
}
