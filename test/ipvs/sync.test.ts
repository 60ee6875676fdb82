import fc from 'fast-check';
import t from 'tap';
import { ip } from '../../src/core/ip.js';
import { syncStepWords } from '../../src/ipvs/ipvsadm.js';
import { MemoryTable } from '../../src/ipvs/memory.js';
import type { SyncDaemon, SyncRule } from '../../src/ipvs/model.js';
import {
  fits,
  planSync,
  planSyncStart,
  type SyncAim,
  type SyncStep,
  syncDaemonText,
  syncStepsText,
  wantedDaemons,
} from '../../src/ipvs/sync.js';
import { syncDaemon } from './build.js';

const MASTER = syncDaemon('master');
const BACKUP = syncDaemon('backup');

const words = (steps: readonly SyncStep[]): string[] =>
  steps.map(({ kind, daemon }) => `${kind} ${daemon.role} ${daemon.interface}`);

const { role: _, ...SETTINGS } = MASTER;
const FOLLOWS: SyncRule = { roles: { kind: 'follow', instance: 'outside' }, daemon: SETTINGS };
const BOTH: SyncRule = { roles: { kind: 'fixed', roles: ['master', 'backup'] }, daemon: SETTINGS };

t.test(
  'a followed role asks for one daemon, a fixed one for its own, an unknown one for nothing',
  async (t) => {
    t.same(wantedDaemons(FOLLOWS, true), [MASTER]);
    t.same(wantedDaemons(FOLLOWS, false), [BACKUP]);
    t.equal(wantedDaemons(FOLLOWS, undefined), undefined);
    for (const isMaster of [true, false, undefined]) t.same(wantedDaemons(BOTH, isMaster), [MASTER, BACKUP]);
  },
);

t.test('a daemon that runs fits where everything that was asked for, and is told, agrees', async (t) => {
  const differences: readonly Partial<SyncDaemon>[] = [
    { role: 'backup' },
    { interface: 'eth2' },
    { syncId: 52 },
    { group: ip('224.0.0.82') },
    { group: ip('ff02::81') },
    { port: 8849 },
    { ttl: 2 },
  ];
  t.ok(fits(MASTER, MASTER));
  for (const difference of differences)
    t.notOk(fits(MASTER, { ...MASTER, ...difference }), JSON.stringify(difference));
  const old = { ...MASTER, group: undefined, port: undefined, ttl: undefined, maxLength: undefined };
  t.ok(fits({ ...MASTER, maxLength: 1400 }, old), 'a kernel before 4.3 tells no more');
});

t.test(
  'a length that nobody asked for is the kernel’s affair, one that was asked for is as the kernel keeps it',
  async (t) => {
    t.ok(fits(MASTER, { ...MASTER, maxLength: 1472 }));
    t.ok(fits({ ...MASTER, maxLength: 1400 }, { ...MASTER, maxLength: 1400 }));
    t.notOk(fits({ ...MASTER, maxLength: 1400 }, { ...MASTER, maxLength: 1472 }));
    t.ok(fits({ ...BACKUP, maxLength: 10 }, { ...BACKUP, maxLength: 1024 }), 'a backup takes 1024 at least');
    t.notOk(fits({ ...MASTER, maxLength: 10 }, { ...MASTER, maxLength: 1024 }), 'a master does not');
  },
);

const keep = (...daemons: SyncDaemon[]): SyncAim => ({ kind: 'keep', daemons });
const ELSEWHERE = syncDaemon('master', { interface: 'eth9' });

const PLANS: readonly (readonly [string, SyncAim, readonly SyncDaemon[], readonly string[]])[] = [
  ['nothing runs', keep(BACKUP), [], ['start backup eth1']],
  ['what runs is right', keep(BACKUP), [BACKUP], []],
  ['both run and are right', keep(MASTER, BACKUP), [BACKUP, MASTER], []],
  [
    'the role changes: the old one ends last',
    keep(MASTER),
    [BACKUP],
    ['start master eth1', 'stop backup eth1'],
  ],
  [
    'another one of the role is in the way',
    keep(MASTER),
    [ELSEWHERE],
    ['stop master eth9', 'start master eth1'],
  ],
  [
    'one in the way and one too many',
    keep(MASTER),
    [BACKUP, ELSEWHERE],
    ['stop master eth9', 'start master eth1', 'stop backup eth1'],
  ],
  ['one too many', keep(MASTER), [MASTER, BACKUP], ['stop backup eth1']],
  ['none is wanted', keep(), [MASTER, BACKUP], ['stop master eth1', 'stop backup eth1']],
  ['only watched', { kind: 'watch' }, [MASTER], []],
  ['ignored', { kind: 'ignore' }, [MASTER, BACKUP], []],
  ['ours are released', { kind: 'release', daemons: [MASTER] }, [MASTER], ['stop master eth1']],
  ['somebody else’s are not', { kind: 'release', daemons: [MASTER] }, [ELSEWHERE, BACKUP], []],
];

