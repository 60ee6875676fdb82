/** Text to values with their places. */
import t from 'tap';
import { FAULTS_MAX, faultText, finishFaults, locator, type RawFault } from '../../src/config/faults.js';
import { nearest } from '../../src/config/suggest.js';
import { DEPTH_MAX, readYaml, VALUES_MAX } from '../../src/config/yaml.js';
import type { YamlNode } from '../../src/config/yaml-node.js';
import { source } from './given.js';

function read(text: string): YamlNode {
  const { root, faults } = readYaml(source(text));
  if (root === undefined || faults.length > 0)
    throw new Error(`faults in ${text}: ${JSON.stringify(faults)}`);
  return root;
}

/** The value as plain JSON: mappings of ours have no prototype. */
function plain(text: string): unknown {
  return JSON.parse(JSON.stringify(read(text).value));
}

function faultsOf(text: string): readonly string[] {
  const given = source(text);
  return finishFaults([given], readYaml(given).faults).map(faultText);
}

/** [text, value] by YAML 1.2's core schema, chapter 10.3. */
const SCALARS: readonly (readonly [string, unknown])[] = [
  ['a: 1', 1],
  ['a: -12', -12],
  ['a: 0o17', 15],
  ['a: 0x1F', 31],
  ['a: 0777', 777],
  ['a: 1.5', 1.5],
  ['a: 1e3', 1000],
  ['a: true', true],
  ['a: False', false],
  ['a: yes', 'yes'],
  ['a: no', 'no'],
  ['a: on', 'on'],
  ['a: ~', null],
  ['a:', null],
  ['a: null', null],
  ['a: nullify', 'nullify'],
  ['a: "1"', '1'],
  ["a: 'it''s'", "it's"],
  ['a: "x\\ty\\u00e9"', 'x\tyé'],
  ['a: 2s', '2s'],
  ['a: 1.2.3.4', '1.2.3.4'],
  ['a: 10:20', '10:20'],
  ['a: 2024-01-01', '2024-01-01'],
  ['a: ::1', '::1'],
  ['a: |\n  x\n  y\n', 'x\ny\n'],
  ['a: >-\n  x\n  y\n', 'x y'],
  ['a: "x\n  y"', 'x y'],
];

t.test('scalars are read by the core schema of YAML 1.2', async (t) => {
  for (const [text, value] of SCALARS) t.same(plain(text), { a: value }, JSON.stringify(text));
});

t.test('collections, comments and aliases', async (t) => {
  t.same(plain('# c\na: [1, {b: 2}] # d\nc:\n- x\n-   - y\n'), { a: [1, { b: 2 }], c: ['x', ['y']] });
  t.same(plain('a: &x { b: [1] }\nc: *x\nd: [*x]'), { a: { b: [1] }, c: { b: [1] }, d: [{ b: [1] }] });
  t.same(plain('a: &x 1\nb: &x 2\nc: *x'), { a: 1, b: 2, c: 2 }, 'the last anchor before the alias counts');
});

/** [text, path, line, column] */
const PLACES: readonly (readonly [string, readonly (string | number)[], number, number])[] = [
  ['a: 1', ['a'], 1, 4],
  ['a: "x"', ['a'], 1, 4],
  ["a:\n  b:   'x'", ['a', 'b'], 2, 8],
  ['a:\n  - 1\n  - 22', ['a', 1], 3, 5],
  ['a: {b: [1, 2]}', ['a'], 1, 4],
  ['a: {b: [1, 2]}', ['a', 'b'], 1, 8],
  ['a: {b: [1, 2]}', ['a', 'b', 1], 1, 12],
  ['a:\n  b: 1\n', ['a'], 2, 3],
  ['a:\r\n  b: 1\r\n', ['a', 'b'], 2, 6],
  ['a:\r  b: 1\r', ['a', 'b'], 2, 6],
  ['\u00e9: \u{1f600}x', ['\u00e9'], 1, 4],
  ['a:\n\nb: 1', ['a'], 1, 1],
  ['a:\n  -\n  - 1\n  -\n', ['a', 0], 2, 3],
  ['a:\n  - 1\n  # - no\n  -\n', ['a', 1], 4, 3],
  ['a: &x [1]\nb: *x', ['b', 0], 1, 8],
  ['\ufeffa: 1', ['a'], 1, 5],
];

t.test('every value knows its line and column', async (t) => {
  for (const [text, path, line, column] of PLACES) {
    let node: YamlNode | undefined = read(text);
    for (const key of path) {
      node = typeof key === 'number' ? node?.items?.[key] : node?.fields?.get(key)?.node;
    }
    t.same(locator(source(text))(node?.start ?? -1), { line, column }, JSON.stringify(text));
  }
});

