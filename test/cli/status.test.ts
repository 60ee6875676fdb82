import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { buildApi } from '../../src/api/server.js';
import { worldStatus } from '../../src/api/status.js';
import { parseUrl } from '../../src/cli/client.js';
import { runCli } from '../../src/cli/program.js';
import { epochMillis } from '../../src/core/units.js';
import type { SyncState } from '../../src/ipvs/model.js';
import type { World } from '../../src/world.js';
import { busy, down, FTP, STRETCHED, source, UNKNOWN, up, WEB, world } from '../api/build.js';
import { FakeTime, turn } from '../fakes/time.js';
import { dest, syncDaemon, table } from '../ipvs/build.js';
import { CONFIG, cli, context, file } from './context.js';

/** The real API on a free port. */
async function daemon(t: Test, its = source()): Promise<string> {
  const app = buildApi(its);
  t.teardown(() => app.close());
  return app.listen({ host: '127.0.0.1', port: 0 });
}

t.test('status: services and servers with verdict, weight, age and reason', async (t) => {
  const now = 1_700_000_000_000 + 3_600_000;
  const health = new Map([
    ['web/192.0.2.11:80', up(epochMillis(now - 61_000))],
    ['web/192.0.2.12:80', down(epochMillis(now - 5000))],
    ['ftp/192.0.2.13:21', UNKNOWN],
  ]);
  const observed = busy(table([WEB, [dest('192.0.2.11'), dest('192.0.2.12', { weight: 0 })]], [FTP, []]));
  const its = world({ health, observed });
  const url = await daemon(t, source(its));
  const { code, out, err } = await cli(['status', '--url', url], {
    clock: { wall: () => epochMillis(now), monotonic: () => 0 as never },
  });
  t.same([code, err], [0, '']);
  t.same(out.split('\n'), [
    'director-test: lvsentry 0.1.0, up 1h, table memory, in sync',
    '',
    'SERVICE / SERVER  ADDRESS               VERDICT      WEIGHT  ACTIVE  INACTIVE  NEW/S  SINCE  REASON',
    'web               tcp 192.0.2.1:80 wlc  1 of 2 up                 7         3     21',
    '  192.0.2.11:80   192.0.2.11:80         up                1       7         3     20  1m 1s  ok',
    '  192.0.2.12:80   192.0.2.12:80         down       0 (of 5)       0         0      0  5s     connection refused in connect',
    'ftp               tcp 192.0.2.1:21 rr   0 of 1 up                 0         0      0',
    '  192.0.2.13:21   192.0.2.13:21         unknown           -       -         -      -  1h     no verdict yet',
  ]);
});

t.test('status: what is not as it should be stands in the first line', async (t) => {
  const state = { ...world().table, inSync: false, lastError: 'EPERM' };
  const url = await daemon(t, source(world({ table: state, stopping: true, observed: undefined })));
  const { out } = await cli(['status', '--url', url]);
  t.match(out.split('\n')[0], /^director-test: lvsentry \S+, stopping, table memory, NOT in sync: EPERM$/);
  t.match(out, /^web +tcp 192\.0\.2\.1:80 wlc \(not in the table\)/m);
});

t.test('status: most servers that fail at once, what is held, quorum and fallback', async (t) => {
  const held = { kind: 'held', rail: 'minimum-healthy', limit: 1 } as const;
  const standing = { weight: 1, needed: 2, serving: 1, minimum: 1, tier: 1, quorum: 'lost' } as const;
  const mass = {
    rule: { action: 'hold' },
    isActive: true,
    failing: 5,
    of: 6,
    canaries: [{ name: 'gateway', voice: 'down' }],
    count: 1,
  } as unknown as World['mass'];
  const its = world({
    mass,
    standings: new Map([['web', { ...standing, servers: new Map([['web/192.0.2.12:80', held]]) }]]),
  });
  const { out } = await cli(['status', '--url', await daemon(t, source(its))]);
  const lines = out.split('\n');
  t.equal(lines[1], 'MOST SERVERS FAIL AT ONCE: 5 of 6 addresses; hold; canaries: gateway down');
  t.match(out, /^web .* 2 of 2 up, quorum lost, fallback 2 serves, 1 held in /m);
  t.match(
    out,
    /^ {2}192\.0\.2\.12:80 .*; is down, but stays in so that 1 server serves \(minimum-healthy\)$/m,
  );
  const calm = await cli(['status', '--url', await daemon(t, source(world()))]);
  t.notMatch(calm.out, /AT ONCE|held|quorum|fallback/);
});

