/** A FIFO that gets lines. Nothing here waits for a reader: what does not fit is dropped, and that is told. */
import { closeSync, constants, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import { errorText } from '../core/errors.js';
import { seconds } from '../core/units.js';
import type { Program } from '../exec/model.js';
import type { ProgramRun } from '../exec/runner.js';

/** Lines that wait until the FIFO has been made. */
const PENDING_MAX = 1000;

export interface FifoPorts {
  readonly run: (program: Program) => ProgramRun;
  /** Something went wrong, in words; once until a line has gone through. */
  readonly onTrouble: (message: string) => void;
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}

/** Node cannot make a FIFO: mkfifo(1) does. */
function maker(path: string): Program {
  return {
    argv: ['/usr/bin/env', 'mkfifo', '-m', '600', '--', path],
    user: undefined,
    deadline: seconds(5),
    environment: {},
  };
}

/**
 * Opened for reading too, as keepalived does it: then there is always a reader, so that lines wait in the pipe (64 KB)
 * for one that comes later, and one that goes does not break it. @throws where there is no FIFO
 */
function openFifo(path: string): number {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  if (fstatSync(descriptor).isFIFO()) return descriptor;
  closeSync(descriptor);
  throw new Error('it is not a FIFO');
}

export class Fifo {
  readonly #path: string;
  readonly #ports: FifoPorts;
  readonly #pending: string[] = [];
  #descriptor: number | undefined;
  #making: ProgramRun | undefined;
  #isTroubled = false;
  #isClosed = false;

  constructor(path: string, ports: FifoPorts) {
    this.#path = path;
    this.#ports = ports;
    this.#open();
  }

  /** Writes a line, at once where that is possible. At most PIPE_BUF (4096) bytes, so that it is written whole or not. */
  write(line: string): void {
    if (this.#isClosed) return;
    if (this.#descriptor !== undefined && !this.#isSame(this.#descriptor)) this.#shut();
    if (this.#descriptor === undefined) this.#open();
    if (this.#pending.length < PENDING_MAX) this.#pending.push(line);
    this.#flush();
  }

  /** Resolves when the lines are written that had to wait until the FIFO was made. */
  async settled(): Promise<void> {
    await this.#making?.gone;
  }

  close(): void {
    this.#isClosed = true;
    this.#shut();
  }

  /** Whether it is still what the path names. */
  #isSame(descriptor: number): boolean {
    try {
      const [is, named] = [fstatSync(descriptor), statSync(this.#path)];
      return is.ino === named.ino && is.dev === named.dev;
    } catch {
      return false;
    }
  }

  #shut(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): void {
    if (this.#making !== undefined) return;
    try {
      this.#descriptor = openFifo(this.#path);
    } catch (thrown) {
      // #make settles whatever the program does.
      if (codeOf(thrown) === 'ENOENT') void this.#make();
      else this.#fail(errorText(thrown));
    }
  }

  async #make(): Promise<void> {
    this.#making = this.#ports.run(maker(this.#path));
    const result = await this.#making.result;
    const problem = result.kind === 'exited' ? result.output.split('\n', 1)[0] : result.kind;
    if (!this.#isClosed) {
      try {
        this.#descriptor = openFifo(this.#path);
      } catch (thrown) {
        this.#fail(problem || errorText(thrown));
      }
      this.#flush();
    }
    this.#making = undefined;
  }

  #flush(): void {
    if (this.#making !== undefined && this.#descriptor === undefined) return;
    for (const line of this.#pending.splice(0)) this.#writeNow(line);
  }

  #writeNow(line: string): void {
    // Why there is none was told when it could not be opened.
    if (this.#descriptor === undefined) return;
    try {
      writeSync(this.#descriptor, line);
      this.#isTroubled = false;
    } catch (thrown) {
      this.#fail(codeOf(thrown) === 'EAGAIN' ? 'it is full: does anybody read it?' : errorText(thrown));
    }
  }

  #fail(problem: string): void {
    if (!this.#isTroubled) this.#ports.onTrouble(`lines for ${this.#path} are lost: ${problem}`);
    this.#isTroubled = true;
  }
}
