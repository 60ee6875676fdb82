/** Several checks on a server: where they come from, what they are called, how many must pass. */
import t from 'tap';
import type { ServerConfig } from '../../src/config/model.js';
import { configOf, faultsOf, serverOf, serviceOf, serviceText } from './given.js';

const names = ({ checks }: ServerConfig): readonly string[] =>
  checks.map(({ id }) => id.slice('web/'.length));

t.test('a list with one check is as a check', async (t) => {
  const listed = serverOf('address: 192.0.2.1:80\nchecks: [{ type: tcp, rise: 4 }]\nservers: [192.0.2.2]');
  const single = serverOf('address: 192.0.2.1:80\ncheck: { type: tcp, rise: 4 }\nservers: [192.0.2.2]');
  t.same(listed, single);
  t.equal(listed.needed, 1);
});

t.test('checks are called by name, by type, and by number where that is taken', async (t) => {
  const server = serverOf(`
address: 192.0.2.1:80
checks:
  - { type: http }
  - { type: tcp, name: http-2 }
  - { type: http, path: /b }
  - { type: http, path: /c }
  - { type: tcp }
servers: [{ name: one, address: 192.0.2.2 }]`);
  t.same(names(server), ['one/http', 'one/http-2', 'one/http-3', 'one/http-4', 'one/tcp']);
});

const NEEDED: readonly (readonly [string, number])[] = [
  ['', 3],
  ['require: all', 3],
  ['require: any', 1],
  ['require: { at-least: 2 }', 2],
];

t.test('so many must pass', async (t) => {
  for (const [text, needed] of NEEDED) {
    const lines = `address: 192.0.2.1:80\nchecks: [{ type: tcp }, { type: http }, { type: ftp }]\n${text}\nservers: [192.0.2.2]`;
    t.equal(serverOf(lines).needed, needed, text);
  }
});

t.test('each check of a list inherits by itself, and from no other list', async (t) => {
  const config = configOf(`
defaults: { check: { interval: 7s, type: http, path: /all } }
services:
  web:
    address: 192.0.2.1:80
    checks: [{ path: /a, interval: 3s }, { type: tcp, port: 90 }]
    require: any
    servers:
      - 192.0.2.2
      - { address: 192.0.2.3, checks: [{ rise: 9 }, { type: tcp }] }
      - { address: 192.0.2.4, check: { path: /own } }
`);
  const servers = config.services[0]?.servers ?? [];
  const seen = servers.map(({ checks, needed }) => ({
    needed,
    checks: checks.map(({ rule, probe }) => [
      probe.type,
      probe.type === 'http' ? probe.path : probe.target.port,
      rule.interval,
      rule.rise,
    ]),
  }));
  t.same(seen, [
    {
      needed: 1,
      checks: [
        ['http', '/a', 3000, 2],
        ['tcp', 90, 7000, 2],
      ],
    },
    {
      needed: 2,
      checks: [
        ['http', '/all', 7000, 9],
        ['tcp', 80, 7000, 2],
      ],
    },
    { needed: 1, checks: [['http', '/own', 7000, 2]] },
  ]);
});

t.test("a server's list stands over the service's check", async (t) => {
  const { servers } = serviceOf(
    'address: 192.0.2.1:80\ncheck: { type: http, path: /x, fall: 8 }\nservers: [{ address: 192.0.2.2, checks: [{ rise: 3 }, { type: tcp }] }]',
  );
  t.same(
    servers[0]?.checks.map(({ rule, probe }) => [probe.type, rule.rise, rule.fall]),
    [
      ['http', 3, 8],
      ['tcp', 2, 8],
    ],
  );
});

t.test('a fallback with a list is probed', async (t) => {
  const service = serviceOf(
    'address: 192.0.2.1:80\nfallback: { address: 192.0.2.9, checks: [{ type: tcp }, { type: http }] }\nservers: [192.0.2.2]',
  );
  const [[spare] = []] = service.fallback;
  t.same(
    spare?.checks.map(({ id }) => id),
    ['web/192.0.2.9:80/tcp', 'web/192.0.2.9:80/http'],
  );
});

t.test('all faults of a list are told in one run, and a fault hides no other', async (t) => {
  const faults = faultsOf(
    serviceText(
      'address: 192.0.2.1:80\nchecks: [{ type: tcp, rise: 0 }, { type: htp }, { type: http, path: x }]\nservers: [192.0.2.2]',
    ),
  );
  t.same(
    faults.map((fault) => /web\.([^:]*):/.exec(fault)?.[1]),
    ['checks[0].rise', 'checks[1].type', 'checks[2].path'],
  );
});
