/** Laws: any text parses or has faults inside it; meaning does not depend on order, spelling or files. */
import fc from 'fast-check';
import t from 'tap';
import type { ConfigFault, ConfigResult } from '../../src/config/model.js';
import { parseConfig } from '../../src/config/parse.js';
import { read } from '../house/project.js';
import { configOf, faultsOf, outside, source } from './given.js';

const EXAMPLE = read('config/lvsentry.example.yaml');

/** Lines as YAML 1.2 counts them. */
function inside(text: string, fault: ConfigFault): boolean {
  if (fault.line === 0) return fault.column === 0;
  const line = text.split(/\r\n|\r|\n/)[fault.line - 1];
  // A line break is the last character of its line: a fault may stand on it.
  return line !== undefined && fault.column >= 1 && fault.column <= line.length + 2;
}

function holds(text: string): boolean {
  const result: ConfigResult = parseConfig([source(text)], outside());
  if (result.ok) return true;
  const messages = result.faults.every(({ message }) => message.length > 0 && message.length < 1000);
  const oneLine = result.faults.every(({ message }) => !/[\r\n]/.test(message));
  return (
    result.faults.length > 0 && messages && oneLine && result.faults.every((fault) => inside(text, fault))
  );
}

const RUNS = { numRuns: 300 };

t.test('any text parses or has faults inside it', async (t) => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), holds), RUNS);
  t.pass('text of any characters');
});

const TOKENS = [
  ...[
    'services',
    'web',
    'address',
    'servers',
    'check',
    'type',
    'http',
    'defaults',
    '192.0.2.1:80',
    '5',
    '2s',
  ],
  ...[
    ':',
    ': ',
    '- ',
    '? ',
    '{',
    '}',
    '[',
    ']',
    ',',
    '\n',
    '\n  ',
    '\n    ',
    '\t',
    '\r\n',
    '#',
    ' #',
    "'",
    '"',
  ],
  ...[
    '|',
    '>-',
    '&a ',
    '*a',
    '!!str ',
    '!x ',
    '---\n',
    '...\n',
    '%YAML 1.2\n',
    '<<',
    '~',
    '\\',
    `\${env:X}`,
    '\ufeff',
  ],
];

t.test('text made of what YAML is made of parses or has faults inside it', async (t) => {
  const text = fc.array(fc.constantFrom(...TOKENS), { maxLength: 60 }).map((tokens) => tokens.join(''));
  fc.assert(fc.property(text, holds), { numRuns: 2000 });
  t.pass('tokens in any order');
});

t.test('the example with a piece cut out or put in parses or has faults inside it', async (t) => {
  const cut = fc.tuple(
    fc.nat(EXAMPLE.length),
    fc.nat(30),
    fc.array(fc.constantFrom(...TOKENS), { maxLength: 3 }),
  );
  fc.assert(
    fc.property(cut, ([at, length, tokens]) =>
      holds(EXAMPLE.slice(0, at) + tokens.join('') + EXAMPLE.slice(at + length)),
    ),
    RUNS,
  );
  t.pass('one wound anywhere');
});

const KEYS = [
  ...[
    'services',
    'alerts',
    'defaults',
    'api',
    'name',
    'table',
    'web',
    'address',
    'fwmark',
    'protocol',
    'servers',
  ],
  ...[
    'check',
    'type',
    'port',
    'interval',
    'timeout',
    'forward',
    'tunnel',
    'persistence',
    'netmask',
    'flags',
    'status',
  ],
  ...[
    'headers',
    'host',
    'contains',
    'method',
    'user',
    'password',
    'webhook',
    'url',
    'on',
    'weight',
    '__proto__',
  ],
];

