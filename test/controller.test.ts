import t from 'tap';
import type { LvsEvent } from '../src/alerts/model.js';
import type { Check, CheckId } from '../src/checks/model.js';
import type { Config } from '../src/config/model.js';
import { Controller } from '../src/controller.js';
import type { Logger } from '../src/core/ports.js';
import { seconds } from '../src/core/units.js';
import type { ObservedTable } from '../src/ipvs/model.js';
import { ScriptedTable } from './fakes/scripted-table.js';
import { FakeTime, turn } from './fakes/time.js';
import { change, config, dest, key, service, serviceConfig, table } from './ipvs/build.js';
import { entry } from './policy/build.js';

const WEB = service();
const FTP = service(key('192.0.2.1', 21));
const A = dest('192.0.2.11');
const B = dest('192.0.2.12');
const A_ID = 'web/192.0.2.11:80';
const B_ID = 'web/192.0.2.12:80';
const BOTH = config(serviceConfig('web', WEB, [A, B]));

const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

async function started(its: Config = BOTH, observed?: ObservedTable) {
  const time = new FakeTime();
  const scripted = new ScriptedTable(observed);
  const events: LvsEvent[] = [];
  const updates: { checks: readonly Check[]; verdicts: ReadonlyMap<CheckId, 'up' | 'down'> }[] = [];
  const controller = new Controller({
    config: its,
    table: scripted.port(),
    probes: {
      update(checks, held) {
        const verdicts = new Map<CheckId, 'up' | 'down'>();
        for (const { id } of checks) {
          const verdict = held.get(id);
          if (verdict !== undefined) verdicts.set(id, verdict);
        }
        updates.push({ checks, verdicts });
      },
    },
    alerts: { configure: () => undefined, offer: (event) => events.push(event) },
    clock: time,
    timers: time,
    turns: { soon: setImmediate },
    log: SILENT,
  });
  await controller.start();
  const kinds = () =>
    events.splice(0).map((event) => `${event.kind} ${event.server ?? event.service ?? ''}`.trim());
  const inTable = (text = 'tcp 192.0.2.1:80') =>
    [...(scripted.observed.get(text)?.dests.keys() ?? [])].sort();
  return { controller, scripted, events, kinds, updates, time, inTable };
}

t.test('a start on an empty table puts in what is assumed up, then probes', async (t) => {
  const { inTable, kinds, updates, controller } = await started();
  t.same(inTable(), ['192.0.2.11:80', '192.0.2.12:80']);
  t.same(kinds(), ['daemon-started']);
  t.equal(updates.length, 1);
  t.same(
    updates[0]?.checks.map((check) => check.id),
    [A_ID, B_ID],
  );
  t.equal(controller.world().table.inSync, true);
});

t.test('a start on a table that is right writes nothing', async (t) => {
  const { scripted, controller } = await started(BOTH, table([WEB, [A, B]]));
  t.same(scripted.applied, []);
  t.match(controller.world().health.get(A_ID), { verdict: 'unknown', held: undefined });
});

t.test('first verdicts that confirm the table are no news', async (t) => {
  const { controller, kinds, scripted } = await started(BOTH, table([WEB, [A, B]]));
  kinds();
  controller.onVerdicts([change(A_ID, 'up', 'unknown'), change(B_ID, 'up', 'unknown')]);
  await turn();
  t.same(kinds(), []);
  t.same(scripted.applied, []);
  t.equal(controller.world().health.get(A_ID)?.verdict, 'up');
});

t.test(
  'a server that a predecessor took out comes back with its first verdict, and that is news',
  async (t) => {
    const { controller, kinds, inTable } = await started(BOTH, table([WEB, [A]]));
    kinds();
    controller.onVerdicts([change(B_ID, 'up', 'unknown')]);
    await turn();
    t.same(kinds(), ['server-up 192.0.2.12:80']);
    t.same(inTable(), ['192.0.2.11:80', '192.0.2.12:80']);
  },
);

