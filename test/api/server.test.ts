import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import type { InjectOptions } from 'fastify';
import t from 'tap';
import { API_ERRORS } from '../../src/api/failure.js';
import { routes } from '../../src/api/routes.js';
import * as general from '../../src/api/schemas.js';
import * as mass from '../../src/api/schemas-mass.js';
import * as routers from '../../src/api/schemas-vrrp.js';
import * as why from '../../src/api/schemas-why.js';
import { buildApi } from '../../src/api/server.js';
import type { Status } from '../../src/api/status.js';
import { packageVersion } from '../../src/api/version.js';
import type { ServiceConfig } from '../../src/config/model.js';
import { epochMillis } from '../../src/core/units.js';
import type { World } from '../../src/world.js';
import { config, dest, key, service, serviceConfig, syncDaemon, table } from '../ipvs/build.js';
import { A, busy, CONFIG, COUNTED, down, FTP, NOW, START, source, UNKNOWN, up, WEB, world } from './build.js';

const schemas = { ...general, ...mass, ...routers, ...why };

const ajv = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true });
const JSON_TYPE = 'application/json; charset=utf-8';

t.test('every route answers by its schema, in every state of the world', async (t) => {
  const worlds = [
    world(),
    world({ observed: undefined, health: new Map(), workers: [], stopping: true }),
    world({ table: { ...world().table, lastDumpAt: undefined, lastError: 'EPERM', inSync: false } }),
    world({
      health: new Map([...world().health.keys()].map((id) => [id, down()])),
      observed: table([WEB, [A]]),
    }),
    world({ config: config() }),
  ];
  for (const its of worlds) {
    const app = buildApi(source(its));
    for (const { url, response } of routes()) {
      // Metrics have a format of their own.
      if (url === '/metrics') continue;
      const answer = await app.inject({ url: url.replace(':name', 'web') });
      const schema = response[answer.statusCode];
      t.ok(schema, `${url}: status ${answer.statusCode} is declared`);
      t.ok(ajv.validate(schema ?? false, answer.json()), `${url}: ${ajv.errorsText()}`);
      t.equal(answer.headers['content-type'], JSON_TYPE);
      t.equal(answer.headers['cache-control'], 'no-store');
    }
    await app.close();
  }
});

const TRAFFIC = {
  active: 7,
  inactive: 3,
  persistent: 2,
  ...Object.fromEntries(Object.entries(COUNTED).map(([name, value]) => [name, Number(value)])),
};

t.test('the status of a world, word for word', async (t) => {
  const health = new Map([
    ['web/192.0.2.11:80', up(epochMillis(START + 1500))],
    ['web/192.0.2.12:80', down(START)],
    ['ftp/192.0.2.13:21', UNKNOWN],
  ]);
  const app = buildApi(source(world({ health, observed: busy(table([WEB, [A]])) })));
  const status = (await app.inject({ url: '/v1/status' })).json<Status>();
  t.match(status, {
    name: 'director-test',
    version: packageVersion(),
    startedAt: '2023-11-14T22:13:20.000Z',
    stopping: false,
    table: { kind: 'memory', inSync: true, driftFound: 2, operationsApplied: 5, operationsFailed: 1 },
    workers: [{ worker: 0, checks: 3, inFlight: 1, probes: 100, failures: 4, unknowns: 2 }],
  });
  t.same(status.services[0], {
    name: 'web',
    service: 'tcp 192.0.2.1:80',
    entries: ['tcp 192.0.2.1:80'],
    scheduler: 'wlc',
    inTable: true,
    up: 1,
    down: 1,
    unknown: 0,
    servers: [
      {
        name: '192.0.2.11:80',
        address: '192.0.2.11',
        port: 80,
        ports: [80],
        verdict: 'up',
        weight: 1,
        configuredWeight: 1,
        inTable: true,
        since: '2023-11-14T22:13:21.500Z',
        reason: 'ok',
        warning: null,
        standing: 'serving',
        why: 'serves',
        admin: null,
        checks: [
          {
            name: null,
            type: 'tcp',
            verdict: 'up',
            since: '2023-11-14T22:13:21.500Z',
            reason: 'ok',
            warning: null,
          },
        ],
        needed: 1,
        traffic: { ...TRAFFIC, connectionsPerSecond: 20 },
      },
      {
        name: '192.0.2.12:80',
        address: '192.0.2.12',
        port: 80,
        ports: [80],
        verdict: 'down',
        weight: null,
        configuredWeight: 5,
        inTable: false,
        since: '2023-11-14T22:13:20.000Z',
        reason: 'connection refused in connect',
        warning: null,
        standing: 'down',
        why: 'is down',
        admin: null,
        checks: [
          {
            name: null,
            type: 'tcp',
            verdict: 'down',
            since: '2023-11-14T22:13:20.000Z',
            reason: 'connection refused in connect',
            warning: null,
          },
        ],
        needed: 1,
        traffic: null,
      },
    ],
    quorum: { state: 'met', weight: 1, needed: 1 },
    traffic: TRAFFIC,
    tier: null,
    fallback: [],
  });
  t.match(status.services[1], {
    inTable: false,
    servers: [{ verdict: 'unknown', reason: 'no verdict yet' }],
  });
  t.match(packageVersion(), /^\d+\.\d+\.\d+$/);
});

