/** What the reconciler does when somebody else changes what is ours. */
import t from 'tap';
import type { Operation } from '../../src/ipvs/model.js';
import { applyToObserved } from '../../src/ipvs/observe.js';
import type { DriftPolicy } from '../../src/ipvs/ownership.js';
import { computeDesired } from '../../src/policy/desired.js';
import {
  A,
  B,
  Bench,
  desired,
  FOREIGN,
  type Held,
  masquerades,
  OTHERS,
  puts,
  REMOVE_SERVICE,
  schedules,
  sets,
  takes,
  WEB,
  WEB_TEXT,
} from './bench.js';
import { config, everyDrift, health, key, SETTINGS, service, serviceConfig, table } from './build.js';

interface DriftCase {
  readonly name: string;
  /** Of b; a is up. */
  readonly held: Held;
  readonly does: Operation;
  /** As `kind: difference`. */
  readonly told: string;
  readonly left: string;
  readonly repaired: string;
}

const DRIFT: readonly DriftCase[] = [
  {
    name: 'another weight',
    held: 'up',
    does: sets(B, 9),
    told: 'weight: weight 9, should be 2',
    left: 'wlc: 11=1 12=9',
    repaired: 'wlc: 11=1 12=2',
  },
  {
    name: 'a server removed',
    held: 'up',
    does: takes(B),
    told: 'removed: removed',
    left: 'wlc: 11=1',
    repaired: 'wlc: 11=1 12=2',
  },
  {
    name: 'a server that is down put back',
    held: 'down',
    does: puts(B),
    told: 'added: added',
    left: 'wlc: 11=1 12=2',
    repaired: 'wlc: 11=1',
  },
  {
    name: 'another scheduler',
    held: 'up',
    does: schedules('rr'),
    told: 'service: scheduler rr, should be wlc',
    left: 'rr: 11=1 12=2',
    repaired: 'wlc: 11=1 12=2',
  },
  {
    name: 'the service removed',
    held: 'up',
    does: REMOVE_SERVICE,
    told: 'service: removed',
    left: '',
    repaired: 'wlc: 11=1 12=2',
  },
];

for (const policy of ['repair', 'report', 'accept'] as const) {
  t.test(`drift: ${policy}`, async (t) => {
    for (const { name, held, does, told, left, repaired } of DRIFT) {
      const bench = new Bench();
      await bench.configure(desired('up', held), { drift: everyDrift(policy) });
      await bench.somebody(does);
      t.equal(bench.told[0], `${policy} ${told}`, `${name} is told`);
      t.equal(bench.lines, policy === 'repair' ? repaired : left, name);
      if (policy === 'repair') continue;
      t.equal(bench.told.length, 1, 'nothing is done about it');
      await bench.somebody();
      t.same(bench.told, [], 'and it is told once');
      t.equal(bench.lines, left, 'and stays so');
      await bench.configure(desired('up', held), { drift: everyDrift(policy) });
      const isKept = policy === 'accept' && !told.startsWith('added');
      t.equal(
        bench.lines,
        isKept ? left : repaired,
        isKept ? 'a reload leaves what was accepted' : 'a reload repairs it',
      );
      await bench.configure(desired('up', held), { drift: everyDrift('repair') });
      t.equal(bench.lines, repaired, 'and so does the word `repair`');
    }
  });
}

t.test('verdicts win, whatever is done about drift', async (t) => {
  for (const policy of ['report', 'accept'] as const) {
    const bench = new Bench();
    await bench.configure(desired('up', 'up'), { drift: everyDrift(policy) });
    await bench.somebody(sets(B, 9));
    await bench.touch(desired('up', 'down'));
    t.equal(bench.lines, 'wlc: 11=1', `${policy}: a server that goes down leaves`);
    await bench.somebody(puts({ ...B, settings: { ...B.settings, weight: 5 } }));
    t.equal(bench.lines, 'wlc: 11=1 12=5', 'somebody puts it back');
    await bench.touch(desired('up', 'up'));
    await bench.touch(desired('up', 'down'));
    t.equal(bench.lines, 'wlc: 11=1', 'the next time it goes down it leaves all the same');
    await bench.touch(desired('up', 'up'));
    t.equal(
      bench.lines,
      policy === 'accept' ? 'wlc: 11=1 12=9' : 'wlc: 11=1 12=2',
      policy === 'accept' ? 'up again with the weight that was accepted' : 'up again as configured',
    );
  }
});

t.test('what was reported is repaired as soon as something else is wanted', async (t) => {
  const bench = new Bench();
  const rules = { drift: everyDrift('report') };
  await bench.configure(desired('up', 'up'), rules);
  await bench.somebody(takes(B));
  await bench.touch(desired('down', 'up'));
  t.equal(bench.lines, 'wlc: ', 'a verdict of another server changes nothing for it');
  await bench.touch(desired('up', 'down'));
  await bench.touch(desired('up', 'up'));
  t.equal(bench.lines, 'wlc: 11=1 12=2');
});

t.test('what was accepted goes when the configuration says something else of the entry', async (t) => {
  const rules = { drift: everyDrift('accept') };
  const bench = new Bench();
  await bench.configure(desired('up', 'up'), rules);
  await bench.somebody(sets(A, 9), sets(B, 9), schedules('rr'));
  const other = { ...B, settings: { ...B.settings, weight: 4 } };
  await bench.configure(desired('up', 'up', [A, other]), rules);
  t.equal(bench.lines, 'rr: 11=9 12=4', 'that entry, and no other');
  await bench.configure(desired('up', 'up', [A, other], service(key(), { scheduler: 'sh' })), rules);
  t.equal(bench.lines, 'sh: 11=9 12=4');
});

