/**
 * Builds the native part with AddressSanitizer and UndefinedBehaviorSanitizer into tmp/native-asan/ and runs its test
 * cases (dist/test/sys/native/run.js) under them. Exit code 0 clean, 1 a finding or a failed case, 3 no sanitizers here.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNodeHeaders, findProgram, nativeSources } from './build-native.mjs';

const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));
const FOLDER = join(PROJECT, 'tmp', 'native-asan');
const FILE = join(FOLDER, 'lvsentry.node');
const CASES = join(PROJECT, 'dist', 'test', 'sys', 'native', 'run.js');
const FLAGS = [
  '-g',
  '-O1',
  '-std=c11',
  '-fPIC',
  '-shared',
  '-fno-omit-frame-pointer',
  '-D_GNU_SOURCE',
  '-DNAPI_VERSION=8',
];
const WARNINGS = ['-Wall', '-Wextra', '-Wshadow', '-Wconversion', '-Werror'];
const SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

class Absent extends Error {}

/** The compiler answers with a bare name where it has no such library. */
function runtime(compiler, library) {
  const path = spawnSync(compiler, [`-print-file-name=${library}`], { encoding: 'utf8' }).stdout.trim();
  if (!isAbsolute(path) || !existsSync(path)) throw new Absent(`${compiler} has no ${library}`);
  return path;
}

function build(compiler) {
  const headers = findNodeHeaders();
  if (headers === undefined) throw new Absent('the headers of Node-API are not installed');
  mkdirSync(FOLDER, { recursive: true });
  const include = `-I${join(headers, 'include', 'node')}`;
  const arguments_ = [...FLAGS, ...WARNINGS, ...SANITIZERS, include, '-o', FILE, ...nativeSources()];
  return spawnSync(compiler, arguments_, { stdio: 'inherit', timeout: 120_000 }).status === 0;
}

function runCases(libraries) {
  const env = {
    ...process.env,
    LD_PRELOAD: libraries.join(' '),
    // What V8 and Node keep until the process ends counts as leaked; descriptors are counted by the cases themselves.
    ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=0:exitcode=99',
    UBSAN_OPTIONS: 'print_stacktrace=1',
  };
  // A loader or a coverage tool of the caller has no place in this process.
  delete env.NODE_OPTIONS;
  const run = spawnSync(process.execPath, [CASES, FILE], { env, stdio: 'inherit', timeout: 240_000 });
  if (run.status !== 0) console.error(`the cases ended with ${run.status ?? run.signal}`);
  return run.status === 0;
}

function main() {
  const compiler = findProgram(process.env.CC ?? 'cc');
  if (compiler === undefined) throw new Absent('there is no C compiler');
  const libraries = ['libasan.so', 'libubsan.so'].map((library) => runtime(compiler, library));
  return build(compiler) && runCases(libraries) ? 0 : 1;
}

try {
  process.exitCode = main();
} catch (thrown) {
  if (!(thrown instanceof Absent)) throw thrown;
  console.error(thrown.message);
  process.exitCode = 3;
}