t.test('the weight is that of the table, not of the configuration', async (t) => {
  const observed = table([WEB, [dest('192.0.2.11', { weight: 0 })]]);
  const app = buildApi(source(world({ observed })));
  const { services } = (await app.inject({ url: '/v1/services' })).json<general.ApiError & Status>();
  t.match(services[0]?.servers[0], { weight: 0, configuredWeight: 1, inTable: true });
});

t.test('a held verdict is shown as unknown, with what is held', async (t) => {
  const health = new Map([['web/192.0.2.11:80', { ...up(), verdict: 'unknown' as const }]]);
  const app = buildApi(source(world({ health })));
  const service = (await app.inject({ url: '/v1/services/web' })).json<{ servers: object[] }>();
  t.match(service.servers[0], { verdict: 'unknown', reason: 'no fresh verdict; up is held' });
});

t.test('an answer is serialised once for each version of the world', async (t) => {
  const its = source();
  let made = 0;
  const config = new Proxy(CONFIG, {
    get: (target, name) => {
      if (name === 'services') made += 1;
      return Reflect.get(target, name) as unknown;
    },
  });
  its.current = world({ config });
  made = 0;
  const app = buildApi(its);
  const first = await app.inject({ url: '/v1/status' });
  const after = made;
  t.not(after, 0);
  t.equal((await app.inject({ url: '/v1/status' })).body, first.body);
  t.equal(made, after, 'the second is the first');
  its.current = world({ config, version: 8, stopping: true });
  t.equal((await app.inject({ url: '/v1/status' })).json<Status>().stopping, true);
});

t.test('a service of several addresses is in the table where all its entries are', async (t) => {
  const second = service(key('192.0.2.2', 80));
  const both: ServiceConfig = { ...serviceConfig('web', WEB, [A]), entries: [WEB, second] };
  const ask = async (observed: World['observed']): Promise<unknown> =>
    (
      await buildApi(source(world({ config: config(both), observed }))).inject({ url: '/v1/services/web' })
    ).json();
  const [whole, half] = [table([WEB, [A]], [second, [A]]), table([WEB, []], [second, [A]])];
  t.match(await ask(whole), {
    service: 'tcp 192.0.2.1:80 and 1 more',
    entries: ['tcp 192.0.2.1:80', 'tcp 192.0.2.2:80'],
    inTable: true,
    servers: [{ inTable: true, weight: 1 }],
  });
  t.match(await ask(half), { inTable: true, servers: [{ inTable: false, weight: 1 }] });
  t.match(await ask(table([second, [A]])), { inTable: false, servers: [{ inTable: false, weight: 1 }] });
  t.match(await ask(new Map()), { inTable: false, servers: [{ inTable: false, weight: null }] });
});

