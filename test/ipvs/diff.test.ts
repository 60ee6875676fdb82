import fc from 'fast-check';
import t from 'tap';
import { diffTable } from '../../src/ipvs/diff.js';
import { destText, serviceText } from '../../src/ipvs/keys.js';
import type { Dest, ObservedTable, Operation, Service } from '../../src/ipvs/model.js';
import { applyToObserved } from '../../src/ipvs/observe.js';
import type { Desired } from '../../src/ipvs/plan.js';
import { type Retired, retire } from '../../src/ipvs/retire.js';
import { computeDesired } from '../../src/policy/desired.js';
import type { ServerHealth } from '../../src/world.js';
import { inService, worlds } from './arbitrary.js';
import { config, dest, health, key, service, serviceConfig, table } from './build.js';

const WEB = service();
const A = dest('192.0.2.11');
const B = dest('192.0.2.12', { weight: 2 });
const FOREIGN = dest('192.0.2.99', { weight: 7 });

type Held = 'up' | 'down' | undefined;

function desired(
  servers: readonly (readonly [Dest, Held])[],
  options: Parameters<typeof serviceConfig>[3] = {},
  its: Service = WEB,
): Desired {
  const one = serviceConfig(
    'web',
    its,
    servers.map(([server]) => server),
    options,
  );
  const states = new Map<string, ServerHealth>();
  for (const [index, [, held]] of servers.entries())
    states.set(one.servers[index]?.checks[0].id ?? '', health(held));
  return computeDesired(config(one), states);
}

function words(operation: Operation): string {
  switch (operation.kind) {
    case 'add-service':
    case 'edit-service':
      return `${operation.kind} ${operation.service.settings.scheduler}`;
    case 'delete-service':
      return operation.kind;
    case 'add-dest':
    case 'edit-dest':
      return `${operation.kind} ${operation.dest.key.address} w${operation.dest.settings.weight}`;
    case 'delete-dest':
      return `${operation.kind} ${operation.dest.address}`;
  }
}

function steps(wanted: Desired, observed: ObservedTable, retired?: Retired): string[] {
  return diffTable(wanted, observed, { ...(retired && { retired }) }).map((step) => words(step.operation));
}

const CASES: readonly (readonly [string, Desired, ObservedTable, readonly string[]])[] = [
  [
    'an empty table gets the service before its servers',
    desired([
      [A, 'up'],
      [B, 'up'],
    ]),
    table(),
    ['add-service wlc', 'add-dest 192.0.2.11 w1', 'add-dest 192.0.2.12 w2'],
  ],
  [
    'a table that is right is not written',
    desired([
      [A, 'up'],
      [B, 'up'],
    ]),
    table([WEB, [B, A]]),
    [],
  ],
  [
    'a server that is down is removed',
    desired([
      [A, 'up'],
      [B, 'down'],
    ]),
    table([WEB, [A, B]]),
    ['delete-dest 192.0.2.12'],
  ],
  [
    'a server that is down is quiesced where the service says so',
    desired(
      [
        [A, 'up'],
        [B, 'down'],
      ],
      { onFailure: 'quiesce' },
    ),
    table([WEB, [A, B]]),
    ['edit-dest 192.0.2.12 w0'],
  ],
  [
    'a server that is down and already absent is left absent',
    desired([
      [A, 'up'],
      [B, 'down'],
    ]),
    table([WEB, [A]]),
    [],
  ],
  [
    'capacity comes before it goes',
    desired([
      [A, 'down'],
      [B, 'up'],
    ]),
    table([WEB, [A]]),
    ['add-dest 192.0.2.12 w2', 'delete-dest 192.0.2.11'],
  ],
  [
    'a weight that rises comes before one that falls',
    desired(
      [
        [A, 'down'],
        [B, 'up'],
      ],
      { onFailure: 'quiesce' },
    ),
    table([WEB, [A, dest('192.0.2.12', { weight: 0 })]]),
    ['edit-dest 192.0.2.12 w2', 'edit-dest 192.0.2.11 w0'],
  ],
  [
    'another scheduler is edited in place, not deleted and added',
    desired([[A, 'up']], {}, service(key(), { scheduler: 'rr' })),
    table([WEB, [A]]),
    ['edit-service rr'],
  ],
  [
    'foreign servers and services are never touched',
    desired([[A, 'up']]),
    table([WEB, [A, FOREIGN]], [service(key('192.0.2.200')), [FOREIGN]]),
    [],
  ],
  [
    'unknown health keeps a server that the table has, and one that it has not',
    desired([
      [A, undefined],
      [B, undefined],
    ]),
    table([WEB, [A]]),
    [],
  ],
  [
    'unknown health keeps weight 0 and puts right the rest',
    desired([[dest('192.0.2.11', { weight: 5, upperThreshold: 9 }), undefined]]),
    table([WEB, [dest('192.0.2.11', { weight: 0 })]]),
    ['edit-dest 192.0.2.11 w0'],
  ],
  [
    'unknown health in a new service follows assume: up',
    desired([[A, undefined]], { rule: { assume: 'up' } }),
    table(),
    ['add-service wlc', 'add-dest 192.0.2.11 w1'],
  ],
  [
    'unknown health in a new service follows assume: down',
    desired([[A, undefined]], { rule: { assume: 'down' } }),
    table(),
    ['add-service wlc'],
  ],
  [
    'every setting of a server is compared, not only its weight',
    desired([
      [dest('192.0.2.11', { forward: { method: 'masquerade' } }), 'up'],
      [B, 'up'],
    ]),
    table([WEB, [A, dest('192.0.2.12', { weight: 2, lowerThreshold: 1, upperThreshold: 2 })]]),
    ['edit-dest 192.0.2.11 w1', 'edit-dest 192.0.2.12 w2'],
  ],
];

