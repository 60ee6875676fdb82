import t from 'tap';
import { diffTable } from '../../src/ipvs/diff.js';
import { explainByDrift, findDrift } from '../../src/ipvs/drift.js';
import type { ObservedTable } from '../../src/ipvs/model.js';
import { applyToObserved } from '../../src/ipvs/observe.js';
import { computeDesired } from '../../src/policy/desired.js';
import type { ServerHealth } from '../../src/world.js';
import { config, dest, everyDrift, health, key, service, serviceConfig, table } from './build.js';

const WEB = service();
const A = dest('192.0.2.11');
const B = dest('192.0.2.12');
const FOREIGN = dest('192.0.2.99');
const BELIEVED = table([WEB, [A, FOREIGN]], [service(key('192.0.2.200')), [FOREIGN]]);

const CONFIG = config(serviceConfig('web', WEB, [A, B]));
const STATES = new Map<string, ServerHealth>([
  ['web/192.0.2.11:80', health('up')],
  ['web/192.0.2.12:80', health('down')],
]);
const REPAIR = () => everyDrift('repair');
const DESIRED = computeDesired(CONFIG, STATES);

const CASES: readonly (readonly [string, ObservedTable, readonly string[]])[] = [
  ['an unchanged table has none', BELIEVED, []],
  ['a removed service', table(), ['web: removed']],
  ['a removed server', table([WEB, [FOREIGN]]), ['web 192.0.2.11:80: removed']],
  [
    'a changed weight',
    table([WEB, [dest('192.0.2.11', { weight: 9 })]]),
    ['web 192.0.2.11:80: weight 9, should be 1'],
  ],
  ['a server that is down put back by hand', table([WEB, [A, B]]), ['web 192.0.2.12:80: added']],
  [
    'another scheduler',
    table([service(key(), { scheduler: 'rr' }), [A]]),
    ['web: scheduler rr, should be wlc'],
  ],
  [
    'several members at once',
    table([service(key(), { scheduler: 'rr', onePacket: true }), [A]]),
    ['web: scheduler rr, should be wlc; one-packet true, should be false'],
  ],
  ['foreign entries that came, went or changed are none of our business', table([WEB, [A]]), []],
];

t.test('drift', async (t) => {
  for (const [name, observed, expected] of CASES) {
    const found = findDrift(DESIRED, [BELIEVED, observed], REPAIR).drift.map(
      (one) => `${one.service}${one.server === undefined ? '' : ` ${one.server}`}: ${one.difference}`,
    );
    t.same(found, expected, name);
  }
});

t.test('steps that repair drift say so, the others keep their cause', async (t) => {
  const observed = table([WEB, [dest('192.0.2.11', { weight: 9 }), B]]);
  const believed = table([WEB, [A, B]]);
  const plan = explainByDrift(
    diffTable(DESIRED, observed),
    findDrift(DESIRED, [believed, observed], REPAIR).repairs,
  );
  t.match(plan, [
    { operation: { kind: 'edit-dest' }, cause: { kind: 'drift', difference: 'weight 9, should be 1' } },
    { operation: { kind: 'delete-dest' }, cause: { kind: 'verdict', verdict: 'down' } },
  ]);
});

t.test('a removed service explains the return of its servers too', async (t) => {
  const plan = explainByDrift(
    diffTable(DESIRED, table()),
    findDrift(DESIRED, [BELIEVED, table()], REPAIR).repairs,
  );
  t.same(
    plan.map((step) => [step.operation.kind, step.cause.kind]),
    [
      ['add-service', 'drift'],
      ['add-dest', 'drift'],
    ],
  );
});

t.test('the observed table follows operations without being written into', async (t) => {
  const before = table([WEB, [A]]);
  const after = applyToObserved(before, [
    { kind: 'edit-service', service: service(key(), { scheduler: 'rr' }) },
    { kind: 'add-dest', service: WEB.key, dest: B },
    { kind: 'delete-dest', service: WEB.key, dest: A.key },
    { kind: 'add-dest', service: key('192.0.2.77'), dest: A },
  ]);
  const web = after.get('tcp 192.0.2.1:80');
  t.equal(web?.service.settings.scheduler, 'rr');
  t.same([...(web?.dests.keys() ?? [])], ['192.0.2.12:80']);
  t.equal(after.has('tcp 192.0.2.77:80'), false, 'a server of a service that is not there changes nothing');
  t.equal(before.get('tcp 192.0.2.1:80')?.service.settings.scheduler, 'wlc');
  t.same([...(before.get('tcp 192.0.2.1:80')?.dests.keys() ?? [])], ['192.0.2.11:80']);
});
