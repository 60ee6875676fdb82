/** What changes something by HTTP: who may, what a body may say, and what comes of it. */
import { Ajv } from 'ajv';
import t from 'tap';
import { readOrder } from '../../src/api/control.js';
import { isOwnHost, ownerOf } from '../../src/api/guard.js';
import { RELOAD_SCHEMA, SERVERS_SCHEMA } from '../../src/api/schemas.js';
import { buildApi } from '../../src/api/server.js';
import { findServers } from '../../src/api/servers.js';
import type { Servers } from '../../src/api/status.js';
import { RIG_CONFIG, rig } from './rig.js';

const ajv = new Ajv({ strict: true, allowUnionTypes: true });
const ANN = { authorization: 'Bearer the-token-of-ann-1' };
const DRAIN = '/v1/servers/192.0.2.12/drain';

for (const [text, service, found] of [
  ['192.0.2.11', undefined, 'web/192.0.2.11:80'],
  ['192.0.2.12', undefined, 'web/192.0.2.12:80 mail/192.0.2.12:25'],
  ['192.0.2.12', 'mail', 'mail/192.0.2.12:25'],
  ['192.0.2.12:80', undefined, 'web/192.0.2.12:80'],
  ['192.0.2.13', undefined, 'there is no server "192.0.2.13"; did you mean "192.0.2.11"?'],
  ['192.0.2.11', 'mail', 'there is no server "192.0.2.11" in mail; did you mean "192.0.2.12"?'],
  ['192.0.2.11', 'wep', 'there is no service "wep"; did you mean "web"?'],
] as const)
  t.test(`a server by ${text} in ${service ?? 'all'}`, async (t) => {
    const its = findServers(RIG_CONFIG, text, service);
    t.match(
      its.ok ? its.places.map((one) => `${one.service.name}/${one.server.name}`).join(' ') : its.problem,
      found,
    );
  });

for (const [verb, body, problem] of [
  ['drain', 5, /not a JSON object/],
  ['drain', [], /not a JSON object/],
  ['drain', 'text', /not a JSON object/],
  ['drain', { weight: 1 }, /there is no "weight"; there are service, reason, deadline, finish/],
  ['drain', { deadline: 10 }, /`deadline` is a duration/],
  ['drain', { deadline: '0s' }, /`deadline` is a duration/],
  ['drain', { finish: 'gone' }, /`finish`/],
  ['drain', { reason: 'a\nb' }, /`reason` is text on one line/],
  ['drain', { service: '' }, /`service`/],
  ['weight', {}, /`weight` is a whole number/],
  ['weight', { weight: -1 }, /`weight`/],
  ['weight', { weight: 1.5 }, /`weight`/],
  ['weight', { weight: 2 ** 31 }, /`weight`/],
  ['enable', { deadline: '1s' }, /there is no "deadline"/],
] as const)
  t.test(`a body that is refused: ${verb} ${JSON.stringify(body)}`, async (t) => {
    const order = readOrder(verb, body);
    t.match(order.ok ? '' : order.problem, problem);
  });

t.test('bodies that are understood', async (t) => {
  t.match(readOrder('drain', undefined), {
    ok: true,
    value: { command: { kind: 'drain', finish: 'drained' } },
  });
  t.match(readOrder('drain', { deadline: '10m', finish: 'disabled', reason: 'why' }), {
    value: { reason: 'why', command: { within: 600_000, finish: 'disabled' } },
  });
  t.match(readOrder('weight', { weight: 0 }), { value: { command: { weight: 0 } } });
  t.match(readOrder('weight', { weight: null }), {
    value: { command: { kind: 'weight', weight: undefined } },
  });
});