t.test('the synchronisation of connections: what is followed, wanted and seen', async (t) => {
  const ask = async (changes: Partial<World>): Promise<unknown> =>
    (await buildApi(source(world(changes))).inject({ url: '/v1/status' })).json<Status>().sync;
  t.equal(await ask({}), null);
  const master = syncDaemon('master');
  const { role: _, ...daemon } = master;
  const sync = {
    wanted: [master],
    seen: [master],
    inSync: true,
    lastError: undefined,
    repaired: 3,
    left: [],
  };
  const roles = { kind: 'follow', instance: 'outside' } as const;
  t.same(await ask({ sync, config: { ...CONFIG, sync: { roles, daemon } } }), {
    follows: 'outside',
    wanted: ['master'],
    running: [
      {
        role: 'master',
        interface: 'eth1',
        id: 51,
        group: '224.0.0.81',
        port: 8848,
        ttl: 1,
        maxlen: null,
      },
    ],
    inSync: true,
    lastError: null,
    repaired: 3,
    left: [],
  });
  const before = { ...sync, wanted: undefined, seen: undefined, inSync: false, lastError: 'EPERM' };
  t.match(await ask({ sync: before }), { follows: null, wanted: null, running: null, lastError: 'EPERM' });
});

t.test('the time-outs of connections: what is wanted, seen, and put back at the end', async (t) => {
  const ask = async (timeouts: World['timeouts']): Promise<unknown> =>
    (await buildApi(source(world({ timeouts }))).inject({ url: '/v1/status' })).json<Status>().timeouts;
  t.equal(await ask(undefined), null);
  const state = {
    wanted: { tcp: 60 },
    seen: { tcp: 60, tcpFin: 120, udp: 300 },
    original: { tcp: 900 },
    inSync: true,
    lastError: undefined,
    repaired: 1,
    left: [],
  };
  t.same(await ask(state), {
    tcp: { wanted: 60, seen: 60, original: 900 },
    tcpFin: { wanted: null, seen: 120, original: null },
    udp: { wanted: null, seen: 300, original: null },
    inSync: true,
    lastError: null,
    repaired: 1,
    left: [],
  });
  t.match(await ask({ ...state, seen: undefined, inSync: false, lastError: 'EPERM' }), {
    tcp: { wanted: 60, seen: null },
    inSync: false,
    lastError: 'EPERM',
  });
});

t.test('the health routes are 503 with the reasons while something is wrong', async (t) => {
  const its = source();
  const app = buildApi(its);
  t.same((await app.inject({ url: '/healthz' })).statusCode, 200);
  t.same((await app.inject({ url: '/readyz' })).statusCode, 200);
  its.now = epochMillis(NOW + 60_000);
  const dead = await app.inject({ url: '/healthz' });
  t.equal(dead.statusCode, 503);
  t.match(dead.json(), { alive: false, reasons: ['the table was last read 1m ago', /^probe worker 0/] });
  its.current = world({ stopping: true });
  const unready = await app.inject({ url: '/readyz' });
  t.equal(unready.statusCode, 503);
  t.same(unready.json(), { ready: false, missing: ['lvsentry is stopping'] });
});

t.test('one service is found by its name, with any characters in it', async (t) => {
  const name = 'a b/ü?#%';
  const app = buildApi(source(world({ config: config(serviceConfig(name, FTP, [A])) })));
  const answer = await app.inject({ url: `/v1/services/${encodeURIComponent(name)}` });
  t.match(answer.json(), { name, service: 'tcp 192.0.2.1:21' });
  t.match((await app.inject({ url: '/v1/services/web' })).json(), {
    error: { code: 'NOT_FOUND', message: 'there is no service "web"; /v1/services lists them' },
  });
});

