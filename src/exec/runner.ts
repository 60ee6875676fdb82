/** Runs programs: without a shell, with a clean environment, each in a process group of its own, so many at a time. */
import { type Millis, millis } from '../core/units.js';
import type { Program, ProgramResult } from './model.js';
import { GRACE, type ProcessPorts, ProgramProcess } from './process.js';

/** Programs that are started in one turn of the loop: each holds it for about a millisecond. */
const STARTS_MAX = 16;

export interface RunnerOptions extends ProcessPorts {
  /** Programs at the same time; the others wait in their order, and their deadlines with them. */
  readonly concurrencyMax: number;
}

/** A program that was asked for. Neither promise ever rejects. */
export interface ProgramRun {
  /** As soon as it is known: at the deadline, not when the program has obeyed. */
  readonly result: Promise<ProgramResult>;
  /** When nothing of it runs any more, or when the kernel would not end it. */
  readonly gone: Promise<void>;
  /**
   * Ends it, or takes it out of the line: the result, where there was none yet, is `not-run`.
   * @param grace from TERM to KILL; by default 2 s
   */
  stop(grace?: Millis): void;
}

interface Job {
  readonly process: ProgramProcess;
  readonly onStart: (() => void) | undefined;
  readonly gone: Promise<void>;
  readonly settleGone: () => void;
}

export class ProgramRunner {
  readonly #options: RunnerOptions;
  readonly #waiting = new Set<Job>();
  readonly #running = new Set<Job>();
  /** Those that wait and those that run. */
  readonly #jobs = new Set<Job>();
  #isClosed = false;
  #isPumping = false;
  /** In this turn. */
  #starts = 0;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Programs that run now. */
  get running(): number {
    return this.#running.size;
  }

  /**
   * Asks for a program. It is started at once where there is room.
   * @param onStart called when its turn has come, before it is known whether it can be run
   */
  run(program: Program, onStart?: () => void): ProgramRun {
    let onResult: (result: ProgramResult) => void = () => undefined;
    let onGone: () => void = () => undefined;
    const result = new Promise<ProgramResult>((resolve) => {
      onResult = resolve;
    });
    const gone = new Promise<void>((resolve) => {
      onGone = resolve;
    });
    const settleGone = (): void => {
      this.#jobs.delete(job);
      onGone();
    };
    const process = new ProgramProcess(program, this.#options, onResult, () => this.#leave(job));
    const job: Job = { process, onStart, gone, settleGone };
    const run: ProgramRun = { result, gone, stop: (grace = GRACE) => this.#stop(job, grace) };
    this.#jobs.add(job);
    this.#waiting.add(job);
    if (this.#isClosed) run.stop();
    this.#pump();
    return run;
  }

  /**
   * Ends all that runs, refuses what waits and what comes. Resolves when everything is gone: 1 s after `grace` at most.
   * @param grace from TERM to KILL
   */
  async close(grace: Millis = GRACE): Promise<void> {
    this.#isClosed = true;
    const left = [...this.#jobs];
    for (const job of left) this.#stop(job, grace);
    await Promise.all(left.map(({ gone }) => gone));
  }

  #pump(): void {
    // A program that is refused leaves while it is started: the rest of the line is served by the loop that runs.
    if (this.#isPumping) return;
    this.#isPumping = true;
    for (const job of this.#waiting) {
      if (this.#running.size >= this.#options.concurrencyMax || this.#starts === STARTS_MAX) break;
      this.#waiting.delete(job);
      this.#running.add(job);
      this.#countStart();
      job.onStart?.();
      job.process.start();
    }
    this.#isPumping = false;
  }

  #countStart(): void {
    this.#starts += 1;
    if (this.#starts > 1) return;
    this.#options.timers.after(millis(0), () => {
      this.#starts = 0;
      this.#pump();
    });
  }

  #stop(job: Job, grace: Millis): void {
    const waited = this.#waiting.delete(job);
    job.process.stop(grace);
    if (waited) job.settleGone();
  }

  #leave(job: Job): void {
    this.#running.delete(job);
    job.settleGone();
    this.#pump();
  }
}
