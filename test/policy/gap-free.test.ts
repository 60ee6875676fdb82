/** A law over book and diff: whatever health, operator and rules ask for, the way there never empties a service. */
import fc from 'fast-check';
import t from 'tap';
import { diffTable } from '../../src/ipvs/diff.js';
import type { ObservedTable } from '../../src/ipvs/model.js';
import { applyToObserved } from '../../src/ipvs/observe.js';
import { admin, Desk, spare, web } from './build.js';

const SERVERS = [11, 12, 13, 21] as const;
const TEXT = 'tcp 192.0.2.1:80';

/** How many servers get new connections. */
function serving(table: ObservedTable): number {
  return [...(table.get(TEXT)?.dests.values() ?? [])].filter(({ settings }) => settings.weight > 0).length;
}

const words = fc.array(
  fc.tuple(fc.constantFrom('up', 'down', 'draining', 'disabled', 'enabled'), fc.constantFrom(...SERVERS)),
  { maxLength: 30 },
);

const rules = fc.record({
  onFailure: fc.constantFrom('remove' as const, 'quiesce' as const),
  quorum: fc.record({ weight: fc.integer({ min: 1, max: 4 }), hysteresis: fc.constantFrom(0, 1) }),
});

function say(desk: Desk, word: 'up' | 'down' | 'draining' | 'disabled' | 'enabled', last: number): void {
  if (word === 'up' || word === 'down') desk.verdicts(`${word} ${last}`);
  else desk.administer(last, word === 'enabled' ? undefined : admin(word));
}

t.test(
  'no step to a fallback, or back, leaves a service empty that has servers before and after',
  async (t) => {
    let [plans, switches] = [0, 0];
    fc.assert(
      fc.property(rules, words, (rule, walk) => {
        const desk = new Desk(web([1, 1, 2], { ...rule, fallback: [[spare(21, true)], [spare(22)]] }));
        let table: ObservedTable = new Map();
        let tier: number | undefined;
        for (const [word, last] of [['up', 11], ...walk] as typeof walk) {
          say(desk, word, last);
          const operations = diffTable(desk.book.desired, table).map((step) => step.operation);
          const after = applyToObserved(table, operations);
          if (operations.length > 1) plans += 1;
          const now = desk.book.view().standings.get('web')?.tier;
          if (now !== tier) switches += 1;
          tier = now;
          for (let length = 1; length < operations.length; length += 1) {
            const between = applyToObserved(table, operations.slice(0, length));
            if (serving(table) > 0 && serving(after) > 0 && serving(between) === 0) return false;
          }
          if (diffTable(desk.book.desired, after).length > 0) return false;
          table = after;
        }
        return true;
      }),
      { numRuns: 1000 },
    );
    t.ok(switches > 100, `${plans} plans of several steps, ${switches} switches of the tier`);
  },
);
