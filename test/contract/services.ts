/** Virtual services: every key, every setting, added, read back, edited and deleted. */
import { ip } from '../../src/core/ip.js';
import { serviceFamily, serviceText } from '../../src/ipvs/keys.js';
import type { IpvsTable, Service, ServiceKey, ServiceSettings } from '../../src/ipvs/model.js';
import { ZERO_STATS } from '../../src/ipvs/observe.js';
import { dest, SETTINGS, service } from '../ipvs/build.js';
import type { Assertions } from './assertions.js';
import { applyAll, type ContractPlace, onTable, outcomes } from './place.js';

const at = (protocol: 'tcp' | 'udp' | 'sctp', address: string, port: number): ServiceKey => ({
  kind: 'address',
  protocol,
  address: ip(address),
  port,
});

const mark = (value: number, family: 'ipv4' | 'ipv6'): ServiceKey => ({
  kind: 'fwmark',
  family,
  mark: value,
});

/** All in the table at once: none is another. */
const KEYS: readonly ServiceKey[] = [
  at('tcp', '192.0.2.1', 80),
  at('udp', '192.0.2.1', 80),
  at('sctp', '192.0.2.1', 80),
  at('tcp', '192.0.2.1', 81),
  at('tcp', '192.0.2.1', 0),
  at('tcp', '192.0.2.2', 65535),
  at('tcp', '0.0.0.0', 80),
  at('udp', '224.0.0.5', 53),
  at('tcp', '2001:db8::1', 80),
  at('udp', '2001:db8::1', 80),
  at('sctp', '2001:db8::1', 80),
  at('tcp', '::ffff:192.0.2.1', 80),
  at('tcp', '::192.0.2.1', 80),
  at('tcp', '::1', 80),
  at('tcp', '::ffff:0:192.0.2.1', 80),
  at('tcp', '::', 80),
  mark(1, 'ipv4'),
  mark(1, 'ipv6'),
  mark(2, 'ipv4'),
  mark(0x7fffffff, 'ipv4'),
];

const SCHEDULERS = [
  'rr',
  'wrr',
  'lc',
  'wlc',
  'lblc',
  'lblcr',
  'dh',
  'sh',
  'mh',
  'sed',
  'nq',
  'fo',
  'ovf',
  'none',
];

const flags = (flag1: boolean, flag2: boolean, flag3: boolean) => ({ flag1, flag2, flag3 });

/** Each is what a service is edited from and to. Persistence prefixes fit both families. */
const SETTINGS_ROWS: readonly Partial<ServiceSettings>[] = [
  {},
  ...SCHEDULERS.map((scheduler) => ({ scheduler })),
  { scheduler: 'sh', schedulerFlags: flags(true, false, false) },
  { scheduler: 'sh', schedulerFlags: flags(false, true, false) },
  { scheduler: 'mh', schedulerFlags: flags(true, true, false) },
  { scheduler: 'wlc', schedulerFlags: flags(true, true, true) },
  { onePacket: true },
  { persistence: { timeoutSeconds: 1, prefix: 32 } },
  { persistence: { timeoutSeconds: 360, prefix: 24 } },
  { persistence: { timeoutSeconds: 86400, prefix: 1 } },
  { persistence: { timeoutSeconds: 300, prefix: 32 }, persistenceEngine: 'sip' },
  {
    scheduler: 'sh',
    schedulerFlags: flags(true, true, false),
    persistence: { timeoutSeconds: 60, prefix: 16 },
  },
];

const IPV6_PREFIXES = [1, 32, 64, 127, 128];

async function readService(table: IpvsTable, key: ServiceKey): Promise<Service | undefined> {
  return (await table.read(key))?.service;
}

const unused = (its: Service) => ({ ...its, stats: ZERO_STATS });

