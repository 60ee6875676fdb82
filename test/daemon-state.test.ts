/** What outlives the bundled program: killed, started again, and started on what is damaged. */
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { EventStatus } from '../src/api/events.js';
import type { Servers, Status } from '../src/api/status.js';
import { Home, listener } from './daemon-home.js';
import { type DaemonRun, until } from './daemon-run.js';

const kinds = (events: readonly EventStatus[]): string[] => events.map(({ kind }) => kind);

/** Both servers have their verdicts, and these are on the disk. */
async function settled(home: Home, run: DaemonRun): Promise<void> {
  await run.kind('server-down');
  const path = join(home.state, 'verdicts.jsonl');
  await until(() => existsSync(path) && /"up"[\s\S]*"down"/.test(readFileSync(path, 'utf8')));
}

t.test('events and verdicts of the run before are there after a stop, and after a kill', async (t) => {
  const home = new Home(t, await listener(t));
  const first = home.start(t);
  await settled(home, first);
  await first.end('SIGTERM');
  const second = home.start(t);
  await second.kind('daemon-started');
  await until(() => home.answers());
  const after = await home.events();
  t.same(kinds(after), ['daemon-started', 'server-down', 'daemon-stopping', 'daemon-started']);
  t.same(
    after.map(({ sequence }) => sequence),
    [1, 2, 3, 4],
  );
  await until(async () => {
    const { services } = await home.ask<Status>('/v1/status');
    return services[0]?.servers.every(({ verdict }) => verdict !== 'unknown') === true;
  });
  t.same(kinds(await home.events()).slice(4), [], 'a server that is down still is no news');
  await second.end('SIGKILL');
  const third = home.start(t);
  await third.kind('daemon-started');
  await until(() => home.answers());
  const last = (await home.events()).at(-1);
  t.match(last, { kind: 'daemon-started', sequence: 1005 }, 'a gap: the kill may have swallowed numbers');
  await third.end('SIGTERM');
});

t.test('what is damaged or too old is said once and not used, and the daemon runs', async (t) => {
  const home = new Home(t, await listener(t), ', verdicts-age: 1s');
  const first = home.start(t);
  await settled(home, first);
  await first.end('SIGTERM');
  writeFileSync(join(home.state, 'admin.jsonl'), 'nonsense');
  const before = Date.now() / 1000 - 10;
  utimesSync(join(home.state, 'verdicts.jsonl'), before, before);
  const second = home.start(t);
  t.match((await second.kind('state-trouble')).msg, /admin\.jsonl is damaged.*it was set aside/);
  t.match(
    (await second.kind('verdicts-ignored')).msg,
    /the last verdicts are not used: they are \d+s old, more than 1s/,
  );
  await second.kind('server-down');
  t.ok(existsSync(join(home.state, 'admin.jsonl.aside')));
  await second.end('SIGTERM');
});

t.test('a start in the middle of a maintenance window drains, and the end of it brings back', async (t) => {
  const home = new Home(t, await listener(t));
  const text = readFileSync(home.file, 'utf8');
  const window = (until: number): string =>
    `${text}\nmaintenance: { disks: { from: 2026-01-01T00:00:00Z, until: "${new Date(until).toISOString().slice(0, 19)}Z", servers: [here] } }\n`;
  writeFileSync(home.file, window(Date.now() + 3_600_000));
  const run = home.start(t);
  t.match((await run.kind('maintenance-begins')).msg, /maintenance disks: 1 server drained until/);
  await until(() => home.answers());
  const here = async () => (await home.ask<Status>('/v1/status')).services[0]?.servers[0];
  await until(async () => (await here())?.verdict === 'up');
  t.match(await here(), {
    weight: 0,
    configuredWeight: 1,
    inTable: true,
    admin: { by: 'maintenance disks' },
  });
  t.match((await home.ask<Status>('/v1/status')).maintenance, [
    { name: 'disks', active: true, servers: ['web/here'] },
  ]);
  writeFileSync(home.file, window(Date.now() - 1000));
  run.child.kill('SIGHUP');
  await run.kind('maintenance-ends');
  await until(async () => (await here())?.weight === 1);
  await run.end('SIGTERM');
});

t.test('a recurring window loads the calendar in the bundle, too', async (t) => {
  const home = new Home(t, await listener(t));
  const text = readFileSync(home.file, 'utf8');
  const again = 'schedule: "* * * * *", duration: 5m, timezone: Europe/Berlin';
  writeFileSync(home.file, `${text}\nmaintenance: { always: { ${again}, services: [web] } }\n`);
  const run = home.start(t);
  t.match((await run.kind('maintenance-begins')).msg, /maintenance always: 2 servers drained until/);
  t.equal(
    run.lines.some(({ level }) => level === 'error'),
    false,
  );
  await run.end('SIGTERM');
});

t.test('what the operator said outlives a kill, and what was taken back stays so', async (t) => {
  const home = new Home(t, await listener(t));
  const path = join(home.state, 'admin.jsonl');
  const kept = () => (existsSync(path) ? readFileSync(path, 'utf8') : '');
  const here = async () => (await home.ask<Status>('/v1/status')).services[0]?.servers[0];
  const steps = [
    ['disable', '"state":"disabled"', 'disabled'],
    ['enable', '"value":null', undefined],
  ] as const;
  for (const [word, stored, state] of steps) {
    const run = home.start(t);
    await run.kind('daemon-started');
    await until(() => home.answers());
    await home.post(`/v1/servers/here/${word}`);
    await until(() => kept().includes(stored));
    await run.end('SIGKILL');
    const next = home.start(t);
    await next.kind('daemon-started');
    await until(async () => (await here().catch(() => undefined)) !== undefined);
    t.equal((await here())?.admin?.state, state, word);
    await next.end('SIGTERM');
  }
});

t.test('a drain that is over is over after a restart and a kill, and is told once', async (t) => {
  const home = new Home(t, await listener(t));
  const first = home.start(t);
  await settled(home, first);
  await home.post('/v1/servers/here/drain');
  await first.kind('drain-finished');
  await until(() => existsSync(join(home.state, 'drains.jsonl')));
  await first.end('SIGKILL');
  const second = home.start(t);
  await until(() => home.answers());
  const { servers } = await home.ask<Servers>('/v1/servers/here');
  t.match(servers, [{ server: { admin: { state: 'drained' } } }]);
  await second.end('SIGTERM');
  const third = home.start(t);
  await until(() => home.answers());
  const { kept } = await home.ask<Servers>('/v1/servers/here');
  t.equal(kept, true);
  t.equal(kinds(await home.events()).filter((kind) => kind === 'drain-finished').length, 1);
  await home.post('/v1/servers/here/undrain');
  await third.end('SIGTERM');
  home.start(t);
  await until(() => home.answers());
  t.match((await home.ask<Servers>('/v1/servers/here')).servers, [{ server: { admin: null } }]);
});

t.test('a reload answers with what it did to the table, and the plan is of the table after it', async (t) => {
  const home = new Home(t, await listener(t));
  const run = home.start(t);
  await settled(home, run);
  await until(() => home.answers());
  t.match(await home.post('/v1/reload'), { reloaded: true, changes: [], done: 0, failed: 0 });
  const text = readFileSync(home.file, 'utf8');
  writeFileSync(home.file, text.replace('forward: masquerade', 'forward: masquerade\n    scheduler: rr'));
  t.match(await home.post('/v1/reload'), {
    changes: [{ operation: 'edit-service', service: 'web', server: null, error: null }],
    done: 1,
  });
  t.match(await home.ask('/v1/plan'), { changes: [], left: [], foreign: [], sync: [], timeouts: null });
});
