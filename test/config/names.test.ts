/** Names of servers in a configuration: what is asked, and what each address comes to. */
import t from 'tap';
import type { NamedServers } from '../../src/config/model.js';
import { isOnLoopback, NAME_RULE, possibleServers } from '../../src/config/names.js';
import { ip } from '../../src/core/ip.js';
import { millis, seconds } from '../../src/core/units.js';
import { configOf, faultsOf, serviceOf, serviceText } from './given.js';

function namedIn(lines: string): NamedServers {
  const [named] = serviceOf(lines).names ?? [];
  if (named === undefined) throw new Error('the service has no name');
  return named;
}

const named = (fields: string, more = 'address: 198.51.100.1:80'): NamedServers =>
  namedIn(
    `${more}\nservers: [{ resolve: { name: app.example${fields.startsWith('}') ? ' ' : ', '}${fields} }]`,
  );

t.test('how names are looked up, and what holds where nothing is said', (t) => {
  t.same(configOf('services: {}').resolve, NAME_RULE);
  const text = `resolve: { resolvers: [192.0.2.53, '[2001:db8::53]:5353'], timeout: 250ms, minimum-ttl: 1s, maximum-ttl: 1m, hold: 0s }`;
  t.same(configOf(`${text}\nservices: {}`).resolve, {
    resolvers: [
      { address: '192.0.2.53', port: 53 },
      { address: '2001:db8::53', port: 5353 },
    ],
    timeout: millis(250),
    minimumTtl: seconds(1),
    maximumTtl: seconds(60),
    hold: seconds(0),
  });
  t.end();
});

t.test('the name is whole, without case and without the dot at its end', (t) => {
  for (const name of [
    'app.example',
    'APP.Example',
    'app.example.',
    '_http.app.example',
    'a',
    '1.2.example',
    'x--y',
  ]) {
    const lines = `address: 198.51.100.1:80\nservers: [{ resolve: { name: ${JSON.stringify(name)} } }]`;
    t.equal(namedIn(lines).question.host, name.toLowerCase().replace(/\.$/, ''), name);
  }
  const bad = [
    '-a.example',
    'a-.example',
    'a..b',
    '.',
    'a b',
    'ü.example',
    'a/b',
    `${'x'.repeat(64)}.example`,
    `${'a.'.repeat(127)}`,
  ];
  for (const name of bad) {
    const text = serviceText(
      `address: 198.51.100.1:80\nservers: [{ resolve: { name: ${JSON.stringify(name)} } }]`,
    );
    t.match(faultsOf(text), [/is not a name in DNS|is not a name/], name);
  }
  t.end();
});

t.test("the family is the service's, unless a tunnel leads elsewhere", (t) => {
  t.equal(named('}').question.family, 'ipv4');
  t.equal(named('}', "address: '[2001:db8::1]:80'").question.family, 'ipv6');
  t.equal(named('}', 'fwmark: 7\nfamily: ipv6\ncheck: { port: 80 }').question.family, 'ipv6');
  t.equal(named('family: ipv6 }', 'address: 198.51.100.1:80\nforward: tunnel').question.family, 'ipv6');
  t.end();
});

t.test('servers on loopback are believed where all addresses of the service are there', (t) => {
  t.equal(named('}').question.loopback, false);
  t.equal(named('}', 'address: 127.0.0.1:80').question.loopback, true);
  t.equal(named('}', 'addresses: [127.0.0.1:80, 198.51.100.1:80]').question.loopback, false);
  t.equal(named('}', 'fwmark: 7\ncheck: { port: 80 }').question.loopback, false);
  t.equal(isOnLoopback([]), false);
  t.end();
});

t.test('a server of an address has all that the entry says', (t) => {
  const one = named(
    'servers: 2 }, name: app, weight: 3, upper-threshold: 9, tags: [blue], check: { type: http, path: /up }',
  );
  t.match(one, { name: 'app', most: 2, weight: 3, tags: ['blue'] });
  const server = one.serverAt(ip('192.0.2.7'));
  t.match(server, {
    name: 'app@192.0.2.7',
    dest: { key: { address: '192.0.2.7', port: 80 }, settings: { weight: 3, upperThreshold: 9 } },
    followsPort: true,
    needed: 1,
    tags: ['blue'],
    checks: [
      { id: 'web/app@192.0.2.7', probe: { type: 'http', target: { address: '192.0.2.7', port: 80 } } },
    ],
  });
  t.end();
});

t.test('it is the server that its address would be', (t) => {
  const more = 'weight: 2, checks: [{ type: tcp }, { type: http, path: /a, port: 81 }], require: any';
  for (const service of ['address: 198.51.100.1:80', 'addresses: [198.51.100.1:80, 198.51.100.2:443]']) {
    const literal = serviceOf(`${service}\nservers: [{ name: here, address: 192.0.2.7, ${more} }]`)
      .servers[0];
    const of = namedIn(`${service}\nservers: [{ name: here, resolve: { name: a.example }, ${more} }]`);
    const server = of.serverAt(ip('192.0.2.7'));
    const plain = (value: unknown): string => JSON.stringify(value).replaceAll('here@192.0.2.7', 'here');
    t.same(JSON.parse(plain(server)), JSON.parse(plain(literal)));
  }
  t.end();
});

t.test('what a service may come to have is held against its rules', (t) => {
  const lines =
    'address: 198.51.100.1:80\nquorum: { weight: 9 }\nservers: [192.0.2.1, { resolve: { name: a.example, servers: 4 }, weight: 2 }]';
  t.equal(possibleServers(serviceOf(lines)).length, 5);
  t.match(faultsOf(serviceText(lines.replace('weight: 9', 'weight: 10'))), [
    /can never be met: all servers have 9/,
  ]);
  const rails = lines.replace('quorum: { weight: 9 }', 'minimum-healthy: 5');
  t.same(faultsOf(serviceText(rails)), []);
  t.match(faultsOf(serviceText(rails.replace('healthy: 5', 'healthy: 6'))), [/can never be met/]);
  t.equal(serviceOf('address: 198.51.100.1:80\nservers: [192.0.2.1]').names, undefined);
  t.end();
});

t.test('probes that come from an address come from one of the family', (t) => {
  const lines =
    'address: 198.51.100.1:80\ncheck: { source: 198.51.100.9 }\nservers: [{ resolve: { name: a.example } }]';
  const server = namedIn(lines).serverAt(ip('192.0.2.7'));
  t.match(server.checks, [{ probe: { target: { origin: { source: '198.51.100.9' } } } }]);
  t.match(faultsOf(serviceText(lines.replace('source: 198.51.100.9', "source: '2001:db8::9'"))), [
    /2001:db8::9 is ipv6/,
  ]);
  t.end();
});