for (const [name, aim, seen, expected] of PLANS)
  t.test(`plan: ${name}`, async (t) => t.same(words(planSync(aim, seen)), expected));

t.test('plan: one that lost its interface is started again, and is no other’s business', async (t) => {
  const stranded = new Set(['backup'] as const);
  t.same(words(planSync(keep(BACKUP), [BACKUP], stranded)), ['stop backup eth1', 'start backup eth1']);
  t.same(words(planSync(keep(MASTER), [MASTER, BACKUP], stranded)), ['stop backup eth1']);
  t.same(planSync({ kind: 'watch' }, [BACKUP], stranded), []);
  t.same(words(planSync({ kind: 'release', daemons: [BACKUP] }, [BACKUP], stranded)), ['stop backup eth1']);
});

t.test('a start adopts a daemon of either role, and else begins as backup', async (t) => {
  t.same(planSyncStart(FOLLOWS, [MASTER]), []);
  t.same(planSyncStart(FOLLOWS, [BACKUP]), []);
  t.same(words(planSyncStart(FOLLOWS, [])), ['start backup eth1']);
  t.same(words(planSyncStart(FOLLOWS, [MASTER, BACKUP])), ['stop master eth1']);
  t.same(words(planSyncStart(FOLLOWS, [ELSEWHERE])), ['start backup eth1', 'stop master eth9']);
  t.same(words(planSyncStart(BOTH, [MASTER])), ['start backup eth1']);
});

t.test('in words of ipvsadm and in words for people', async (t) => {
  const full = { ...MASTER, maxLength: 1400, group: ip('ff02::81') };
  t.equal(
    syncStepWords({ kind: 'start', daemon: full }),
    '--start-daemon master --mcast-interface eth1 --syncid 51 --sync-maxlen 1400 --mcast-group ff02::81 --mcast-port 8848 --mcast-ttl 1',
  );
  const least = { ...MASTER, group: undefined, port: undefined, ttl: undefined };
  t.equal(
    syncStepWords({ kind: 'start', daemon: least }),
    '--start-daemon master --mcast-interface eth1 --syncid 51',
  );
  t.equal(syncStepWords({ kind: 'stop', daemon: full, isStranded: false }), '--stop-daemon master');
  t.equal(syncDaemonText(MASTER), 'master on eth1, id 51, group 224.0.0.81 port 8848');
  t.equal(syncDaemonText(least), 'master on eth1, id 51');
  t.equal(
    syncStepsText([
      { kind: 'start', daemon: least },
      { kind: 'stop', daemon: { ...least, role: 'backup' }, isStranded: false },
    ]),
    'master on eth1, id 51 did not run; backup on eth1, id 51 should not run',
  );
  t.equal(
    syncStepsText([
      { kind: 'stop', daemon: least, isStranded: true },
      { kind: 'start', daemon: least },
    ]),
    'master on eth1, id 51 lost its interface',
  );
});

/** At most one of each role, as in a kernel. */
const anyDaemons = fc
  .uniqueArray(fc.constantFrom('master' as const, 'backup' as const), { maxLength: 2 })
  .chain((roles) =>
    fc.tuple(
      ...roles.map((role) =>
        fc
          .record({
            interface: fc.constantFrom('eth1', 'eth2'),
            syncId: fc.constantFrom(1, 2),
            maxLength: fc.constantFrom(undefined, 10, 1400),
          })
          .map((more) => syncDaemon(role, more)),
      ),
    ),
  );
const anyAim: fc.Arbitrary<SyncAim> = fc.oneof(
  fc.constantFrom<SyncAim>({ kind: 'watch' }, { kind: 'ignore' }),
  fc.record({ kind: fc.constantFrom('keep' as const, 'release' as const), daemons: anyDaemons }),
);

t.test('law: no step of a plan is refused, and once done there is nothing left to do', async () => {
  await fc.assert(
    fc.asyncProperty(anyAim, anyDaemons, async (aim, running) => {
      const table = new MemoryTable();
      for (const daemon of running) await table.startSyncDaemon(daemon);
      const before = await table.syncDaemons();
      for (const { kind, daemon } of planSync(aim, before)) {
        if (kind === 'start') await table.startSyncDaemon(daemon);
        else await table.stopSyncDaemon(daemon.role);
      }
      const after = await table.syncDaemons();
      if (planSync(aim, after).length > 0) return false;
      const isKept = (daemon: SyncDaemon): boolean =>
        aim.kind !== 'keep' || aim.daemons.some((wanted) => fits(wanted, daemon));
      return after.every(isKept) && (aim.kind !== 'keep' || after.length === aim.daemons.length);
    }),
  );
});
