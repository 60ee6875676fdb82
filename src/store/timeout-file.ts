/** What stood in the kernel before our time-outs, in a file: a run that did not end in order leaves it to the next. */
import { unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  bootId,
  diskProblem,
  errorCode,
  prepareFolder,
  readOwnFile,
  replaceFile,
  setAside,
} from '../files/disk.js';
import { type HeldTimeout, type HeldTimeouts, TIMEOUT_NAMES, type TimeoutStore } from '../ipvs/timeouts.js';
import { documentParts, readDocument } from './document.js';

const FILE_BYTES_MAX = 4096;
/** Seconds: INT_MAX of linux/limits.h. */
const SECONDS_MAX = 0x7fffffff;
/** Values that stand for one another only while one replaces another. */
const VALUES_MAX = 16;

export interface TimeoutFileOptions {
  readonly path: string;
  /** A sentence. */
  readonly onTrouble: (message: string) => void;
}

function isSeconds(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= SECONDS_MAX;
}

function heldOf(value: unknown): HeldTimeout | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { original, ours } = value as Readonly<Record<string, unknown>>;
  if (!isSeconds(original) || !Array.isArray(ours) || ours.length > VALUES_MAX) return undefined;
  return ours.every(isSeconds) ? { original, ours } : undefined;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** What is no time-out of ours is left out. */
function readHeld(line: string): HeldTimeouts {
  const value = parsed(line);
  if (typeof value !== 'object' || value === null) return {};
  const held = TIMEOUT_NAMES.flatMap((name) => {
    const its = heldOf((value as Readonly<Record<string, unknown>>)[name]);
    return its === undefined ? [] : [[name, its] as const];
  });
  return Object.fromEntries(held);
}

export class TimeoutFile implements TimeoutStore {
  readonly #path: string;
  readonly #onTrouble: (message: string) => void;

  constructor({ path, onTrouble }: TimeoutFileOptions) {
    this.#path = path;
    this.#onTrouble = onTrouble;
  }

  /** Nothing where there is no file, where it cannot be used, and where the machine was booted since. */
  async load(): Promise<HeldTimeouts> {
    const file = await readOwnFile(this.#path, FILE_BYTES_MAX);
    if (file.kind === 'absent') return {};
    const document =
      file.kind === 'text' ? readDocument('timeouts', file.text) : { ok: false as const, ...file };
    if (document.ok) {
      // A boot gave the kernel its own values back.
      if (document.head.boot !== ((await bootId()) ?? '')) return {};
      return document.lines.length === 1 ? readHeld(document.lines[0] ?? '') : {};
    }
    const what = 'the time-outs of before the last run cannot be put back';
    this.#onTrouble(`${this.#path} ${document.problem}; ${what}; ${await setAside(this.#path)}`);
    return {};
  }

  /** On the disk when this resolves. */
  async save(held: HeldTimeouts): Promise<void> {
    try {
      if (Object.keys(held).length === 0) await this.#remove();
      else await this.#write(held);
    } catch (thrown) {
      const what = 'after a crash the next run would not know which time-outs to put back';
      this.#onTrouble(`${this.#path} ${diskProblem(thrown)}; ${what}`);
    }
  }

  async #write(held: HeldTimeouts): Promise<void> {
    const folder = dirname(this.#path);
    const problem = await prepareFolder(folder);
    if (problem !== undefined) throw new Error(`is not written: ${folder} ${problem}`);
    const head = { boot: (await bootId()) ?? '' };
    await replaceFile(this.#path, documentParts('timeouts', head, [JSON.stringify(held)]));
  }

  async #remove(): Promise<void> {
    try {
      await unlink(this.#path);
    } catch (thrown) {
      if (errorCode(thrown) !== 'ENOENT') throw thrown;
    }
  }
}