t.test('status: a probe budget that stretches intervals has a line', async (t) => {
  const url = await daemon(t, source(world({ probing: STRETCHED })));
  const { out } = await cli(['status', '--url', url]);
  t.equal(
    out.split('\n')[1],
    'probes stretched up to 2.00 times by probe-budget: 10.0 of 20.0 probes a second',
  );
  const { out: json } = await cli(['status', '--json', '--url', url]);
  t.match(JSON.parse(json), {
    probing: { checks: 3, distinct: 2, budget: 10, budgetPerServer: 40, wanted: 20, planned: 10, stretch: 2 },
  });
  const calm = await cli(['status', '--url', await daemon(t, source(world()))]);
  t.notMatch(calm.out, /stretched/);
});

t.test('status: a server of a service of several ports', async (t) => {
  const its = world();
  const [web] = its.config.services;
  if (web === undefined) throw new Error('no service');
  const secure = { ...WEB, key: { ...WEB.key, port: 443 } } as typeof WEB;
  const servers = web.servers.map((server) => ({ ...server, followsPort: true }));
  const many = { ...web, entries: [WEB, secure] as const, servers };
  const url = await daemon(t, source({ ...its, config: { ...its.config, services: [many] } }));
  const { out } = await cli(['status', '--url', url]);
  t.match(out, /^web +tcp 192\.0\.2\.1:80 and 1 more wlc/m);
  t.match(out, /192\.0\.2\.11:80 and 1 more /);
  const { out: json } = await cli(['status', '--json', '--url', url]);
  t.match(JSON.parse(json), { services: [{ servers: [{ ports: [80, 443] }, { ports: [80, 443] }] }] });
});

const SYNC: SyncState = {
  wanted: [syncDaemon('backup')],
  seen: [syncDaemon('backup')],
  inSync: true,
  lastError: undefined,
  repaired: 0,
  left: [],
};

t.test('status: the synchronisation of connections stands in the first line', async (t) => {
  const rows: readonly (readonly [Partial<SyncState>, string])[] = [
    [{}, 'sync backup'],
    [{ wanted: [syncDaemon('master'), syncDaemon('backup')] }, 'sync master and backup'],
    [{ inSync: false, lastError: 'ENETUNREACH' }, 'sync NOT right: ENETUNREACH'],
    [{ inSync: false, wanted: undefined }, 'sync waits for its role'],
    [{ inSync: false }, 'sync is changing'],
    [
      { inSync: false, left: [{ role: 'backup', policy: 'report', difference: 'backup did not run' }] },
      'sync NOT right, and left so: backup did not run',
    ],
  ];
  for (const [changes, words] of rows) {
    const url = await daemon(t, source(world({ sync: { ...SYNC, ...changes } })));
    const { out } = await cli(['status', '--url', url]);
    t.match(out.split('\n')[0], new RegExp(`in sync, ${words}$`));
  }
});

t.test('status: time-outs stand in the first line where they are not as they should be', async (t) => {
  const right = {
    wanted: { tcp: 60 },
    seen: undefined,
    original: {},
    inSync: true,
    lastError: undefined,
    repaired: 0,
    left: [],
  };
  const rows: readonly (readonly [World['timeouts'], string])[] = [
    [right, ''],
    [{ ...right, inSync: false }, ', time-outs NOT right'],
    [{ ...right, inSync: false, lastError: 'EPERM' }, ', time-outs NOT right: EPERM'],
    [
      { ...right, inSync: false, left: [{ name: 'tcp', policy: 'report', wanted: 60, found: 61 }] },
      ', time-outs NOT right, and left so: tcp 61s, should be 60s',
    ],
  ];
  for (const [timeouts, words] of rows) {
    const { out } = await cli(['status', '--url', await daemon(t, source(world({ timeouts })))]);
    t.match(out.split('\n')[0], new RegExp(`in sync${words}$`));
  }
});

