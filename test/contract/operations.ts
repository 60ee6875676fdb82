/** What the kernel refuses, with which error number, and that a refusal changes nothing and stops nothing. */
import type { Operation, ServiceKey } from '../../src/ipvs/model.js';
import { dest, key, service } from '../ipvs/build.js';
import type { Assertions } from './assertions.js';
import { applyAll, type ContractPlace, onTable, outcomes } from './place.js';

const MISSING = key('192.0.2.77');
const IPV6_KEY = key('2001:db8::1');
const MARK: ServiceKey = { kind: 'fwmark', family: 'ipv6', mark: 6 };
const SERVER = dest('192.0.2.9');
const ABSENT = dest('192.0.2.99');

const tunnel = { method: 'tunnel', type: 'ipip', port: 0, checksum: 'none' } as const;
const gueWithoutPort = { method: 'tunnel', type: 'gue', port: 0, checksum: 'none' } as const;

/** The table that every refusal meets. */
const SETTING: readonly Operation[] = [
  { kind: 'add-service', service: service(key()) },
  { kind: 'add-service', service: service(IPV6_KEY) },
  { kind: 'add-service', service: service(MARK) },
  { kind: 'add-dest', service: key(), dest: SERVER },
];

const add = (its: ServiceKey, ...[address, settings, port]: Parameters<typeof dest>): Operation => ({
  kind: 'add-dest',
  service: its,
  dest: dest(address, settings, port),
});

const edit = (its: ServiceKey, ...[address, settings, port]: Parameters<typeof dest>): Operation => ({
  kind: 'edit-dest',
  service: its,
  dest: dest(address, settings, port),
});

