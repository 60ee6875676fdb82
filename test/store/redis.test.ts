/** Admin state that directors share through a real Redis server, and everything that such a server does to them. */
import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import type { EntryStore, RedisTarget } from '../../src/store/model.js';
import { RedisStore } from '../../src/store/redis.js';
import { systemTimers } from '../../src/sys/clock.js';
import { Authority, NO_OPENSSL } from '../checks/certificates.js';
import { entry, isValue, storeContract, Told } from '../contract/store.js';
import { NO_REDIS, RedisServer } from './servers.js';

interface Director {
  readonly store: EntryStore;
  readonly told: Told;
}

function storeOf(target: RedisTarget, told: Told): EntryStore {
  return new RedisStore({ target, mark: randomUUID, timers: systemTimers, isValue, events: told });
}

async function director(t: Test, target: RedisTarget): Promise<Director> {
  const told = new Told();
  const store = storeOf(target, told);
  t.teardown(() => store.close());
  await store.open();
  return { store, told };
}

if (NO_REDIS === false) {
  const shared = await RedisServer.start(t);
  // Every place is a database of its own: there are as many as tests of the contract ask for.
  let database = 0;
  storeContract('redis', async () => {
    database = (database + 1) % 16;
    shared.cli('-n', String(database), 'flushdb');
    const target = { ...shared.target, database };
    return { store: (events) => storeOf(target, events as Told) };
  });
}

const knows =
  ({ told }: Director, key: string) =>
  () =>
    told.entries.some((each) => each.key === key);

t.test(
  'what one director says the other one hears, and what it takes back too',
  { skip: NO_REDIS },
  async (t) => {
    const { target } = await RedisServer.start(t);
    const [a, b] = [await director(t, target), await director(t, target)];
    a.store.put([entry('web/a', { state: 'draining' }, 100, 'a')]);
    await b.told.until(knows(b, 'web/a'));
    b.store.put([entry('web/a', null, 200, 'b'), entry('web/b', {}, 200, 'b')]);
    await a.told.until(knows(a, 'web/b'));
    t.same(
      b.told.entries,
      [entry('web/a', { state: 'draining' }, 100, 'a')],
      'its own words do not come back',
    );
    const heard = [...a.told.entries].sort((one, other) => (one.key < other.key ? -1 : 1));
    t.same(heard, [entry('web/a', null, 200, 'b'), entry('web/b', {}, 200, 'b')]);
    t.same([...a.told.troubles, ...b.told.troubles], []);
  },
);

t.test(
  'Redis killed and started again: said once, gone on without, and the newer entry wins',
  { skip: NO_REDIS },
  async (t) => {
    const server = await RedisServer.start(t);
    const [a, b] = [await director(t, server.target), await director(t, server.target)];
    a.store.put([entry('web/a', { n: 1 }, 100, 'a'), entry('web/b', { n: 1 }, 100, 'a')]);
    await b.told.until(knows(b, 'web/b'));
    await server.kill();
    await a.told.until(() => a.told.troubles.length > 0);
    t.match(a.told.troubles, [/^Redis at 127\.0\.0\.1:\d+ is of no use: .*; admin state is not shared/]);
    // Both go on by themselves, and disagree about web/a.
    a.store.put([entry('web/a', { n: 2 }, 200, 'a')]);
    b.store.put([entry('web/a', { n: 3 }, 300, 'b'), entry('web/c', { n: 3 }, 300, 'b')]);
    await server.start();
    const isNewest = () => a.told.entries.some(({ key, at }) => key === 'web/a' && at === 300);
    await a.told.until(() => isNewest() && knows(a, 'web/c')());
    await b.told.until(() => b.told.wells.length > 0);
    t.notOk(
      b.told.entries.some(({ at }) => at === 200),
      'the older one wins nowhere',
    );
    for (const { told } of [a, b]) {
      t.equal(told.troubles.length, 1, 'told once');
      t.match(told.wells, [/answers again; admin state is shared/]);
    }
    t.match(server.cli('hget', 'lvsentry:admin', 'web/a'), /"at":300/);
  },
);

t.test('Redis comes back empty: what directors know is put there again', { skip: NO_REDIS }, async (t) => {
  const server = await RedisServer.start(t);
  const [a, b] = [await director(t, server.target), await director(t, server.target)];
  a.store.put([entry('web/a', { n: 1 }, 100, 'a')]);
  await b.told.until(knows(b, 'web/a'));
  server.cli('flushall');
  a.store.put([entry('web/b', { n: 1 }, 200, 'a')]);
  await b.told.until(knows(b, 'web/b'));
  while (server.cli('hlen', 'lvsentry:admin') !== '2')
    await new Promise((resolve) => setTimeout(resolve, 50));
  t.match(server.cli('hget', 'lvsentry:admin', 'web/a'), /"n":1/);
});

