/** Only some kinds of change are allowed. */
import fc from 'fast-check';
import t from 'tap';
import { allow, CHANGE_KINDS, type ChangeKind } from '../../src/ipvs/allow.js';
import { diffTable } from '../../src/ipvs/diff.js';
import type { ObservedTable } from '../../src/ipvs/model.js';
import { applyToObserved } from '../../src/ipvs/observe.js';
import type { Plan } from '../../src/ipvs/plan.js';
import { computeDesired } from '../../src/policy/desired.js';
import { inService, worlds } from './arbitrary.js';
import { config, dest, health, key, service, serviceConfig, table } from './build.js';

const WEB = service();
const A = dest('192.0.2.11');
const B = dest('192.0.2.12', { weight: 2 });
const C = dest('192.0.2.13');

const states = (down: string) =>
  new Map(
    [A, B, C].map(({ key: { address } }) => [
      `web/${address}:80`,
      health(address.endsWith(down) ? 'down' : 'up'),
    ]),
  );

function plan(observed: ObservedTable, down = 'none'): Plan {
  return diffTable(computeDesired(config(serviceConfig('web', WEB, [A, B, C])), states(down)), observed);
}

const words = (steps: Plan): string =>
  steps
    .map(({ operation }) => {
      const its = 'dest' in operation ? operation.dest : undefined;
      const address = its === undefined ? '' : 'settings' in its ? its.key.address : its.address;
      return `${operation.kind}${address === '' ? '' : ` ${address.split('.').at(-1)}`}`;
    })
    .join(', ');

const RR = service(key(), { scheduler: 'rr' });
const HEAVY = dest('192.0.2.12', { weight: 9 });
const OTHERWISE = dest('192.0.2.12', { weight: 9, forward: { method: 'masquerade' } });

const CASES: readonly (readonly [string, ObservedTable, string, readonly ChangeKind[], string, string])[] = [
  [
    'all kinds: all of it',
    table([RR, [A]]),
    'none',
    ['add', 'weight', 'settings', 'remove'],
    'edit-service, add-dest 12, add-dest 13',
    '',
  ],
  ['only what comes in', table([RR, [A]]), 'none', ['add'], 'add-dest 12, add-dest 13', 'edit-service'],
  [
    'a service that comes in',
    table(),
    'none',
    ['add'],
    'add-service, add-dest 11, add-dest 12, add-dest 13',
    '',
  ],
  ['only weights', table([RR, [A, HEAVY, C]]), 'none', ['weight'], '', 'edit-service, edit-dest 12'],
  [
    'weights and settings',
    table([RR, [A, HEAVY, C]]),
    'none',
    ['weight', 'settings'],
    'edit-service, edit-dest 12',
    '',
  ],
  [
    'both in one operation need both',
    table([WEB, [A, OTHERWISE, C]]),
    'none',
    ['weight'],
    '',
    'edit-dest 12',
  ],
  ['only what goes', table([WEB, [A, B, C]]), '11', ['remove'], 'delete-dest 11', ''],
  [
    'nothing goes where something that should come in may not',
    table([WEB, [A]]),
    '11',
    ['remove'],
    '',
    'add-dest 12, add-dest 13, delete-dest 11',
  ],
  ['nothing at all', table(), 'none', [], '', 'add-service, add-dest 11, add-dest 12, add-dest 13'],
];

t.test('what is allowed, and what is withheld', async (t) => {
  for (const [name, observed, down, kinds, allowed, withheld] of CASES) {
    const sorted = allow(plan(observed, down), new Set(kinds), observed);
    t.same([words(sorted.allowed), words(sorted.withheld)], [allowed, withheld], name);
  }
});

t.test(
  'laws: nothing is lost, and no prefix of what is allowed empties a service that keeps servers',
  async (t) => {
    const someKinds = fc.subarray(Object.keys(CHANGE_KINDS) as ChangeKind[]);
    fc.assert(
      fc.property(worlds, someKinds, ({ observed, configured }, kinds) => {
        const whole = diffTable(configured, observed);
        const { allowed, withheld } = allow(whole, new Set(kinds), observed);
        if (allowed.length + withheld.length !== whole.length) return false;
        const operations = allowed.map(({ operation }) => operation);
        const end = applyToObserved(
          observed,
          whole.map(({ operation }) => operation),
        );
        for (const text of observed.keys()) {
          // What the whole plan serves is served by its part.
          if (inService(observed, text) === 0 || inService(end, text) === 0) continue;
          for (let length = 1; length <= operations.length; length += 1)
            if (inService(applyToObserved(observed, operations.slice(0, length)), text) === 0) return false;
        }
        return true;
      }),
      { numRuns: 1000 },
    );
    t.pass('1,000 plans');
  },
);
