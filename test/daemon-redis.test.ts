/** Two whole daemons and one Redis: what is said to one director counts for both, whatever dies in between. */
import t, { type Test } from 'tap';
import type { Servers } from '../src/api/status.js';
import { Home, listener } from './daemon-home.js';
import { type DaemonRun, until } from './daemon-run.js';
import { NO_REDIS, RedisServer } from './store/servers.js';

async function twoHomes(t: Test, redis: RedisServer): Promise<readonly [Home, Home]> {
  const port = await listener(t);
  const more = `, redis: "redis://127.0.0.1:${redis.port}/0"`;
  return [new Home(t, port, more, 'director-a'), new Home(t, port, more, 'director-b')];
}

/** What the operator said of the server `here`; null: nothing. */
async function admin(home: Home): Promise<unknown> {
  if (!(await home.answers())) return undefined;
  return (await home.ask<Servers>('/v1/servers/here')).servers[0]?.server.admin?.state ?? null;
}

/** Starts it, and waits until its API answers. */
async function started(t: Test, home: Home): Promise<DaemonRun> {
  const run = home.start(t);
  await run.kind('daemon-started');
  await until(() => home.answers());
  return run;
}

const becomes = (home: Home, state: unknown): Promise<void> =>
  until(async () => (await admin(home)) === state);

t.test(
  'a word to one director is heard by both, and outlives a kill of either',
  { skip: NO_REDIS },
  async (t) => {
    const [a, b] = await twoHomes(t, await RedisServer.start(t));
    const [first, second] = await Promise.all([started(t, a), started(t, b)]);
    await a.post('/v1/servers/here/disable');
    await becomes(b, 'disabled');
    const { by } = (await b.ask<Servers>('/v1/servers/here')).servers[0]?.server.admin ?? {};
    const own = (await a.ask<Servers>('/v1/servers/here')).servers[0]?.server.admin?.by;
    t.equal(by, own, 'both say who said it');
    await second.end('SIGKILL');
    await a.post('/v1/servers/here/enable');
    await becomes(a, null);
    const again = await started(t, b);
    await becomes(b, null);
    await b.post('/v1/servers/here/disable');
    await becomes(a, 'disabled');
    await Promise.all([first.end('SIGTERM'), again.end('SIGTERM')]);
  },
);

t.test(
  'while Redis is away each goes on by itself; then the newer word wins',
  { skip: NO_REDIS },
  async (t) => {
    const redis = await RedisServer.start(t);
    const [a, b] = await twoHomes(t, redis);
    const [first, second] = await Promise.all([started(t, a), started(t, b)]);
    await redis.kill();
    await Promise.all([first.kind('state-trouble'), second.kind('state-trouble')]);
    await b.post('/v1/servers/here/disable');
    await a.post('/v1/servers/here/drain');
    t.equal(await admin(b), 'disabled', 'b does not hear of it');
    await redis.start();
    await Promise.all([first.kind('state-restored'), second.kind('state-restored')]);
    // Nothing is connected, so the drain is over at once.
    await until(async () => ['draining', 'drained'].includes(String(await admin(b))));
    await until(async () => (await admin(a)) === (await admin(b)));
    t.pass('both have the word that came last');
    await Promise.all([first.end('SIGTERM'), second.end('SIGTERM')]);
  },
);

t.test('a director starts without Redis, says so, and serves', { skip: NO_REDIS }, async (t) => {
  const redis = await RedisServer.start(t);
  await redis.kill();
  const [a] = await twoHomes(t, redis);
  const run = await started(t, a);
  const { msg } = await run.kind('state-trouble');
  t.match(msg, /Redis at 127\.0\.0\.1:\d+ is of no use/);
  await run.kind('server-down');
  await a.post('/v1/servers/here/disable');
  t.equal(await admin(a), 'disabled');
  await redis.start();
  await run.kind('state-restored');
  await until(() => redis.cli('hget', 'lvsentry:admin', 'web/here').includes('disabled'));
  t.pass('what was said meanwhile is shared then');
  await run.end('SIGTERM');
});