t.test('what somebody puts right himself is right, and nothing is left of it', async (t) => {
  for (const [does, undoes] of [
    [takes(B), puts(B)],
    [sets(B, 9), sets(B, 2)],
    [schedules('rr'), schedules('wlc')],
    [masquerades(B), sets(B, 2)],
  ] as const) {
    const bench = new Bench();
    await bench.configure(desired('up', 'up'), { drift: everyDrift('accept') });
    await bench.somebody(does);
    t.equal((await bench.reconciler.preview()).left.length, 1);
    await bench.somebody(undoes);
    t.same(bench.told, [], 'it is no drift');
    t.equal(bench.lines, 'wlc: 11=1 12=2');
    t.equal((await bench.reconciler.preview()).left.length, 0);
  }
});

t.test('a service that somebody puts back is filled again', async (t) => {
  const bench = new Bench();
  await bench.configure(desired('up', 'up'), { drift: everyDrift('report') });
  await bench.somebody(REMOVE_SERVICE);
  await bench.touch(desired('up', 'down'));
  t.equal(bench.lines, '', 'verdicts do not bring it back');
  await bench.somebody({ kind: 'add-service', service: WEB });
  t.equal(bench.lines, 'wlc: 11=1');
});

t.test('each kind of change has its own policy, and so has each member of an entry', async (t) => {
  const bench = new Bench();
  const drift = { ...everyDrift('repair'), weight: 'accept' as DriftPolicy };
  await bench.configure(desired('up', 'up'), { drift });
  const both = masquerades({ ...B, settings: { ...B.settings, weight: 9 } });
  await bench.somebody(both);
  t.same(bench.told, [
    'repair settings: forward masquerade, should be direct',
    'accept weight: weight 9, should be 2',
    'edit-dest drift',
  ]);
  const found = bench.scripted.observed.get(WEB_TEXT)?.dests.get('192.0.2.12:80')?.settings;
  t.match(found, { weight: 9, forward: { method: 'direct' } });
  await bench.somebody(masquerades({ ...B, settings: { ...B.settings, weight: 9 } }));
  t.same(
    bench.told,
    ['repair settings: forward masquerade, should be direct', 'edit-dest drift'],
    'what was told is not told again',
  );
});

t.test('weight 0 that is raised: a server ought to get nothing, and does', async (t) => {
  const bench = new Bench(table([WEB, [A, B]]));
  const quiesced = computeDesired(
    config(serviceConfig('web', WEB, [A, B], { onFailure: 'quiesce' })),
    new Map([
      ['web/192.0.2.11:80', health('up')],
      ['web/192.0.2.12:80', health('down')],
    ]),
  );
  await bench.configure(quiesced, { drift: { ...everyDrift('report'), weight: 'repair' } });
  await bench.somebody(sets(B, 5));
  t.same(bench.told, ['report added: weight 5, should be 0']);
  t.equal(bench.lines, 'wlc: 11=1 12=5');
});

t.test('a preview is of the table as it is now, and does nothing to it', async (t) => {
  const bench = new Bench();
  await bench.configure(desired('up', 'up'), { drift: { ...everyDrift('repair'), weight: 'report' } });
  t.same(await bench.reconciler.preview(), { plan: [], left: [], foreign: { services: [], servers: [] } });
  const before = applyToObserved(bench.scripted.observed, [
    sets(A, 9),
    takes(B),
    puts(FOREIGN),
    schedules('rr'),
  ]);
  bench.scripted.observed = before;
  bench.told.length = 0;
  const { plan, left, foreign } = await bench.reconciler.preview();
  t.match(plan, [
    {
      operation: { kind: 'edit-service' },
      cause: { kind: 'drift', difference: 'scheduler rr, should be wlc' },
    },
    { operation: { kind: 'add-dest' }, cause: { kind: 'drift', difference: 'removed' } },
  ]);
  t.match(left, [{ kind: 'weight', policy: 'report' }]);
  t.match(foreign, { services: [], servers: [{ server: '192.0.2.99:80' }] });
  t.equal(bench.scripted.observed, before);
  t.same(bench.told, []);
  t.same((await bench.reconciler.preview()).plan.length, 2, 'nor is anything remembered of it');
  await bench.time.advance(10_000);
  t.equal(bench.lines, 'wlc: 11=9 12=2 99=7', 'the next look does what was told');
});

t.test('what the kernel refused is in the preview, and with `exclusive` what is foreign', async (t) => {
  const bench = new Bench(table([service(key(), { ...SETTINGS, scheduler: 'rr' }), [A, B]], [OTHERS, []]));
  bench.scripted.refuse = () => 'ENOENT';
  await bench.configure(desired('up', 'up'), { exclusive: true });
  t.match((await bench.reconciler.preview()).plan, [
    { operation: { kind: 'edit-service' }, cause: { kind: 'configured' } },
    { operation: { kind: 'delete-service' }, cause: { kind: 'exclusive' } },
  ]);
  bench.scripted.refuse = () => undefined;
  await bench.time.advance(10_000);
  t.same((await bench.reconciler.preview()).plan, []);
});

t.test('a table that cannot be read has no preview', async (t) => {
  const bench = new Bench();
  bench.scripted.failDump = true;
  await bench.configure(desired('up', 'up'));
  await t.rejects(bench.reconciler.preview(), { message: 'no answer' });
});