t.test('down, lost, up, recovered: in order, each once, and in the table first', async (t) => {
  const { controller, kinds, inTable, events } = await started();
  kinds();
  controller.onVerdicts([change(A_ID, 'down', 'up')]);
  await turn();
  t.same(inTable(), ['192.0.2.12:80']);
  t.match(events[0]?.message, /^192\.0\.2\.11:80 of web is down: .*, 3 times in a row$/);
  t.same(kinds(), ['server-down 192.0.2.11:80']);
  controller.onVerdicts([change(B_ID, 'down', 'up')]);
  await turn();
  t.same(kinds(), ['server-down 192.0.2.12:80', 'service-lost web']);
  t.same(inTable(), []);
  controller.onVerdicts([change(B_ID, 'up', 'down'), change(A_ID, 'up', 'down')]);
  await turn();
  t.same(kinds(), ['server-up 192.0.2.12:80', 'server-up 192.0.2.11:80', 'service-recovered web']);
  t.same(inTable(), ['192.0.2.11:80', '192.0.2.12:80']);
});

t.test('a verdict of a check that is no longer configured changes nothing', async (t) => {
  const { controller, kinds, scripted } = await started();
  kinds();
  scripted.applied.length = 0;
  controller.onVerdicts([change('web/192.0.2.77:80', 'down', 'up')]);
  await turn();
  t.same(kinds(), []);
  t.same(scripted.applied, []);
});

t.test('a reload keeps verdicts, adds, removes and leaves the rest alone', async (t) => {
  const { controller, kinds, inTable, updates, scripted } = await started();
  controller.onVerdicts([change(A_ID, 'down', 'up'), change(B_ID, 'up', 'unknown')]);
  await turn();
  kinds();
  scripted.applied.length = 0;
  const C = dest('192.0.2.13');
  controller.reload(config(serviceConfig('web', WEB, [A, B, C]), serviceConfig('ftp', FTP, [C])));
  await turn();
  t.same(kinds(), ['config-reloaded']);
  t.same(scripted.applied, ['add-service', 'add-dest'], 'C in web holds until its first verdict, ftp is new');
  t.same(
    [...(updates.at(-1)?.verdicts ?? [])],
    [
      [A_ID, 'down'],
      [B_ID, 'up'],
    ],
  );
  controller.reload(config(serviceConfig('web', WEB, [A])));
  await turn();
  t.same(inTable(), [], 'A is still down, B and C are gone');
  t.equal(scripted.observed.has('tcp 192.0.2.1:21'), false);
});

t.test('the same name at another address is another server: its verdict is not carried over', async (t) => {
  const named = (its: typeof A) => {
    const one = serviceConfig('web', WEB, [its, B]);
    const [first, ...rest] = one.servers;
    if (first === undefined) throw new Error('no server');
    return config({
      ...one,
      servers: [{ ...first, name: 'web1', checks: [{ ...first.checks[0], id: 'web/web1' }] }, ...rest],
    });
  };
  const { controller, updates } = await started(named(A));
  controller.onVerdicts([change('web/web1', 'down', 'up')]);
  controller.reload(named(dest('192.0.2.55')));
  t.match(controller.world().health.get('web/web1'), { verdict: 'unknown', held: undefined });
  t.equal(updates.at(-1)?.verdicts.has('web/web1'), false);
});

t.test('what needs a restart is refused whole', async (t) => {
  const { controller, kinds } = await started();
  kinds();
  t.throws(() => controller.reload({ ...config(), table: 'kernel' }), { code: 'CONFIG', message: /table/ });
  t.equal(controller.world().config, BOTH);
  controller.refuse(['a.yaml:3:1: unknown key']);
  t.same(kinds(), ['config-refused']);
});

t.test('a dead worker holds its verdicts', async (t) => {
  const { controller, kinds, scripted } = await started(BOTH, table([WEB, [A, B]]));
  controller.onVerdicts([change(A_ID, 'down', 'up'), change(B_ID, 'up', 'unknown')]);
  await turn();
  scripted.applied.length = 0;
  kinds();
  controller.onWorkerDied(0, [A_ID, B_ID], 'killed by the test');
  t.same(kinds(), ['worker-restarted']);
  t.match(controller.world().health.get(A_ID), { verdict: 'unknown', held: 'down' });
  controller.onVerdicts([change(A_ID, 'down', 'unknown'), change(B_ID, 'up', 'unknown')]);
  await turn();
  t.same(kinds(), [], 'confirmed verdicts are no news');
  t.same(scripted.applied, []);
  t.match(controller.world().health.get(A_ID), { verdict: 'down', held: 'down' });
});

