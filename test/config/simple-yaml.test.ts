/** Laws: what the simple reader reads is what the full parser reads, node by node, and it refuses all else. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { boolCoreTag, floatCoreTag, intCoreTag, NOT_RESOLVED, nullCoreTag } from 'js-yaml';
import t from 'tap';
import { readSimpleYaml } from '../../src/config/simple-yaml.js';
import { readEvents } from '../../src/config/yaml.js';
import { plainValue } from '../../src/config/yaml-node.js';
import { filesBelow, read } from '../house/project.js';
import { source } from './given.js';
import { text as files, wound, wounded } from './texts.js';

/** Whether the simple reader read it. @throws Error where the full parser reads something else. */
function agrees(text: string): boolean {
  const root = readSimpleYaml(text);
  if (root === undefined) return false;
  const full = readEvents(source(text));
  if (isDeepStrictEqual({ root, faults: [], anchored: false }, full)) return true;
  throw new Error(`${text}\n--- is\n${JSON.stringify(root)}\n--- should be\n${JSON.stringify(full)}`);
}

/** Holds the two readers against each other. @returns how many texts the simple one read. */
function law(text: fc.Arbitrary<string>, runs: number): number {
  let known = 0;
  const property = fc.property(text, (each) => {
    if (agrees(each)) known += 1;
  });
  fc.assert(property, { numRuns: runs });
  return known;
}

/** What lines are made of, and what makes them something else. */
const PARTS = [
  ...[
    'a',
    'key',
    '"k"',
    "'k'",
    '1',
    '-1',
    '0x1f',
    '1e3',
    '.5',
    '~',
    'null',
    'true',
    '2s',
    '10.0.0.1',
    '10.0.0.1:80',
  ],
  ...[
    '"x y"',
    "'x'",
    '""',
    "''",
    '"a\\n"',
    "'it''s'",
    '/p?q',
    'a#b',
    'a,b',
    'a:b',
    'a:',
    'a b',
    'x=y@z',
    '+',
    '.',
    '..',
    '...',
  ],
  ...[
    ': ',
    ': ',
    ': ',
    ':',
    ' :',
    '- ',
    '- ',
    '-',
    '-  ',
    '? ',
    ', ',
    ',',
    '{',
    '}',
    '[',
    ']',
    '{ ',
    ' }',
    '[ ',
    ' ]',
  ],
  ...[
    '\n',
    '\n',
    '\n ',
    '\n  ',
    '\n  ',
    '\n    ',
    '\n\n',
    ' ',
    '   ',
    ' # c',
    '#',
    '\n# c\n',
    '\n  # c\n',
    ' \n',
  ],
  ...[
    '&a ',
    '*a',
    '!t ',
    '|',
    '>',
    '%',
    '@',
    '`',
    '---',
    '<<',
    '\t',
    '\u00fc',
    '\u2028',
    '\ufeff',
    '\r',
    '__proto__',
  ],
];
const anyLines = fc
  .array(fc.constantFrom(...PARTS), { maxLength: 14 })
  .map((parts) => `a: ${parts.join('')}\n`);

const scalar = fc.constantFrom(...PARTS.slice(0, 36));
const { flow, block } = fc.letrec<{ flow: string; block: string }>((tie) => ({
  flow: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('flow'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc
      .array(fc.tuple(scalar, tie('flow')), { maxLength: 3 })
      .map((all) => `{ ${all.map(([key, value]) => `${key}: ${value}`).join(' , ')}}`),
  ),
  block: fc.oneof(
    { maxDepth: 3 },
    tie('flow').map((value) => ` ${value}`),
    tie('flow').map((value) => ` ${value} # why`),
    fc
      .array(fc.tuple(fc.constantFrom('a', 'b', 'c', '"d"'), tie('block')), { minLength: 1, maxLength: 3 })
      .map((all) => all.map(([key, value]) => `\n  ${key}:${value.replaceAll('\n', '\n  ')}`).join('')),
    fc
      .array(tie('block'), { minLength: 1, maxLength: 3 })
      .map((all) =>
        all.map((value) => `\n  -${value.replace(/^\n +/, ' ').replaceAll('\n', '\n  ')}`).join(''),
      ),
    fc
      .array(tie('flow'), { minLength: 1, maxLength: 2 })
      .map((all) => all.map((value) => `\n- ${value}`).join('')),
  ),
}));
const blocks = fc
  .array(fc.tuple(fc.constantFrom('k', 'l', "'m'", 'n-o'), block), { minLength: 1, maxLength: 3 })
  .map((all) => all.map(([key, value]) => `${key}:${value}\n`).join(''));

