/** `state:`. */
import t from 'tap';
import { millis } from '../../src/core/units.js';
import type { RedisTarget, StateConfig } from '../../src/store/model.js';
import { configOf, faultsOf, outside } from './given.js';

const PEM = '-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n';
const DEPS = outside(
  { WORD: 'p@ss/w:rd' },
  { '/r/word': 'other\n', '/r/ca.pem': PEM, '/r/url': 'redis://:x@h/3\n' },
);

const stateOf = (keys: string): StateConfig | undefined =>
  configOf(`services: {}\nstate: { ${keys} }`, DEPS).state;
const redisOf = (url: string): RedisTarget | undefined => stateOf(`redis: "${url}"`)?.redis;

t.test('without it nothing outlives a restart', async (t) => {
  t.equal(configOf('services: {}').state, undefined);
});

t.test('a directory, and how old its verdicts may be', async (t) => {
  t.same(stateOf('directory: /var/lib/lvsentry'), {
    directory: '/var/lib/lvsentry',
    redis: undefined,
    verdictsAge: millis(60_000),
  });
  t.equal(stateOf('directory: /d, verdicts-age: 5m')?.verdictsAge, 300_000);
});

const NOBODY = { username: undefined, password: undefined, tls: undefined };

const URLS: readonly (readonly [string, RedisTarget])[] = [
  ['redis://10.0.0.5', { host: '10.0.0.5', port: 6379, database: 0, ...NOBODY }],
  ['redis://redis.example.org:6380/7', { host: 'redis.example.org', port: 6380, database: 7, ...NOBODY }],
  ['redis://[2001:db8::5]:6380/', { host: '2001:db8::5', port: 6380, database: 0, ...NOBODY }],
  ['redis://:p%40ss@h', { ...NOBODY, host: 'h', port: 6379, database: 0, password: 'p@ss' }],
  ['redis://u:p@h', { ...NOBODY, host: 'h', port: 6379, database: 0, username: 'u', password: 'p' }],
  [
    `redis://u:\${env:WORD}@h`,
    { ...NOBODY, host: 'h', port: 6379, database: 0, username: 'u', password: 'p@ss/w:rd' },
  ],
  [`redis://:\${file:/r/word}@h/2`, { ...NOBODY, host: 'h', port: 6379, database: 2, password: 'other' }],
  [`\${file:/r/url}`, { ...NOBODY, host: 'h', port: 6379, database: 3, password: 'x' }],
  ['rediss://h', { ...NOBODY, host: 'h', port: 6379, database: 0, tls: { authorities: undefined } }],
];

t.test('the parts of a URL, and secrets letter by letter', async (t) => {
  for (const [url, expected] of URLS) t.same(redisOf(url), expected, url);
});

t.test('authorities of our own', async (t) => {
  t.same(stateOf('redis: "rediss://h", authorities: /r/ca.pem')?.redis?.tls, { authorities: PEM });
});

const WRONG: readonly (readonly [string, RegExp])[] = [
  ['verdicts-age: 5s', /state: nothing is kept; say `directory` or `redis`/],
  ['directory: var/lib', /state\.directory: "var\/lib" is not the absolute path of a folder/],
  ['redis: "http://h"', /state\.redis: not a URL such as redis:/],
  ['redis: "redis://h:0"', /state\.redis: not a URL/],
  ['redis: "redis://h:70000"', /state\.redis: not a URL/],
  [`redis: "redis://:\${env:NOBODY}@h"`, /the environment variable NOBODY is not set/],
  [`redis: "redis://:\${file:/r/none}@h"`, /the secret's file \/r\/none does not exist/],
  ['redis: "redis://h", verdicts-age: 5s', /verdicts-age: only with `directory`/],
  ['redis: "redis://h", authorities: /r/ca.pem', /authorities: only with `redis: rediss:/],
  ['directory: /d, authorities: /r/ca.pem', /authorities: only with `redis: rediss:/],
  ['redis: "rediss://h", authorities: /r/word', /\/r\/word holds no certificate in PEM form/],
];

t.test('what is wrong is told at its place', async (t) => {
  for (const [keys, expected] of WRONG) {
    const faults = faultsOf(`services: {}\nstate: { ${keys} }`, DEPS);
    t.equal(faults.length, 1, `${keys}: one fault`);
    t.match(faults[0], expected);
  }
});

t.test('a password never stands in a fault', async (t) => {
  for (const url of ['redis://:secret99@h:0', 'redis://u:secret99@h/x', 'redis:secret99@h'])
    t.notMatch(faultsOf(`services: {}\nstate: { redis: "${url}" }`).join(), /secret99/);
});