t.test('names of this machine, and the owner of a token', async (t) => {
  for (const host of [
    'localhost',
    'localhost:8405',
    '127.0.0.1:8405',
    '[::1]:8405',
    '[::1]',
    '10.0.0.1',
    undefined,
  ])
    t.ok(isOwnHost(host), host ?? 'none');
  for (const host of [
    'evil.example',
    'evil.example:8405',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '',
  ])
    t.notOk(isOwnHost(host), host);
  const { tokens } = RIG_CONFIG.api;
  t.equal(ownerOf(tokens, 'the-token-of-bob-1'), 'bob');
  for (const wrong of ['', 'the-token-of-bob', 'the-token-of-bob-12'])
    t.equal(ownerOf(tokens, wrong), undefined);
});

t.test('on a port a change takes a token, and a page of another site has none of it', async (t) => {
  const { source, controller, events } = await rig(t);
  const app = buildApi(source, 'tcp');
  t.teardown(() => app.close());
  for (const [status, code, headers] of [
    [401, 'UNAUTHORIZED', {}],
    [401, 'UNAUTHORIZED', { authorization: 'Bearer the-token-of-eve-1' }],
    [401, 'UNAUTHORIZED', { authorization: 'Basic the-token-of-ann-1' }],
    [403, 'FORBIDDEN', { ...ANN, host: 'evil.example' }],
    [403, 'FORBIDDEN', { ...ANN, origin: 'http://evil.example' }],
    [403, 'FORBIDDEN', { ...ANN, origin: 'null' }],
  ] as const) {
    const answer = await app.inject({ method: 'POST', url: DRAIN, headers, payload: {} });
    t.equal(answer.statusCode, status, JSON.stringify(headers));
    t.match(answer.json(), { error: { code } });
  }
  t.equal((await app.inject({ url: '/v1/status', headers: { host: 'evil.example' } })).statusCode, 403);
  t.equal((await app.inject({ url: '/v1/status' })).statusCode, 200, 'reading takes no token');
  t.equal(controller.world().admin.size, 0, 'nothing of it was done');
  const answer = await app.inject({
    method: 'POST',
    url: DRAIN,
    headers: ANN,
    payload: { reason: 'new kernel' },
  });
  t.equal(answer.statusCode, 200);
  t.ok(ajv.validate(SERVERS_SCHEMA, answer.json()), ajv.errorsText());
  const { servers, changed } = answer.json<Servers>();
  t.equal(changed, 2);
  t.match(servers, [
    { service: 'web', server: { admin: { state: 'draining', by: 'operator ann', reason: 'new kernel' } } },
    { service: 'mail', server: { admin: { state: 'draining' } } },
  ]);
  const told = events.filter(({ kind }) => kind === 'drain-started');
  t.match(told, [{ facts: { by: 'operator ann' } }, { service: 'mail' }]);
});

t.test('what is wrong with a request is said, and nothing is done', async (t) => {
  const { source, controller } = await rig(t);
  const app = buildApi(source, 'unix');
  t.teardown(() => app.close());
  const post = async (url: string, payload: string, type = 'application/json') => {
    const answer = await app.inject({ method: 'POST', url, payload, headers: { 'content-type': type } });
    return [answer.statusCode, answer.json<{ error: { message: string } }>().error.message] as const;
  };
  t.match(await post('/v1/servers/192.0.2.99/drain', '{}'), [404, /there is no server/]);
  t.match(await post(DRAIN, '{"service":"wep"}'), [404, /did you mean "web"/]);
  t.match(await post(DRAIN, '{'), [400, /./]);
  t.match(await post(DRAIN, '[]'), [400, /not a JSON object/]);
  t.match(await post(DRAIN, '{}', 'text/plain'), [415, /./]);
  t.match(await post(DRAIN, '{}', 'application/x-www-form-urlencoded'), [415, /./]);
  t.match(await post(DRAIN, `{"reason":"${'x'.repeat(5000)}"}`), [413, /./]);
  t.equal((await app.inject({ method: 'POST', url: '/v1/servers/192.0.2.12/dance' })).statusCode, 404);
  t.equal(controller.world().admin.size, 0);
});

