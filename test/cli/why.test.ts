/** `lvsentry why`: the chain as lines, and what is refused. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import type { CheckWhy, ServerWhy } from '../../src/api/why.js';
import { whyLines } from '../../src/cli/why.js';
import { systemClock, systemTimers } from '../../src/sys/clock.js';
import { rig } from '../api/rig.js';
import { cli } from './context.js';

const NOW = Date.parse('2026-03-01T03:00:00.000Z');
const ago = (milliseconds: number): string => new Date(NOW - milliseconds).toISOString();

const CHECK: CheckWhy = {
  id: 'web/web1',
  type: 'http',
  target: '192.0.2.2:80',
  interval: '2s',
  fastInterval: '500ms',
  downInterval: '10s',
  stretch: 1,
  timeout: '1s',
  rise: 2,
  fall: 3,
  verdict: 'up',
  since: ago(7_500_000),
  reason: 'ok',
  held: 'up',
  against: 1,
  needed: 3,
  probingSince: null,
  nextProbeAt: ago(-400),
  probes: [
    {
      startedAt: ago(2100),
      outcome: 'pass',
      reason: 'ok',
      micros: 812,
      phases: [
        { phase: 'connect', micros: 300 },
        { phase: 'response', micros: 512 },
      ],
      warning: 'expires\nsoon',
      words: 'TLS\nOK',
      weight: { kind: 'offset', value: 4 },
      say: 'ready',
    },
    {
      startedAt: ago(100),
      outcome: 'fail',
      reason: 'status 500',
      micros: 1000,
      phases: [{ phase: 'connect', micros: 1000 }],
      warning: null,
      words: null,
      weight: null,
      say: null,
    },
  ],
};

const SERVER = {
  service: 'web',
  server: { name: 'web1', address: '192.0.2.2', port: 80, verdict: 'up', why: 'serves' },
  checks: [CHECK],
  weight: [
    { of: 'configuration', weight: 10, text: 'while it is up' },
    { of: 'standing', weight: null, text: 'serves' },
  ],
  events: [
    {
      sequence: 1,
      time: ago(5000),
      kind: 'server-up',
      service: 'web',
      server: 'web1',
      message: 'web1 is up',
      facts: {},
    },
  ],
} as unknown as ServerWhy;

t.test('the chain as lines: the newest probe first', async (t) => {
  t.same(whyLines({ servers: [SERVER] }, NOW), [
    'web/web1 at 192.0.2.2:80: up, serves',
    '  check http 192.0.2.2:80 every 2s (500ms in doubt) (10s while down), timeout 1s, rise 2, fall 3',
    '    up for 2h 5m: ok',
    '    1 of 3 failures in a row that make it down; next probe in 0.4s',
    '      STARTED   OUTCOME      TIME  REASON                                      PHASES (MS)',
    '      0.1s ago  fail     1.000 ms  status 500                                  connect 1.000',
    '      2.1s ago  pass     0.812 ms  ok; weight +4; ready; expires?soon; TLS?OK  connect 0.300, response 0.512',
    '  weight',
    '    configuration  10  while it is up',
    '    standing        -  serves',
    '  events',
    '    2026-03-01T02:59:55.000Z  web1 is up',
  ]);
});

t.test('intervals that the probe budget stretches are said to be', async (t) => {
  const lines = whyLines({ servers: [{ ...SERVER, checks: [{ ...CHECK, stretch: 2.505 }] }] }, NOW);
  t.match(
    lines[1],
    ' every 2s (500ms in doubt) (10s while down), times 2.51 by the probe budget, timeout 1s,',
  );
});

t.test('what is under way, assumed, or not known is said', async (t) => {
  const line = (changes: Partial<CheckWhy>): string =>
    whyLines({ servers: [{ ...SERVER, checks: [{ ...CHECK, ...changes }] }] }, NOW)[3] ?? '';
  t.match(line({ nextProbeAt: null, probingSince: ago(300) }), /a probe is under way for 0\.3s$/);
  t.match(line({ held: 'down', needed: 2 }), /1 of 2 passes in a row that make it up; /);
  t.match(line({ verdict: 'unknown' }), /; up is assumed, and the first result that agrees counts$/);
  t.match(line({ held: null, probes: [] }), /^ {4}its probe worker does not answer$/);
  t.same(whyLines({ servers: [{ ...SERVER, checks: [], events: [] }] }, NOW), [
    'web/web1 at 192.0.2.2:80: up, serves',
    '  no check: it is thought to be up',
    '  weight',
    '    configuration  10  while it is up',
    '    standing        -  serves',
  ]);
});

t.test('beside a daemon: by address in all services, in one, as JSON, and not at all', async (t) => {
  const { url } = await rig(t);
  const real = { clock: systemClock, timers: systemTimers };
  const both = await cli(['why', '192.0.2.12', '--url', url], real);
  t.match(both, { code: 0, err: '', out: /^web\/192\.0\.2\.12:80 at 192\.0\.2\.12:80: up, serves\n/ });
  t.match(both.out, /\n\nmail\/192\.0\.2\.12:25 at /);
  const one = await cli(['why', '192.0.2.12', '--service', 'mail', '--json', '--url', url], real);
  t.match(JSON.parse(one.out), { servers: [{ service: 'mail', checks: [{ type: 'tcp', held: null }] }] });
  t.match(await cli(['why', '192.0.2.13', '--url', url], real), {
    code: 1,
    err: /there is no server "192\.0\.2\.13"/,
  });
  t.match(await cli(['why', 'x', '--url', 'unix:/nonexistent/api.sock'], real), { code: 4 });
});

t.test('whoever else answers is not believed', async (t) => {
  const bodies = ['', 'null', '[]', '{"servers":1}', '{"servers":[null]}', '{"servers":[{"service":"a"}]}'];
  const odd = { service: 'web', server: { name: 'a' }, checks: [{}], weight: [], events: [] };
  bodies.push(JSON.stringify({ servers: [odd] }), JSON.stringify({ servers: [{ ...odd, checks: 5 }] }));
  let body = '';
  const server = createServer((_request, response) => response.end(body));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (body of bodies)
    t.match(await cli(['why', 'a', '--url', url]), { code: 4, err: /is not lvsentry/ }, body);
});
