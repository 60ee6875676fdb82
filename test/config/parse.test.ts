/** What a configuration means: defaults, inheritance, references, several files. */
import t from 'tap';
import { EVENT_KINDS } from '../../src/alerts/model.js';
import type { Config } from '../../src/config/model.js';
import { NAME_RULE } from '../../src/config/names.js';
import { parseConfig } from '../../src/config/parse.js';
import { ip } from '../../src/core/ip.js';
import { millis } from '../../src/core/units.js';
import { RULES } from '../ipvs/build.js';
import { configOf, faultsOf, outside, serverOf, serviceOf, serviceText, source } from './given.js';

const MINIMAL = `
services:
  web:
    address: 192.168.2.254:80
    servers: [192.168.2.2]
`;

const COMPLETED: Config = {
  name: 'director',
  table: 'kernel',
  resync: millis(10_000),
  pathMarks: 0x4c56_0000,
  ownership: RULES,
  massFailure: undefined,
  probeBudget: undefined,
  resolve: NAME_RULE,
  api: { listen: { kind: 'tcp', host: '127.0.0.1', port: 8405 }, tokens: [] },
  services: [
    {
      name: 'web',
      entries: [
        {
          key: { kind: 'address', protocol: 'tcp', address: ip('192.168.2.254'), port: 80 },
          settings: {
            scheduler: 'wlc',
            schedulerFlags: { flag1: false, flag2: false, flag3: false },
            onePacket: false,
            persistence: undefined,
            persistenceEngine: undefined,
          },
        },
      ],
      onFailure: 'remove',
      servers: [
        {
          name: '192.168.2.2:80',
          dest: {
            key: { address: ip('192.168.2.2'), port: 80 },
            settings: { forward: { method: 'direct' }, weight: 1, upperThreshold: 0, lowerThreshold: 0 },
          },
          followsPort: true,
          needed: 1,
          checks: [
            {
              id: 'web/192.168.2.2:80',
              rule: {
                interval: millis(2000),
                fastInterval: undefined,
                downInterval: undefined,
                jitter: 0,
                timeout: millis(1000),
                rise: 2,
                fall: 3,
                assume: 'up',
              },
              probe: { type: 'tcp', target: { address: ip('192.168.2.2'), port: 80 } },
            },
          ],
        },
      ],
      rails: { minimum: undefined, maximumRemovals: undefined },
      tags: [],
      quorum: { weight: 1, hysteresis: 0 },
      fallback: [],
      admit: undefined,
      ownership: { drift: {}, onStop: undefined, onRemove: undefined },
    },
  ],
  alerts: [],
  vrrp: [],
  sync: undefined,
  timeouts: {},
  tracks: [],
  hooks: { all: undefined, single: new Map(), groups: new Map() },
  maintenance: [],
  state: undefined,
};

t.test('the least configuration is completed with every default, and JSON is YAML', async (t) => {
  t.same(configOf(MINIMAL), COMPLETED);
  const json = { services: { web: { address: '192.168.2.254:80', servers: ['192.168.2.2'] } } };
  t.same(configOf(JSON.stringify(json)), COMPLETED);
  t.same(
    configOf(JSON.stringify(json, null, '\t')),
    COMPLETED,
    'tabs between JSON tokens are no indentation',
  );
});

t.test('what stands at the top', async (t) => {
  const config = configOf(`
name: director-a
table: memory
resync: 1.5m
api: { listen: 'unix:/run/lvsentry.sock' }
services: {}
`);
  t.same(config, {
    ...COMPLETED,
    name: 'director-a',
    table: 'memory',
    resync: 90_000,
    pathMarks: 0x4c56_0000,
    api: { listen: { kind: 'unix', path: '/run/lvsentry.sock' }, tokens: [] },
    services: [],
  });
  const v6 = configOf('api: { listen: "[::1]:80" }\nservices: {}');
  t.same(v6.api.listen, { kind: 'tcp', host: '::1', port: 80 });
});