const REFUSALS: readonly (readonly [string, Operation, string])[] = [
  ['a service that is there is not added', { kind: 'add-service', service: service(key()) }, 'EEXIST'],
  [
    'it is not added with other settings either, not even with bad ones',
    { kind: 'add-service', service: service(key(), { scheduler: 'nonesuch' }) },
    'EEXIST',
  ],
  ['a missing service is not edited', { kind: 'edit-service', service: service(MISSING) }, 'ESRCH'],
  [
    'a missing service is missing, whatever its settings',
    { kind: 'edit-service', service: service(MISSING, { scheduler: 'nonesuch' }) },
    'ESRCH',
  ],
  ['a missing service is not deleted', { kind: 'delete-service', key: MISSING }, 'ESRCH'],
  [
    'a service is not added with an unknown scheduler',
    { kind: 'add-service', service: service(MISSING, { scheduler: 'nonesuch' }) },
    'ENOENT',
  ],
  [
    'a service is not edited to an unknown scheduler',
    { kind: 'edit-service', service: service(key(), { scheduler: 'nonesuch' }) },
    'ENOENT',
  ],
  [
    'a service is not added with an unknown persistence engine',
    { kind: 'add-service', service: service(MISSING, { persistenceEngine: 'nonesuch' }) },
    'ENOENT',
  ],
  [
    'a service is not edited to an unknown persistence engine',
    { kind: 'edit-service', service: service(key(), { persistenceEngine: 'nonesuch' }) },
    'ENOENT',
  ],
  [
    'a name of 16 letters is no scheduler’s',
    { kind: 'add-service', service: service(MISSING, { scheduler: 'a'.repeat(16) }) },
    'EINVAL',
  ],
  [
    'a name of 15 letters might be',
    { kind: 'add-service', service: service(MISSING, { scheduler: 'a'.repeat(15) }) },
    'ENOENT',
  ],
  [
    'a persistence engine of 16 letters might be',
    { kind: 'add-service', service: service(MISSING, { persistenceEngine: 'a'.repeat(16) }) },
    'ENOENT',
  ],
  [
    'an overlong name is refused before the service is looked for',
    { kind: 'edit-service', service: service(MISSING, { persistenceEngine: 'a'.repeat(17) }) },
    'EINVAL',
  ],
  [
    'a service of IPv6 does not stick by a prefix of 0',
    {
      kind: 'add-service',
      service: service(key('2001:db8::7'), { persistence: { timeoutSeconds: 1, prefix: 0 } }),
    },
    'EINVAL',
  ],
  [
    'a fwmark of IPv6 does not stick by a prefix of 129',
    { kind: 'edit-service', service: service(MARK, { persistence: { timeoutSeconds: 1, prefix: 129 } }) },
    'EINVAL',
  ],
  ['a server that is there is not added', add(key(), '192.0.2.9'), 'EEXIST'],
  ['a server is not added to a missing service', add(MISSING, '192.0.2.9'), 'ESRCH'],
  ['a bad server is not added to a missing service', add(MISSING, '192.0.2.9', { weight: -1 }), 'ESRCH'],
  ['a server of a missing service is not edited', edit(MISSING, '192.0.2.9'), 'ESRCH'],
  [
    'a server of a missing service is not deleted',
    { kind: 'delete-dest', service: MISSING, dest: SERVER.key },
    'ESRCH',
  ],
  ['a missing server is not edited', edit(key(), '192.0.2.99'), 'ENOENT'],
  ['a server is missing on another port', edit(key(), '192.0.2.9', {}, 81), 'ENOENT'],
  ['a missing server is not deleted', { kind: 'delete-dest', service: key(), dest: ABSENT.key }, 'ENOENT'],
  ['a weight is not negative, of a new server', add(key(), '192.0.2.10', { weight: -1 }), 'ERANGE'],
  ['a weight is not negative, of a server that is there', edit(key(), '192.0.2.9', { weight: -1 }), 'ERANGE'],
  ['a negative weight counts before a missing server', edit(key(), '192.0.2.99', { weight: -1 }), 'ERANGE'],
  [
    'a negative weight counts before a server that is there',
    add(key(), '192.0.2.9', { weight: -1 }),
    'ERANGE',
  ],
  [
    'a lower threshold is not above the upper one',
    add(key(), '192.0.2.10', { upperThreshold: 10, lowerThreshold: 11 }),
    'ERANGE',
  ],
  ['a lower threshold does not stand alone', edit(key(), '192.0.2.9', { lowerThreshold: 1 }), 'ERANGE'],
  ['GUE needs a port, for a new server', add(key(), '192.0.2.10', { forward: gueWithoutPort }), 'EINVAL'],
  [
    'GUE needs a port, for a server that is there',
    edit(key(), '192.0.2.9', { forward: gueWithoutPort }),
    'EINVAL',
  ],
  ['direct routing stays in the family', add(key(), '2001:db8::9'), 'EINVAL'],
  [
    'masquerading stays in the family',
    add(IPV6_KEY, '192.0.2.9', { forward: { method: 'masquerade' } }),
    'EINVAL',
  ],
  ['the family counts before a missing server', edit(key(), '2001:db8::9'), 'EINVAL'],
  [
    'a missing server of the other family is missing, to a tunnel',
    edit(MARK, '192.0.2.9', { forward: tunnel }),
    'ENOENT',
  ],
  [
    'a missing server of the other family is missing, to a deletion',
    { kind: 'delete-dest', service: MARK, dest: SERVER.key },
    'ENOENT',
  ],
];