t.test('a refusal is told once until the table is in sync again', async (t) => {
  const { controller, kinds, scripted, time } = await started(BOTH, table([WEB, [A, B]]));
  controller.onVerdicts([change(A_ID, 'down', 'up')]);
  await turn();
  kinds();
  scripted.refuse = () => 'EPERM';
  controller.onVerdicts([change(A_ID, 'up', 'down')]);
  await turn();
  t.match(controller.world().table, { inSync: false, lastError: /refused/ });
  await time.advance(20_000);
  t.same(kinds(), ['server-up 192.0.2.11:80', 'table-error web']);
  scripted.refuse = () => undefined;
  await time.advance(10_000);
  t.match(controller.world().table, { inSync: true, lastError: undefined });
  t.same(kinds(), []);
});

for (const errno of ['EPERM', 'ENOENT', 'ENOSPC', 'ENOMEM', 'ETIMEDOUT']) {
  t.test(
    `${errno} in the middle of a plan: what can be done is done, the rest when the kernel lets it`,
    async (t) => {
      const servers = Array.from({ length: 6 }, (_, index) => dest(`192.0.2.${index + 11}`));
      const { controller, kinds, scripted, inTable, time } = await started(config(), undefined);
      scripted.refuse = (operation) =>
        operation.kind === 'add-dest' && operation.dest.key.address === '192.0.2.13' ? errno : undefined;
      kinds();
      controller.reload(config(serviceConfig('web', WEB, servers), serviceConfig('ftp', FTP, [A])));
      await turn();
      t.equal(inTable().length, 5, 'the servers before and after it are in');
      t.same(inTable('tcp 192.0.2.1:21'), ['192.0.2.11:80'], 'and so is the next service');
      t.match(controller.world().table, { inSync: false, lastError: /192\.0\.2\.13/ });
      controller.onVerdicts([change(A_ID, 'down', 'unknown')]);
      await turn();
      t.equal(inTable().includes('192.0.2.11:80'), false, 'verdicts go on reaching the table');
      scripted.refuse = () => undefined;
      controller.onVerdicts([change('web/192.0.2.13:80', 'up', 'unknown')]);
      await time.advance(10_000);
      t.equal(inTable().length, 5);
      t.ok(inTable().includes('192.0.2.13:80'));
      t.equal(controller.world().table.inSync, true);
      t.same(kinds(), [
        'config-reloaded',
        'table-error web',
        'server-down 192.0.2.11:80',
        'server-up 192.0.2.13:80',
      ]);
    },
  );
}

t.test('drift is told and repaired, foreign entries are told and left alone', async (t) => {
  const { kinds, scripted, time, controller } = await started();
  controller.onVerdicts([change(B_ID, 'up', 'unknown')]);
  await turn();
  kinds();
  scripted.observed = table([WEB, [A, dest('192.0.2.99')]]);
  await time.advance(10_000);
  t.same(kinds(), ['table-drift', 'foreign-found']);
  t.equal(controller.world().table.driftFound, 1);
  t.equal(scripted.observed.get('tcp 192.0.2.1:80')?.dests.size, 3);
});

t.test('the snapshot is the same object until something changes', async (t) => {
  const { controller } = await started();
  const before = controller.keptWorld();
  t.equal(controller.world(), before);
  controller.onVerdicts([change(A_ID, 'down', 'up')]);
  t.not(controller.world(), before);
  t.equal(before.health.get(A_ID)?.verdict, 'unknown', 'one that is kept does not move');
  t.ok(controller.world().version > before.version);
});

t.test('stop leaves the table as it is, and later verdicts do not touch it', async (t) => {
  const { controller, kinds, scripted } = await started();
  kinds();
  scripted.applied.length = 0;
  await controller.stop('SIGTERM');
  await controller.stop('SIGTERM');
  controller.onVerdicts([change(A_ID, 'down', 'up')]);
  await turn();
  t.same(kinds(), ['daemon-stopping']);
  t.same(scripted.applied, []);
  t.equal(controller.world().stopping, true);
});

t.test('stop: what `on-stop` does not keep leaves the table first, and is told', async (t) => {
  const its = config(
    serviceConfig('web', WEB, [A, B], { ownership: { onStop: { kind: 'remove' } } }),
    serviceConfig('ftp', FTP, [A]),
  );
  const { controller, scripted, events } = await started(its);
  await controller.stop('SIGTERM', seconds(10));
  t.same([...scripted.observed.keys()], ['tcp 192.0.2.1:21']);
  t.match(events.at(-1)?.message, /^stopping: SIGTERM; 1 services leave the table/);
  const kept = await started(its);
  await kept.controller.stop('a defect');
  t.equal(kept.scripted.observed.size, 2, 'a stop that nobody ordered keeps all');
});