t.test('a service says what IPVS needs', async (t) => {
  const { entries, onFailure } = serviceOf(`
address: "[2001:DB8::1]:53"
protocol: udp
scheduler: mh
flags: [mh-port, flag-3]
one-packet: true
persistence: { timeout: 2m, netmask: 64 }
persistence-engine: sip
on-failure: quiesce
servers: ["2001:db8::2"]
`);
  t.equal(entries.length, 1);
  t.same(entries[0], {
    key: { kind: 'address', protocol: 'udp', address: '2001:db8::1', port: 53 },
    settings: {
      scheduler: 'mh',
      schedulerFlags: { flag1: false, flag2: true, flag3: true },
      onePacket: true,
      persistence: { timeoutSeconds: 120, prefix: 64 },
      persistenceEngine: 'sip',
    },
  });
  t.equal(onFailure, 'quiesce');
});

t.test('persistence without words is 300 seconds for each address', async (t) => {
  const of = (address: string, server: string) =>
    serviceOf(`address: "${address}"\npersistence: {}\nservers: ["${server}"]`).entries[0].settings
      .persistence;
  t.same(of('192.0.2.1:80', '192.0.2.2'), { timeoutSeconds: 300, prefix: 32 });
  t.same(of('[2001:db8::1]:80', '2001:db8::2'), { timeoutSeconds: 300, prefix: 128 });
});

t.test('a fwmark service has a family, and its servers keep the port of the packet', async (t) => {
  const { entries, servers } = serviceOf(`
fwmark: 0x10
family: ipv6
check: { port: 80 }
servers: ["2001:db8::2", { address: "2001:db8::3", port: 8080, check: { port: 81 } }]
`);
  t.same(entries[0].key, { kind: 'fwmark', family: 'ipv6', mark: 16 });
  t.same(
    servers.map(({ name, checks }) => `${name} ${checks[0].probe.target.port}`),
    ['[2001:db8::2]:0 80', '[2001:db8::3]:8080 81'],
  );
});

t.test('port 0 with persistence is every port; the check says which one it probes', async (t) => {
  const server = serverOf('address: 192.0.2.1:0\npersistence: {}\ncheck: { port: 80 }\nservers: [192.0.2.2]');
  t.equal(server.dest.key.port, 0);
  t.equal(server.checks[0].probe.target.port, 80);
});

t.test('a server says its port, weight and thresholds, in either spelling', async (t) => {
  const lines = (server: string) => `address: 192.0.2.1:80\nforward: masquerade\nservers: [${server}]`;
  const settings = { forward: { method: 'masquerade' }, weight: 1, upperThreshold: 0, lowerThreshold: 0 };
  const key = { address: '192.0.2.2', port: 8080 };
  t.same(serverOf(lines("'192.0.2.2:8080'")).dest, { key, settings });
  t.same(serverOf(lines('{ address: 192.0.2.2, port: 8080 }')).dest, { key, settings });
  t.same(
    serverOf(lines("{ address: '192.0.2.2:8080', weight: 0, upper-threshold: 5, lower-threshold: 5 }")).dest,
    {
      key,
      settings: { ...settings, weight: 0, upperThreshold: 5, lowerThreshold: 5 },
    },
  );
});

const GUE = { method: 'tunnel', type: 'gue', port: 6080, checksum: 'none' };
const IPIP = { method: 'tunnel', type: 'ipip', port: 0, checksum: 'none' };
const GRE = { method: 'tunnel', type: 'gre', port: 0, checksum: 'checksum' };

/** [lines of the service, keys of the server, the forwarding of the server] */
const FORWARDS: readonly (readonly [string, string, object])[] = [
  ['', '', { method: 'direct' }],
  ['forward: masquerade', '', { method: 'masquerade' }],
  ['forward: masquerade', 'forward: direct', { method: 'direct' }],
  ['forward: tunnel', '', IPIP],
  ['forward: tunnel\ntunnel: { type: gue, port: 6080 }', '', GUE],
  ['forward: tunnel\ntunnel: { type: gue, port: 6080 }', 'tunnel: { type: gre, checksum: checksum }', GRE],
  ['forward: tunnel\ntunnel: { type: gue, port: 6080 }', 'forward: tunnel', GUE],
  ['forward: direct', 'forward: tunnel', IPIP],
  ['forward: direct', 'forward: tunnel, tunnel: { type: gue, port: 6080 }', GUE],
  ['forward: tunnel\ntunnel: { type: gue, port: 6080 }', 'forward: direct', { method: 'direct' }],
];

