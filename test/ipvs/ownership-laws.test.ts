/** Laws of what is ours: for any tables, any configuration, any policy. */
import fc from 'fast-check';
import t from 'tap';
import { millis } from '../../src/core/units.js';
import { diffTable } from '../../src/ipvs/diff.js';
import { findForeign, foreignTexts } from '../../src/ipvs/foreign.js';
import type { ObservedTable } from '../../src/ipvs/model.js';
import { applyToObserved } from '../../src/ipvs/observe.js';
import type { DriftPolicies, DriftPolicy, Leaving } from '../../src/ipvs/ownership.js';
import type { Desired, DesiredService, Plan } from '../../src/ipvs/plan.js';
import { type Retired, retire } from '../../src/ipvs/retire.js';
import { Tolerance } from '../../src/ipvs/tolerance.js';
import { inService, services, worlds } from './arbitrary.js';
import { table } from './build.js';

const policy = fc.constantFrom<DriftPolicy>('repair', 'report', 'accept');
const drift: fc.Arbitrary<DriftPolicies> = fc.record({
  service: policy,
  removed: policy,
  added: policy,
  weight: policy,
  settings: policy,
});
const leaving = fc.constantFrom<Leaving>(
  { kind: 'remove' },
  { kind: 'drain', deadline: millis(100) },
  { kind: 'drain', deadline: millis(300) },
);
const somebody = services.map((list) => table(...list));

/** Connections everywhere, so that drains take their time. */
function busy(observed: ObservedTable, active: number): ObservedTable {
  return new Map(
    [...observed].map(([text, { service, dests }]) => [
      text,
      { service, dests: new Map([...dests].map(([dest, seen]) => [dest, { ...seen, active }])) },
    ]),
  );
}

function apply(observed: ObservedTable, plan: Plan): ObservedTable {
  return applyToObserved(
    observed,
    plan.map((step) => step.operation),
  );
}

/** What the reconciler wants of each service after what it lets stand; services that are to stay away are left out. */
function wantedOf(tolerance: Tolerance, desired: Desired, observed: ObservedTable): Desired {
  const wanted = new Map<string, DesiredService>();
  for (const [text, service] of desired) {
    const its = tolerance.wanted(text, service, observed.get(text));
    if (its !== undefined) wanted.set(text, its);
  }
  return wanted;
}

t.test(
  'drift: what is repaired becomes what is desired, what is let stand stays, for any policies',
  async (t) => {
    fc.assert(
      fc.property(worlds, drift, somebody, ({ observed, configured }, policies, changed) => {
        const believed = apply(observed, diffTable(configured, observed));
        // Somebody makes the table another one, but for a part that he leaves as it is.
        const found = new Map([...believed, ...changed]);
        const tolerance = new Tolerance();
        const told = tolerance.look(configured, believed, found, () => policies);
        const after = apply(found, diffTable(wantedOf(tolerance, configured, found), found));
        if (diffTable(wantedOf(tolerance, configured, after), after).length > 0) return false;
        const left = new Set(
          told
            .filter((one) => one.policy !== 'repair')
            .map((one) => `${one.service} ${one.server ?? ''} ${one.kind}`),
        );
        for (const [text, service] of configured) {
          if (left.has(`${service.name}  service`)) {
            if (after.get(text)?.service !== found.get(text)?.service) return false;
            if (found.get(text) === undefined) continue;
          }
          for (const [dest, { server, want }] of service.servers) {
            // Without a verdict the table is held as it is, whoever made it so.
            if (want.kind === 'hold') continue;
            const seen = after.get(text)?.dests.get(dest);
            const [before, kinds] = [found.get(text)?.dests.get(dest), `${service.name} ${server} `];
            if (left.has(`${kinds}removed`) && seen !== undefined) return false;
            if (left.has(`${kinds}weight`) && seen?.settings.weight !== before?.settings.weight) return false;
            if (left.has(`${kinds}added`) && seen?.settings.weight !== before?.settings.weight) return false;
            const isLeft = [...left].some((entry) => entry.startsWith(kinds));
            if (isLeft) continue;
            if (want.kind === 'absent' && seen !== undefined) return false;
            if (want.kind === 'present' && seen?.settings.weight !== want.dest.settings.weight) return false;
          }
        }
        return true;
      }),
      { numRuns: 2000 },
    );
    t.pass('2,000 changes by somebody');
  },
);

t.test('drift: a second look at the same table tells nothing and changes nothing', async (t) => {
  fc.assert(
    fc.property(worlds, drift, somebody, ({ observed, configured }, policies, changed) => {
      const believed = apply(observed, diffTable(configured, observed));
      const found = new Map([...believed, ...changed]);
      const tolerance = new Tolerance();
      tolerance.look(configured, believed, found, () => policies);
      const after = apply(found, diffTable(wantedOf(tolerance, configured, found), found));
      const again = tolerance.look(configured, after, after, () => policies);
      return again.length === 0 && diffTable(wantedOf(tolerance, configured, after), after).length === 0;
    }),
    { numRuns: 1000 },
  );
  t.pass('1,000 changes by somebody');
});

/** All that a plan can do: ours, what leaves, what is foreign and condemned. */
const everything = fc
  .record({ world: worlds, leaves: leaving, exclusive: fc.boolean(), active: fc.integer({ min: 0, max: 1 }) })
  .map(({ world, leaves, exclusive, active }) => {
    const observed = busy(world.observed, active);
    const departure = { why: 'unconfigured', leaving: () => leaves, now: millis(0) } as const;
    const retired: Retired = retire(world.before, world.configured, new Map(), departure);
    const foreign = findForeign(world.configured, retired, observed);
    const plan = (of: ObservedTable): Plan =>
      diffTable(world.configured, of, {
        retired,
        now: millis(200),
        ...(exclusive && { condemned: foreign }),
      });
    return { observed, configured: world.configured, retired, foreign, exclusive, plan };
  });

t.test('foreign entries are the same objects afterwards; with exclusive there are none', async (t) => {
  fc.assert(
    fc.property(everything, ({ observed, configured, retired, foreign, exclusive, plan }) => {
      const after = apply(observed, plan(observed));
      if (exclusive) return findForeign(configured, retired, after).services.length === 0;
      if (foreignTexts(findForeign(configured, retired, after)).join() !== foreignTexts(foreign).join())
        return false;
      return (
        foreign.services.every(({ service }) => after.get(service) === observed.get(service)) &&
        foreign.servers.every(
          ({ service, server }) =>
            after.get(service)?.dests.get(server) === observed.get(service)?.dests.get(server),
        )
      );
    }),
    { numRuns: 2000 },
  );
  t.pass('2,000 tables');
});

t.test('a plan that was applied leaves nothing to do but to wait for drains', async (t) => {
  fc.assert(
    fc.property(everything, ({ observed, plan }) => plan(apply(observed, plan(observed))).length === 0),
    { numRuns: 1000 },
  );
  t.pass('1,000 plans');
});

t.test('no prefix of such a plan empties a service that has servers before and after', async (t) => {
  fc.assert(
    fc.property(everything, ({ observed, plan }) => {
      const operations = plan(observed).map((step) => step.operation);
      const after = applyToObserved(observed, operations);
      for (const text of observed.keys()) {
        if (inService(observed, text) === 0 || inService(after, text) === 0) continue;
        for (let length = 1; length < operations.length; length += 1)
          if (inService(applyToObserved(observed, operations.slice(0, length)), text) === 0) return false;
      }
      return true;
    }),
    { numRuns: 1000 },
  );
  t.pass('1,000 plans');
});
