/**
 * Where the log goes: written at once, for the last line before a crash is the one that matters, and never waited for. A
 * pipe that is full (its reader is slow, or stands still) holds up lines, not what they tell of.
 */
import { writeSync } from 'node:fs';

/** Bytes that wait, at most: some ten thousand lines. */
const WAITING_MAX = 8 * 1024 * 1024;
/** Bytes that are written at once, where more wait: what a pipe holds. */
const BATCH = 64 * 1024;
const RETRY_MS = 5;
/** At the end of the process: what waits then is lost otherwise. */
const FINISH_MS = 1000;

const codeOf = (thrown: unknown): unknown => (thrown as NodeJS.ErrnoException).code;

export class LogSink {
  readonly #fd: number;
  readonly #waiting: Buffer[] = [];
  #bytes = 0;
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param fd of a file, a pipe or a socket; it stays open */
  constructor(fd: number) {
    this.#fd = fd;
    process.once('exit', () => this.finish());
  }

  /** Takes one line, with its end. */
  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#waiting.length > 0) this.#keep(bytes);
    else {
      const rest = this.#put([bytes]);
      if (rest !== undefined) this.#keep(rest);
    }
  }

  /** Writes what waits, for a second at most. */
  finish(): void {
    const clock = new Int32Array(new SharedArrayBuffer(4));
    for (let waited = 0; waited < FINISH_MS && this.#waiting.length > 0; waited += RETRY_MS) {
      this.#drain();
      if (this.#waiting.length > 0) Atomics.wait(clock, 0, 0, RETRY_MS);
    }
  }

  #keep(bytes: Buffer): void {
    if (this.#bytes + bytes.length > WAITING_MAX) this.#lost += 1;
    else {
      this.#waiting.push(bytes);
      this.#bytes += bytes.length;
    }
    this.#timer ??= setTimeout(this.#onTimer, RETRY_MS).unref();
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    this.#drain();
    if (this.#waiting.length > 0) this.#timer = setTimeout(this.#onTimer, RETRY_MS).unref();
  };

  #drain(): void {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting.splice(0, this.#batchLength());
      for (const { length } of lines) this.#bytes -= length;
      const rest = this.#put(lines);
      if (rest === undefined) continue;
      this.#waiting.unshift(rest);
      this.#bytes += rest.length;
      return;
    }
    if (this.#lost > 0) this.#tellLost();
  }

  /** How many of the lines that wait are written at once: a write for each would hold main for as long as they did. */
  #batchLength(): number {
    let [count, bytes] = [0, 0];
    for (const { length } of this.#waiting) {
      bytes += length;
      if (count > 0 && bytes > BATCH) break;
      count += 1;
    }
    return count;
  }

  #tellLost(): void {
    const line = {
      level: 'warn',
      time: new Date().toISOString(),
      msg: `${this.#lost} lines of the log are lost: nobody read them in time`,
    };
    this.#lost = 0;
    this.write(`${JSON.stringify(line)}\n`);
  }

  /** @returns what did not go; undefined: all did, or it never will (nobody reads any more, the disk is full) */
  #put(lines: readonly Buffer[]): Buffer | undefined {
    const [first = Buffer.alloc(0), ...more] = lines;
    const bytes = more.length === 0 ? first : Buffer.concat(lines);
    let at = 0;
    try {
      while (at < bytes.length) at += writeSync(this.#fd, bytes, at);
    } catch (thrown) {
      if (codeOf(thrown) === 'EAGAIN') return bytes.subarray(at);
      this.#lost += lines.length;
    }
    return undefined;
  }
}
