/**
 * A file that holds the last state of something: written soon after a change, at most once a second, and once more
 * at the end. A disk that does not take it is tried again; it is told once, and when it does.
 */
import type { Timer, Timers } from '../core/ports.js';
import { seconds } from '../core/units.js';
import { diskProblem, replaceFile } from '../files/disk.js';

const REST = seconds(1);
const RETRY_AFTER = seconds(10);

export interface SnapshotOptions {
  readonly path: string;
  /** What it holds now, in parts: other work runs between them. */
  readonly parts: () => Iterable<string>;
  readonly timers: Timers;
  /** `FILE ...` and why. */
  readonly onTrouble: (message: string) => void;
  readonly onWell: (message: string) => void;
}

export class SnapshotFile {
  readonly #options: SnapshotOptions;
  #changed = false;
  #writing: Promise<void> | undefined;
  /** Runs while the file rests, or waits for the disk to get well. */
  #rest: Timer | undefined;
  #troubled = false;
  #closed = false;

  constructor(options: SnapshotOptions) {
    this.#options = options;
  }

  /** What the file holds is no longer so. Returns at once. */
  changed(): void {
    this.#changed = true;
    if (!this.#closed && this.#rest === undefined) this.#write();
  }

  /** Writes the last state, whether or not it changed. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#rest?.cancel();
    await this.#writing;
    this.#changed = true;
    this.#write();
    await this.#writing;
    this.#rest?.cancel();
  }

  #write(): void {
    if (this.#writing !== undefined) return;
    this.#changed = false;
    this.#writing = this.#replace().then((problem) => {
      this.#writing = undefined;
      this.#restFor(problem === undefined ? REST : RETRY_AFTER);
      this.#tell(problem);
    });
  }

  /** @returns the problem, if there is one */
  async #replace(): Promise<string | undefined> {
    try {
      await replaceFile(this.#options.path, this.#options.parts());
      return undefined;
    } catch (thrown) {
      this.#changed = true;
      return diskProblem(thrown);
    }
  }

  #tell(problem: string | undefined): void {
    const { path, onTrouble, onWell } = this.#options;
    const before = this.#troubled;
    this.#troubled = problem !== undefined;
    if (problem !== undefined && !before) onTrouble(`${path} ${problem}`);
    if (problem === undefined && before) onWell(`${path} is written again`);
  }

  #restFor(time: typeof REST): void {
    if (this.#closed) return;
    this.#rest = this.#options.timers.after(time, () => {
      this.#rest = undefined;
      if (this.#changed) this.#write();
    });
  }
}