t.test('a server forwards as its service does, unless it says otherwise', async (t) => {
  for (const [service, server, expected] of FORWARDS) {
    const keys = server === '' ? '' : `, ${server}`;
    const lines = `address: 192.0.2.1:80\n${service}\nservers: [{ address: 192.0.2.2${keys} }]`;
    t.same(serverOf(lines).dest.settings.forward, expected, `${service} / ${server}`);
  }
});

t.test('a tunnel may lead to the other family', async (t) => {
  const server = serverOf('address: 192.0.2.1:80\nforward: tunnel\nservers: ["2001:db8::2"]');
  t.same(server.dest.key, { address: '2001:db8::2', port: 80 });
});

t.test('an alert rule: who is told of what', async (t) => {
  const { alerts } = configOf(
    `
services: {}
alerts:
  plain: { webhook: { url: 'http://[2001:db8::1]:8080' } }
  all:
    webhook: { url: 'https://hooks.example.org/\${env:TOKEN}?x=1', secret: '\${file:/secret}' }
    on: [${Object.keys(EVENT_KINDS).join(', ')}]
    timeout: 250ms
    retries: 0
`,
    outside({ TOKEN: 'abc' }, { '/secret': 'key\r\n' }),
  );
  t.same(alerts, [
    {
      name: 'plain',
      webhook: { url: 'http://[2001:db8::1]:8080', secret: undefined },
      on: new Set(['server-down', 'server-up', 'service-lost', 'service-recovered']),
      timeout: 5000,
      retries: 5,
    },
    {
      name: 'all',
      webhook: { url: 'https://hooks.example.org/abc?x=1', secret: 'key' },
      on: new Set(Object.keys(EVENT_KINDS)),
      timeout: 250,
      retries: 0,
    },
  ]);
});

/** [URL, whether a webhook may go there] */
const URLS: readonly (readonly [string, boolean])[] = [
  ['https://alerts.example.org', true],
  ['http://127.0.0.1:9000/x', true],
  ['https://alerts.example.org?x', true],
  ['https://user:pass@alerts.example.org/', false],
  ['https://alerts.example.org:0/', false],
  ['https://alerts.example.org:70000/', false],
  ['https:///x', false],
  ['https://alerts.example.org/a b', false],
  ['unix:/run/x', false],
];

t.test('a webhook goes to an http or https URL without a user name', async (t) => {
  for (const [url, good] of URLS) {
    const faults = faultsOf(`services: {}\nalerts: { a: { webhook: { url: '${url}' } } }`);
    t.equal(faults.length === 0, good, url);
  }
});

t.test('what looks like a reference but is none stays as it is', async (t) => {
  const { alerts } = configOf(
    `services: {}\nalerts: { a: { webhook: { url: 'https://x/', secret: '\${foo} \${env} $HOME' } } }`,
  );
  t.equal(alerts[0]?.webhook.secret, `\${foo} \${env} $HOME`);
});

t.test(
  'all faults come at once, in the order of the text, those of the schema and those of the rules',
  async (t) => {
    const faults = faultsOf(`
tabel: memory
defaults:
  check: { interval: 1s, timeout: 3s }
services:
  web:
    address: 192.0.2.1:80
    scheduler: 5
    servers:
      - { address: 192.0.2.2, weight: -1, port: 81 }
      - { address: 192.0.2.2, upper-threshold: 1, lower-threshold: 2 }
      - { address: 192.0.2.2, check: { path: /x } }
  again:
    address: 192.0.2.1:80
    servers: [www.example.org]
`);
    t.same(
      faults.map((text) => text.split(': ').slice(0, 2).join(' ')),
      [
        'a.yaml:2:1 tabel',
        'a.yaml:4:35 defaults.check.timeout',
        'a.yaml:8:16 services.web.scheduler',
        'a.yaml:10:39 services.web.servers[0].weight',
        'a.yaml:10:49 services.web.servers[0].port',
        'a.yaml:11:68 services.web.servers[1].lower-threshold',
        'a.yaml:12:40 services.web.servers[2].check.path',
        'a.yaml:14:14 services.again.address',
        'a.yaml:15:15 services.again.servers[0]',
      ],
    );
  },
);

