/** What leaves, at once or by a drain. */
import t from 'tap';
import { millis } from '../../src/core/units.js';
import type { Dest, ObservedTable } from '../../src/ipvs/model.js';
import type { Leaving } from '../../src/ipvs/ownership.js';
import type { Desired } from '../../src/ipvs/plan.js';
import { diffRetired, isEmpty, isStillThere, type RetiredService, retire } from '../../src/ipvs/retire.js';
import { computeDesired } from '../../src/policy/desired.js';
import { config, dest, seen, service, serviceConfig, table } from './build.js';

const WEB = service();
const TEXT = 'tcp 192.0.2.1:80';
const A = dest('192.0.2.11');
const B = dest('192.0.2.12');
const FOREIGN = dest('192.0.2.99');

const desired = (...servers: readonly Dest[]): Desired =>
  computeDesired(config(serviceConfig('web', WEB, servers)), new Map());

function leaves(before: Desired, now: Desired, leaving: Leaving): RetiredService {
  const departure = { why: 'stopping', leaving: () => leaving, now: millis(1000) } as const;
  const gone = retire(before, now, new Map(), departure).get(TEXT);
  if (gone === undefined) throw new Error('nothing leaves');
  return gone;
}

function withConnections(observed: ObservedTable, its: Dest): ObservedTable {
  const web = observed.get(TEXT);
  if (web === undefined) return observed;
  const dests = new Map(web.dests).set(`${its.key.address}:80`, { ...seen(its), inactive: 1 });
  return new Map([[TEXT, { ...web, dests }]]);
}

function words(gone: RetiredService, observed: ObservedTable, now: number): string[] {
  return diffRetired(gone, observed.get(TEXT), millis(now)).map(({ operation, cause }) => {
    const weight = operation.kind === 'edit-dest' ? ` w${operation.dest.settings.weight}` : '';
    return `${operation.kind}${weight} ${'server' in cause ? (cause.server ?? '') : ''} ${cause.kind}`;
  });
}

t.test('empty is: nothing open, nothing closing, nobody who may come back', async (t) => {
  t.ok(isEmpty(seen(A)));
  for (const some of [{ active: 1 }, { inactive: 1 }, { persistent: 1 }])
    t.notOk(isEmpty({ ...seen(A), ...some }), JSON.stringify(some));
});

t.test('a drain: weight 0 first, then nothing until it is empty or late', async (t) => {
  const gone = leaves(desired(A, B), desired(A), { kind: 'drain', deadline: millis(500) });
  const busy = withConnections(table([WEB, [A, B]]), B);
  t.same(words(gone, busy, 1000), ['edit-dest w0 192.0.2.12:80 stopping']);
  const quiet = withConnections(table([WEB, [A, B]]), dest('192.0.2.12', { weight: 0 }));
  t.same(words(gone, quiet, 1499), []);
  t.same(words(gone, quiet, 1500), ['delete-dest 192.0.2.12:80 stopping']);
  t.same(
    words(gone, table([WEB, [A, B]]), 1000),
    ['delete-dest 192.0.2.12:80 stopping'],
    'who is empty goes',
  );
  t.same(
    diffRetired(gone, busy.get(TEXT)).map(({ operation }) => operation.kind),
    ['delete-dest'],
    'a plan that has no time waits for nobody',
  );
});

t.test('a whole service drains server by server and goes with the last', async (t) => {
  const gone = leaves(desired(A, B), new Map(), { kind: 'drain', deadline: millis(500) });
  const busy = withConnections(table([WEB, [A, B]]), B);
  t.same(words(gone, busy, 1000), [
    'edit-dest w0 192.0.2.12:80 stopping',
    'delete-dest 192.0.2.11:80 stopping',
  ]);
  t.same(words(gone, busy, 1500), ['delete-service  stopping']);
  t.same(words(gone, table([WEB, []]), 1000), ['delete-service  stopping']);
});

t.test('it is still there while anything of it is, but a service of others is theirs', async (t) => {
  const gone = leaves(desired(A), new Map(), { kind: 'remove' });
  const cases: readonly (readonly [ObservedTable, boolean])[] = [
    [table([WEB, [A]]), true],
    [table([WEB, []]), true],
    [table([WEB, [A, FOREIGN]]), true],
    [table([WEB, [FOREIGN]]), false],
    [table(), false],
  ];
  for (const [observed, expected] of cases) t.equal(isStillThere(gone, observed.get(TEXT)), expected);
});

t.test('a second departure does not put off the first, and what stays is not touched', async (t) => {
  const first = retire(desired(A, B), desired(A), new Map(), {
    why: 'unconfigured',
    leaving: () => ({ kind: 'drain', deadline: millis(500) }),
    now: millis(0),
  });
  const second = retire(desired(A), desired(A), first, {
    why: 'stopping',
    leaving: () => ({ kind: 'drain', deadline: millis(500) }),
    now: millis(400),
  });
  t.match(second.get(TEXT), { why: 'unconfigured', whole: false });
  t.same(
    [...(second.get(TEXT)?.dests.values() ?? [])],
    [{ server: '192.0.2.12:80', key: B.key, drainsUntil: 500 }],
  );
  const whole = retire(desired(A), new Map(), second, {
    why: 'stopping',
    leaving: () => ({ kind: 'remove' }),
    now: millis(400),
  }).get(TEXT);
  t.match(whole, { why: 'stopping', whole: true });
  t.same(
    [...(whole?.dests.values() ?? [])].map(({ drainsUntil }) => drainsUntil),
    [500, undefined],
  );
});