t.test('what it reads is what the full parser reads', async (t) => {
  const ill = fc.tuple(blocks, wound).map(([text, each]) => wounded(text, [each]));
  const laws: readonly (readonly [string, fc.Arbitrary<string>, number, number])[] = [
    ['lines of any parts', anyLines, 20_000, 20],
    ['configurations', files, 2000, 20],
    ['blocks', blocks, 6000, 300],
    ['wounded blocks', ill, 6000, 30],
    ['flow collections', flow.map((value) => `a: ${value}`), 4000, 800],
  ];
  for (const [name, text, runs, least] of laws) {
    const known = law(text, runs);
    t.ok(known >= least, `${name}: ${known} of ${runs} are read`);
  }
});

t.test('it reads what configurations are mostly made of', async (t) => {
  const texts = [
    'a: 1\n',
    'a: 1',
    '# c\n\na:   "x"   # c\n  # c\nb-c: {d: [1, 2], "e": {}}\n\n',
    'a:\n- 1\n-  b: 2\n   c: 3\n- { d: 4 }\ne: []\n',
    'a:\n    b:\n      - 1.2.3.4:80\n      - "[::1]:80"\n    # end\n',
  ];
  for (const text of texts) t.ok(agrees(text), text);
});

const REFUSED = [
  ...[
    '',
    '\n',
    '# c\n',
    'a',
    '- 1\n',
    ' a: 1\n',
    '{ a: 1 }\n',
    '---\na: 1\n',
    'a: 1\n...\n',
    'a: 1\n---\nb: 2\n',
  ],
  ...[
    'a:\n',
    'a:\nb: 1\n',
    'a: 1\na: 2\n',
    '<<: {}\n',
    '"<<": {}\n',
    'a: b\n  c\n',
    'a: "b\n  c"\n',
    'a: [1,\n  2]\n',
  ],
  ...[
    'a: |\n  b\n',
    'a: >\n  b\n',
    'a: &b c\n',
    'a: *b\n',
    'a: !!str c\n',
    '? a\n: b\n',
    'a: "\\x41"\n',
    "a: 'it''s'\n",
  ],
  ...[
    'a:\tb\n',
    'a: b\r\n',
    '\ufeffa: 1\n',
    'a: \u2028\n',
    'a: b: c\n',
    'a: [b: c]\n',
    'a: - b\n',
    'a:\n - - b\n',
    'a:\n -\n',
  ],
  ...[
    'a:\n  b: 1\n c: 2\n',
    'a:\n  - 1\n - 2\n',
    'a:\n  b: 1\n    c: 2\n',
    'a: {b: 1,}\n',
    'a: [,]\n',
    'a: {b}\n',
    'a: [1\n',
    'a: "b" c\n',
  ],
  `a: ${'['.repeat(20)}${']'.repeat(20)}\n`,
];

t.test('it refuses what it does not know, right or wrong', async (t) => {
  for (const text of REFUSED) t.equal(readSimpleYaml(text), undefined, encodeURI(text));
});

t.test('the configurations of the project agree', async (t) => {
  const paths = [...filesBelow('config', /\.yaml$/), ...filesBelow('test/config/invalid', /\.yaml$/)];
  const known = paths.filter((path) => agrees(read(path)));
  t.ok(known.length > 5, `${known.length} of ${paths.length} are read`);
});

const CORE_TAGS = [nullCoreTag, boolCoreTag, intCoreTag, floatCoreTag];

/** A scalar without quotes, by all rules of the core schema one after the other. */
function coreValue(text: string): unknown {
  const values = CORE_TAGS.map((tag): unknown => tag.resolve(text, false, tag.tagName));
  const found = values.findIndex((value) => value !== NOT_RESOLVED);
  return found < 0 ? text : values[found];
}

t.test('a scalar is text exactly where no rule of the core schema says otherwise', async (t) => {
  const pieces = [
    '0',
    '1',
    '9',
    '.',
    '-',
    '+',
    'e',
    'E',
    'x',
    'o',
    'f',
    ':',
    '~',
    '.inf',
    '.NaN',
    'null',
    'true',
    'False',
    '_',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 6 }), (parts) => {
      const text = parts.join('');
      return Object.is(plainValue(text), coreValue(text));
    }),
    { numRuns: 20_000 },
  );
  t.pass('numbers, words and what looks like them');
});
