/** Counters: what traffic leaves in the table, what zero takes away, and what comes back from the trash. */
import { destText } from '../../src/ipvs/keys.js';
import type { DestSeen, IpvsTable, Operation } from '../../src/ipvs/model.js';
import type { Assertions } from './assertions.js';
import { applyAll, type ContractPlace, onTable } from './place.js';

export async function counters(t: Assertions, place: ContractPlace): Promise<void> {
  const { service, dest, connect, close } = place.traffic;
  const { key } = service;
  const setUp: readonly Operation[] = [
    { kind: 'add-service', service },
    { kind: 'add-dest', service: key, dest },
  ];
  const seen = async (table: IpvsTable): Promise<DestSeen | undefined> =>
    (await table.read(key))?.dests.get(destText(dest.key));
  const counted = async (table: IpvsTable) => {
    const its = await seen(table);
    return { active: its?.active, connections: its?.stats.connections };
  };

  await onTable(
    t,
    place,
    'a connection counts at its server and its service, in 64 bits',
    async (t, table) => {
      await applyAll(t, table, ...setUp);
      t.strictSame(await counted(table), { active: 0, connections: 0n });
      await connect(table);
      t.strictSame(await counted(table), { active: 1, connections: 1n });
      const observed = await table.read(key);
      t.equal(observed?.service.stats.connections, 1n);
      for (const value of Object.values(observed?.service.stats ?? {})) t.equal(typeof value, 'bigint');
      t.ok((observed?.service.stats.packetsIn ?? 0n) >= 2n, 'packets came in');
      t.ok((observed?.service.stats.bytesOut ?? 0n) >= 40n, 'bytes went out');
      await close(table);
      t.equal((await seen(table))?.active, 0);
    },
  );

  await onTable(t, place, 'zero forgets the counters and keeps the connections', async (t, table) => {
    await applyAll(t, table, ...setUp);
    await connect(table);
    await table.zero(key);
    t.strictSame(await counted(table), { active: 1, connections: 0n });
    t.equal((await table.read(key))?.service.stats.connections, 0n);
    await close(table);
  });

  await onTable(t, place, 'zero of everything is zero of each', async (t, table) => {
    await applyAll(t, table, ...setUp);
    await connect(table);
    await table.zero();
    t.strictSame(await counted(table), { active: 1, connections: 0n });
    await close(table);
  });

  await onTable(t, place, 'edits keep connections and counters', async (t, table) => {
    await applyAll(t, table, ...setUp);
    await connect(table);
    const quiesced = { ...dest, settings: { ...dest.settings, weight: 0 } };
    await applyAll(t, table, { kind: 'edit-dest', service: key, dest: quiesced });
    const other = { ...service, settings: { ...service.settings, scheduler: 'wrr' } };
    await applyAll(t, table, { kind: 'edit-service', service: other });
    t.strictSame(await counted(table), { active: 1, connections: 1n });
    await close(table);
  });

  await onTable(t, place, 'a server that was deleted and is added again counts on', async (t, table) => {
    await applyAll(t, table, ...setUp);
    await connect(table);
    await applyAll(t, table, { kind: 'delete-dest', service: key, dest: dest.key });
    t.equal((await table.read(key))?.dests.size, 0);
    await applyAll(t, table, { kind: 'add-dest', service: key, dest });
    t.strictSame(await counted(table), { active: 1, connections: 1n });
    await close(table);
  });

  await onTable(
    t,
    place,
    'where its service was deleted too, only the connections come back',
    async (t, table) => {
      await applyAll(t, table, ...setUp);
      await connect(table);
      await applyAll(t, table, { kind: 'delete-service', key }, ...setUp);
      t.strictSame(await counted(table), { active: 1, connections: 0n });
      t.equal((await table.read(key))?.service.stats.connections, 0n);
      await close(table);
    },
  );
}
