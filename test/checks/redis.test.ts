/** Redis: what it says, real servers and their replicas, and servers that are none. */
import { once } from 'node:events';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { redisProber } from '../../src/checks/redis.js';
import type { RedisCheck } from '../../src/checks/spec-database.js';
import type { Target } from '../../src/checks/spec-target.js';
import { seconds } from '../../src/core/units.js';
import { systemClock } from '../../src/sys/clock.js';
import { NO_REDIS, RedisServer } from '../store/servers.js';
import { Authority, NO_OPENSSL } from './certificates.js';
import { closedPort, eventually, LOCALHOST, listen, probeOnce } from './listeners.js';
import { tlsClient, tlsSettings } from './secure.js';
import { type Answer, goodBehaviours, misbehaviours, turnServer } from './turn-server.js';

const prober = redisProber(systemClock.monotonic, tlsClient);
const OK = { outcome: 'pass', reason: { kind: 'ok' } };

function check(target: Target, more: Partial<RedisCheck> = {}): RedisCheck {
  const basics = { type: 'redis', target, login: undefined, database: 0 } as const;
  return { ...basics, role: 'any', maxLag: undefined, tls: undefined, ...more };
}

// The library is read before anything is timed.
await import('ioredis');

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const info = (...lines: readonly string[]): string =>
  bulk(['# Replication', ...lines].map((line) => `${line}\r\n`).join(''));
const MASTER = info('role:master', 'connected_slaves:0');
const replica = (status: string, silent: number): string =>
  info('role:slave', `master_link_status:${status}`, `master_last_io_seconds_ago:${silent}`);

t.test('each step in its phase, whatever the server does', async (t) => {
  const answers: readonly Answer[] = [
    { says: '+OK\r\n', phase: 'login' },
    { says: '+OK\r\n', phase: 'request' },
    { says: '+PONG\r\n', phase: 'request' },
    { says: MASTER, phase: 'request' },
  ];
  const spec = (target: Target): RedisCheck =>
    check(target, { login: { user: 'probe', password: 's3cret' }, database: 3, role: 'master' });
  const server = await turnServer(t, { answers });
  const result = await probeOnce(t, prober, spec(server.target), { listeners: [server] });
  t.match(result, OK);
  t.same(
    result.phases.map(([phase]) => phase),
    ['connect', 'login', 'request'],
  );
  t.equal(
    Buffer.concat(server.heard).toString(),
    [
      `*3\r\n${bulk('auth')}${bulk('probe')}${bulk('s3cret')}`,
      `*2\r\n${bulk('select')}${bulk('3')}`,
      `*1\r\n${bulk('ping')}`,
      `*2\r\n${bulk('info')}${bulk('replication')}`,
    ].join(''),
    'and nothing else is said',
  );
  await misbehaviours(t, { prober, spec, answers });
  await goodBehaviours(t, { prober, spec, answers });
});

t.test('what an answer means', async (t) => {
  const rows: readonly (readonly [string, Partial<RedisCheck>, readonly string[], object])[] = [
    ['another answer to PING', {}, ['+PANG\r\n'], { kind: 'protocol-error', detail: /reply to PING/ }],
    ['a number', {}, [':1\r\n'], { kind: 'protocol-error' }],
    ['two answers at once', {}, ['+PONG\r\n+PONG\r\n'], { kind: 'ok' }],
    ['HTTP', {}, ['HTTP/1.1 400 Bad Request\r\n\r\n'], { kind: 'protocol-error', phase: 'request' }],
    ['a list of lists of lists', {}, ['*1\r\n'.repeat(16_000)], { kind: 'protocol-error' }],
    ['a list longer than any', {}, ['*99999999999\r\n'], { kind: 'protocol-error' }],
    [
      'loading',
      {},
      ['-LOADING Redis is loading\r\n'],
      { kind: 'rejected', detail: 'LOADING Redis is loading' },
    ],
    ['a master', { role: 'master' }, ['+PONG\r\n', MASTER], { kind: 'ok' }],
    ['a master is not late', { maxLag: seconds(1) }, ['+PONG\r\n', MASTER], { kind: 'ok' }],
    [
      'a master that should not be',
      { role: 'replica' },
      ['+PONG\r\n', MASTER],
      { kind: 'bad-content', detail: 'a master, not a replica' },
    ],
    ['a replica', { role: 'replica' }, ['+PONG\r\n', replica('up', 99)], { kind: 'ok' }],
    ['a replica, whatever it is to be', {}, ['+PONG\r\n'], { kind: 'ok' }],
    [
      'a replica that should not be',
      { role: 'master' },
      ['+PONG\r\n', replica('up', 1)],
      { kind: 'bad-content', detail: 'a replica, not a master' },
    ],
    [
      'a replica alone',
      { role: 'replica' },
      ['+PONG\r\n', replica('down', -1)],
      { kind: 'bad-content', detail: /no connection to its master/ },
    ],
    ['a replica in time', { maxLag: seconds(10) }, ['+PONG\r\n', replica('up', 10)], { kind: 'ok' }],
    [
      'a late replica',
      { maxLag: seconds(10) },
      ['+PONG\r\n', replica('up', 11)],
      { kind: 'bad-content', phase: 'request', detail: /not heard its master for 11 s/ },
    ],
    ['no replication', { role: 'master' }, ['+PONG\r\n', info('x:y')], { kind: 'protocol-error' }],
    ['no text', { role: 'master' }, ['+PONG\r\n', '*0\r\n'], { kind: 'protocol-error' }],
    ['NOPERM', { role: 'master' }, ['+PONG\r\n', '-NOPERM no info\r\n'], { kind: 'rejected' }],
  ];
  for (const [name, more, says, reason] of rows) {
    const answers = says.map((text): Answer => ({ says: text, phase: 'request' }));
    const server = await turnServer(t, { answers });
    const result = await probeOnce(t, prober, check(server.target, more), { listeners: [server] });
    t.match(result.reason, reason, name);
    await server.close();
  }
});

