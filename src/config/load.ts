/** Reads the configuration's files and what they refer to, within limits, and has them parsed. */
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { errorText } from '../core/errors.js';
import { inSlices, type Slicing } from '../slices.js';
import type { ConfigCache } from './cache.js';
import type { ConfigDeps, FileText } from './cursor.js';
import type { Source } from './faults.js';
import type { ConfigResult } from './model.js';
import { parseConfig, parseInSteps } from './parse.js';

/** Bytes of one file; a file above it is refused unread. */
export const FILE_BYTES_MAX = 4 * 1024 * 1024;
/** Characters of all files of a folder together. */
export const FOLDER_CHARACTERS_MAX = 16 * 1024 * 1024;
export const FOLDER_FILES_MAX = 256;
/** Bytes of a secret's file or of a file of authorities. */
export const REFERENCE_BYTES_MAX = 1024 * 1024;

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'cannot be read: permission denied',
  EPERM: 'cannot be read: not permitted',
  ELOOP: 'cannot be read: too many symbolic links',
  ENOTDIR: 'does not exist: a part of the path is no folder',
};

function ioProblem(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  return PROBLEMS[code] ?? `cannot be read: ${errorText(thrown)}`;
}

function kindProblem(stats: Stats, bytesMax: number): string | undefined {
  if (stats.isDirectory()) return 'is a folder, not a file';
  if (!stats.isFile()) return 'is not a regular file';
  if (stats.size <= bytesMax) return undefined;
  return `has ${stats.size} bytes; more than ${bytesMax} are refused unread`;
}

/**
 * Reads to the end of the file, at most one byte more than allowed.
 * @param size where it is expected, which a byte more than that confirms; files of /proc say 0
 */
function readBounded(descriptor: number, bytesMax: number, size: number): Buffer {
  const enough = bytesMax + 1;
  let bytes = Buffer.allocUnsafe(Math.min(size + 1, enough));
  let total = 0;
  for (;;) {
    const length = readSync(descriptor, bytes, { offset: total });
    total += length;
    if (length === 0 || total === enough) return bytes.subarray(0, total);
    if (total < bytes.length) continue;
    bytes = Buffer.concat([bytes], Math.min(total + 65_536, enough));
  }
}

function decode(bytes: Buffer): FileText {
  const isUtf16 = bytes.length >= 2 && (bytes.readUInt16BE(0) === 0xfeff || bytes.readUInt16BE(0) === 0xfffe);
  if (isUtf16) return { ok: false, problem: 'is UTF-16 text; save it as UTF-8' };
  const zero = bytes.indexOf(0);
  if (zero >= 0) return { ok: false, problem: `is not text: a zero byte at offset ${zero}` };
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { ok: false, problem: 'is not text in UTF-8' };
  }
}

function readOpen(descriptor: number, bytesMax: number): FileText {
  const stats = fstatSync(descriptor);
  const problem = kindProblem(stats, bytesMax);
  if (problem !== undefined) return { ok: false, problem };
  const bytes = readBounded(descriptor, bytesMax, stats.size);
  return bytes.length > bytesMax ? { ok: false, problem: `has more than ${bytesMax} bytes` } : decode(bytes);
}

/**
 * The text of a regular file in UTF-8.
 * @param bytesMax a larger file is refused.
 * @returns the problem completes "FILE ...".
 */
export function readText(path: string, bytesMax: number): FileText {
  let descriptor: number;
  try {
    // Without O_NONBLOCK a FIFO would hold the daemon until somebody writes to it.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (thrown) {
    return { ok: false, problem: ioProblem(thrown) };
  }
  try {
    return readOpen(descriptor, bytesMax);
  } catch (thrown) {
    return { ok: false, problem: ioProblem(thrown) };
  } finally {
    closeSync(descriptor);
  }
}

type Files =
  | { readonly ok: true; readonly files: readonly string[] }
  | { readonly ok: false; readonly problem: string };

const IN_FOLDER = /^[^.].*\.(yaml|yml|json)$/;

/** The file itself, or the configuration files of a folder by name. */
function filesOf(path: string): Files {
  try {
    if (!statSync(path).isDirectory()) return { ok: true, files: [path] };
    const names = readdirSync(path)
      .filter((name) => IN_FOLDER.test(name))
      .sort();
    if (names.length === 0) {
      return { ok: false, problem: 'this folder holds no file that ends in .yaml, .yml or .json' };
    }
    if (names.length > FOLDER_FILES_MAX) {
      return {
        ok: false,
        problem: `this folder holds ${names.length} files; ${FOLDER_FILES_MAX} are allowed`,
      };
    }
    return { ok: true, files: names.map((name) => join(path, name)) };
  } catch (thrown) {
    return { ok: false, problem: ioProblem(thrown) };
  }
}

function readAll(files: readonly string[]): readonly Source[] {
  const sources: Source[] = [];
  let length = 0;
  for (const file of files) {
    const read = readText(file, FILE_BYTES_MAX);
    if (!read.ok) {
      sources.push({ file, text: '', problem: read.problem });
      continue;
    }
    length += read.text.length;
    if (length > FOLDER_CHARACTERS_MAX) {
      const problem = `with this file the folder holds more than ${FOLDER_CHARACTERS_MAX} characters`;
      return [...sources, { file, text: '', problem }];
    }
    sources.push({ file, text: read.text });
  }
  return sources;
}

/** The machine as the configuration sees it. */
export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly hostName: string;
}

const { resolve } = createRequire(import.meta.url);

function hasPackage(name: string): boolean {
  try {
    resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** As far as the one who asks may look: a program is run later, perhaps by another user. */
function programProblem(path: string): string | undefined {
  try {
    if (!statSync(path).isFile()) return 'is no file, so it cannot be run';
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
    if (code === 'EACCES') return 'cannot be run: permission denied';
    return ioProblem(thrown);
  }
}

/** What references are resolved with, on this machine. A file is read once. */
export function depsOf(machine: Machine = { env, hostName: hostname() }): ConfigDeps {
  const files = new Map<string, FileText>();
  return {
    hostName: machine.hostName,
    env: (name) => machine.env[name],
    readFile: (path) => {
      const text = files.get(path) ?? readText(path, REFERENCE_BYTES_MAX);
      files.set(path, text);
      return text;
    },
    hasPackage,
    programProblem,
  };
}

function sourcesOf(path: string): readonly Source[] {
  const files = filesOf(path);
  return files.ok ? readAll(files.files) : [{ file: path, text: '', problem: files.problem }];
}

/**
 * Loads a configuration: one file, or a folder whose files are read in the order of their names and merged.
 * Faults of all files come together; nothing is thrown for what is on the disk.
 */
export function loadConfig(path: string, machine: Machine = { env, hostName: hostname() }): ConfigResult {
  return parseConfig(sourcesOf(path), depsOf(machine));
}

/**
 * The same beside other work: the files are read at once, and parsed in slices of a few milliseconds.
 * @param cache of the loads before this one, see parseConfig.
 */
export function loadBesides(path: string, slicing: Slicing, cache?: ConfigCache): Promise<ConfigResult> {
  return inSlices(parseInSteps(sourcesOf(path), depsOf(), cache), slicing);
}
