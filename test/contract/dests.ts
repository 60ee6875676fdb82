/** Destinations: every way of forwarding, every setting, added, read back, edited and deleted. */
import { ip } from '../../src/core/ip.js';
import { destText, serviceFamily, serviceText } from '../../src/ipvs/keys.js';
import type { Dest, DestKey, DestSettings, Forward, IpvsTable, ServiceKey } from '../../src/ipvs/model.js';
import { dest, key, seen, service } from '../ipvs/build.js';
import type { Assertions } from './assertions.js';
import { applyAll, type ContractPlace, onTable, outcomes } from './place.js';

const IPV6_KEY = key('2001:db8::1');
const MARK: ServiceKey = { kind: 'fwmark', family: 'ipv4', mark: 9 };

const tunnel = (
  type: 'ipip' | 'gue' | 'gre',
  port = 0,
  checksum: 'none' | 'checksum' | 'remote-checksum' = 'none',
): Forward => ({ method: 'tunnel', type, port, checksum });

/** Each is what a destination is edited from and to. */
const SETTINGS_ROWS: readonly Partial<DestSettings>[] = [
  { forward: { method: 'direct' } },
  { forward: { method: 'masquerade' } },
  { forward: tunnel('ipip') },
  { forward: tunnel('gue', 6080) },
  { forward: tunnel('gue', 65535, 'checksum') },
  { forward: tunnel('gue', 1, 'remote-checksum') },
  { forward: tunnel('gre') },
  { forward: tunnel('gre', 0, 'checksum') },
  { weight: 0 },
  { weight: 65535 },
  { weight: 0x7fffffff },
  { upperThreshold: 1000 },
  { upperThreshold: 1000, lowerThreshold: 1000 },
  { upperThreshold: 0xffffffff, lowerThreshold: 750 },
  { forward: { method: 'masquerade' }, weight: 10, upperThreshold: 5, lowerThreshold: 1 },
];

/** Addresses that a kernel without these addresses takes for a server. */
const TAKEN = [
  '10.0.0.1',
  '0.1.2.3',
  '240.0.0.1',
  '127.0.0.1',
  '2001:db8::9',
  '::1',
  'fec0::1',
  'fd00::1',
  '::2',
  '::ff00:192.0.2.9',
  '::ff:192.0.2.9',
  '2001:db8::ffff:192.0.2.9',
  '223.255.255.255',
];
const REFUSED = [
  '0.0.0.0',
  '224.0.0.1',
  '239.255.255.255',
  '255.255.255.255',
  '::',
  'ff02::1',
  'fe80::9',
  'febf::9',
  '::ffff:192.0.2.9',
];

async function readDest(table: IpvsTable, its: ServiceKey, server: DestKey): Promise<Dest | undefined> {
  return (await table.read(its))?.dests.get(destText(server));
}

async function everySetting(t: Assertions, place: ContractPlace): Promise<void> {
  const rows: readonly (readonly [ServiceKey, string])[] = [
    [key(), '192.0.2.9'],
    [IPV6_KEY, '2001:db8::9'],
    [MARK, '192.0.2.9'],
  ];
  for (const [its, address] of rows) {
    const name = `a server of ${serviceText(its)} takes every setting, added or edited`;
    await onTable(t, place, name, async (t, table) => {
      await applyAll(t, table, { kind: 'add-service', service: service(its) });
      for (const [index, settings] of SETTINGS_ROWS.entries()) {
        const server = dest(address, settings);
        await applyAll(t, table, { kind: 'add-dest', service: its, dest: server });
        t.strictSame(
          await readDest(table, its, server.key),
          seen(server),
          `added: ${JSON.stringify(settings)}`,
        );
        const next = dest(address, SETTINGS_ROWS[(index + 1) % SETTINGS_ROWS.length]);
        await applyAll(t, table, { kind: 'edit-dest', service: its, dest: next });
        t.strictSame(
          await readDest(table, its, next.key),
          seen(next),
          'edited to the next: nothing is left over',
        );
        await applyAll(t, table, { kind: 'delete-dest', service: its, dest: next.key });
        t.equal((await table.read(its))?.dests.size, 0, 'deleted');
      }
      await applyAll(t, table, { kind: 'add-dest', service: its, dest: dest(address) });
    });
  }
}