/** Values that no request can carry: the table says so instead of cutting them to size. */
const UNENCODABLE: readonly (readonly [string, Operation])[] = [
  ['a port of a service ends at 65535', { kind: 'add-service', service: service(key('192.0.2.7', 65536)) }],
  ['a port of a server ends at 65535', add(key(), '192.0.2.10', {}, 65536)],
  ['a port is not negative', add(key(), '192.0.2.10', {}, -1)],
  ['a weight ends at 2^31 - 1', edit(key(), '192.0.2.9', { weight: 2 ** 31 })],
  ['a weight is a whole number', edit(key(), '192.0.2.9', { weight: 1.5 })],
  ['a threshold ends at 2^32 - 1', edit(key(), '192.0.2.9', { upperThreshold: 2 ** 32 })],
  ['nobody asks for local forwarding', add(key(), '192.0.2.10', { forward: { method: 'local' } })],
  ['nobody asks for a bypass', edit(key(), '192.0.2.9', { forward: { method: 'bypass' } })],
  [
    'a fwmark of 0 is none',
    { kind: 'add-service', service: service({ kind: 'fwmark', family: 'ipv4', mark: 0 }) },
  ],
  [
    'a prefix of IPv4 ends at 32',
    { kind: 'edit-service', service: service(key(), { persistence: { timeoutSeconds: 1, prefix: 33 } }) },
  ],
];

async function refusals(t: Assertions, place: ContractPlace): Promise<void> {
  await onTable(t, place, 'what is refused has its error number, and changes nothing', async (t, table) => {
    await applyAll(t, table, ...SETTING);
    const before = await table.dump();
    const impossible = UNENCODABLE.map(([name, operation]) => [name, operation, 'EINVAL'] as const);
    for (const [name, operation, errno] of [...REFUSALS, ...impossible]) {
      const [result] = await table.apply([operation]);
      t.strictSame(result === undefined ? [] : outcomes([result]), [errno], name);
      t.ok(result?.ok === false && result.message.includes(errno), 'the message names it, too');
      t.strictSame(await table.dump(), before, 'the table is as it was');
    }
  });
}

async function batches(t: Assertions, place: ContractPlace): Promise<void> {
  await onTable(
    t,
    place,
    'a refusal in the middle stops nothing, and each result stands in its place',
    async (t, table) => {
      const results = await table.apply([
        ...SETTING,
        ...REFUSALS.map(([, operation]) => operation),
        ...UNENCODABLE.map(([, operation]) => operation),
        { kind: 'edit-dest', service: key(), dest: dest('192.0.2.9', { weight: 5 }) },
        { kind: 'delete-service', key: IPV6_KEY },
      ]);
      t.strictSame(outcomes(results), [
        ...SETTING.map(() => 'ok'),
        ...REFUSALS.map(([, , errno]) => errno),
        ...UNENCODABLE.map(() => 'EINVAL'),
        'ok',
        'ok',
      ]);
      t.equal((await table.read(key()))?.dests.get('192.0.2.9:80')?.settings.weight, 5);
      t.equal(await table.read(IPV6_KEY), undefined);
    },
  );

  await onTable(t, place, 'an empty plan has no results', async (t, table) => {
    t.strictSame(await table.apply([]), []);
  });

  await onTable(
    t,
    place,
    'a plan of two thousand operations is applied in order, refusals included',
    async (t, table) => {
      const operations: Operation[] = [];
      const expected: string[] = [];
      for (let index = 0; index < 200; index += 1) {
        const its = key('192.0.2.1', 1000 + index);
        operations.push({ kind: 'add-service', service: service(its) });
        for (let server = 1; server <= 8; server += 1) operations.push(add(its, `10.0.${index}.${server}`));
        // The ninth is one of the eight, so it is refused.
        operations.push(add(its, `10.0.${index}.${(index % 8) + 1}`));
        expected.push(...new Array<string>(9).fill('ok'), 'EEXIST');
      }
      t.strictSame(outcomes(await table.apply(operations)), expected);
      const dump = await table.dump();
      t.equal(dump.size, 200);
      t.strictSame([...new Set([...dump.values()].map(({ dests }) => dests.size))], [8]);
      t.strictSame(await table.read(key('192.0.2.1', 1117)), dump.get('tcp 192.0.2.1:1117'));
    },
  );
}

export async function operations(t: Assertions, place: ContractPlace): Promise<void> {
  await refusals(t, place);
  await batches(t, place);
}
