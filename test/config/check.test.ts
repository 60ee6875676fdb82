/** Checks: what each type asks for by default, what is inherited from which level, and what stays secret. */
import t from 'tap';
import { EVEN } from '../checks/rule.js';
import { configOf, faultsOf, outside, serverOf, serviceText } from './given.js';

t.test('an http check without words', async (t) => {
  const { probe } = serverOf('address: 192.0.2.1:80\ncheck: { type: http }\nservers: [192.0.2.2]').checks[0];
  t.same(probe, {
    type: 'http',
    target: { address: '192.0.2.2', port: 80 },
    version: '1.1',
    method: 'GET',
    path: '/',
    host: '192.0.2.2:80',
    headers: [],
    credentials: undefined,
    body: undefined,
    status: [[200, 299]],
    fields: [],
    contains: undefined,
    matches: undefined,
    json: [],
    digest: undefined,
    bodyLimit: 65_536,
    redirects: 0,
    further: [],
    tls: undefined,
  });
});

const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

t.test('an https check with everything', async (t) => {
  const lines = `
address: 192.0.2.1:443
check:
  type: https
  path: /a?b=c
  method: OPTIONS
  host: www.example.org:8443
  headers: { X-Probe: yes please, Authorization: "Bearer \${env:TOKEN}" }
  status: [200, 204, 300-302]
  contains: fine
  body-limit: 100
  authorities: /ca.pem
  port: 8443
servers: [192.0.2.2]
`;
  const { probe } = serverOf(lines, outside({ TOKEN: 'abc' }, { '/ca.pem': PEM })).checks[0];
  t.same(probe, {
    type: 'https',
    target: { address: '192.0.2.2', port: 8443 },
    method: 'OPTIONS',
    path: '/a?b=c',
    host: 'www.example.org:8443',
    headers: [
      ['x-probe', 'yes please'],
      ['authorization', 'Bearer abc'],
    ],
    status: [
      [200, 200],
      [204, 204],
      [300, 302],
    ],
    contains: 'fine',
    bodyLimit: 100,
    version: '1.1',
    credentials: undefined,
    body: undefined,
    fields: [],
    matches: undefined,
    json: [],
    digest: undefined,
    redirects: 0,
    further: [],
    tls: {
      serverName: 'www.example.org',
      verify: true,
      authorities: PEM,
      client: undefined,
      expiresWithin: undefined,
      alpn: ['http/1.1'],
    },
  });
});

/** [keys of the check, the server name] */
const SERVER_NAMES: readonly (readonly [string, string | undefined])[] = [
  ['host: www.example.org', 'www.example.org'],
  ['host: www.example.org, server-name: other.example.org', 'other.example.org'],
  ['host: 192.0.2.7', undefined],
  ["host: '192.0.2.7:8443'", undefined],
  ["host: '[2001:db8::1]:8443'", undefined],
  ['verify: false', undefined],
];

t.test('the name in the handshake is the host, where that is a name', async (t) => {
  for (const [keys, expected] of SERVER_NAMES) {
    const { probe } = serverOf(
      `address: 192.0.2.1:443\ncheck: { type: https, ${keys} }\nservers: [192.0.2.2]`,
    ).checks[0];
    t.equal(probe.type === 'https' ? probe.tls?.serverName : 'not https', expected, keys);
  }
});

t.test('an ftp check: anonymous, or somebody with a password from outside', async (t) => {
  const probe = (keys: string, deps = outside()) =>
    serverOf(`address: 192.0.2.1:21\ncheck: { type: ftp${keys} }\nservers: [192.0.2.2]`, deps).checks[0]
      .probe;
  const target = { address: '192.0.2.2', port: 21 };
  const anonymous = { type: 'ftp', target, user: 'anonymous', password: 'lvsentry@' };
  t.same(probe(''), { ...anonymous, file: undefined, fileBy: 'size', tls: undefined });
  t.same(probe(', file: /alive, file-by: retrieve'), {
    ...anonymous,
    file: '/alive',
    fileBy: 'retrieve',
    tls: undefined,
  });
  const keys = `, user: probe, password: '\${file:/secret}'`;
  t.same(probe(keys, outside({}, { '/secret': ' pa ss \r\n' })), {
    type: 'ftp',
    target,
    user: 'probe',
    password: ' pa ss ',
    file: undefined,
    fileBy: 'size',
  });
  t.match(probe(", password: 'me@example.org'"), { user: 'anonymous', password: 'me@example.org' });
});

t.test(
  'when to probe is inherited key by key, from the server over the service to the defaults',
  async (t) => {
    const config = configOf(`
defaults:
  check: { interval: 10s, timeout: 4s, rise: 5, fall: 6, assume: down }
services:
  web:
    address: 192.0.2.1:80
    check: { type: http, interval: 8s, rise: 4 }
    servers:
      - { address: 192.0.2.2, check: { interval: 6s } }
      - 192.0.2.3
`);
    const rules = config.services[0]?.servers.map(({ checks }) => checks[0].rule);
    t.same(rules, [
      { ...EVEN, interval: 6000, timeout: 4000, rise: 4, fall: 6, assume: 'down' },
      { ...EVEN, interval: 8000, timeout: 4000, rise: 4, fall: 6, assume: 'down' },
    ]);
  },
);

