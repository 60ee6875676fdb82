/** `/v1/servers/SERVER/why`: the chain from the last probes to the table. */
import { Ajv } from 'ajv';
import t from 'tap';
import { WHY_SCHEMA } from '../../src/api/schemas-why.js';
import { buildApi } from '../../src/api/server.js';
import type { Why } from '../../src/api/why.js';
import { NO_REMARK } from '../../src/checks/remark.js';
import type { CheckSight } from '../../src/checks/sight.js';
import { epochMillis, micros } from '../../src/core/units.js';
import { NOTHING_FOREIGN } from '../../src/ipvs/foreign.js';
import type { AdminEntry } from '../../src/policy/model.js';
import { table } from '../ipvs/build.js';
import { A, B, CONFIG, FTP, NOTHING_BESIDE, NOW, STRETCHED, source, WEB, world } from './build.js';

const ajv = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true });
const ID = 'web/192.0.2.12:80';

const SIGHT: CheckSight = {
  id: ID,
  state: { verdict: 'up', held: 'up', against: 2 },
  probingSince: undefined,
  nextProbeAt: epochMillis(NOW + 1500),
  probes: [
    {
      startedAt: epochMillis(NOW - 2000),
      result: {
        outcome: 'pass',
        reason: { kind: 'ok' },
        phases: [
          ['connect', micros(250)],
          ['response', micros(1000)],
        ],
        elapsed: micros(1250),
        warning: 'the certificate expires soon',
        words: 'TLS OK',
        weight: { kind: 'percent', value: 50 },
        say: 'drain',
      },
    },
    {
      startedAt: NOW,
      result: {
        outcome: 'fail',
        reason: { kind: 'timeout', phase: 'connect' },
        phases: [['connect', micros(1_000_000)]],
        elapsed: micros(1_000_000),
      },
    },
  ],
};

function event(sequence: number, server: string | undefined, message: string) {
  const at = epochMillis(NOW + sequence);
  return { sequence, at, kind: 'server-up', service: 'web', server, message, facts: { weight: 5 } } as const;
}