async function everyKey(t: Assertions, place: ContractPlace): Promise<void> {
  await onTable(t, place, 'services of every kind of key stand beside each other', async (t, table) => {
    const services = KEYS.map((key) => service(key));
    await applyAll(t, table, ...services.map((its) => ({ kind: 'add-service' as const, service: its })));
    const dump = await table.dump();
    t.strictSame([...dump.keys()].sort(), KEYS.map(serviceText).sort());
    for (const its of services) {
      const text = serviceText(its.key);
      t.strictSame(await readService(table, its.key), unused(its), `${text} is read as it was added`);
      t.strictSame(dump.get(text)?.service, unused(its), `${text} is dumped as it was added`);
    }
  });

  await onTable(t, place, 'a service is deleted alone, with its servers', async (t, table) => {
    const [first = at('tcp', '192.0.2.1', 80), ...others] = KEYS;
    await applyAll(t, table, ...KEYS.map((key) => ({ kind: 'add-service' as const, service: service(key) })));
    await applyAll(t, table, { kind: 'add-dest', service: first, dest: dest('192.0.2.9') });
    await applyAll(t, table, { kind: 'delete-service', key: first });
    t.equal(await table.read(first), undefined);
    t.strictSame([...(await table.dump()).keys()].sort(), others.map(serviceText).sort());
    await applyAll(t, table, { kind: 'add-service', service: service(first) });
    t.strictSame((await table.read(first))?.dests, new Map(), 'added again it has no servers');
  });
}

async function everySetting(t: Assertions, place: ContractPlace): Promise<void> {
  for (const key of [
    at('udp', '192.0.2.1', 5060),
    at('tcp', '2001:db8::1', 80),
    mark(5, 'ipv4'),
    mark(5, 'ipv6'),
  ]) {
    const name = `${serviceText(key)} takes every setting, added or edited, and keeps its servers`;
    await onTable(t, place, name, async (t, table) => {
      const server = dest(serviceFamily(key) === 'ipv4' ? '192.0.2.9' : '2001:db8::9');
      for (const [index, settings] of SETTINGS_ROWS.entries()) {
        const its = service(key, settings);
        await applyAll(
          t,
          table,
          { kind: 'add-service', service: its },
          { kind: 'add-dest', service: key, dest: server },
        );
        t.strictSame(await readService(table, key), unused(its), `added with ${JSON.stringify(settings)}`);
        const next = service(key, SETTINGS_ROWS[(index + 1) % SETTINGS_ROWS.length]);
        await applyAll(t, table, { kind: 'edit-service', service: next });
        const seen = await table.read(key);
        t.strictSame(seen?.service, unused(next), `edited to ${JSON.stringify(next.settings)}`);
        t.equal(seen?.dests.size, 1, 'the server is still there');
        await applyAll(t, table, { kind: 'delete-service', key });
      }
    });
  }

  await onTable(
    t,
    place,
    'persistence of IPv6 clients sticks by any prefix from 1 to 128',
    async (t, table) => {
      const key = at('tcp', '2001:db8::1', 80);
      await applyAll(t, table, { kind: 'add-service', service: service(key) });
      for (const prefix of IPV6_PREFIXES) {
        const its = service(key, { persistence: { timeoutSeconds: 60, prefix } });
        await applyAll(t, table, { kind: 'edit-service', service: its });
        t.strictSame(await readService(table, key), unused(its), `/${prefix}`);
      }
      for (const prefix of [0, 129]) {
        const its = service(key, { persistence: { timeoutSeconds: 60, prefix } });
        t.strictSame(
          outcomes(await table.apply([{ kind: 'edit-service', service: its }])),
          ['EINVAL'],
          `/${prefix}`,
        );
      }
      t.equal(
        (await readService(table, key))?.settings.persistence?.prefix,
        128,
        'a refused edit changes nothing',
      );
    },
  );
}

export async function services(t: Assertions, place: ContractPlace): Promise<void> {
  await everyKey(t, place);
  await everySetting(t, place);
  await onTable(t, place, 'a service that is missing reads as undefined', async (t, table) => {
    t.equal(await table.read(at('tcp', '192.0.2.1', 80)), undefined);
    await applyAll(t, table, { kind: 'add-service', service: service(at('tcp', '192.0.2.1', 80)) });
    t.equal(await table.read(at('tcp', '192.0.2.1', 81)), undefined);
    t.equal(await table.read(mark(80, 'ipv4')), undefined);
    t.strictSame(SETTINGS, (await readService(table, at('tcp', '192.0.2.1', 80)))?.settings);
  });
}