t.test('all duplicate keys of a file are told, each with the place of the first', async (t) => {
  t.same(faultsOf('a: 1\nb: {c: 1, c: 2}\na: 2\n"a": 3\nd: 4'), [
    'a.yaml:2:11: the key c stands here a second time (first in line 2); keep one',
    'a.yaml:3:1: the key a stands here a second time (first in line 1); keep one',
    'a.yaml:4:1: the key a stands here a second time (first in line 1); keep one',
  ]);
});

t.test('an empty file says so, whatever its emptiness is made of', async (t) => {
  for (const text of ['', '\n\n', '# only a comment\n', '---\n', '~', '\ufeff', '---\n...\n']) {
    t.match(faultsOf(text), [/^a\.yaml: the file is empty/], JSON.stringify(text));
  }
});

t.test('control characters and broken escapes are faults at their place', async (t) => {
  t.match(faultsOf('a: 1\nb: \u0000'), [/^a\.yaml:2:4: not YAML: null byte/]);
  t.match(faultsOf('a: 1\nb: \u0001'), [/^a\.yaml:2:\d+: not YAML: .*non-printable/]);
  t.match(faultsOf('a: "\\x4"'), [/^a\.yaml:1:\d+: not YAML: /]);
});

t.test('nesting is bounded, and far below what the stack could bear', async (t) => {
  const nested = (depth: number) => `a: ${'['.repeat(depth)}${']'.repeat(depth)}`;
  t.same(faultsOf(nested(DEPTH_MAX - 1)), []);
  t.match(faultsOf(nested(DEPTH_MAX)), [/nested more than 32 levels deep/]);
  t.match(faultsOf(nested(1_000_000)), [/nested more than 32 levels deep/]);
  t.match(faultsOf('- '.repeat(1_000_000)), [/nested more than 32 levels deep/]);
  t.match(faultsOf('{a: '.repeat(500_000)), [/nested more than 32 levels deep/]);
});

/** Each level stands for ten of the one before: 10^levels values in a few lines. */
function aliasBomb(levels: number): string {
  const lines = ['l0: &l0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < levels; level += 1) {
    const alias = `*l${level - 1}`;
    lines.push(`l${level}: &l${level} [${Array.from({ length: 10 }, () => alias).join(', ')}]`);
  }
  return lines.join('\n');
}

t.test('aliases are bounded by what they stand for', async (t) => {
  t.same(faultsOf(aliasBomb(4)), []);
  for (const levels of [6, 9, 400]) {
    t.match(faultsOf(aliasBomb(levels)), [/more than 500000 values, aliases counted as what they stand for/]);
  }
});

t.test('values are bounded also without aliases', async (t) => {
  t.match(faultsOf(`a: [${'1,'.repeat(VALUES_MAX)}]`), [/more than 500000 values/]);
});

t.test('faults are sorted, told once, and bounded', async (t) => {
  const [a, b] = [source('x\ny', 'a'), source('x', 'b')];
  const raw: RawFault[] = [
    { source: b, offset: 0, message: 'third' },
    { source: a, offset: 2, message: 'second' },
    { source: a, offset: 2, message: 'second' },
    { source: a, offset: -1, message: 'first' },
  ];
  t.same(finishFaults([a, b], raw).map(faultText), ['a: first', 'a:2:1: second', 'b:1:1: third']);
  const ugly = { source: a, offset: 0, message: `\u001b[2J\n${'x'.repeat(4000)}` };
  const [told] = finishFaults([a], [ugly]);
  t.equal(told?.message, `\\x1b[2J\\x0a${'x'.repeat(595)}...`, 'printable, on one line, and cut');
  const many = Array.from({ length: FAULTS_MAX + 5 }, (_, index) => ({
    source: a,
    offset: 0,
    message: `${index}`,
  }));
  const bounded = finishFaults([a], many);
  t.equal(bounded.length, FAULTS_MAX + 1);
  t.equal(bounded.at(-1)?.message, 'and more; put these right first');
  t.equal(finishFaults([a], many.slice(5)).at(-1)?.message, `${FAULTS_MAX + 4}`, 'exactly at the bound');
});

const KEYS = [
  'scheduler',
  'servers',
  'server-name',
  'on-failure',
  'weight',
  'port',
  'path',
  'rise',
  'on',
  'persistence',
];

/** [word, what was meant] */
const MEANT: readonly (readonly [string, string | undefined])[] = [
  ['schedular', 'scheduler'],
  ['server', 'servers'],
  ['wieght', 'weight'],
  ['Port', 'port'],
  ['on_failure', 'on-failure'],
  ['persist', 'persistence'],
  ['prot', 'port'],
  ['raise', 'rise'],
  ['no', 'on'],
  ['zz', undefined],
  ['x', undefined],
  ['quorum', undefined],
  ['', undefined],
  ['scheduler'.repeat(1000), undefined],
];

t.test('the nearest key is suggested, and none where none is near', async (t) => {
  for (const [word, meant] of MEANT) t.equal(nearest(word, KEYS), meant, word.slice(0, 40));
});
