/** The project as text: its files and what they import. Shared by the house tests. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const NOT_OURS = new Set(['node_modules', 'dist', '.git', '.tap', 'tmp', 'build', 'coverage']);

function findRoot(from: string): string {
  return existsSync(join(from, 'package.json')) ? from : findRoot(dirname(from));
}

export const ROOT = findRoot(dirname(fileURLToPath(import.meta.url)));

/** Every file of the project below `folder`, as paths from the root with forward slashes, sorted. */
export function filesBelow(folder: string, pattern: RegExp): string[] {
  const start = join(ROOT, folder);
  if (!existsSync(start)) return [];
  const found: string[] = [];
  const visit = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const full = join(path, entry.name);
      if (entry.isDirectory()) {
        if (!NOT_OURS.has(entry.name)) visit(full);
      } else if (entry.isFile() && pattern.test(entry.name)) found.push(relative(ROOT, full));
    }
  };
  visit(start);
  return found.sort();
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
}

export interface Import {
  /** A path from the root for our own files, else the package or built-in as written. */
  readonly target: string;
  readonly typeOnly: boolean;
}

/** One module of the project: what it is called and what it imports. */
export interface Module {
  readonly path: string;
  readonly imports: readonly Import[];
}

function onlyTypes(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  const clause = node.importClause;
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const bindings = clause.namedBindings;
  if (clause.name !== undefined || bindings === undefined || !ts.isNamedImports(bindings)) return false;
  return bindings.elements.length > 0 && bindings.elements.every((element) => element.isTypeOnly);
}

/** `../core/ip.js` seen from `src/ipvs/keys.ts` is `src/core/ip.ts`; packages stay as they are written. */
function targetOf(path: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier;
  return relative(ROOT, resolve(ROOT, dirname(path), specifier)).replace(/\.js$/, '.ts');
}

/** What a file imports: static imports, re-exports and `import('...')` with a literal. */
export function importsOf(path: string, text: string): Import[] {
  const imports: Import[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      if (node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier))
        imports.push({ target: targetOf(path, node.moduleSpecifier.text), typeOnly: onlyTypes(node) });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const argument = node.arguments[0];
      if (argument !== undefined && ts.isStringLiteral(argument))
        imports.push({ target: targetOf(path, argument.text), typeOnly: false });
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(path, text));
  return imports;
}

/** All modules below `folder`. */
export function modulesBelow(folder: string): Module[] {
  return filesBelow(folder, /\.ts$/).map((path) => ({ path, imports: importsOf(path, read(path)) }));
}

/** The first column, in backquotes, of the tables of a document's section: the one whose heading holds `heading`. */
export function firstColumnOf(document: string, heading: string): string[] {
  const section = read(document)
    .split(/^## /m)
    .find((text) => text.split('\n')[0]?.includes(heading));
  return [...(section ?? '').matchAll(/^\| `([\w-]+)` \|/gm)].map((match) => match[1] ?? '');
}
