import t from 'tap';
import { liveness, readiness } from '../../src/api/health.js';
import { epochMillis, micros } from '../../src/core/units.js';
import type { World } from '../../src/world.js';
import { config, dest, RULES, serviceConfig } from '../ipvs/build.js';
import { router } from '../vrrp/director.js';
import { CONFIG, down, NOW, START, UNKNOWN, up, WEB, world } from './build.js';

const at = (offset: number): ReturnType<typeof epochMillis> => epochMillis(NOW + offset);
const WORKER = { worker: 0, at: NOW, checks: 3, inFlight: 0, probes: 1, failures: 0, unknowns: 0 };
const tableWith = (changes: Partial<World['table']>): World =>
  world({ table: { ...world().table, ...changes } });

t.test('alive: the table was read and the workers spoke lately', async (t) => {
  t.same(liveness(world(), NOW), { alive: true, reasons: [] });
  t.same(liveness(world({ config: { ...CONFIG, services: [] }, workers: [] }), NOW), {
    alive: true,
    reasons: [],
  });
});

function withRouters(spoke: World['startedAt'] | undefined): World {
  const none = { count: 0, p50: micros(0), p99: micros(0), max: micros(0) };
  const vrrp =
    spoke === undefined ? undefined : { at: spoke, routers: [], loop: none, strangers: 0, unreadable: 0 };
  return world({ config: { ...CONFIG, vrrp: [router()] }, vrrp });
}

const LIVENESS: Readonly<Record<string, readonly [World, number, readonly string[]]>> = {
  'a worker that is silent for five seconds lives': [world(), 5000, []],
  'a worker that is silent for longer does not': [world(), 5001, ['probe worker 0 is silent since 5s']],
  'the one that is silent is named': [
    world({ workers: [WORKER, { ...WORKER, worker: 1, at: at(-60_000) }] }),
    0,
    ['probe worker 1 is silent since 1m'],
  ],
  'a table that is two dumps late is still waited for': [tableWith({ lastDumpAt: at(-30_000) }), 0, []],
  'a table that is not read any more is dead': [
    tableWith({ lastDumpAt: at(-31_000), lastError: 'EPERM: not permitted' }),
    0,
    ['the table was last read 31s ago: EPERM: not permitted'],
  ],
  'without virtual routers nobody waits for their thread': [world({ vrrp: undefined }), 0, []],
  'a VRRP thread that is silent for five seconds lives': [withRouters(at(0)), 5000, []],
  'a VRRP thread that is silent for longer does not': [
    withRouters(at(-5001)),
    0,
    ['the VRRP thread is silent since 5s'],
  ],
  'a VRRP thread that never spoke is dead': [
    withRouters(undefined),
    0,
    ['the VRRP thread has not spoken yet, and there are 1 virtual routers'],
  ],
  'a VRRP thread that was just started is waited for': [
    { ...withRouters(undefined), configLoadedAt: at(-15_000) },
    0,
    [],
  ],
  'a clock that was put back kills nobody': [world(), -3_600_000, []],
};

for (const [name, [its, offset, reasons]] of Object.entries(LIVENESS)) {
  t.test(name, async (t) => {
    t.same(liveness(its, at(offset)), { alive: reasons.length === 0, reasons });
  });
}

t.test('after the start the first dump and the first worker have some time', async (t) => {
  const fresh = world({ table: { ...world().table, lastDumpAt: undefined }, workers: [] });
  t.equal(liveness(fresh, epochMillis(START + 14_000)).alive, true);
  t.same(liveness(fresh, epochMillis(START + 40_000)).reasons, [
    'the table has not been read since the start 40s ago',
    'no probe worker has spoken yet, and there are 3 checks',
  ]);
});

t.test('ready: in sync, and every check has had a verdict', async (t) => {
  t.same(readiness(world(), NOW), { ready: true, missing: [] });
  t.same(readiness(world({ health: new Map([...world().health.keys()].map((id) => [id, down()])) }), NOW), {
    ready: true,
    missing: [],
  });
});

t.test('not ready: what is missing is named', async (t) => {
  const health = new Map([...world().health.keys()].map((id, index) => [id, index === 0 ? up() : UNKNOWN]));
  const early = epochMillis(START + 1000);
  t.same(readiness(world({ health }), early), {
    ready: false,
    missing: ['no verdict yet: web/192.0.2.12:80', 'no verdict yet: ftp/192.0.2.13:21'],
  });
  t.same(
    readiness(world({ health: new Map() }), early).missing.length,
    3,
    'a check without health has no verdict',
  );
  t.same(readiness(tableWith({ inSync: false }), NOW).missing, [
    'the table is not in sync: it is being read or written',
  ]);
  t.same(readiness(tableWith({ inSync: false, lastError: 'no such scheduler' }), NOW).missing, [
    'the table is not in sync: no such scheduler',
  ]);
  t.same(readiness(world({ stopping: true }), NOW).missing, ['lvsentry is stopping']);
});

t.test('the cold start ends: then a check without a verdict holds up nothing', async (t) => {
  const its = world({ health: new Map() });
  t.equal(readiness(its, epochMillis(START + RULES.coldStart - 1)).ready, false);
  t.equal(readiness(its, epochMillis(START + RULES.coldStart)).ready, true);
  t.equal(
    readiness({ ...its, table: { ...its.table, inSync: false } }, NOW).ready,
    false,
    'but the table does',
  );
});

t.test('a held verdict is a verdict: a worker that is restarted makes nobody unready', async (t) => {
  const held = { ...up(), verdict: 'unknown' } as const;
  const health = new Map([...world().health.keys()].map((id) => [id, held]));
  t.equal(readiness(world({ health }), epochMillis(START + 1000)).ready, true);
});

t.test('many missing verdicts are counted, not listed', async (t) => {
  const dests = Array.from({ length: 100 }, (_, n) => dest(`192.0.2.${n + 1}`));
  const its = world({ config: config(serviceConfig('web', WEB, dests)), health: new Map() });
  const { missing } = readiness(its, START);
  t.equal(missing.length, 21);
  t.equal(missing[20], 'no verdict yet: 80 more');
});
