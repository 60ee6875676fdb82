import t from 'tap';
import { seconds } from '../src/core/units.js';
import type { Happening } from '../src/describe.js';
import { MemoryTable } from '../src/ipvs/memory.js';
import type { SyncRule, SyncState } from '../src/ipvs/model.js';
import type { DriftPolicy } from '../src/ipvs/ownership.js';
import { SyncFollower } from '../src/sync.js';
import type { Role } from '../src/vrrp/model.js';
import type { VrrpDigest } from '../src/vrrp/status.js';
import { FakeTime, turn } from './fakes/time.js';
import { RULES, syncDaemon } from './ipvs/build.js';

const { role: _, ...DAEMON } = syncDaemon('master');
const FOLLOWS: SyncRule = { roles: { kind: 'follow', instance: 'outside' }, daemon: DAEMON };
const BOTH: SyncRule = { roles: { kind: 'fixed', roles: ['master', 'backup'] }, daemon: DAEMON };

/** Of a digest the follower reads names and roles. */
const digest = (roles: Readonly<Record<string, Role>>): VrrpDigest =>
  ({ routers: Object.entries(roles).map(([name, role]) => ({ name, role })) }) as unknown as VrrpDigest;

function setup() {
  const time = new FakeTime();
  const table = new MemoryTable();
  const told: Happening[] = [];
  const states: (SyncState | undefined)[] = [];
  const follower = new SyncFollower({
    table,
    timers: time,
    indexOf: async () => 2,
    onState: (state) => states.push(state),
    tell: (happening) => told.push(happening),
  });
  const configure = async (sync: SyncRule | undefined, policy: DriftPolicy = 'repair'): Promise<void> => {
    const besideDrift = { timeouts: 'repair', sync: policy } as const;
    follower.configure({ sync, resync: seconds(10), ownership: { ...RULES, besideDrift } });
    await time.advance(0);
  };
  const hear = async (roles: Readonly<Record<string, Role>> | undefined): Promise<void> => {
    follower.follow(roles === undefined ? undefined : digest(roles));
    await time.advance(0);
    await turn();
  };
  const running = async (): Promise<string[]> => (await table.syncDaemons()).map(({ role }) => role);
  return { time, table, told, states, follower, configure, hear, running };
}

t.test('every role but that of a master is a backup', async (t) => {
  const { configure, hear, running } = setup();
  await configure(FOLLOWS);
  const rows: readonly (readonly [Role, string])[] = [
    ['initialize', 'backup'],
    ['backup', 'backup'],
    ['master', 'master'],
    ['fault', 'backup'],
    ['master', 'master'],
    ['initialize', 'backup'],
  ];
  for (const [role, daemon] of rows) {
    await hear({ inside: 'master', outside: role });
    t.same(await running(), [daemon], role);
  }
});

t.test('before the role is known, and once nobody knows it any more, what runs is left alone', async (t) => {
  const { table, told, states, configure, hear, running } = setup();
  await table.startSyncDaemon(syncDaemon('master'));
  await configure(FOLLOWS);
  t.same(await running(), ['master']);
  t.match(states.at(-1), { wanted: undefined, inSync: false });
  await hear({ inside: 'backup' });
  t.same(await running(), ['master'], 'another virtual router does not matter');
  await hear({ outside: 'master' });
  t.same(told, [], 'it was right: nothing was done, nothing is told');
  await hear(undefined);
  t.same(await running(), ['master']);
  t.match(states.at(-1), { wanted: undefined });
});

t.test('a role that was heard before the configuration counts', async (t) => {
  const { configure, hear, running } = setup();
  await hear({ outside: 'master' });
  t.same(await running(), []);
  await configure(FOLLOWS);
  t.same(await running(), ['master']);
});

t.test('a fixed role needs no virtual router and follows none', async (t) => {
  const { configure, hear, running } = setup();
  await configure(BOTH);
  t.same(await running(), ['master', 'backup']);
  await hear({ outside: 'backup' });
  t.same(await running(), ['master', 'backup']);
});

t.test('without `sync` nothing is touched; where it is taken out, what was ours ends', async (t) => {
  const { table, states, configure, hear, running } = setup();
  await table.startSyncDaemon(syncDaemon('master'));
  await configure(undefined);
  await hear({ outside: 'backup' });
  t.same([await running(), states], [['master'], []]);
  await configure(FOLLOWS);
  t.same(await running(), ['backup']);
  await configure(undefined);
  t.same([await running(), states.at(-1)], [[], undefined]);
});

t.test('what happens is told: changes, drift and errors', async (t) => {
  const { time, table, told, configure, hear } = setup();
  await configure(FOLLOWS);
  await hear({ outside: 'backup' });
  await hear({ outside: 'master' });
  await table.stopSyncDaemon('master');
  await time.advance(10_000);
  table.close();
  await time.advance(10_000);
  t.same(
    told.map(({ kind, message }) => [kind, message]),
    [
      [
        'sync-role',
        'synchronisation of connections: backup on eth1, id 51, group 224.0.0.81 port 8848 runs now',
      ],
      [
        'sync-role',
        'synchronisation of connections: master on eth1, id 51, group 224.0.0.81 port 8848 runs now; backup was stopped',
      ],
      [
        'table-drift',
        'the sync daemons were changed by somebody else, it is repaired: master on eth1, id 51, group 224.0.0.81 port 8848 did not run',
      ],
      [
        'table-error',
        'connections are not synchronised as they should be: sync-daemons: ECANCELED, the table was closed',
      ],
    ],
  );
  t.same(told[1]?.facts?.started, ['master']);
});

t.test('at the end the last role that was told is taken, and then nothing is touched', async (t) => {
  const { time, follower, configure, hear, running } = setup();
  await configure(FOLLOWS);
  await hear({ outside: 'master' });
  follower.follow(digest({ outside: 'initialize' }));
  await follower.close();
  t.same(await running(), ['backup'], 'it hears what the new master says');
  await hear({ outside: 'master' });
  await time.advance(60_000);
  t.same(await running(), ['backup']);
});

t.test('`drift: { sync: ... }` says what is done, and every event has the difference', async (t) => {
  for (const [policy, kind, done] of [
    ['repair', 'table-drift', 'it is repaired'],
    ['report', 'table-drift', 'it is left as it is'],
    ['accept', 'drift-accepted', 'it is accepted'],
  ] as const) {
    const { time, table, told, follower, configure, running } = setup();
    await configure(BOTH, policy);
    await table.stopSyncDaemon('master');
    const { steps, left } = await follower.preview();
    const [does, leaves] = policy === 'repair' ? [1, 0] : [0, 1];
    t.same([steps.length, left.length], [does, leaves], 'a plan foresees it');
    t.equal(told.length, 1, 'and is no look');
    await time.advance(10_000);
    t.match(told.slice(1), [
      {
        kind,
        message: `the sync daemons were changed by somebody else, ${done}: master on eth1, id 51, group 224.0.0.81 port 8848 did not run`,
        facts: { policy, entries: 1, steps: [{ kind: 'start', daemon: { role: 'master' } }] },
      },
    ]);
    t.same(await running(), policy === 'repair' ? ['master', 'backup'] : ['backup']);
  }
});
