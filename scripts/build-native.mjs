/**
 * Builds the native part (native/) into native/build/Release/lvsentry.node; does nothing where it is up to date.
 * As a program: exit code 0 done, 1 the build failed, 3 a tool is missing. Uses nothing but Node's own modules, so it
 * runs before `npm install`.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));
const FOLDER = join(PROJECT, 'native');
const STAMP = join(FOLDER, 'build', 'lvsentry.hash');

/** Where the built addon lies. */
export const NATIVE_FILE = join(FOLDER, 'build', 'Release', 'lvsentry.node');

/** The C sources, in a fixed order. */
export function nativeSources() {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.c'))
    .sort()
    .map((name) => join(FOLDER, name));
}

/** The full path of a program on PATH, or undefined. */
export function findProgram(name) {
  for (const folder of name.includes('/') ? [''] : (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** The folder above include/node with the headers of Node-API, or undefined: then node-gyp fetches them. */
export function findNodeHeaders() {
  return [dirname(dirname(process.execPath)), '/usr', '/usr/local'].find((folder) =>
    existsSync(join(folder, 'include', 'node', 'node_api.h')),
  );
}

function findNodeGyp() {
  const npm = findProgram('npm');
  const besideNpm = 'node_modules/node-gyp/bin/node-gyp.js';
  const candidates = [
    process.env.npm_config_node_gyp,
    npm === undefined ? undefined : join(dirname(dirname(realpathSync(npm))), besideNpm),
    join(dirname(dirname(process.execPath)), 'lib/node_modules/npm', besideNpm),
    join(PROJECT, besideNpm),
  ];
  return candidates.find((path) => path !== undefined && existsSync(path));
}

function missingTools() {
  const tools = {
    'a C compiler': findProgram(process.env.CC?.split(' ')[0] ?? 'cc'),
    'g++ (it links)': findProgram(process.env.CXX?.split(' ')[0] ?? 'g++'),
    make: findProgram('make'),
    python3: process.env.npm_config_python ?? findProgram('python3') ?? findProgram('python'),
    'node-gyp (it comes with npm)': findNodeGyp(),
  };
  return Object.keys(tools).filter((name) => tools[name] === undefined);
}

function sourceHash() {
  const hash = createHash('sha256').update(`${process.arch} ${process.platform}\n`);
  const headers = readdirSync(FOLDER).filter((name) => name.endsWith('.h') || name.endsWith('.gyp'));
  for (const path of [...nativeSources(), ...headers.sort().map((name) => join(FOLDER, name))]) {
    hash.update(path.slice(FOLDER.length)).update('\0').update(readFileSync(path));
  }
  return hash.digest('hex');
}

function isCurrent(hash) {
  try {
    return existsSync(NATIVE_FILE) && readFileSync(STAMP, 'utf8') === hash;
  } catch {
    return false;
  }
}

/**
 * @returns {{ ok: true, built: boolean } | { ok: false, message: string, missing: boolean }}
 * `missing`: a tool is missing, as `message` says; otherwise the build itself failed.
 */
export function buildNative() {
  const hash = sourceHash();
  if (isCurrent(hash)) return { ok: true, built: false };
  const missing = missingTools();
  if (missing.length > 0) {
    const message = `The native part needs ${missing.join(', ')}: on Debian or Ubuntu, \`apt-get install build-essential python3\`.`;
    return { ok: false, missing: true, message };
  }
  const headers = findNodeHeaders();
  const nodedir = headers === undefined ? [] : [`--nodedir=${headers}`];
  const run = spawnSync(
    process.execPath,
    [findNodeGyp(), 'rebuild', '--loglevel=warn', '-C', FOLDER, ...nodedir],
    {
      encoding: 'utf8',
      timeout: 300_000,
    },
  );
  if (run.status !== 0 || !existsSync(NATIVE_FILE)) {
    const output = `${run.stdout}${run.stderr}${run.error ?? ''}`.trim();
    const cause = output.split('\n').slice(-40).join('\n');
    return { ok: false, missing: false, message: `The native part did not build:\n${cause}` };
  }
  writeFileSync(STAMP, hash);
  return { ok: true, built: true };
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const result = buildNative();
  if (!result.ok) console.error(result.message);
  process.exitCode = result.ok ? 0 : result.missing ? 3 : 1;
}