t.test('every failure is a JSON error of the documented shape', async (t) => {
  const its = source();
  const app = buildApi(its);
  const cases: readonly (readonly [InjectOptions, number, keyof typeof API_ERRORS])[] = [
    [{ url: '/' }, 404, 'NOT_FOUND'],
    [{ url: '/v2/status' }, 404, 'NOT_FOUND'],
    [{ url: '/v1/status/' }, 404, 'NOT_FOUND'],
    [{ url: '/v1/services/nope' }, 404, 'NOT_FOUND'],
    [{ url: `/v1/services/${'x'.repeat(257)}` }, 400, 'BAD_REQUEST'],
    [{ url: '/v1/services/%zz' }, 400, 'BAD_REQUEST'],
    [{ url: '/nope', method: 'POST', payload: { a: 1 } }, 413, 'TOO_LARGE'],
    [{ url: '/nope', method: 'POST', payload: 'x', headers: { 'content-type': 'a/b' } }, 404, 'NOT_FOUND'],
    ...(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const).map(
      (method) => [{ url: '/v1/status', method }, 405, 'METHOD_NOT_ALLOWED'] as const,
    ),
    [
      { url: '/v1/services/web', method: 'POST', payload: { a: 'b'.repeat(1000) } },
      405,
      'METHOD_NOT_ALLOWED',
    ],
  ];
  for (const [asked, status, code] of cases) {
    const answer = await app.inject(asked);
    t.equal(answer.statusCode, status, JSON.stringify(asked));
    t.equal(answer.headers['content-type'], JSON_TYPE);
    t.ok(ajv.validate(schemas.ERROR_SCHEMA, answer.json()), answer.body);
    t.equal(answer.json<general.ApiError>().error.code, code);
    if (status === 405) t.equal(answer.headers.allow, 'GET, HEAD');
  }
  t.same(its.logged, [], 'none of it is a defect');
  its.world = () => {
    throw new Error('broken');
  };
  const answer = await app.inject({ url: '/v1/status' });
  t.equal(answer.statusCode, 500);
  t.same(answer.json(), { error: { code: 'INTERNAL', message: 'a defect of lvsentry; its log says more' } });
  t.same(its.logged, ['the API failed: broken']);
});

t.test('HEAD gives the headers alone', async (t) => {
  const app = buildApi(source());
  const answer = await app.inject({ url: '/v1/status', method: 'HEAD' });
  t.equal(answer.statusCode, 200);
  t.equal(answer.body, '');
});

t.test('docs/api.md has every route, member, type, meaning and error code', async (t) => {
  const document = readFileSync(new URL('../../../docs/api.md', import.meta.url), 'utf8');
  const documented = [...document.matchAll(/^\| `GET ([^`]+)` \|/gm)].map((match) => match[1]);
  t.same(
    documented,
    routes().map(({ url }) => url),
  );
  const sections = new Map(document.split(/^### /m).map((text) => [text.split('\n')[0], text]));
  const objects = Object.entries(schemas).filter(([name]) => name !== 'ERROR_SCHEMA');
  for (const [name, schema] of objects) {
    const title = `${name.charAt(0)}${name.slice(1).replace('_SCHEMA', '').toLowerCase()}`;
    const rows = [...(sections.get(title) ?? '').matchAll(/^\| `(\w+)` *\| (.*?) *\| (.*?) *\|$/gm)];
    const properties = schema.properties as Record<
      string,
      { type: string | string[]; enum?: (string | null)[]; description: string }
    >;
    t.same(
      rows.map(([, member, , meaning]) => [member, meaning]),
      Object.entries(properties).map(([member, { description }]) => [member, description]),
      title,
    );
    for (const [, member, type] of rows) {
      const property = properties[member ?? ''];
      const values = property?.enum?.filter((value) => value !== null).map((value) => `\`"${value}"\``) ?? [];
      const words = values.length > 0 ? values : [property?.type ?? ''].flat();
      if (!words.includes('object'))
        for (const word of words) t.ok(type?.includes(word), `${title}.${member}: ${type} tells ${word}`);
    }
  }
  const codes = [...document.matchAll(/^\| `([A-Z_]+)` \| (.*) \|$/gm)].map((match) => [match[1], match[2]]);
  t.same(Object.fromEntries(codes), API_ERRORS);
});
