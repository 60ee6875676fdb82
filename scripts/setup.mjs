/** Makes a fresh clone ready: packages, the compiled program, the native part. Doing it again costs little. */
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildNative } from './build-native.mjs';
import { main, ROOT, run, Stop, say } from './lib/process.mjs';

const NODE_MIN = [20, 19];
const COMPILED_FOLDERS = ['src', 'test', 'scripts', 'bench'];

/** @throws Stop where this Node is too old. */
export function checkNode(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return;
  throw new Stop(
    `lvsentry needs Node ${NODE_MIN.join('.')} or newer; this is ${version}. Install one from https://nodejs.org or your distribution.`,
  );
}

function readPackages(path) {
  if (!existsSync(path)) return {};
  return JSON.parse(readFileSync(path, 'utf8')).packages ?? {};
}

/** npm writes node_modules/.package-lock.json when it has finished: what is installed, in the lock's own form. */
function isInstalled() {
  const wanted = readPackages(join(ROOT, 'package-lock.json'));
  const present = readPackages(join(ROOT, 'node_modules', '.package-lock.json'));
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === '') return true;
    const found = present[path];
    return found === undefined ? optional === true : found.version === version;
  });
}

/** `npm ci`, unless node_modules is what the lock says. @throws Stop */
export function installPackages() {
  if (isInstalled()) return;
  const folder = join(ROOT, 'node_modules');
  if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink())
    throw new Stop(
      'node_modules is a link to packages that differ from package-lock.json: run `npm ci` where it points to.',
    );
  say('installing packages (npm ci) ...');
  const { status, output } = run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  if (status !== 0) throw new Stop(`npm ci failed; it says:\n${output}`);
}

/** tap is built once without its TypeScript plugin: the tests are compiled before they run. @throws Stop */
export function prepareTap() {
  const built = join(ROOT, 'node_modules/@tapjs/test/test-built/dist/esm/index.js');
  if (existsSync(built) && !readFileSync(built, 'utf8').includes('@tapjs/typescript')) return;
  say('preparing tap ...');
  const { status, output } = run(process.execPath, [
    join(ROOT, 'node_modules/tap/dist/esm/run.mjs'),
    'build',
  ]);
  if (status !== 0) throw new Stop(`tap build failed; it says:\n${output}`);
}

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** Removes what was compiled from sources that are gone, and lets tsc start afresh where something is missing. */
export function cleanCompiled() {
  const dist = join(ROOT, 'dist');
  const expected = new Set();
  for (const folder of COMPILED_FOLDERS)
    for (const path of filesBelow(join(ROOT, folder)))
      if (/\.[jt]s$/.test(path)) expected.add(join(dist, relative(ROOT, path)).replace(/\.ts$/, '.js'));
  for (const folder of COMPILED_FOLDERS)
    for (const path of filesBelow(join(dist, folder)))
      if (!expected.has(path.replace(/\.map$/, ''))) rmSync(path);
  if ([...expected].some((path) => !existsSync(path))) rmSync(join(dist, '.tsbuildinfo'), { force: true });
}

/** @throws Stop with what the compiler says. */
export function compile() {
  cleanCompiled();
  say('compiling ...');
  const { status, output } = run(process.execPath, [
    join(ROOT, 'node_modules/typescript/bin/tsc'),
    '-p',
    'tsconfig.json',
  ]);
  if (status !== 0) throw new Stop(`tsc failed; it says:\n${output}`);
}

/** Bundles the program, in a process of its own: esbuild's would live as long as ours. @throws Stop */
export function bundleDaemon() {
  const { status, output } = run(process.execPath, [join(ROOT, 'scripts/bundle.mjs')]);
  if (status !== 0) throw new Stop(`esbuild failed; it says:\n${output}`);
}

/** Builds the native part. Without it `table: memory` still works, so a failure is only told. */
function compileNative() {
  const result = buildNative();
  if (!result.ok) say(`only the memory table will work. ${result.message}`);
  return result.ok;
}

/** Everything that running and testing need. @throws Stop */
export function setUp({ tests = false } = {}) {
  checkNode();
  installPackages();
  if (tests) prepareTap();
  compile();
  bundleDaemon();
  return { native: compileNative() };
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await main(() => {
    setUp({ tests: true });
    say('ready');
  });