t.test('what depends on a faulty value is not told as well', async (t) => {
  const oneFault = [
    'address: 192.0.2.1:80\nforward: masqerade\nservers: ["192.0.2.2:8080"]',
    'address: 192.0.2.1:80\nscheduler: 5\nflags: [sh-port]\nservers: [192.0.2.2]',
    'address: 192.0.2:80\nservers: ["2001:db8::2", "192.0.2.2:81"]',
    'address: 192.0.2.1:0\npersistence: 5\ncheck: { port: 1 }\nservers: [192.0.2.2]',
    'address: 192.0.2.1:80\nprotocol: upd\none-packet: true\nservers: [192.0.2.2]',
    'address: 192.0.2.1:80\ncheck: { type: htp, path: nonsense }\nservers: [{ address: 192.0.2.2, check: { path: /x } }]',
    'address: 192.0.2.1:80\ncheck: { interval: 5, timeout: 9s }\nservers: [192.0.2.2]',
    'address: 192.0.2.1:80\nservers: [{ address: 192.0.2.2, upper-threshold: x, lower-threshold: 9 }]',
  ];
  for (const lines of oneFault) t.equal(faultsOf(serviceText(lines)).length, 1, lines);
});

t.test('a fault in what many inherit is told once', async (t) => {
  const faults = faultsOf(`
defaults: { check: { type: http, contains: x, method: HEAD } }
services:
  a: { address: "192.0.2.1:80", check: { rise: 1 }, servers: [192.0.2.2, 192.0.2.3] }
  b: { address: "192.0.2.1:81", servers: [192.0.2.2, { address: 192.0.2.3, check: { fall: 1 } }] }
`);
  t.equal(faults.length, 1);
  t.match(faults[0], /^a\.yaml:2:44: defaults\.check\.contains: /);
});

t.test('several files are one configuration', async (t) => {
  const texts = [
    'name: director-a\nservices:\n  a: { address: "192.0.2.1:80", servers: [192.0.2.2] }',
    'defaults: { check: { rise: 7 } }\nservices:\n  b: { address: "192.0.2.1:81", servers: [192.0.2.2] }',
    'alerts: { x: { webhook: { url: "http://x/" } } }',
  ];
  const result = parseConfig(
    texts.map((text, index) => source(text, `${index}.yaml`)),
    outside(),
  );
  t.ok(result.ok);
  if (!result.ok) return;
  t.equal(result.config.name, 'director-a');
  t.same(
    result.config.services.map(({ name, servers }) => [name, servers[0]?.checks[0].rule.rise]),
    [
      ['a', 7],
      ['b', 7],
    ],
    'the defaults of one file hold in all',
  );
  t.equal(result.config.alerts.length, 1);
});

t.test('what stands in two files is a fault that names both places', async (t) => {
  const first = 'name: a\nservices:\n  web: { address: "192.0.2.1:80", servers: [] }\nalerts: {}\n';
  const second =
    'services:\n  web: { address: "192.0.2.1:81", servers: [] }\n  x: { address: "192.0.2.1:80", servers: [] }\nname: b';
  t.same(faultsOf([first, second]), [
    'b.yaml:2:3: services.web: set already in a.yaml:3:3',
    'b.yaml:3:17: services.x.address: the service tcp 192.0.2.1:80 stands twice; the first is services.web.address (a.yaml:3:19)',
    'b.yaml:4:1: name: set already in a.yaml:1:1',
  ]);
});

t.test('files without services are told once, and not where one of the files is broken', async (t) => {
  t.same(faultsOf(['name: a', 'table: memory']).length, 1);
  t.match(faultsOf(['name: a', 'table: memory'])[0], /^a\.yaml: no `services`/);
  t.same(faultsOf(['name: a', '[']).length, 1, 'the broken file may have held them');
});

t.test('names that JavaScript knows are names like others', async (t) => {
  const names = ['constructor', 'toString', 'hasOwnProperty', 'prototype'];
  const lines = names.map(
    (name, index) => `  ${name}: { address: "192.0.2.1:${index + 1}", servers: [192.0.2.2] }`,
  );
  t.same(
    configOf(`services:\n${lines.join('\n')}`).services.map(({ name }) => name),
    names,
  );
  t.match(faultsOf('services: { __proto__: { fwmark: 1 } }')[0], /"?__proto__"?: the key is not a name/);
  t.match(faultsOf('__proto__: { table: memory }\nservices: {}')[0], /^a\.yaml:1:1: __proto__: unknown key/);
});
