/** The commands beside the plan: info, flush, zero, time-outs and the connection-synchronisation daemons. */
import { ip } from '../../src/core/ip.js';
import type { IpvsTable, SyncDaemon } from '../../src/ipvs/model.js';
import { dest, key, service } from '../ipvs/build.js';
import type { Assertions } from './assertions.js';
import { applyAll, type ContractPlace, onTable, outcomes } from './place.js';

/** The error number that a command rejects with, 'ok' where it does not reject. */
async function errnoOf(t: Assertions, command: Promise<unknown>): Promise<unknown> {
  try {
    await command;
    return 'ok';
  } catch (thrown) {
    const { code, facts } = thrown as { code?: unknown; facts?: { errno?: unknown; operation?: unknown } };
    t.equal(code, 'IPVS', 'the error is one of IPVS');
    t.equal(typeof facts?.operation, 'string', 'it names the operation');
    return facts?.errno;
  }
}

async function wholeTable(t: Assertions, place: ContractPlace): Promise<void> {
  await onTable(t, place, 'info tells version and size of the connection table', async (t, table) => {
    const { version, connectionTableSize } = await table.info();
    t.ok(/^1\.\d+\.\d+$/.test(version), version);
    t.ok(
      connectionTableSize >= 256 && Number.isInteger(Math.log2(connectionTableSize)),
      `${connectionTableSize}`,
    );
  });

  await onTable(
    t,
    place,
    'flush removes every service, and is no error on an empty table',
    async (t, table) => {
      t.equal(await errnoOf(t, table.flush()), 'ok');
      await applyAll(
        t,
        table,
        { kind: 'add-service', service: service() },
        { kind: 'add-dest', service: key(), dest: dest('192.0.2.9') },
        { kind: 'add-service', service: service({ kind: 'fwmark', family: 'ipv6', mark: 3 }) },
      );
      await table.flush();
      t.strictSame(await table.dump(), new Map());
      await applyAll(t, table, { kind: 'add-service', service: service() });
    },
  );

  await onTable(t, place, 'zero wants a service that is there', async (t, table) => {
    t.equal(await errnoOf(t, table.zero(key())), 'ESRCH');
    t.equal(await errnoOf(t, table.zero()), 'ok', 'zero of an empty table is no error');
    await applyAll(t, table, { kind: 'add-service', service: service() });
    t.equal(await errnoOf(t, table.zero(key())), 'ok');
  });
}

async function timeouts(t: Assertions, place: ContractPlace): Promise<void> {
  await onTable(
    t,
    place,
    'time-outs: what is absent or 0 stays, what is bad changes nothing',
    async (t, table) => {
      t.strictSame(await table.timeouts(), { tcp: 900, tcpFin: 120, udp: 300 }, 'the defaults');
      await table.setTimeouts({ tcp: 901, tcpFin: 121, udp: 301 });
      t.strictSame(await table.timeouts(), { tcp: 901, tcpFin: 121, udp: 301 });
      await table.setTimeouts({ udp: 17 });
      t.strictSame(await table.timeouts(), { tcp: 901, tcpFin: 121, udp: 17 });
      await table.setTimeouts({ tcp: 0, tcpFin: 5, udp: 0 });
      t.strictSame(await table.timeouts(), { tcp: 901, tcpFin: 5, udp: 17 });
      await table.setTimeouts({});
      t.equal(
        await errnoOf(t, table.setTimeouts({ tcp: 7, udp: 0x7fffffff })),
        'EINVAL',
        'above INT_MAX / HZ',
      );
      t.equal(
        await errnoOf(t, table.setTimeouts({ tcp: 7, tcpFin: 0xffffffff })),
        'EINVAL',
        'negative to the kernel',
      );
      t.equal(await errnoOf(t, table.setTimeouts({ tcp: 7, udp: -1 })), 'EINVAL', 'negative');
      t.equal(await errnoOf(t, table.setTimeouts({ tcp: 7, udp: 1.5 })), 'EINVAL', 'whole seconds only');
      t.strictSame(await table.timeouts(), { tcp: 901, tcpFin: 5, udp: 17 });
      await table.setTimeouts({ tcp: 2147483, tcpFin: 1, udp: 1 });
      t.strictSame(await table.timeouts(), { tcp: 2147483, tcpFin: 1, udp: 1 }, 'the least and the most');
      await table.flush();
      t.equal((await table.timeouts()).udp, 1, 'a flush leaves them');
    },
  );
}