t.test('a time-out that nobody gave is a second, or the interval where that is shorter', async (t) => {
  const timeout = (interval: string) =>
    serverOf(`address: 192.0.2.1:80\ncheck: { interval: ${interval} }\nservers: [192.0.2.2]`).checks[0].rule
      .timeout;
  t.equal(timeout('5s'), 1000);
  t.equal(timeout('250ms'), 250);
  t.equal(timeout('3s, timeout: 3s'), 3000, 'a time-out as long as the interval is right');
});

/** [check of the defaults, of the service, of the server, what the probe must match] */
const INHERITED: readonly (readonly [string, string, string, object])[] = [
  ['{}', '{ type: http, path: /x }', '{ port: 81 }', { type: 'http', path: '/x', target: { port: 81 } }],
  ['{}', '{ type: http, path: /x }', '{ type: https }', { type: 'https', path: '/x' }],
  [
    '{}',
    '{ type: https, server-name: x }',
    '{ type: http, path: /y }',
    { type: 'http', path: '/y', tls: undefined },
  ],
  ['{ type: http, path: /x }', '{ type: tcp }', '{ type: http }', { type: 'http', path: '/x' }],
  ['{}', '{ type: http, path: /x, port: 81 }', '{ type: tcp }', { type: 'tcp', target: { port: 80 } }],
  ['{ type: ftp, user: anonymous }', '{}', '{}', { type: 'ftp', user: 'anonymous' }],
  ['{ port: 99 }', '{ type: http }', '{}', { type: 'http', target: { port: 99 } }],
  ['{}', '{}', '{}', { type: 'tcp' }],
];

t.test('what to probe with is inherited from levels of the same type only', async (t) => {
  for (const [defaults, service, server, expected] of INHERITED) {
    const config = configOf(`
defaults: { check: ${defaults} }
services:
  web:
    address: 192.0.2.1:80
    check: ${service}
    servers: [{ address: 192.0.2.2, check: ${server} }]
`);
    t.match(config.services[0]?.servers[0]?.checks[0].probe, expected, `${defaults} ${service} ${server}`);
  }
});

t.test('secrets never stand in a fault, and what they hold is checked', async (t) => {
  const check = (keys: string) =>
    serviceText(`address: 192.0.2.1:21\ncheck: { ${keys} }\nservers: [192.0.2.2]`);
  const deps = outside({ EMPTY: '', TWO: 'hush\nDELE x' }, { '/secret': 'hush\u0007', '/empty': '\n' });
  const texts = [
    [check(`type: ftp, user: u, password: '\${env:TWO}'`), 'password: what it stands for holds a line break'],
    [
      check(`type: ftp, user: u, password: '\${env:EMPTY}'`),
      'password: the environment variable EMPTY is empty',
    ],
    [
      check(`type: ftp, user: u, password: '\${env:A-B}'`),
      'password: "A-B" is not the name of an environment variable',
    ],
    [check(`type: ftp, user: u, password: '\${file:/empty}'`), "password: the secret's file /empty is empty"],
    [
      check(`type: http, headers: { a: '\${file:/secret}' }`),
      'what it stands for is not printable ASCII on one line',
    ],
    [check(`type: https, authorities: /secret`), '/secret holds no certificate in PEM form'],
    [`services: {}\nalerts: { a: { webhook: { url: 'hush\${env:TWO}' } } }`, 'not a URL such as'],
  ] as const;
  for (const [text, expected] of texts) {
    const [fault = '', ...more] = faultsOf(text, deps);
    t.ok(fault.includes(expected), fault);
    t.notOk(fault.includes('hush'), 'the secret is not told');
    t.same(more, []);
  }
});

t.test("other intervals and chance are a check's own, inherited as the rest", async (t) => {
  const text = 'interval: 1s, fast-interval: 200ms, down-interval: 5s, jitter: 20%, assume: kernel';
  const { checks } = serverOf(`address: 192.0.2.1:80\ncheck: { ${text} }\nservers: [192.0.2.2]`);
  t.match(checks[0].rule, { fastInterval: 200, downInterval: 5000, jitter: 0.2, assume: 'kernel' });
});

t.test('the rule for weights by latency is inherited as a whole, and has defaults', async (t) => {
  const ruleOf = (check: string) =>
    serverOf(`address: 192.0.2.1:80\ncheck: ${check}\nservers: [{ address: 192.0.2.2, weight: 100 }]`)
      .checks[0].rule.latency;
  t.equal(ruleOf('{ type: tcp }'), undefined);
  const usual = { halfLife: 30_000, floor: 25, ceiling: 100, maximumStep: 10, deadBand: 5 };
  t.same(ruleOf('{ latency-weight: { target: 1ms } }'), { target: 1000, ...usual });
  const all = 'half-life: 1m, floor: 1%, ceiling: 1000%, maximum-step: 2%, dead-band: 3%';
  t.same(ruleOf(`{ latency-weight: { target: 2s, ${all} } }`), {
    target: 2_000_000,
    halfLife: 60_000,
    floor: 1,
    ceiling: 1000,
    maximumStep: 2,
    deadBand: 3,
  });
});