const LEAVES = [
  ...[
    null,
    true,
    'a\nb',
    '1.2.3.4\n:80',
    '\u001b',
    0,
    1,
    65_536,
    -1,
    1.5,
    '',
    'x',
    '2s',
    'tcp',
    'http',
    'https',
    'ftp',
    'direct',
    'tunnel',
  ],
  ...[
    '192.0.2.1',
    '192.0.2.1:80',
    '[2001:db8::1]:80',
    '2001:db8::1',
    '/x',
    `\${env:X}`,
    `\${file:/x}`,
    'sh-port',
  ],
];

t.test('any values under the keys of the schema parse or have faults inside the text', async (t) => {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 6, withCrossShrink: true },
      fc.constantFrom(...LEAVES),
      fc.dictionary(fc.constantFrom(...KEYS), tie('value'), { maxKeys: 6 }),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
  }));
  const root = fc.dictionary(fc.constantFrom(...KEYS.slice(0, 6)), value);
  fc.assert(
    fc.property(root, (made) => holds(JSON.stringify(made, null, 1))),
    { numRuns: 1000 },
  );
  t.pass('any values');
});

/** Services that are right, as data: the address makes each unique. */
const serviceArbitrary = fc
  .record({
    scheduler: fc.constantFrom('wlc', 'rr', 'mh'),
    forward: fc.constantFrom('direct', 'masquerade', 'tunnel'),
    'on-failure': fc.constantFrom('remove', 'quiesce'),
    servers: fc.uniqueArray(fc.integer({ min: 1, max: 250 }), { minLength: 1, maxLength: 5 }),
    weight: fc.nat(2_147_483_647),
    check: fc.constantFrom({ type: 'tcp' }, { type: 'http', path: '/x', rise: 4 }, { type: 'ftp' }, {}),
  })
  .map(({ servers, weight, ...rest }) => ({
    ...rest,
    servers: servers.map((last) => ({ address: `10.0.0.${last}`, weight })),
  }));

const servicesArbitrary = fc
  .array(serviceArbitrary, { minLength: 1, maxLength: 6 })
  .map((list) =>
    Object.fromEntries(
      list.map((service, index) => [`s${index}`, { address: `192.0.2.1:${index + 1}`, ...service }]),
    ),
  );

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The same data with the keys of every mapping below the services in the opposite order. */
function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, reversed(each)] as const);
  return Object.fromEntries(entries.reverse());
}

t.test('the order of keys means nothing', async (t) => {
  fc.assert(
    fc.property(servicesArbitrary, (services) => {
      const other = Object.fromEntries(
        Object.entries(services).map(([name, service]) => [name, reversed(service)]),
      );
      t.same(configOf(JSON.stringify({ services: other })), configOf(JSON.stringify({ services })));
    }),
    { numRuns: 50 },
  );
});

t.test('one file or a file for each service is the same configuration', async (t) => {
  fc.assert(
    fc.property(servicesArbitrary, (services) => {
      const files = Object.entries(services).map(([name, service]) =>
        source(JSON.stringify({ services: { [name]: service } }), `${name}.yaml`),
      );
      const result = parseConfig(files, outside());
      t.same(result.ok ? result.config : result.faults, configOf(JSON.stringify({ services })));
    }),
    { numRuns: 50 },
  );
});

/** Keys of headers are free: nothing is unknown there. */
const FREE = /user-agent/;

t.test('an unknown key is told wherever it stands, at its place', async (t) => {
  const lines = EXAMPLE.split('\n');
  const places = lines.flatMap((line, index) =>
    /^ +[a-z-]+: *[^{&[|# ]/.test(line) && !FREE.test(line) ? [index] : [],
  );
  t.ok(places.length > 40);
  for (const index of places) {
    const indent = /^ */.exec(lines[index] ?? '')?.[0] ?? '';
    const text = [...lines.slice(0, index), `${indent}zzzzzz: 1`, ...lines.slice(index)].join('\n');
    const faults = faultsOf(text);
    t.equal(faults.length, 1, `${lines[index]}`);
    const place = new RegExp(`^a\\.yaml:${index + 1}:${indent.length + 1}: .*\\bzzzzzz: `);
    t.match(faults[0], place);
  }
});