const daemon = (role: SyncDaemon['role'], name: string, more: Partial<SyncDaemon> = {}): SyncDaemon => ({
  role,
  interface: name,
  syncId: 1,
  maxLength: undefined,
  group: undefined,
  port: undefined,
  ttl: undefined,
  ...more,
});

const DEFAULTS = { maxLength: 1472, group: ip('224.0.0.81'), port: 8848, ttl: 1 };

async function syncDaemons(t: Assertions, place: ContractPlace): Promise<void> {
  const { up, down } = place.interfaces;
  const start = (t: Assertions, table: IpvsTable, its: SyncDaemon) => errnoOf(t, table.startSyncDaemon(its));

  await onTable(t, place, 'sync daemons: one of each role, with the kernel’s defaults', async (t, table) => {
    t.strictSame(await table.syncDaemons(), []);
    await table.startSyncDaemon(daemon('backup', up, { syncId: 255 }));
    await table.startSyncDaemon(daemon('master', up, { syncId: 0 }));
    t.strictSame(await table.syncDaemons(), [
      { ...daemon('master', up, { syncId: 0 }), ...DEFAULTS },
      { ...daemon('backup', up, { syncId: 255 }), ...DEFAULTS },
    ]);
    t.equal(await start(t, table, daemon('master', up)), 'EEXIST');
    t.equal(await start(t, table, daemon('backup', up, { syncId: 9 })), 'EEXIST');
    await table.flush();
    t.equal((await table.syncDaemons()).length, 2, 'a flush leaves them');
    await table.stopSyncDaemon('master');
    t.strictSame(
      (await table.syncDaemons()).map(({ role }) => role),
      ['backup'],
    );
    t.equal(await errnoOf(t, table.stopSyncDaemon('master')), 'ESRCH');
    await table.stopSyncDaemon('backup');
    t.equal(await errnoOf(t, table.stopSyncDaemon('backup')), 'ESRCH');
    t.strictSame(await table.syncDaemons(), []);
  });

  await onTable(t, place, 'sync daemons keep what they are given', async (t, table) => {
    const given = { syncId: 7, maxLength: 1200, group: ip('239.1.2.3'), port: 9000, ttl: 4 };
    await table.startSyncDaemon(daemon('master', up, given));
    const ipv6 = { syncId: 8, maxLength: 10, group: ip('ff02::81'), port: 9001, ttl: 255 };
    await table.startSyncDaemon(daemon('backup', up, ipv6));
    t.strictSame(await table.syncDaemons(), [
      daemon('master', up, given),
      // A backup takes whatever a master may send: never less than 1024.
      daemon('backup', up, { ...ipv6, maxLength: 1024 }),
    ]);
    await table.stopSyncDaemon('master');
    await table.startSyncDaemon(daemon('master', up, { maxLength: 10, group: ip('ff02::81') }));
    t.strictSame(
      (await table.syncDaemons())[0],
      daemon('master', up, { ...DEFAULTS, maxLength: 10, group: ip('ff02::81') }),
    );
    await table.stopSyncDaemon('master');
    await table.startSyncDaemon(daemon('master', up, { group: ip('ff02::81') }));
    t.equal((await table.syncDaemons())[0]?.maxLength, 1452, 'the header of IPv6 is longer');
  });

  await onTable(
    t,
    place,
    'sync daemons want an interface that is there and up, and a group',
    async (t, table) => {
      t.equal(await start(t, table, daemon('master', 'nonesuch0')), 'ENODEV');
      t.equal(await start(t, table, daemon('master', down)), 'ENETUNREACH');
      t.equal(await start(t, table, daemon('master', 'a-name-of-16-let')), 'EINVAL');
      t.equal(await start(t, table, daemon('master', up, { group: ip('192.0.2.1') })), 'EINVAL');
      t.equal(await start(t, table, daemon('backup', up, { group: ip('2001:db8::1') })), 'EINVAL');
      t.equal(await start(t, table, daemon('backup', 'nonesuch0', { group: ip('192.0.2.1') })), 'EINVAL');
      t.equal(await start(t, table, daemon('master', 'a-name-of-15-le')), 'ENODEV', 'not too long');
      t.equal(
        await start(t, table, daemon('master', up, { syncId: 256 })),
        'EINVAL',
        'a sync id ends at 255',
      );
      t.equal(await start(t, table, daemon('master', up, { port: 65536 })), 'EINVAL');
      t.equal(await start(t, table, daemon('master', up, { group: ip('223.255.255.255') })), 'EINVAL');
      t.equal(await start(t, table, daemon('master', up, { group: ip('240.0.0.0') })), 'EINVAL');
      t.equal(await start(t, table, daemon('master', down, { group: ip('ff02::81') })), 'ENETUNREACH');
      t.strictSame(await table.syncDaemons(), []);
      await table.startSyncDaemon(daemon('backup', down));
      t.equal((await table.syncDaemons()).length, 1, 'a backup listens at an interface that is down');
      await table.startSyncDaemon(daemon('master', up, { group: ip('224.0.0.5') }));
    },
  );
}