t.test('the chain of a server, word for word', async (t) => {
  const entry: AdminEntry = {
    source: 'operator',
    state: 'enabled',
    weight: 3,
    since: NOW,
    deadline: undefined,
    finish: 'drained',
    by: 'operator ann',
    reason: 'old disks',
  };
  const its = source(
    world({
      probing: STRETCHED,
      admin: new Map([[ID, { effective: entry, entries: [entry], drain: undefined }]]),
      health: new Map([
        [
          ID,
          {
            verdict: 'up',
            held: 'up',
            since: NOW,
            lastChange: undefined,
            remark: {
              ...NO_REMARK,
              weight: { kind: 'percent', value: 50 },
              latency: { share: 40, average: micros(50_049) },
            },
          },
        ],
      ]),
      observed: table([WEB, [A, { ...B, settings: { ...B.settings, weight: 3 } }]], [FTP, []]),
    }),
  );
  const asked: (readonly string[])[] = [];
  its.look = (ids) => {
    asked.push(ids);
    return Promise.resolve(new Map([[ID, SIGHT]]));
  };
  for (let sequence = 1; sequence < 13; sequence += 1)
    its.events.record(event(sequence, '192.0.2.12:80', `number ${sequence}`));
  its.events.record(event(13, '192.0.2.11:80', 'of another server'));
  its.events.record(event(14, undefined, 'of the service'));
  const cause = { kind: 'configured', service: 'web', server: '192.0.2.12:80' } as const;
  its.preview = async () => ({
    ...NOTHING_BESIDE,
    plan: [
      { operation: { kind: 'edit-dest', service: WEB.key, dest: B }, cause },
      { operation: { kind: 'edit-dest', service: WEB.key, dest: A }, cause: { ...cause, server: 'other' } },
    ],
    left: [],
    foreign: NOTHING_FOREIGN,
  });
  const answer = await buildApi(its).inject('/v1/servers/192.0.2.12:80/why');
  const why = answer.json<Why>();
  t.ok(ajv.validate(WHY_SCHEMA, why), ajv.errorsText());
  t.same(asked, [[ID]]);
  t.equal(why.servers.length, 1);
  const [server] = why.servers;
  t.match(server, { service: 'web', server: { name: '192.0.2.12:80', verdict: 'up', weight: 3 } });
  const [check] = server?.checks ?? [];
  const rule = CONFIG.services[0]?.servers[1]?.checks[0].rule;
  t.match(check, {
    id: ID,
    type: 'tcp',
    target: '192.0.2.12:80',
    rise: rule?.rise,
    fall: rule?.fall,
    fastInterval: null,
    stretch: 2,
    verdict: 'up',
    held: 'up',
    against: 2,
    needed: rule?.fall,
    probingSince: null,
    nextProbeAt: new Date(NOW + 1500).toISOString(),
  });
  t.same(check?.probes, [
    {
      startedAt: new Date(NOW - 2000).toISOString(),
      outcome: 'pass',
      reason: 'ok',
      micros: 1250,
      phases: [
        { phase: 'connect', micros: 250 },
        { phase: 'response', micros: 1000 },
      ],
      warning: 'the certificate expires soon',
      words: 'TLS OK',
      weight: { kind: 'percent', value: 50 },
      say: 'drain',
    },
    {
      startedAt: new Date(NOW).toISOString(),
      outcome: 'fail',
      reason: 'timeout in connect after 1000 ms',
      micros: 1_000_000,
      phases: [{ phase: 'connect', micros: 1_000_000 }],
      warning: null,
      words: null,
      weight: null,
      say: null,
    },
  ]);
  t.match(server?.weight, [
    { of: 'configuration', weight: 5, text: 'while it is up' },
    { of: `check ${ID}`, weight: null, text: '50% of it, says its check' },
    { of: `check ${ID}`, weight: null, text: '40% of it, since its probes took 50.0 ms' },
    { of: 'operator', weight: 3, text: 'enabled by operator ann: old disks' },
    { of: 'standing', weight: null, text: 'serves' },
    { of: 'table', weight: 3, text: 'as the kernel has it' },
    { of: 'pending', weight: null, text: /^ipvsadm -e .*192\.0\.2\.12:80.* # / },
  ]);
  t.same(
    server?.events.map(({ message }) => message),
    [3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((sequence) => `number ${sequence}`),
  );
  t.match(server?.events[0], { facts: { weight: 5 } });
});

t.test('a worker that does not answer leaves the rest of the chain', async (t) => {
  const answer = await buildApi(source(world({ observed: undefined }))).inject('/v1/servers/192.0.2.11/why');
  const why = answer.json<Why>();
  t.ok(ajv.validate(WHY_SCHEMA, why), ajv.errorsText());
  t.match(why.servers[0]?.checks, [
    { verdict: 'up', held: null, against: null, needed: null, nextProbeAt: null, probes: [] },
  ]);
  t.match(why.servers[0]?.weight.at(-1), { of: 'table', weight: null, text: 'not in the table' });
});

t.test('a held verdict needs `rise` passes where down is held', async (t) => {
  const its = source();
  const state = { verdict: 'unknown', held: 'down', against: 1 } as const;
  its.look = (ids) =>
    Promise.resolve(new Map(ids.map((id) => [id, { ...SIGHT, id, state, probingSince: NOW }])));
  const why = (await buildApi(its).inject('/v1/servers/192.0.2.11/why?service=web')).json<Why>();
  const rule = CONFIG.services[0]?.servers[0]?.checks[0].rule;
  t.match(why.servers[0]?.checks, [
    { held: 'down', needed: rule?.rise, probingSince: new Date(NOW).toISOString() },
  ]);
});

t.test('a server that is not there, or not in that service, is told so', async (t) => {
  const app = buildApi(source());
  for (const url of ['/v1/servers/192.0.2.99/why', '/v1/servers/192.0.2.11/why?service=ftp'])
    t.match((await app.inject(url)).json(), { error: { code: 'NOT_FOUND' } });
});
