/** The process groups of a thread's programs, in memory that outlives the thread: who is left can end them. */

/** Programs that can be written down; of more nothing is known. */
export const GROUPS_MAX = 128;

const FREE = 0;

/** What `ProcessGroups` of several threads share. */
export function groupMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(GROUPS_MAX * Int32Array.BYTES_PER_ELEMENT);
}

export class ProcessGroups {
  readonly #groups: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#groups = new Int32Array(memory);
  }

  /** By the thread that runs them alone. */
  add(group: number): void {
    const free = this.#groups.indexOf(FREE);
    if (free >= 0) Atomics.store(this.#groups, free, group);
  }

  delete(group: number): void {
    const at = this.#groups.indexOf(group);
    if (at >= 0) Atomics.store(this.#groups, at, FREE);
  }

  /** When that thread is no more: kills what it has left, and forgets it. @returns the numbers of the groups */
  killAll(): readonly number[] {
    const left = [...this.#groups].filter((group) => group !== FREE);
    this.#groups.fill(FREE);
    for (const group of left) {
      try {
        process.kill(-group, 'SIGKILL');
      } catch {
        // It is gone already.
      }
    }
    return left;
  }
}
