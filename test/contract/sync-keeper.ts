/** The sync keeper on a table: what it wants is there, however fast the role changes. */
import { seconds } from '../../src/core/units.js';
import type { IpvsTable, SyncRole } from '../../src/ipvs/model.js';
import { SyncKeeper } from '../../src/ipvs/sync-keeper.js';
import { syncDaemon } from '../ipvs/build.js';
import type { Assertions } from './assertions.js';
import { type ContractPlace, onTable } from './place.js';

/** Tells what it did. @param onTimer is given what a timer would ring; without it none does */
function keeperOf(
  table: IpvsTable,
  told: string[],
  onTimer: (ring: () => void) => void = () => undefined,
): SyncKeeper {
  return new SyncKeeper({
    table,
    timers: {
      after: (_delay, ring) => {
        onTimer(ring);
        return { cancel: () => undefined };
      },
    },
    indexOf: async () => 2,
    events: {
      onState: () => undefined,
      onChanged: (steps) => told.push(steps.map(({ kind, daemon }) => `${kind} ${daemon.role}`).join(' ')),
      onDrift: (steps, policy) => told.push(`${policy} ${steps.map(({ kind }) => kind).join(' ')}`),
      onFailure: (message) => told.push(message),
    },
  });
}

async function roles(table: IpvsTable): Promise<SyncRole[]> {
  return (await table.syncDaemons()).map(({ role }) => role);
}

export async function syncKeeper(t: Assertions, place: ContractPlace): Promise<void> {
  const { up, down } = place.interfaces;
  const keep = async (keeper: SyncKeeper, role: SyncRole, device = up): Promise<void> => {
    keeper.aim({ kind: 'keep', daemons: [syncDaemon(role, { interface: device })] }, seconds(10));
    await keeper.settled();
  };

  await onTable(t, place, 'a sync keeper takes the daemons from role to role', async (t, table) => {
    const told: string[] = [];
    const keeper = keeperOf(table, told);
    // Without a pause: a daemon is stopped before it ran for the first time.
    for (const role of ['backup', 'master', 'backup', 'master'] as const) await keep(keeper, role);
    t.strictSame(told, [
      'start backup',
      'start master stop backup',
      'start backup stop master',
      'start master stop backup',
    ]);
    t.strictSame(await roles(table), ['master']);
    const second: string[] = [];
    await keep(keeperOf(table, second), 'master');
    t.strictSame(second, [], 'another keeper finds it right: a restart changes nothing');
  });

  await onTable(t, place, 'a sync keeper replaces daemons with other settings', async (t, table) => {
    const told: string[] = [];
    await table.startSyncDaemon(syncDaemon('master', { interface: up, syncId: 9 }));
    await table.startSyncDaemon(syncDaemon('backup', { interface: up, maxLength: 10 }));
    const keeper = keeperOf(table, told);
    await keep(keeper, 'backup');
    t.strictSame(told, ['stop master'], 'a length that nobody asked for is no reason to stop one');
    keeper.aim(
      { kind: 'keep', daemons: [syncDaemon('backup', { interface: up, maxLength: 1400 })] },
      seconds(10),
    );
    await keeper.settled();
    t.strictSame(told.slice(1), ['stop backup start backup']);
    t.equal((await table.syncDaemons())[0]?.maxLength, 1400);
  });

  await onTable(
    t,
    place,
    'a sync keeper says why a daemon cannot run, and stops the wrong one',
    async (t, table) => {
      const told: string[] = [];
      const keeper = keeperOf(table, told);
      await keep(keeper, 'backup');
      await keep(keeper, 'master', down);
      t.equal(told.length, 2);
      t.ok(told[1]?.includes('ENETUNREACH, the interface is down'), told.join('; '));
      t.strictSame(await roles(table), []);
    },
  );

  await onTable(t, place, 'a sync keeper lets stand what it is told to let stand', async (t, table) => {
    const told: string[] = [];
    let ring = (): void => undefined;
    const keeper = keeperOf(table, told, (next) => {
      ring = next;
    });
    const look = async (): Promise<void> => {
      // The timer is set in the turn after.
      await new Promise((resolve) => setImmediate(resolve));
      ring();
      await keeper.settled();
    };
    keeper.govern('report');
    await keep(keeper, 'backup');
    await table.stopSyncDaemon('backup');
    await table.startSyncDaemon(syncDaemon('backup', { interface: up, syncId: 9 }));
    const { steps, left } = await keeper.preview();
    t.strictSame([steps, left.map(({ policy }) => policy)], [[], ['report']], 'a plan foresees it');
    await look();
    t.strictSame(told, ['start backup', 'report stop start']);
    await look();
    t.strictSame(
      (await table.syncDaemons()).map(({ syncId }) => syncId),
      [9],
    );
    keeper.govern('report');
    await keeper.settled();
    t.strictSame(told.slice(2), ['stop backup start backup'], 'a reload ends it');
  });
}