t.test('status: as JSON it is the body as it came; -c finds the daemon, on a unix socket too', async (t) => {
  const url = await daemon(t);
  const { out } = await cli(['status', '--url', url, '--json']);
  t.match(JSON.parse(out), { name: 'director-test', services: [{ name: 'web' }, { name: 'ftp' }] });
  const path = file(t, CONFIG.replace('127.0.0.1:8405', url.replace('http://', '')));
  t.match(await cli(['status', '-c', path]), { code: 0, out: /^director-test: / });
  const app = buildApi(source());
  t.teardown(() => app.close());
  const socket = path.replace('lvsentry.yaml', 'api.sock');
  await app.listen({ path: socket });
  t.match(await cli(['status', '--url', `unix:${socket}`]), { code: 0, out: /^director-test: / });
  t.match(await cli(['status', '-c', file(t, CONFIG.replace('127.0.0.1:8405', `unix:${socket}`))]), {
    code: 0,
  });
});

/** As another version might say it. */
const HALF = JSON.stringify({
  ...worldStatus(world(), '0.0.0'),
  services: [
    { name: 'web', service: 'tcp 192.0.2.1:80', scheduler: 'wlc', up: 1, servers: [{ name: 'web1' }] },
  ],
});

/** A server that is not the daemon. */
async function impostor(t: Test, handler: RequestListener): Promise<string> {
  const server = createHttpServer(handler);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

t.test('status: nobody there, or somebody else: exit code 4 and one line that says so', async (t) => {
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address() as AddressInfo;
  gone.close();
  await once(gone, 'close');
  const json =
    (body: string): RequestListener =>
    (_request, response) =>
      response.end(body);
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [
      'nobody',
      `http://127.0.0.1:${port}`,
      /^lvsentry: cannot reach the daemon at 127\.0\.0\.1:\d+: nobody listens there; is `/,
    ],
    ['no socket', 'unix:/nonexistent/api.sock', /at unix:\/nonexistent\/api\.sock: there is no such socket;/],
    [
      '404',
      await impostor(t, (_request, response) => response.writeHead(404).end()),
      /answered with status 404/,
    ],
    ['HTML', await impostor(t, json('<html>')), /what answers there is not lvsentry/],
    ['another JSON', await impostor(t, json('{"name":"x","services":[{}]}')), /is not lvsentry/],
    ['a status with half a service', await impostor(t, json(HALF)), /is not lvsentry/],
    ['an array', await impostor(t, json('[]')), /is not lvsentry/],
    ['closes', await impostor(t, (request) => request.socket.destroy()), /: (socket hang up|it closed)/],
  ];
  for (const [name, url, message] of cases) {
    const { code, out, err } = await cli(['status', '--url', url]);
    t.same([code, out], [4, ''], name);
    t.match(err, message);
    t.equal(err.split('\n').length, 1);
  }
});

t.test('status --watch: prints again every two seconds, and waits for a daemon that is gone', async (t) => {
  let answers = 0;
  const app = buildApi(source());
  t.teardown(() => app.close());
  const body = (await app.inject({ url: '/v1/status' })).body;
  const url = await impostor(t, (_request, response) => {
    answers += 1;
    if (answers === 2) response.writeHead(500).end();
    else response.end(body);
  });
  const time = new FakeTime();
  const its = context({ timers: time, isTerminal: true });
  const until = async (count: number): Promise<void> => {
    while (its.lines.length + its.errors.length < count) await turn();
  };
  void runCli(['status', '--watch', '--url', url], its);
  await until(1);
  for (const count of [2, 3]) {
    while (time.waiting === 0) await turn();
    await time.advance(1999);
    t.equal(answers, count - 1, 'not before');
    await time.advance(1);
    await until(count);
  }
  t.equal(its.lines.length, 2);
  t.ok(its.lines[1]?.startsWith('\u001b[H\u001b[2Jdirector-test: '), 'on a clear screen');
  t.match(its.errors, [/status 500/]);
});

t.test('an address is http://HOST:PORT or unix:/PATH', async (t) => {
  t.same(parseUrl('http://[::1]:8405'), { kind: 'tcp', host: '::1', port: 8405 });
  t.same(parseUrl('http://director-a/'), { kind: 'tcp', host: 'director-a', port: 80 });
  t.same(parseUrl('unix:/run/x.sock'), { kind: 'unix', path: '/run/x.sock' });
  for (const bad of ['', '127.0.0.1:8405', 'https://a', 'http://a/b', 'http://a/?b', 'unix:x', 'ftp://a'])
    t.throws(() => parseUrl(bad), { code: 'USAGE', message: /write http:\/\/HOST:PORT or unix:\/PATH/ }, bad);
});
