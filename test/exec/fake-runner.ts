/** Programs whose runs end when a test says so. */
import type { Clock } from '../../src/core/ports.js';
import { millis } from '../../src/core/units.js';
import type { Program, ProgramResult } from '../../src/exec/model.js';
import type { ProgramRun } from '../../src/exec/runner.js';
import { turn } from '../fakes/time.js';

export function program(...argv: readonly [string, ...string[]]): Program {
  return { argv: [...argv], user: undefined, deadline: millis(10_000), environment: {} };
}

export interface Started extends ProgramRun {
  readonly program: Program;
  /** When it was asked for, by the runner's clock; 0 where it has none. */
  readonly at: number;
  isStopped: boolean;
  /** Its turn has come. */
  begin(): void;
  /** The result, without that it is gone. */
  tell(result: ProgramResult): Promise<void>;
  leave(): Promise<void>;
  /** Both. */
  end(result?: ProgramResult): Promise<void>;
}

export const OK: ProgramResult = { kind: 'exited', code: 0, output: '' };
export const STOPPED: ProgramResult = { kind: 'not-run', errno: 'ECANCELED', text: 'it was stopped' };

export class FakeRunner {
  readonly runs: Started[] = [];
  readonly #clock: Pick<Clock, 'monotonic'> | undefined;

  constructor(clock?: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  run = (asked: Program, onStart?: () => void): ProgramRun => {
    let onResult: (result: ProgramResult) => void = () => undefined;
    let onGone: () => void = () => undefined;
    const result = new Promise<ProgramResult>((resolve) => {
      onResult = resolve;
    });
    const gone = new Promise<void>((resolve) => {
      onGone = resolve;
    });
    const run: Started = {
      program: asked,
      at: this.#clock?.monotonic() ?? 0,
      begin: () => onStart?.(),
      result,
      gone,
      isStopped: false,
      stop: () => {
        run.isStopped = true;
      },
      tell: async (told) => {
        onResult(told);
        await turn();
      },
      leave: async () => {
        onGone();
        await turn();
      },
      end: async (told = OK) => {
        onResult(told);
        onGone();
        await turn();
      },
    };
    this.runs.push(run);
    return run;
  };

  get last(): Started {
    const run = this.runs.at(-1);
    if (run === undefined) throw new Error('nothing has run');
    return run;
  }

  /** What was started, as words. */
  get started(): readonly string[] {
    return this.runs.map((run) => run.program.argv.join(' '));
  }
}