t.test('the plan', async (t) => {
  for (const [name, wanted, observed, expected] of CASES) t.same(steps(wanted, observed), expected, name);
});

t.test('what leaves the configuration', async (t) => {
  const before = desired([
    [A, 'up'],
    [B, 'up'],
  ]);
  const without = desired([[A, 'up']]);
  const gone = retire(before, new Map(), new Map());
  t.same(
    steps(without, table([WEB, [A, B, FOREIGN]]), retire(before, without, new Map())),
    ['delete-dest 192.0.2.12'],
    'a dropped server is removed, a foreign one beside it stays',
  );
  t.same(steps(new Map(), table([WEB, [A, B]]), gone), ['delete-service'], 'a dropped service goes whole');
  t.same(
    steps(new Map(), table([WEB, [A, B, FOREIGN]]), gone),
    ['delete-dest 192.0.2.11', 'delete-dest 192.0.2.12'],
    'a dropped service that holds a foreign server stays with it',
  );
  t.same(steps(new Map(), table(), gone), [], 'a dropped service that is already gone needs nothing');
  t.equal(retire(new Map(), before, gone).size, 0, 'an entry that comes back is no longer retired');
  t.same(
    [
      ...(retire(without, new Map(), retire(before, without, new Map()))
        .get(serviceText(WEB.key))
        ?.dests.keys() ?? []),
    ],
    [destText(B.key), destText(A.key)],
    'what was pending from an earlier configuration is not forgotten',
  );
});

t.test('each step carries its cause', async (t) => {
  const plan = diffTable(
    desired([
      [A, 'up'],
      [B, 'down'],
    ]),
    table([service(key(), { scheduler: 'rr' }), [B]]),
  );
  t.match(plan, [
    { operation: { kind: 'edit-service' }, cause: { kind: 'configured', service: 'web' } },
    { operation: { kind: 'add-dest' }, cause: { kind: 'verdict', verdict: 'up', server: '192.0.2.11:80' } },
    { operation: { kind: 'delete-dest' }, cause: { kind: 'verdict', reason: { kind: 'refused' } } },
  ]);
});

t.test('servers that are all exchanged for others leave no gap', async (t) => {
  const before = desired([[A, 'up']]);
  const rows = [
    ['the new one comes in first', 'up', A, ['add-dest 192.0.2.12 w2', 'delete-dest 192.0.2.11']],
    ['not where it is thought to be down', 'down', A, ['delete-dest 192.0.2.11']],
    ['nor for one that served nobody', 'up', dest('192.0.2.11', { weight: 0 }), ['delete-dest 192.0.2.11']],
  ] as const;
  for (const [name, assume, old, plan] of rows) {
    const now = desired([[B, undefined]], { rule: { assume } });
    t.same(steps(now, table([WEB, [old, FOREIGN]]), retire(before, now, new Map())), plan, name);
  }
  const mixed = desired([
    [B, undefined],
    [A, 'up'],
  ]);
  const both = desired([
    [A, 'up'],
    [dest('192.0.2.13'), 'up'],
  ]);
  const seen = table([WEB, [A, dest('192.0.2.13')]]);
  t.same(
    steps(mixed, seen, retire(both, mixed, new Map())),
    ['delete-dest 192.0.2.13'],
    'where one stays the new one waits for its verdict',
  );
});

t.test('laws of the plan, for any two tables', async (t) => {
  fc.assert(
    fc.property(worlds, ({ observed, configured, before }) => {
      const retired = retire(before, configured, new Map());
      const plan = diffTable(configured, observed, { retired });
      const after = applyToObserved(
        observed,
        plan.map((step) => step.operation),
      );
      // Applied, nothing is left to do.
      if (diffTable(configured, after, { retired }).length > 0) return false;
      for (const [text, found] of observed) {
        const wanted = configured.get(text);
        for (const [endpoint, server] of found.dests) {
          const ours =
            wanted?.servers.has(endpoint) === true || retired.get(text)?.dests.has(endpoint) === true;
          // What is not ours is the same object as before.
          if (!ours && after.get(text)?.dests.get(endpoint) !== server) return false;
        }
      }
      return true;
    }),
    { numRuns: 2000 },
  );
  t.pass('2,000 pairs');
});

t.test('no prefix of a plan empties a service that has servers before and after', async (t) => {
  fc.assert(
    fc.property(worlds, ({ observed, configured, before }) => {
      const plan = diffTable(configured, observed, { retired: retire(before, configured, new Map()) });
      const operations = plan.map((step) => step.operation);
      const after = applyToObserved(observed, operations);
      for (const text of observed.keys()) {
        if (inService(observed, text) === 0 || inService(after, text) === 0) continue;
        for (let length = 1; length < operations.length; length += 1) {
          if (inService(applyToObserved(observed, operations.slice(0, length)), text) === 0) return false;
        }
      }
      return true;
    }),
    { numRuns: 1000 },
  );
  t.pass('1,000 plans');
});
