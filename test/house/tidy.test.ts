import t from 'tap';
import ts from 'typescript';
import { ENTRIES } from './floors.js';
import { filesBelow, importsOf, type Module, modulesBelow, parse, read } from './project.js';

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 60;
/** What the whole of src must stay below: [median, 90th percentile]. */
const FILE_LINES_TYPICAL = [150, FILE_LINES_MAX] as const;
const FUNCTION_LINES_TYPICAL = [10, 35] as const;

const SOURCE = filesBelow('src', /\.ts$/);
const SCRIPTS = filesBelow('scripts', /\.(ts|mjs)$/);
const TESTS = filesBelow('test', /\.ts$/);
const TEXT = filesBelow('.', /\.(ts|mjs|c|h|md|yaml|yml|json|sh|gyp)$/).filter(
  (path) => path !== 'package-lock.json' && !path.startsWith('test/vectors/'),
);

interface Length {
  readonly name: string;
  readonly lines: number;
}

function linesOf(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

function functionName(node: ts.FunctionLikeDeclaration): string {
  if (node.name !== undefined) return node.name.getText();
  const { parent } = node;
  return ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)
    ? parent.name.getText()
    : 'arrow';
}

function functionLengths(path: string, text: string): Length[] {
  const file = parse(path, text);
  const found: Length[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const [start, end] = [node.getStart(), node.getEnd()].map(
        (at) => file.getLineAndCharacterOfPosition(at).line,
      );
      const lines = (end ?? 0) - (start ?? 0) + 1;
      found.push({ name: `${path}:${(start ?? 0) + 1} ${functionName(node)}`, lines });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function tooLong(lengths: readonly Length[], max: number): string[] {
  return lengths.filter(({ lines }) => lines > max).map(({ name, lines }) => `${name}: ${lines} lines`);
}

function percentile(lengths: readonly Length[], part: number): number {
  const sorted = lengths.map(({ lines }) => lines).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

const FILE_LENGTHS = SOURCE.map((path) => ({ name: path, lines: linesOf(read(path)) }));
const FUNCTION_LENGTHS = SOURCE.flatMap((path) => functionLengths(path, read(path)));

t.test(`no file is longer than ${FILE_LINES_MAX} lines`, async (t) => {
  const others = [...SCRIPTS, ...TESTS].map((path) => ({ name: path, lines: linesOf(read(path)) }));
  t.same(tooLong([...FILE_LENGTHS, ...others], FILE_LINES_MAX), []);
});

t.test(`no function is longer than ${FUNCTION_LINES_MAX} lines`, async (t) => {
  const scripts = SCRIPTS.flatMap((path) => functionLengths(path, read(path)));
  t.same(tooLong([...FUNCTION_LENGTHS, ...scripts], FUNCTION_LINES_MAX), []);
});

t.test('files and functions are typically short', async (t) => {
  for (const [what, lengths, [median, p90]] of [
    ['files', FILE_LENGTHS, FILE_LINES_TYPICAL],
    ['functions', FUNCTION_LENGTHS, FUNCTION_LINES_TYPICAL],
  ] as const) {
    const [is50, is90] = [percentile(lengths, 0.5), percentile(lengths, 0.9)];
    t.ok(is50 <= median && is90 <= p90, `${lengths.length} ${what}: median ${is50}, p90 ${is90} lines`);
  }
  const [source, tests] = [SOURCE, TESTS].map((paths) =>
    paths.reduce((sum, path) => sum + linesOf(read(path)), 0),
  );
  t.comment(`${source} lines of source, ${tests} lines of test`);
});

/** Files of src that no program reaches, type imports included. */
function unreached(modules: readonly Module[], roots: readonly string[]): string[] {
  const next = new Map(modules.map(({ path, imports }) => [path, imports.map(({ target }) => target)]));
  const seen = new Set<string>();
  const waiting = [...roots];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    waiting.push(...(next.get(path) ?? []));
  }
  return modules.map(({ path }) => path).filter((path) => !seen.has(path));
}

/** What stands before it is used; once it is, it must go from here. */
const AHEAD: readonly string[] = [];

const noMain = !SOURCE.includes('src/main.ts') && 'there is no src/main.ts yet';

t.test('every file of src is reached from a program', { skip: noMain }, async (t) => {
  const modules = modulesBelow('src');
  const entries = SOURCE.filter((path) => ENTRIES.test(path));
  const fromScripts = filesBelow('scripts', /\.ts$/).flatMap((path) => importsOf(path, read(path)));
  t.same(unreached(modules, [...entries, ...fromScripts.map(({ target }) => target)]), AHEAD);
});

/** What may not stand in our files; written in pieces so that this file does not find itself. */
const LEFTOVERS: readonly (readonly [string, RegExp])[] = [
  [
    'a leftover marker',
    new RegExp(`\\b(${['TO', 'FIX', 'X'].map((a, i) => a + ['DO', 'ME', 'XX'][i]).join('|')})\\b`),
  ],
  [
    'a path of one machine',
    new RegExp(`(^|[\\s"'\`(=])/(${['wo', 'ro', 'ho'].map((a, i) => a + ['rk', 'ot', 'me'][i]).join('|')})/`),
  ],
  ['a test that runs alone', new RegExp(`\\bt\\.${'on'}ly\\(`)],
  ['a check that is switched off', new RegExp(`@ts-(${'ig'}nore|${'no'}check)|${'eslint'}-disable`)],
];

function leftovers(path: string, text: string): string[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      LEFTOVERS.filter(([, pattern]) => pattern.test(line)).map(
        ([what]) => `${path}:${index + 1}: ${what}: ${line.trim().slice(0, 80)}`,
      ),
    );
}

t.test('nothing is left over: markers, paths of one machine, checks switched off', async (t) => {
  t.same(
    TEXT.flatMap((path) => leftovers(path, read(path))),
    [],
  );
});

function offences(path: string, text: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isExportAssignment(node)) found.push(`${path}: a default export`);
    if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined)
      found.push(`${path}: passes on the exports of another file`);
    if (ts.isEnumDeclaration(node)) found.push(`${path}: an enum`);
    if (ts.isPropertyAccessExpression(node) && node.expression.getText() === 'console')
      found.push(`${path}: writes to the console`);
    ts.forEachChild(node, visit);
  };
  visit(parse(path, text));
  return found;
}

