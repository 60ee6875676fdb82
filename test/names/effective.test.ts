/** The effective configuration: what names come to, what stays the same object, and what is guessed of a table. */
import fc from 'fast-check';
import t from 'tap';
import type { Config, ServiceConfig } from '../../src/config/model.js';
import { type Ip, ip } from '../../src/core/ip.js';
import { epochMillis } from '../../src/core/units.js';
import { destText, serviceText } from '../../src/ipvs/keys.js';
import {
  addressesInTable,
  configAtStart,
  EffectiveConfigs,
  mayGo,
  questionId,
  questionsOf,
} from '../../src/names/effective.js';
import { destIn } from '../../src/policy/desired.js';
import { configOf } from '../config/given.js';
import { dest, key, service, table } from '../ipvs/build.js';

const NAMED = `
services:
  web:
    address: 198.51.100.1:80
    forward: masquerade
    servers:
      - 192.0.2.1
      - { resolve: { name: APP.example., servers: 3 }, name: app, port: 8080, weight: 5, tags: [blue] }
  shop:
    address: 198.51.100.2:80
    servers: [{ resolve: { name: app.example } }]
  plain:
    address: 198.51.100.3:80
    servers: [192.0.2.9]
`;

const APP = 'ipv4 app.example';
const list = (...texts: readonly string[]): readonly Ip[] => texts.map(ip);
const known = (...texts: readonly string[]) => new Map([[APP, list(...texts)]]);

function serversIn(config: Config, name: string): readonly string[] {
  return config.services.find((one) => one.name === name)?.servers.map((server) => server.name) ?? [];
}

t.test('every address of a name is a server', (t) => {
  const config = configOf(NAMED);
  t.same([...questionsOf(config)], [[APP, { host: 'app.example', family: 'ipv4', loopback: false }]]);
  const effective = new EffectiveConfigs().of(config, known('192.0.2.5', '192.0.2.6'));
  t.same(serversIn(effective, 'web'), ['192.0.2.1:80', 'app@192.0.2.5', 'app@192.0.2.6']);
  t.same(serversIn(effective, 'shop'), ['app.example@192.0.2.5', 'app.example@192.0.2.6']);
  const server = effective.services[0]?.servers[1];
  t.same(server?.dest.key, { address: '192.0.2.5', port: 8080 });
  t.equal(server?.dest.settings.weight, 5);
  t.same(server?.tags, ['blue']);
  t.match(server?.checks, [
    { id: 'web/app@192.0.2.5', probe: { type: 'tcp', target: { address: '192.0.2.5', port: 8080 } } },
  ]);
  t.equal(effective.services[0]?.awaited, undefined);
  t.end();
});

t.test('no more than so many, and none where somebody is already', (t) => {
  const config = configOf(NAMED);
  const many = known('192.0.2.5', '192.0.2.1', '192.0.2.6', '192.0.2.7', '192.0.2.8');
  const effective = new EffectiveConfigs().of(config, many);
  t.same(
    serversIn(effective, 'web'),
    ['192.0.2.1:80', 'app@192.0.2.5', 'app@192.0.2.1', 'app@192.0.2.6'],
    'another port is another server',
  );
  const same = configOf(NAMED.replace('port: 8080, ', ''));
  t.same(serversIn(new EffectiveConfigs().of(same, many), 'web'), [
    '192.0.2.1:80',
    'app@192.0.2.5',
    'app@192.0.2.6',
    'app@192.0.2.7',
  ]);
  t.end();
});

t.test('of a name without an answer its weight is awaited', (t) => {
  const [web, shop, plain] = new EffectiveConfigs().of(configOf(NAMED), new Map()).services;
  t.same([web?.awaited, shop?.awaited, plain?.awaited], [5, 1, undefined]);
  t.same(web?.servers.length, 1);
  t.end();
});

t.test('what does not change is the same object', (t) => {
  const config = configOf(NAMED);
  const made = new EffectiveConfigs();
  const first = made.of(config, known('192.0.2.5', '192.0.2.6'));
  const again = made.of(config, known('192.0.2.5', '192.0.2.6'));
  t.same(
    again.services.map((one, index) => one === first.services[index]),
    [true, true, true],
  );
  const other = made.of(config, known('192.0.2.6', '192.0.2.7'));
  t.equal(other.services[2], first.services[2]);
  t.not(other.services[0], first.services[0]);
  t.equal(other.services[0]?.servers[1], first.services[0]?.servers[2], 'the server that stays');
  const plain = configOf('services: {}');
  t.equal(made.of(plain, new Map()), plain, 'without names there is nothing to do');
  t.end();
});

t.test('a maintenance window that covers a name covers its servers', (t) => {
  const window = 'maintenance: { disks: { from: 2030-01-01T00:00:00Z, until: 2030-01-02T00:00:00Z, ';
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['servers: [app]', ['web/app@192.0.2.5']],
    ['servers: [web/app, 192.0.2.9]', ['web/app@192.0.2.5', 'plain/192.0.2.9:80']],
    ['servers: [app.example]', ['web/app@192.0.2.5', 'shop/app.example@192.0.2.5']],
    ['tags: [blue]', ['web/app@192.0.2.5']],
    ['services: [web]', ['web/192.0.2.1:80', 'web/app@192.0.2.5']],
    ['services: [plain]', ['plain/192.0.2.9:80']],
  ];
  for (const [words, servers] of cases) {
    const config = configOf(`${window}${words} } }\n${NAMED}`);
    t.same(new EffectiveConfigs().of(config, known('192.0.2.5')).maintenance[0]?.servers, servers, words);
  }
  t.end();
});

