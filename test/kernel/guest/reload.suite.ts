/**
 * The module ip_vs goes and comes while a client is open. Modules are the whole machine's, so this runs in a guest
 * only: on a host kernel it would take the host's own table away.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { IpvsClient } from '../../../src/ipvs/client.js';
import { systemTimers, systemTurns } from '../../../src/sys/clock.js';
import { openNetlink } from '../../../src/sys/netlink.js';
import type { Assertions } from '../../contract/assertions.js';
import { outcomes } from '../../contract/place.js';
import { dest, key, service, table } from '../../ipvs/build.js';
import { isGuest, unloadIpvs } from './module.js';

const MODPROBE = '/proc/sys/kernel/modprobe';

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return 'ok';
  } catch (thrown) {
    return (thrown as { code?: unknown }).code;
  }
}

export async function suite(t: Assertions): Promise<void> {
  if (!isGuest()) {
    t.ok(true, 'not here: the module is the host’s');
    return;
  }
  const client = new IpvsClient({ openNetlink, timers: systemTimers, turns: systemTurns });
  const plan = [
    { kind: 'add-service', service: service() },
    { kind: 'add-dest', service: key(), dest: dest('192.0.2.2') },
  ] as const;

  await t.test('a module that was loaded again is found, by every kind of request', async (t) => {
    t.strictSame(outcomes(await client.apply(plan)), ['ok', 'ok']);
    const uses: readonly (() => Promise<unknown>)[] = [
      async () => t.equal((await client.info()).version, '1.2.1'),
      async () => t.strictSame(await client.dump(), new Map(), 'the table is empty'),
      async () => t.strictSame(outcomes(await client.apply(plan)), ['ok', 'ok']),
      async () => t.equal(await codeOf(client.zero()), 'ok'),
    ];
    for (const use of uses) {
      await client.flush();
      unloadIpvs();
      await use();
    }
    t.strictSame(await client.dump(), new Map());
  });

  await t.test('a module that cannot be loaded is IPVS_ABSENT, until it can', async (t) => {
    const modprobe = readFileSync(MODPROBE, 'utf8');
    unloadIpvs();
    writeFileSync(MODPROBE, '/bin/false');
    try {
      t.equal(await codeOf(client.dump()), 'IPVS_ABSENT');
      t.equal(await codeOf(client.apply(plan)), 'IPVS_ABSENT');
    } finally {
      writeFileSync(MODPROBE, modprobe);
    }
    t.strictSame(outcomes(await client.apply(plan)), ['ok', 'ok']);
    t.strictSame(await client.dump(), table([service(), [dest('192.0.2.2')]]));
    await client.flush();
  });
  client.close();
}