t.test('src has no default exports, barrels, enums, and writes to the console only in the CLI', async (t) => {
  const all = SOURCE.flatMap((path) => offences(path, read(path)));
  t.same(
    all.filter((text) => !(text.startsWith('src/cli/') && text.endsWith('console'))),
    [],
  );
});

t.test('the measures themselves: they find what they should', async (t) => {
  const text = 'function f() {\n  return () => {\n    return 1;\n  };\n}\n';
  t.same(functionLengths('x.ts', text), [
    { name: 'x.ts:1 f', lines: 5 },
    { name: 'x.ts:2 arrow', lines: 3 },
  ]);
  t.same(tooLong([{ name: 'x', lines: 3 }], 2), ['x: 3 lines']);
  t.same(tooLong([{ name: 'x', lines: 3 }], 3), []);
  const modules: Module[] = [
    { path: 'src/main.ts', imports: [{ target: 'src/a.ts', typeOnly: true }] },
    { path: 'src/a.ts', imports: [] },
    { path: 'src/dead.ts', imports: [{ target: 'src/a.ts', typeOnly: false }] },
  ];
  t.same(unreached(modules, ['src/main.ts']), ['src/dead.ts']);
  const bad = [`// ${'TO'}DO: x`, `open('/${'wo'}rk/x')`, `t.${'on'}ly('x')`, `// @ts-${'ig'}nore`];
  for (const line of bad) t.equal(leftovers('x.ts', line).length, 1, `found: ${line}`);
  for (const line of ['todo list', 'the network/work/x path', "'/etc/x'"])
    t.equal(leftovers('x.ts', line).length, 0, `passed over: ${line}`);
  for (const line of ['export default 1;', "export * from './x.js';", 'enum X { a }', "console.log('x');"])
    t.equal(offences('x.ts', line).length, 1, `found: ${line}`);
});