const WEB = service(key('198.51.100.1', 80));

t.test('the table tells of names of which nothing is known, and of no others', (t) => {
  const config = configOf(NAMED);
  const seen = table([
    WEB,
    [
      dest('192.0.2.1'),
      dest('192.0.2.5', {}, 8080),
      dest('192.0.2.6', {}, 8080),
      dest('192.0.2.7', {}, 9999),
    ],
  ]);
  const effective = new EffectiveConfigs().of(config, new Map());
  t.same([...addressesInTable(effective, seen, new Map())], [[APP, list('192.0.2.5', '192.0.2.6')]]);
  const answered = known('192.0.2.8');
  t.same([...addressesInTable(new EffectiveConfigs().of(config, answered), seen, answered)], []);
  t.same([...addressesInTable(effective, table(), new Map())], []);
  const start = configAtStart(config, new Map(), seen);
  t.same(serversIn(start, 'web'), ['192.0.2.1:80', 'app@192.0.2.5', 'app@192.0.2.6']);
  const remembered = new Map([[APP, { addresses: list('192.0.2.8'), answeredAt: epochMillis(1) }]]);
  t.same(serversIn(configAtStart(config, remembered, seen), 'web'), ['192.0.2.1:80', 'app@192.0.2.8']);
  t.end();
});

t.test('those that serve go only where one that is left is up', (t) => {
  const config = new EffectiveConfigs().of(configOf(NAMED), known('192.0.2.5', '192.0.2.6', '192.0.2.7'));
  const [gone, left] = [list('192.0.2.5'), list('192.0.2.6')];
  const cases: readonly (readonly [Readonly<Record<string, 'up' | 'down'>>, boolean])[] = [
    [{}, false],
    [{ 'web/app@192.0.2.6': 'up' }, false],
    [{ 'web/app@192.0.2.6': 'up', 'shop/app.example@192.0.2.6': 'up' }, true],
    [{ 'web/app@192.0.2.5': 'down', 'shop/app.example@192.0.2.5': 'down' }, true],
    [{ 'web/app@192.0.2.5': 'down', 'shop/app.example@192.0.2.6': 'up' }, true],
    [{ 'web/app@192.0.2.5': 'up', 'web/app@192.0.2.6': 'down', 'shop/app.example@192.0.2.6': 'up' }, false],
    [{ 'web/app@192.0.2.7': 'up', 'shop/app.example@192.0.2.7': 'up' }, false],
  ];
  for (const [held, may] of cases)
    t.equal(
      mayGo(config, APP, { gone, left }, (id) => held[id]),
      may,
      JSON.stringify(held),
    );
  t.equal(
    mayGo(config, 'ipv6 app.example', { gone, left }, () => 'up'),
    true,
    'nobody asked that',
  );
  t.end();
});

/** Where every server of a service stands in each of its entries. */
function placesOf({ entries, servers }: ServiceConfig): readonly string[] {
  return entries.flatMap(({ key: entry }) =>
    servers.map((server) => `${serviceText(entry)} ${destText(destIn(server, entry).key)}`),
  );
}

const MIXED = `
services:
  web:
    addresses: [198.51.100.1:80, 198.51.100.1:443, 198.51.100.1:8080]
    forward: masquerade
    servers:
      - 192.0.2.1
      - { address: 192.0.2.2, port: 8080 }
      - { resolve: { name: a.example, servers: 4 } }
      - { resolve: { name: a.example, servers: 2 }, name: other, port: 8080 }
      - { resolve: { name: b.example, servers: 4 }, port: 443 }
    fallback: { address: 192.0.2.3, port: 443 }
`;

t.test('laws: no two servers at one place, no name beyond its number, the same from scratch', (t) => {
  const config = configOf(MIXED);
  const made = new EffectiveConfigs();
  const pool = Array.from({ length: 8 }, (_, index) => ip(`192.0.2.${index + 1}`));
  const some = fc.shuffledSubarray(pool);
  fc.assert(
    fc.property(fc.option(some, { nil: undefined }), fc.option(some, { nil: undefined }), (a, b) => {
      const addresses = new Map<string, readonly Ip[]>();
      if (a !== undefined) addresses.set('ipv4 a.example', a);
      if (b !== undefined) addresses.set('ipv4 b.example', b);
      const effective = made.of(config, addresses);
      const [web] = effective.services;
      if (web === undefined) return false;
      const places = placesOf(web);
      const names = web.servers.map(({ name }) => name);
      t.same(JSON.stringify(effective), JSON.stringify(new EffectiveConfigs().of(config, addresses)));
      return (
        new Set(places).size === places.length &&
        new Set(names).size === names.length &&
        names.filter((name) => name.startsWith('other@')).length <= 2 &&
        names.filter((name) => name.startsWith('a.example@')).length <= 4
      );
    }),
  );
  t.end();
});

t.test('questions of a trial on loopback are their own', (t) => {
  const trial = configOf(NAMED.replace('198.51.100.2:80', '127.0.0.1:80'));
  t.same([...questionsOf(trial).keys()], [APP, 'ipv4 app.example on loopback']);
  t.equal(questionId({ host: 'a.b', family: 'ipv6', loopback: false }), 'ipv6 a.b');
  t.end();
});