t.test('stop: what does not leave in time is told', async (t) => {
  const leaving = serviceConfig('web', WEB, [A, B], { ownership: { onStop: { kind: 'remove' } } });
  const { controller, scripted, kinds, time } = await started(config(leaving));
  kinds();
  scripted.refuse = () => 'EPERM';
  const stopped = controller.stop('SIGTERM', seconds(10));
  await turn();
  await time.advance(10_000);
  await stopped;
  t.same(kinds(), ['daemon-stopping', 'table-error web', 'table-error']);
});

t.test('a server that nobody hears of is taken for what its check assumes, and that is told', async (t) => {
  const quiet = table([WEB, [A, dest('192.0.2.12', { weight: 0 })]]);
  const { controller, kinds, scripted, time } = await started(BOTH, quiet);
  controller.onVerdicts([change(A_ID, 'up', 'unknown')]);
  kinds();
  await time.advance(59_999);
  t.same(scripted.applied, []);
  await time.advance(1);
  t.same(scripted.applied, ['edit-dest']);
  t.same(kinds(), ['cold-start-over web']);
});

t.test('foreign entries are told when they are first seen, and never again', async (t) => {
  const { kinds, scripted, time, controller } = await started(BOTH, table([WEB, [A, B]], [FTP, [A]]));
  t.same(kinds(), ['foreign-found', 'daemon-started']);
  const before = scripted.observed;
  t.same(controller.world().table.foreign.services.length, 1);
  scripted.observed = table([WEB, [A, B]]);
  await time.advance(10_000);
  scripted.observed = before;
  await time.advance(10_000);
  t.same(kinds(), []);
});

t.test('a server is drained: the table first, then people; what a look finds ends it', async (t) => {
  const { controller, kinds, scripted } = await started(BOTH, table([WEB, [A, B]]));
  controller.onVerdicts([change(A_ID, 'up', 'unknown'), change(B_ID, 'up', 'unknown')]);
  await turn();
  kinds();
  const word = entry({ state: 'draining' });
  controller.administer([{ server: B_ID, source: 'operator', entry: word }]);
  await turn();
  t.same(kinds(), ['drain-started 192.0.2.12:80']);
  const web = scripted.observed.get('tcp 192.0.2.1:80');
  t.equal(web?.dests.get('192.0.2.12:80')?.settings.weight, 0);
  t.same([...controller.draining.keys()], ['web']);
  const { version } = controller.world();
  const inUse = new Map([...(web?.dests ?? [])].map(([text, its]) => [text, { ...its, active: 3 }]));
  controller.onLook(new Map([['tcp 192.0.2.1:80', web && { ...web, dests: inUse }]]));
  t.same(kinds(), []);
  t.ok(controller.world().version > version, 'readers see the counts');
  t.match(controller.world().admin.get(B_ID)?.drain?.left, { active: 3 });
  controller.onLook(new Map([['tcp 192.0.2.1:80', web]]));
  t.same(kinds(), ['drain-finished 192.0.2.12:80']);
  controller.administer([{ server: B_ID, source: 'operator', entry: undefined, by: 'operator' }]);
  await turn();
  t.same(kinds(), ['drain-undone 192.0.2.12:80']);
  t.equal(scripted.observed.get('tcp 192.0.2.1:80')?.dests.get('192.0.2.12:80')?.settings.weight, 1);
});

t.test('what the probe budget makes of the intervals counts for what is at once', async (t) => {
  const rule = { interval: seconds(1), timeout: seconds(1), fall: 1 };
  const web = serviceConfig('web', WEB, [A, B], { rule });
  const massFailure = {
    action: 'hold',
    percent: 100,
    minimum: 2,
    within: seconds(1),
    limit: undefined,
    canaries: [],
  };
  for (const [all, expected] of [
    [undefined, false],
    [0.25, true],
  ] as const) {
    const { controller, kinds, time } = await started({ ...config(web), massFailure } as Config);
    const plan = { wanted: 2, planned: 0.5, stretch: 4, stretchedMost: undefined, servers: 0 };
    const pace = { all, servers: new Map<string, number>() };
    controller.note({ probing: { checks: 2, distinct: 2, budget: undefined, plan: { ...plan, pace } } });
    kinds();
    controller.onVerdicts([change(A_ID, 'down', 'up')]);
    await time.advance(6000);
    controller.onVerdicts([change(B_ID, 'down', 'up')]);
    await time.advance(0);
    t.equal(kinds().includes('mass-failure'), expected, `${all}`);
  }
});