async function mixedFamilies(t: Assertions, place: ContractPlace): Promise<void> {
  const { up } = place.interfaces;
  const forward = { method: 'tunnel', type: 'ipip', port: 0, checksum: 'none' } as const;
  const other = dest('2001:db8::9', { forward });

  await onTable(
    t,
    place,
    'servers of the other family and sync daemons exclude each other',
    async (t, table) => {
      await applyAll(t, table, { kind: 'add-service', service: service() });
      await table.startSyncDaemon(daemon('backup', up));
      const refused = await table.apply([
        { kind: 'add-dest', service: key(), dest: other },
        { kind: 'edit-dest', service: key(), dest: other },
        { kind: 'delete-dest', service: key(), dest: other.key },
      ]);
      t.strictSame(outcomes(refused), ['EINVAL', 'EINVAL', 'ENOENT']);
      await table.stopSyncDaemon('backup');
      await applyAll(t, table, { kind: 'add-dest', service: key(), dest: other });
      t.equal(await errnoOf(t, table.startSyncDaemon(daemon('master', up))), 'EINVAL');
      await applyAll(t, table, { kind: 'delete-dest', service: key(), dest: other.key });
      t.equal(await errnoOf(t, table.startSyncDaemon(daemon('master', up))), 'ok', 'once it is gone');
    },
  );
}

async function closed(t: Assertions, place: ContractPlace): Promise<void> {
  await t.test('a table that was closed rejects everything, and may be closed again', async (t) => {
    const table = await place.open();
    table.close();
    table.close();
    const uses: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['info', () => table.info()],
      ['dump', () => table.dump()],
      ['read', () => table.read(key())],
      ['apply', () => table.apply([{ kind: 'add-service', service: service() }])],
      ['flush', () => table.flush()],
      ['zero', () => table.zero()],
      ['timeouts', () => table.timeouts()],
      ['setTimeouts', () => table.setTimeouts({ tcp: 1 })],
      ['syncDaemons', () => table.syncDaemons()],
      ['startSyncDaemon', () => table.startSyncDaemon(daemon('master', place.interfaces.up))],
      ['stopSyncDaemon', () => table.stopSyncDaemon('master')],
    ];
    for (const [name, use] of uses) t.equal(await errnoOf(t, use()), 'ECANCELED', name);
  });
}

export async function commands(t: Assertions, place: ContractPlace): Promise<void> {
  await wholeTable(t, place);
  await timeouts(t, place);
  await syncDaemons(t, place);
  await mixedFamilies(t, place);
  await closed(t, place);
}