t.test(
  'a frozen Redis is one that is away, and nothing is lost when it thaws',
  { skip: NO_REDIS },
  async (t) => {
    const server = await RedisServer.start(t);
    const [a, b] = [await director(t, server.target), await director(t, server.target)];
    t.teardown(() => server.thaw());
    server.freeze();
    await Promise.all([a, b].map(({ told }) => told.until(() => told.troubles.length > 0)));
    a.store.put([entry('web/a', { n: 1 }, 100, 'a')]);
    server.thaw();
    await b.told.until(knows(b, 'web/a'));
    t.same([a.told.troubles.length, b.told.troubles.length], [1, 1]);
  },
);

t.test(
  'a start does not wait for a Redis that is away or frozen, and hears of it later',
  { skip: NO_REDIS },
  async (t) => {
    const server = await RedisServer.start(t);
    const first = await director(t, server.target);
    first.store.put([entry('web/a', { n: 1 }, 100, 'a')]);
    await first.store.close();
    for (const how of ['frozen', 'away'] as const) {
      if (how === 'frozen') server.freeze();
      else await server.kill();
      const late = await director(t, server.target);
      await late.told.until(() => late.told.troubles.length > 0);
      t.same(late.told.entries, [], how);
      late.store.put([entry(`web/${how}`, {}, 50, 'late')]);
      if (how === 'frozen') server.thaw();
      else await server.start();
      await late.told.until(knows(late, 'web/a'));
      t.equal(late.told.troubles.length, 1);
      while (server.cli('hexists', 'lvsentry:admin', `web/${how}`) !== '1')
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
  },
);

t.test(
  'password, user and database are those of the URL; a wrong one is told, and never shown',
  { skip: NO_REDIS },
  async (t) => {
    const lines = [
      'requirepass p@ss/w:rd',
      'user director on >s3cret ~lvsentry:* +@read +@write +@scripting +@connection',
    ];
    const server = await RedisServer.start(t, { lines });
    const word = { ...server.target, password: 'p@ss/w:rd', database: 3 };
    const a = await director(t, word);
    const b = await director(t, word);
    const user = await director(t, {
      ...server.target,
      username: 'director',
      password: 's3cret',
      database: 3,
    });
    a.store.put([entry('web/a', {}, 1, 'a')]);
    await b.told.until(knows(b, 'web/a'));
    await user.told.until(knows(user, 'web/a'));
    const wrong: readonly (readonly [RedisTarget, RegExp])[] = [
      [server.target, /NOAUTH/],
      [{ ...word, password: 'hunter22' }, /WRONGPASS/],
      [{ ...word, database: 99 }, /DB index is out of range/],
    ];
    for (const [target, expected] of wrong) {
      const { told } = await director(t, target);
      await told.until(() => told.troubles.length > 0);
      t.match(told.troubles, [expected]);
      t.notMatch(told.troubles.join(), /hunter22|p@ss/);
    }
  },
);

t.test(
  'TLS: a certificate of the given authority is right, any other is not',
  { skip: NO_REDIS || NO_OPENSSL },
  async (t) => {
    const authority = new Authority(t, 'ours');
    const server = await RedisServer.start(t, { tls: authority.issue('IP:127.0.0.1') });
    const right = { ...server.target, tls: { authorities: authority.cert } };
    const [a, b] = [await director(t, right), await director(t, right)];
    a.store.put([entry('web/a', {}, 1, 'a')]);
    await b.told.until(knows(b, 'web/a'));
    t.same(b.told.troubles, []);
    for (const tls of [{ authorities: undefined }, undefined]) {
      const { told } = await director(t, { ...right, tls });
      await told.until(() => told.troubles.length > 0);
      t.equal(
        told.entries.length,
        0,
        tls === undefined ? 'plain text to a TLS port' : 'the system does not know it',
      );
    }
    server.freeze();
    t.teardown(() => server.thaw());
    await a.told.until(() => a.told.troubles.length > 0);
    server.thaw();
    await a.told.until(() => a.told.wells.length > 0);
  },
);

t.test('a replica that takes no writes, and fields that others put there', { skip: NO_REDIS }, async (t) => {
  const server = await RedisServer.start(t);
  server.cli('hset', 'lvsentry:admin', 'web/a', 'hello', 'web/b', '{"key":"web/c","at":1,"director":"x"}');
  const a = await director(t, server.target);
  t.match(a.told.troubles, [/2 fields that mean nothing to this version/]);
  a.store.put([entry('web/a', { n: 1 }, 100, 'a')]);
  while (!server.cli('hget', 'lvsentry:admin', 'web/a').includes('"n":1'))
    await new Promise((resolve) => setTimeout(resolve, 50));
  server.cli('replicaof', '127.0.0.1', '1');
  a.store.put([entry('web/d', {}, 200, 'a')]);
  await a.told.until(() => a.told.troubles.length === 2);
  t.match(a.told.troubles[1], /READONLY/);
  server.cli('replicaof', 'no', 'one');
  await a.told.until(() => a.told.wells.length > 0);
});