t.test('where nobody listens, and once only', async (t) => {
  let connections = 0;
  const shy = await listen(t, (socket) => {
    connections += 1;
    socket.end();
  });
  t.match(await probeOnce(t, prober, check(await closedPort(t))), { reason: { kind: 'refused' } });
  t.match(await probeOnce(t, prober, check(shy.target), { listeners: [shy] }), {
    reason: { kind: 'closed' },
  });
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(connections, 1, 'the library does not come back by itself');
});

const targetOf = ({ port }: RedisServer): Target => ({ address: LOCALHOST, port });

/** Its connection to the master stands, and all is copied. */
function follows(replica: RedisServer): boolean {
  return /master_link_status:up/.test(replica.cli('info', 'replication'));
}

t.test('a real Redis and its replica', { skip: NO_REDIS }, async (t) => {
  const master = await RedisServer.start(t, { lines: ['repl-diskless-sync-delay 0'] });
  const lines = [`replicaof 127.0.0.1 ${master.port}`, 'replica-serve-stale-data no'];
  const replica = await RedisServer.start(t, { lines });
  t.ok(await eventually(() => follows(replica), 20_000));
  const probe = async (server: RedisServer, more: Partial<RedisCheck>) =>
    (await probeOnce(t, prober, check(targetOf(server), more))).reason;
  t.match(await probe(master, { role: 'master', database: 15 }), { kind: 'ok' });
  t.match(await probe(master, { database: 16 }), { kind: 'rejected', detail: /index is out of range/ });
  t.match(await probe(master, { role: 'replica' }), { kind: 'bad-content' });
  t.match(await probe(replica, { role: 'replica', maxLag: seconds(20) }), { kind: 'ok' });
  t.match(await probe(replica, { role: 'master' }), { kind: 'bad-content' });
  master.freeze();
  t.match(await probeOnce(t, prober, check(targetOf(master)), { deadline: 200 }), {
    reason: { kind: 'timeout', phase: 'request' },
  });
  master.thaw();
  t.match(await probe(master, {}), { kind: 'ok' });
  await master.kill();
  t.ok(await eventually(() => !follows(replica), 20_000));
  t.match(await probe(replica, {}), { kind: 'rejected', detail: /^MASTERDOWN/ });
  replica.cli('config', 'set', 'replica-serve-stale-data', 'yes');
  t.match(await probe(replica, {}), { kind: 'ok' }, 'who asks no more is answered');
  t.match(await probe(replica, { role: 'replica' }), { kind: 'bad-content', detail: /no connection/ });
});

t.test('logins', { skip: NO_REDIS }, async (t) => {
  const lines = ['requirepass s3cret', 'user probe on >pr0be +ping', 'maxclients 2'];
  const server = await RedisServer.start(t, { lines });
  const rows: readonly (readonly [string, Partial<RedisCheck>, object])[] = [
    ['nobody', {}, { kind: 'rejected', phase: 'request', detail: /^NOAUTH/ }],
    ['the default user', { login: { user: undefined, password: 's3cret' } }, { kind: 'ok' }],
    ['a user', { login: { user: 'probe', password: 'pr0be' } }, { kind: 'ok' }],
    [
      'a wrong password',
      { login: { user: 'probe', password: 'guess' } },
      { kind: 'rejected', phase: 'login', detail: /^WRONGPASS/ },
    ],
    [
      'a user that may not ask for more',
      { login: { user: 'probe', password: 'pr0be' }, role: 'master' },
      { kind: 'rejected', phase: 'request', detail: /^NOPERM/ },
    ],
  ];
  for (const [name, more, reason] of rows)
    t.match((await probeOnce(t, prober, check(targetOf(server), more))).reason, reason, name);
  await whenFull(t, server);
});

/** All its places are taken. */
async function whenFull(t: Test, { port }: RedisServer): Promise<void> {
  const guests = [connect(port, LOCALHOST), connect(port, LOCALHOST)];
  await Promise.all(guests.map((guest) => once(guest, 'connect')));
  const full = await probeOnce(t, prober, check({ address: LOCALHOST, port }));
  t.match(full.reason, { kind: 'rejected', detail: /max number of clients/ }, 'no place');
  const gone = Promise.all(guests.map((guest) => once(guest, 'close')));
  for (const guest of guests) guest.destroy();
  await gone;
}

t.test('TLS', { skip: NO_REDIS || NO_OPENSSL }, async (t) => {
  const authority = new Authority(t, 'redis');
  const server = await RedisServer.start(t, { tls: authority.issue('DNS:redis.example.org') });
  const settings = tlsSettings({ serverName: 'redis.example.org', authorities: authority.cert });
  const probe = async (more: Partial<typeof settings>) =>
    (
      await probeOnce(
        t,
        prober,
        check(targetOf(server), { tls: { start: 'implicit', ...settings, ...more } }),
      )
    ).reason;
  t.match(await probe({}), { kind: 'ok' });
  t.match(await probe({ serverName: 'www.example.org' }), { kind: 'tls', problem: 'wrong-name' });
  t.match(await probe({ authorities: undefined }), { kind: 'tls', problem: 'unknown-authority' });
  t.match(await probe({ authorities: undefined, verify: false }), { kind: 'ok' });
  const plain = await probeOnce(t, prober, check(targetOf(server)), { deadline: 1000 });
  t.match(plain, { outcome: 'fail' }, 'plain text where TLS is spoken');
});
