import t from 'tap';
import { planBudget } from '../src/checks/budget.js';
import type { ProbeBudget } from '../src/checks/model.js';
import { budgetText, probingHappening } from '../src/probing.js';
import type { ProbingState } from '../src/world.js';
import { configOf } from './config/given.js';

/** Two services with the same two servers, one of which has a check more, and a canary. */
function text(budget: string): string {
  return `
${budget}
mass-failure: { canaries: [{ address: "192.0.2.99:22", check: { interval: 1s } }] }
defaults: { check: { interval: 1s } }
services:
  web: { address: "192.0.2.1:80", forward: masquerade, servers: [192.0.2.11, 192.0.2.12] }
  shop:
    address: 192.0.2.2:80
    forward: masquerade
    servers: [192.0.2.11, { address: 192.0.2.12, checks: [{ type: tcp }, { type: http, interval: 500ms }] }]
`;
}

const SENTENCE = /^checks want 5 probes a second and probe-budget leaves/;

t.test('what a budget does to a configuration is one sentence; what is shared counts once', async (t) => {
  t.equal(budgetText(configOf(text(''))), undefined);
  t.equal(budgetText(configOf(text('probe-budget: { total: 5, per-server: 3 }'))), undefined);
  const total = budgetText(configOf(text('probe-budget: { total: 4 }')));
  t.match(total, SENTENCE);
  t.match(total, 'leaves 4 (4 in all): intervals are up to 1.25 times as long as configured');
  const one = budgetText(configOf(text('probe-budget: { per-server: 2 }')));
  t.match(one, 'leaves 4 (2 a server): intervals are up to 1.5 times');
  t.match(one, '; servers that want more than theirs: 1, and of all 192.0.2.12 the most');
  t.match(budgetText(configOf(text('probe-budget: { per-server: 2, total: 1 }'))), '(1 in all, 2 a server)');
});

t.test('a budget that limits nothing is none', async (t) => {
  t.equal(configOf(text('probe-budget: {}')).probeBudget, undefined);
  t.same(configOf(text('probe-budget: { per-server: 2 }')).probeBudget, { total: undefined, perServer: 2 });
});

function state(budget: ProbeBudget | undefined, interval = '1s'): ProbingState {
  const { services } = configOf(
    `services: { web: { address: "192.0.2.1:80", forward: masquerade, check: { interval: ${interval} }, servers: [192.0.2.11, 192.0.2.12] } }`,
  );
  const checks = services.flatMap(({ servers }) => servers.flatMap((server) => server.checks));
  const plan = planBudget(checks, budget ?? { total: undefined, perServer: undefined });
  return { checks: 2, distinct: 2, budget, plan };
}

const total = (total: number): ProbeBudget => ({ total, perServer: undefined });

t.test('an event tells of intervals that are stretched, by another factor, and no longer', async (t) => {
  const told = (before: ProbingState | undefined, now: ProbingState) => probingHappening(before, now);
  t.equal(told(undefined, state(undefined)), undefined);
  t.equal(told(undefined, state(total(2))), undefined);
  t.match(told(undefined, state(total(1))), {
    kind: 'probes-stretched',
    message: /^checks want 2 probes a second .* 2 times as long/,
    facts: { wanted: 2, planned: 1, stretch: 2, servers: 0 },
  });
  t.equal(told(state(total(1)), state(total(1))), undefined, 'it is told once');
  t.match(told(state(total(1)), state(total(1), '500ms')), {
    kind: 'probes-stretched',
    facts: { stretch: 4 },
  });
  t.match(told(state(total(1)), state(total(2))), { kind: 'probes-unstretched', facts: { wanted: 2 } });
  t.match(told(state(total(1)), state(undefined)), { kind: 'probes-unstretched' });
});
