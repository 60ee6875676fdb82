/** The file in which `lvsentry realserver up` remembers what it changed. */
import { unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorText, LvsError } from '../core/errors.js';
import { diskProblem, prepareFolder, readOwnFile, replaceFile } from '../files/disk.js';
import { isNothing, NOTHING, parseRemembered, rememberedText } from './memory.js';
import type { Remembered } from './model.js';

const BYTES_MAX = 1024 * 1024;

export class MemoryFile {
  constructor(readonly path: string) {}

  #unreadable(problem: string): LvsError {
    return new LvsError(
      'MALFORMED',
      `${this.path} ${problem}; look at it, then remove it: settings that were changed stay as they are`,
      { path: this.path },
    );
  }

  /** What is remembered; nothing where there is no file. @throws MALFORMED (rejects), with what to do */
  async read(): Promise<Remembered> {
    const file = await readOwnFile(this.path, BYTES_MAX);
    if (file.kind === 'absent') return NOTHING;
    if (file.kind === 'refused') throw this.#unreadable(file.problem);
    try {
      return parseRemembered(file.text);
    } catch (thrown) {
      throw this.#unreadable(errorText(thrown));
    }
  }

  /** Replaces what is remembered: wholly, or not at all. @throws PERMISSION (rejects) where it cannot be written */
  async write(remembered: Remembered): Promise<void> {
    const problem = isNothing(remembered) ? await this.#remove() : await this.#replace(remembered);
    if (problem === undefined) return;
    throw new LvsError(
      'PERMISSION',
      `cannot remember what is changed, so nothing more is changed: ${this.path} ${problem}`,
      { path: this.path },
    );
  }

  async #remove(): Promise<string | undefined> {
    try {
      await unlink(this.path);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') return diskProblem(thrown);
    }
    return undefined;
  }

  async #replace(remembered: Remembered): Promise<string | undefined> {
    const problem = await prepareFolder(dirname(this.path));
    if (problem !== undefined) return `has a folder that ${problem}`;
    try {
      await replaceFile(this.path, [rememberedText(remembered)]);
      return undefined;
    } catch (thrown) {
      return diskProblem(thrown);
    }
  }
}
