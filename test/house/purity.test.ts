import { join } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { isPure, SYS } from './floors.js';
import { filesBelow, parse, ROOT, read } from './project.js';

const CONFIG_FILE = 'tsconfig.pure.json';
const PURE_FILES = filesBelow('src', /\.ts$/).filter(isPure);

/** Each would compile with Node's types; none may compile on a pure floor. */
const SLIPS: readonly string[] = [
  'setTimeout(() => undefined, 1);',
  'setInterval(() => undefined, 1);',
  'setImmediate(() => undefined);',
  'queueMicrotask(() => undefined);',
  'Buffer.alloc(1);',
  'process.exit(0);',
  'performance.now();',
  "console.log('x');",
  "void fetch('http://127.0.0.1/');",
  'AbortSignal.timeout(1);',
  "import 'fs';\nimport { connect } from 'net'; connect(1);",
  "import { connect } from 'node:net'; connect(1);",
  "import { readFileSync } from 'node:fs'; readFileSync('x');",
];

interface Compiled {
  readonly program: ts.Program;
  readonly slips: readonly string[];
}

function pureConfig(): ts.ParsedCommandLine {
  const { config } = ts.readConfigFile(join(ROOT, CONFIG_FILE), ts.sys.readFile) as { config: unknown };
  return ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
}

/** One program: every pure file, and beside them each slip as a file of its own. */
function compile(options: ts.CompilerOptions): Compiled {
  const texts = new Map(
    SLIPS.map((text, i) => [join(ROOT, `src/core/slip-${i}.ts`), `export {};\n${text}\n`]),
  );
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => texts.has(name) || fileExists(name);
  host.readFile = (name) => texts.get(name) ?? readFile(name);
  host.getSourceFile = (name, languageVersion, ...rest) => {
    const text = texts.get(name);
    return text === undefined
      ? getSourceFile(name, languageVersion, ...rest)
      : ts.createSourceFile(name, text, languageVersion);
  };
  const names = [...PURE_FILES.map((path) => join(ROOT, path)), ...texts.keys()];
  return { program: ts.createProgram(names, options, host), slips: [...texts.keys()] };
}

function faultsOf(program: ts.Program, path: string): string[] {
  const file = program.getSourceFile(path);
  if (file === undefined) return [`${path} is not in the program`];
  return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
    (fault) => `${path}: ${ts.flattenDiagnosticMessageText(fault.messageText, ' ')}`,
  );
}

t.test(`${CONFIG_FILE} names exactly the files of floors 0 to 3`, async (t) => {
  const named = pureConfig().fileNames.map((name) => name.slice(ROOT.length + 1));
  t.same(named.sort(), PURE_FILES);
});

t.test('the pure floors compile without the types of Node, and a slip does not', async (t) => {
  const options = pureConfig().options;
  t.same(options.types, []);
  const { program, slips } = compile(options);
  t.same(
    PURE_FILES.flatMap((path) => faultsOf(program, join(ROOT, path))),
    [],
  );
  for (const [index, path] of slips.entries())
    t.not(faultsOf(program, path).length, 0, `refused: ${SLIPS[index]}`);
});

type Find = (node: ts.Node) => string | undefined;

/** Clock and chance compile without any types, so they are looked for by name. */
const findClock: Find = (node) => {
  const text = node.getText();
  if (ts.isPropertyAccessExpression(node))
    return /^(Date\.now|Math\.random|performance\.now|process\.hrtime)$/.test(text) ? text : undefined;
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date')
    return (node.arguments?.length ?? 0) === 0 ? 'new Date without a time' : undefined;
  return ts.isCallExpression(node) && node.expression.getText() === 'Date' ? 'Date()' : undefined;
};

const findAsync: Find = (node) => {
  if (node.kind === ts.SyntaxKind.AsyncKeyword) return 'async';
  if (ts.isAwaitExpression(node)) return 'await';
  if (ts.isNewExpression(node) && node.expression.getText() === 'Promise') return 'new Promise';
  return undefined;
};

function findAll(path: string, text: string, find: Find): string[] {
  const file = parse(path, text);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const what = find(node);
    if (what !== undefined) {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart());
      found.push(`${path}:${line + 1}: ${what}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

t.test('only src/sys asks the clock or chance', async (t) => {
  const files = filesBelow('src', /\.ts$/).filter((path) => !SYS.test(path));
  t.same(
    files.flatMap((path) => findAll(path, read(path), findClock)),
    [],
  );
});

t.test('the pure floors have no async and make no promises', async (t) => {
  t.same(
    PURE_FILES.flatMap((path) => findAll(path, read(path), findAsync)),
    [],
  );
});

t.test('the scans find what they look for, and nothing else', async (t) => {
  const clocks = ['Date.now()', 'new Date()', 'Date()', 'Math.random()', 'performance.now()', 'f(Date.now)'];
  for (const text of clocks) t.equal(findAll('x.ts', text, findClock).length, 1, `found: ${text}`);
  const fine = ['new Date(at)', "'Date.now()'", '// Math.random()', 'Math.max(1)', 'clock.now()'];
  for (const text of fine) t.equal(findAll('x.ts', text, findClock).length, 0, `passed over: ${text}`);
  const waits = ['async function f() {}', 'await x;', 'new Promise(f);', 'const f = async () => 1;'];
  for (const text of waits) t.equal(findAll('x.ts', text, findAsync).length, 1, `found: ${text}`);
  t.equal(findAll('x.ts', 'interface X { read(): Promise<number> }', findAsync).length, 0);
});