const WEB = (check: string, given = outside({ TOKEN: 'abc' })) => {
  const { probe } = serverOf(`address: 192.0.2.1:80\ncheck: ${check}\nservers: [192.0.2.2]`, given).checks[0];
  if (probe.type !== 'http') throw new Error(probe.type);
  return probe;
};

t.test('urls take from the check what they do not say', async (t) => {
  const urls = '[{ path: /a }, { path: /b, status: [401], contains: B }]';
  const probe = WEB(`{ type: http, contains: A, matches: 'x+', expect-headers: { X-A: '' }, urls: ${urls} }`);
  t.match(probe, { path: '/a', host: '192.0.2.2:80', contains: 'A', matches: 'x+', fields: [['x-a', '']] });
  t.match(probe.further, [
    {
      path: '/b',
      host: '192.0.2.2:80',
      contains: 'B',
      matches: 'x+',
      status: [[401, 401]],
      fields: [['x-a', '']],
    },
  ]);
  t.equal(probe.further.length, 1);
});

t.test('of path and urls the innermost counts', async (t) => {
  const of = (service: string, server: string) => {
    const servers = `servers: [{ address: 192.0.2.2, check: ${server} }]`;
    const { probe } = serverOf(`address: 192.0.2.1:80\ncheck: ${service}\n${servers}`).checks[0];
    return probe.type === 'http' ? [probe.path, ...probe.further.map(({ path }) => path)] : [];
  };
  t.same(of('{ type: http, path: /a }', '{ urls: [{ path: /b }, { path: /c }] }'), ['/b', '/c']);
  t.same(of('{ type: http, urls: [{ path: /b }, { path: /c }] }', '{ path: /a }'), ['/a']);
  t.same(of('{ type: http, urls: [{ path: /b }, { path: /c }] }', '{ fall: 5 }'), ['/b', '/c']);
});

t.test('what an http check may look for, and who asks', async (t) => {
  const json = "{ '': a, /b/c: 1, /d: null, /e: false, /f: 1.5 }";
  t.same(WEB(`{ type: http, json: ${json} }`).json, [
    ['', 'a'],
    ['/b/c', 1],
    ['/d', null],
    ['/e', false],
    ['/f', 1.5],
  ]);
  t.equal(
    WEB('{ type: http, digest: 640205B7B0FC66C1EA91C463FAC6334D }').digest,
    '640205b7b0fc66c1ea91c463fac6334d',
  );
  t.same(
    ['1.0', '1.1', '1'].map((version) => WEB(`{ type: http, version: ${version} }`).version),
    ['1.0', '1.1', '1.0'],
  );
  const post = WEB(`{ type: http, method: POST, body: "t=\${env:TOKEN}", redirects: 3 }`);
  t.match(post, { method: 'POST', body: 't=abc', redirects: 3 });
  t.same(WEB(`{ type: http, token: "\${env:TOKEN}" }`).credentials, { kind: 'bearer', token: 'abc' });
  const basic = { kind: 'basic', user: 'me', password: 'abc' };
  t.same(WEB(`{ type: http, user: me, password: "\${env:TOKEN}" }`).credentials, basic);
});

t.test('HTTP/2, gRPC and WebSocket', async (t) => {
  const of = (check: string) =>
    serverOf(`address: 192.0.2.1:80\ncheck: ${check}\nservers: [192.0.2.2]`, outside({}, { '/ca.pem': PEM }))
      .checks[0].probe;
  t.match(of('{ type: https, version: 2, host: a.example }'), {
    version: '2',
    tls: { alpn: ['h2'], serverName: 'a.example' },
  });
  t.match(of('{ type: http, version: 2 }'), { version: '2', tls: undefined });
  const target = { address: '192.0.2.2', port: 80 };
  t.same(of('{ type: grpc }'), { type: 'grpc', target, service: '', host: '192.0.2.2:80', tls: undefined });
  const grpc = of('{ type: grpc, service: a.B, host: h.example, tls: implicit, authorities: /ca.pem }');
  t.match(grpc, {
    service: 'a.B',
    host: 'h.example',
    tls: { alpn: ['h2'], serverName: 'h.example', authorities: PEM },
  });
  t.notOk('start' in ((grpc.type === 'grpc' && grpc.tls) || {}));
  t.same(of('{ type: websocket }'), {
    type: 'websocket',
    target,
    path: '/',
    host: '192.0.2.2:80',
    headers: [],
    credentials: undefined,
    subprotocol: undefined,
    ping: false,
    tls: undefined,
  });
  const keys =
    'path: /c, headers: { Origin: x }, subprotocol: chat, ping: true, tls: implicit, server-name: s.example';
  t.match(of(`{ type: websocket, ${keys} }`), {
    path: '/c',
    headers: [['origin', 'x']],
    subprotocol: 'chat',
    ping: true,
    tls: { alpn: ['http/1.1'], serverName: 's.example' },
  });
});
