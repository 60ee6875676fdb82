import fc from 'fast-check';
import t from 'tap';
import { destText, serviceText } from '../../src/ipvs/keys.js';
import { MemoryTable } from '../../src/ipvs/memory.js';
import type { IpvsTable, Operation, Stats } from '../../src/ipvs/model.js';
import { applyToObserved, ZERO_STATS } from '../../src/ipvs/observe.js';
import { ipvsContract } from '../contract/ipvs.js';
import { type ContractPlace, outcomes } from '../contract/place.js';
import { dest, key, service } from './build.js';

const CONNECTION: Stats = {
  ...ZERO_STATS,
  connections: 1n,
  packetsIn: 2n,
  packetsOut: 1n,
  bytesIn: 92n,
  bytesOut: 60n,
};

/** Every opening is a new table: the suite leaves none behind that another part of it would look for. */
function memoryPlace(): ContractPlace {
  const interfaces = new Map([
    ['up0', 'up'],
    ['down0', 'down'],
  ] as const);
  const its = { service: service(), dest: dest('192.0.2.9', { forward: { method: 'masquerade' } }) };
  const count = async (table: IpvsTable, active: number, stats: Stats) => {
    const counters = { active, inactive: 0, persistent: 0, stats };
    const counted =
      table instanceof MemoryTable && table.countTraffic(its.service.key, its.dest.key, counters);
    t.ok(counted, 'a server counts it');
  };
  return {
    open: async () => new MemoryTable({ interfaces }),
    interfaces: { up: 'up0', down: 'down0' },
    traffic: {
      ...its,
      connect: (table) => count(table, 1, CONNECTION),
      close: (table) => count(table, 0, ZERO_STATS),
    },
  };
}

t.test('the table in memory keeps the contract', (t) => ipvsContract(t, memoryPlace()));

t.test('a fault refuses one operation of a plan, with its error number, and only that', async (t) => {
  const asked: (readonly [string, number])[] = [];
  const table = new MemoryTable({
    fault: (operation, index) => {
      asked.push([operation.kind, index]);
      return operation.kind === 'add-dest' && index === 2 ? 'ENOMEM' : undefined;
    },
  });
  const plan: readonly Operation[] = [
    { kind: 'add-service', service: service() },
    { kind: 'add-dest', service: key(), dest: dest('192.0.2.2') },
    { kind: 'add-dest', service: key(), dest: dest('192.0.2.3') },
    { kind: 'add-dest', service: key(), dest: dest('192.0.2.4') },
  ];
  const results = await table.apply(plan);
  t.strictSame(outcomes(results), ['ok', 'ok', 'ENOMEM', 'ok']);
  t.match(results[2], {
    message: 'add-dest 192.0.2.3:80 of tcp 192.0.2.1:80: ENOMEM, the kernel has no memory left for it',
  });
  t.strictSame([...((await table.read(key()))?.dests.keys() ?? [])], ['192.0.2.2:80', '192.0.2.4:80']);
  await table.apply(plan.slice(2, 3));
  t.strictSame(asked.at(-1), ['add-dest', 0], 'the index counts from the start of each plan');
  t.equal((await table.read(key()))?.dests.size, 3);
});

t.test('a fault comes before the rules, and the counters of others are not touched', async (t) => {
  const table = new MemoryTable({ fault: () => 'EPERM' });
  t.strictSame(outcomes(await table.apply([{ kind: 'delete-service', key: key() }])), ['EPERM']);
  t.notOk(
    table.countTraffic(key(), dest('192.0.2.2').key, {
      active: 1,
      inactive: 0,
      persistent: 0,
      stats: CONNECTION,
    }),
    'there is no server that could count',
  );
});

t.test('what was dumped or read stays as it was, whatever happens to the table', async (t) => {
  const table = new MemoryTable();
  await table.apply([
    { kind: 'add-service', service: service() },
    { kind: 'add-dest', service: key(), dest: dest('192.0.2.2') },
  ]);
  const [dump, read] = [await table.dump(), await table.read(key())];
  const before = structuredClone({ dump, read });
  await table.apply([
    { kind: 'edit-dest', service: key(), dest: dest('192.0.2.2', { weight: 9 }) },
    { kind: 'add-dest', service: key(), dest: dest('192.0.2.3') },
    { kind: 'edit-service', service: service(key(), { scheduler: 'rr' }) },
  ]);
  await table.flush();
  t.strictSame({ dump, read }, before);
});

t.test('a table in memory is of its own kind, and any interface will do where none are named', async (t) => {
  const table = new MemoryTable();
  t.equal(table.kind, 'memory');
  await table.startSyncDaemon({
    role: 'master',
    interface: 'any0',
    syncId: 1,
    maxLength: undefined,
    group: undefined,
    port: undefined,
    ttl: undefined,
  });
  t.equal((await table.syncDaemons()).length, 1);
});

const SERVICE_KEYS = [key('192.0.2.1'), key('192.0.2.2'), key('2001:db8::1')];
const anyKey = fc.constantFrom(...SERVICE_KEYS);
const anyService = fc
  .record({ its: anyKey, scheduler: fc.constantFrom('rr', 'wlc', 'nonesuch') })
  .map(({ its, scheduler }) => service(its, { scheduler }));
const anyDest = fc
  .record({
    address: fc.constantFrom('192.0.2.8', '192.0.2.9', '2001:db8::8', '224.0.0.1'),
    weight: fc.integer({ min: -1, max: 3 }),
    method: fc.constantFrom('direct' as const, 'masquerade' as const),
  })
  .map(({ address, weight, method }) => dest(address, { weight, forward: { method } }));
const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ kind: fc.constantFrom('add-service' as const, 'edit-service' as const), service: anyService }),
  fc.record({ kind: fc.constant('delete-service' as const), key: anyKey }),
  fc.record({
    kind: fc.constantFrom('add-dest' as const, 'edit-dest' as const),
    service: anyKey,
    dest: anyDest,
  }),
  fc.record({
    kind: fc.constant('delete-dest' as const),
    service: anyKey,
    dest: anyDest.map(({ key: its }) => its),
  }),
);

t.test('law: the table is what its successful operations make of it, one by one or at once', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyOperation, { maxLength: 40 }), async (operations) => {
      const [atOnce, oneByOne] = [new MemoryTable(), new MemoryTable()];
      const results = await atOnce.apply(operations);
      for (const [index, operation] of operations.entries())
        t.strictSame(await oneByOne.apply([operation]), [results[index]]);
      const done = operations.filter((_, index) => results[index]?.ok === true);
      const dump = await atOnce.dump();
      t.strictSame(dump, await oneByOne.dump());
      t.strictSame(dump, applyToObserved(new Map(), done));
      for (const [text, { service: its, dests }] of dump) {
        t.equal(text, serviceText(its.key));
        for (const [name, each] of dests) t.equal(name, destText(each.key));
      }
    }),
    { numRuns: 200 },
  );
});