async function manyServers(t: Assertions, place: ContractPlace): Promise<void> {
  await onTable(t, place, 'servers are told apart by address, port and service', async (t, table) => {
    const servers = [dest('192.0.2.9', {}, 80), dest('192.0.2.9', {}, 81), dest('192.0.2.10', {}, 80)];
    const all = servers.map((each) => destText(each.key)).sort();
    for (const its of [key(), key('192.0.2.1', 81), MARK]) {
      await applyAll(t, table, { kind: 'add-service', service: service(its) });
      for (const server of servers)
        await applyAll(t, table, { kind: 'add-dest', service: its, dest: server });
    }
    await applyAll(t, table, { kind: 'delete-dest', service: key(), dest: dest('192.0.2.9', {}, 81).key });
    t.strictSame([...((await table.read(key()))?.dests.keys() ?? [])].sort(), [
      '192.0.2.10:80',
      '192.0.2.9:80',
    ]);
    t.strictSame([...((await table.read(MARK))?.dests.keys() ?? [])].sort(), all);
    const dump = await table.dump();
    for (const [text, observed] of dump)
      t.strictSame(await table.read(observed.service.key), observed, `${text}: read and dump agree`);
    t.equal(dump.size, 3);
  });

  await onTable(t, place, 'a server of port 0 of a fwmark is as it was added', async (t, table) => {
    const server = dest('192.0.2.9', {}, 0);
    await applyAll(
      t,
      table,
      { kind: 'add-service', service: service(MARK) },
      { kind: 'add-dest', service: MARK, dest: server },
    );
    t.strictSame(await readDest(table, MARK, server.key), seen(server));
  });

  await onTable(t, place, 'tunnels reach servers of the other family', async (t, table) => {
    for (const [its, other] of [
      [key(), '2001:db8::9'],
      [IPV6_KEY, '192.0.2.9'],
    ] as const) {
      const server = dest(other, { forward: tunnel('ipip') });
      await applyAll(
        t,
        table,
        { kind: 'add-service', service: service(its) },
        { kind: 'add-dest', service: its, dest: server },
      );
      t.strictSame(await readDest(table, its, server.key), seen(server));
      const edited = dest(other, { forward: tunnel('gre', 0, 'checksum'), weight: 7 });
      await applyAll(t, table, { kind: 'edit-dest', service: its, dest: edited });
      t.strictSame(await readDest(table, its, server.key), seen(edited));
      await applyAll(t, table, { kind: 'delete-dest', service: its, dest: server.key });
      t.equal((await table.read(its))?.dests.size, 0);
    }
  });
}

async function addresses(t: Assertions, place: ContractPlace): Promise<void> {
  await onTable(t, place, 'an address that cannot be a server’s is refused', async (t, table) => {
    const ofFamily = (address: string): ServiceKey => (address.includes(':') ? IPV6_KEY : key());
    for (const its of [key(), IPV6_KEY])
      await applyAll(t, table, { kind: 'add-service', service: service(its) });
    for (const [list, outcome] of [
      [TAKEN, 'ok'],
      [REFUSED, 'EINVAL'],
    ] as const) {
      for (const address of list) {
        const results = await table.apply([
          { kind: 'add-dest', service: ofFamily(address), dest: dest(address) },
        ]);
        t.strictSame(outcomes(results), [outcome], address);
      }
    }
    const seenAddresses = [...(await table.dump()).values()].flatMap(({ dests }) => [...dests.keys()]);
    t.equal(seenAddresses.length, TAKEN.length);
    t.equal(serviceFamily(IPV6_KEY), 'ipv6');
    t.ok((await table.read(key()))?.dests.has(destText({ address: ip('240.0.0.1'), port: 80 })));
  });
}

export async function dests(t: Assertions, place: ContractPlace): Promise<void> {
  await everySetting(t, place);
  await manyServers(t, place);
  await addresses(t, place);
}
