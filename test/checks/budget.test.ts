import fc from 'fast-check';
import t from 'tap';
import { NO_BUDGET, planBudget, stretchOf } from '../../src/checks/budget.js';
import type { Check, ProbeBudget } from '../../src/checks/model.js';
import { ip } from '../../src/core/ip.js';
import { millis } from '../../src/core/units.js';
import { EVEN } from './rule.js';

interface Given {
  readonly host: number;
  readonly interval: number;
  readonly fast?: number | undefined;
  readonly down?: number | undefined;
}

const optional = (time: number | undefined) => (time === undefined ? undefined : millis(time));

function checkOf({ host, interval, fast, down }: Given, index = 0): Check {
  return {
    id: `web/${index}`,
    rule: {
      ...EVEN,
      interval: millis(interval),
      fastInterval: optional(fast),
      downInterval: optional(down),
      timeout: millis(10),
      rise: 2,
      fall: 3,
    },
    probe: { type: 'tcp', target: { address: ip(`192.0.2.${host}`), port: 1000 + index } },
  };
}

const many = (count: number, given: Given): Check[] =>
  Array.from({ length: count }, (_, index) => checkOf(given, index));

const budget = (total?: number, perServer?: number): ProbeBudget => ({ total, perServer });

const cases = [
  {
    name: 'no budget',
    checks: many(10, { host: 1, interval: 100 }),
    budget: NO_BUDGET,
    stretch: 1,
    planned: 100,
  },
  { name: 'no checks', checks: [], budget: budget(1, 1), stretch: 1, planned: 0 },
  {
    name: 'as much as there may be',
    checks: many(10, { host: 1, interval: 1000 }),
    budget: budget(10),
    stretch: 1,
    planned: 10,
  },
  {
    name: 'twice as much',
    checks: many(10, { host: 1, interval: 1000 }),
    budget: budget(5),
    stretch: 2,
    planned: 5,
  },
  {
    name: 'twice as much for one of two servers',
    checks: [...many(10, { host: 1, interval: 1000 }), ...many(3, { host: 2, interval: 1000 })],
    budget: budget(undefined, 5),
    stretch: 2,
    planned: 8,
    servers: 1,
    most: '192.0.2.1',
  },
  {
    name: 'a server held to its budget leaves more of that of all',
    checks: [...many(10, { host: 1, interval: 1000 }), ...many(5, { host: 2, interval: 1000 })],
    budget: budget(10, 5),
    stretch: 2,
    planned: 10,
    servers: 1,
    most: '192.0.2.1',
  },
  {
    name: 'both',
    checks: [...many(10, { host: 1, interval: 1000 }), ...many(5, { host: 2, interval: 1000 })],
    budget: budget(5, 5),
    stretch: 4,
    planned: 5,
    servers: 1,
    most: '192.0.2.1',
  },
];
for (const { name, checks, budget, stretch, planned, servers = 0, most } of cases)
  t.test(`a budget with ${name}`, async (t) => {
    const plan = planBudget(checks, budget);
    t.match(plan, { stretch, planned, servers });
    t.equal(plan.stretchedMost === undefined, stretch === 1);
    if (most !== undefined) t.equal(plan.stretchedMost, most);
  });

t.test('what could exceed it by faster intervals only is not stretched, but has its limit', async (t) => {
  const checks = many(4, { host: 1, interval: 1000, fast: 100 });
  t.same(planBudget(checks, budget(undefined, 10)).pace, {
    all: undefined,
    servers: new Map([['192.0.2.1', 2.5]]),
  });
  t.same(planBudget(checks, budget(20)).pace, { all: 5, servers: new Map() });
  t.equal(planBudget(checks, budget(40, 40)).pace, undefined, 'nothing ever reaches it');
  const slow = many(4, { host: 1, interval: 1000, down: 100 });
  t.not(planBudget(slow, budget(20)).pace, undefined, 'an interval while down may be the shorter one');
});

const given = fc.record({
  host: fc.integer({ min: 1, max: 4 }),
  interval: fc.integer({ min: 10, max: 60_000 }),
  fast: fc.option(fc.integer({ min: 10, max: 1000 }), { nil: undefined }),
  down: fc.option(fc.integer({ min: 10, max: 60_000 }), { nil: undefined }),
});
const limit = fc.option(fc.integer({ min: 1, max: 500 }), { nil: undefined });
const budgets = fc.record({ total: limit, perServer: limit });
const lists = fc.array(given, { maxLength: 30 }).map((all) => all.map(checkOf));
const sum = (checks: readonly Check[], rate: (check: Check) => number): number =>
  checks.reduce((total, check) => total + rate(check), 0);
const near = (one: number, other: number): boolean => Math.abs(one - other) <= 1e-9 * Math.max(1, one, other);

t.test(
  'laws: the budget is kept, no more is stretched than must be, and the order does not matter',
  async () => {
    fc.assert(
      fc.property(lists, budgets, (checks, its) => {
        const plan = planBudget(checks, its);
        const inForce = (check: Check): number => 1000 / check.rule.interval / stretchOf(plan.pace, check);
        const hosts = new Set(checks.map(({ probe }) => probe.target.address));
        const { total = Number.POSITIVE_INFINITY, perServer = Number.POSITIVE_INFINITY } = its;
        for (const host of hosts) {
          const here = checks.filter(({ probe }) => probe.target.address === host);
          const rate = sum(here, inForce);
          if (rate > perServer * (1 + 1e-9)) throw new Error(`${host} has ${rate}`);
          const factors = new Set(here.map((check) => stretchOf(plan.pace, check)));
          if (factors.size > 1) throw new Error('the checks of one server are stretched alike');
        }
        const all = sum(checks, inForce);
        if (all > total * (1 + 1e-9)) throw new Error(`${all} in all`);
        if (!near(all, plan.planned)) throw new Error(`${all} is not ${plan.planned}`);
        const stretches = checks.map((check) => stretchOf(plan.pace, check));
        if (!near(Math.max(1, ...stretches), plan.stretch)) throw new Error('the largest is told');
        if (stretches.some((stretch) => stretch > 1 + 1e-9)) {
          const full = [...hosts].some((host) =>
            near(
              sum(
                checks.filter(({ probe }) => probe.target.address === host),
                inForce,
              ),
              perServer,
            ),
          );
          if (!full && !near(all, total)) throw new Error('something is stretched, and nothing is used up');
        }
        const turned = planBudget([...checks].reverse(), its);
        return near(turned.planned, plan.planned) && near(turned.stretch, plan.stretch);
      }),
    );
  },
);