t.test('a socket is open to who can open it; each verb does what it says', async (t) => {
  const { source, weights, events, controller } = await rig(t);
  const app = buildApi(source, 'unix');
  t.teardown(() => app.close());
  const post = async (verb: string, payload: object = {}) => {
    const url = `/v1/servers/${encodeURIComponent('192.0.2.12:80')}/${verb}`;
    const answer = await app.inject({ method: 'POST', url, payload, headers: { host: 'lvsentry' } });
    t.equal(answer.statusCode, 200, verb);
    await new Promise((resolve) => setTimeout(resolve, 5));
    return answer.json<Servers>().changed;
  };
  const is = async (weight: number | undefined, why: string) => {
    const rest = weight === undefined ? [] : [`192.0.2.12:80 ${weight}`];
    t.same(await weights('tcp 192.0.2.1:80'), ['192.0.2.11:80 1', ...rest], why);
  };
  t.equal(await post('weight', { weight: 9 }), 1);
  await is(9, 'a weight');
  t.equal(await post('drain'), 1);
  await is(0, 'a drain');
  t.equal(await post('undrain'), 1);
  await is(9, 'the weight is remembered');
  t.equal(await post('undrain'), 0, 'nothing to undo');
  t.equal(await post('disable'), 1);
  await is(undefined, 'disabled');
  t.equal(await post('undrain'), 0, 'no drain, so not undone');
  await is(undefined, 'still disabled');
  t.equal(await post('enable'), 1);
  t.equal(await post('weight', { weight: null }), 1);
  await is(5, 'as configured');
  t.equal(controller.world().admin.size, 0);
  t.same(
    events.map(({ kind }) => kind).filter((kind) => kind !== 'daemon-started'),
    ['weight-set', 'drain-started', 'drain-undone', 'server-disabled', 'server-enabled', 'weight-set'],
  );
});

t.test('one server by its name or address', async (t) => {
  const { source } = await rig(t);
  const app = buildApi(source);
  t.teardown(() => app.close());
  const ask = async (url: string) => (await app.inject({ url })).json<Servers>();
  t.match(await ask('/v1/servers/192.0.2.12'), {
    changed: 0,
    servers: [{ service: 'web' }, { service: 'mail' }],
  });
  t.equal((await ask('/v1/servers/192.0.2.12?service=mail')).servers.length, 1);
  t.equal((await app.inject({ url: '/v1/servers/nobody' })).statusCode, 404);
});

t.test('a reload tells its faults', async (t) => {
  const its = await rig(t);
  const app = buildApi(its.source);
  t.teardown(() => app.close());
  const reload = async () => await app.inject({ method: 'POST', url: '/v1/reload', headers: ANN });
  const done = await reload();
  t.equal(done.statusCode, 200);
  t.ok(ajv.validate(RELOAD_SCHEMA, done.json()));
  its.faults = ['lvsentry.yaml:1:1: wrong'];
  const refused = await reload();
  t.equal(refused.statusCode, 422);
  t.same(refused.json(), {
    reloaded: false,
    faults: its.faults,
    changes: [],
    done: 0,
    failed: 0,
  });
  t.equal((await app.inject({ method: 'POST', url: '/v1/reload' })).statusCode, 401);
});

t.test('a path that takes POST alone says so, and tells it from one that is not there', async (t) => {
  const { source } = await rig(t);
  const app = buildApi(source);
  t.teardown(() => app.close());
  for (const url of ['/v1/reload', '/v1/servers/192.0.2.12/drain', '/v1/servers/nobody/weight'])
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE'] as const) {
      const answer = await app.inject({ method, url, headers: { host: 'localhost' } });
      t.same([answer.statusCode, answer.headers.allow], [405, 'POST'], `${method} ${url}`);
    }
  const there = await app.inject({ method: 'POST', url: '/v1/servers/192.0.2.12/kill' });
  t.equal(there.statusCode, 404);
});
