/** Checks by programs of this machine. */
import { unreachable } from '../core/assert.js';
import type { Clock } from '../core/ports.js';
import { type Millis, micros, millis, seconds } from '../core/units.js';
import type { Program, ProgramResult } from '../exec/model.js';
import type { ProgramRun } from '../exec/runner.js';
import { firstLine, type Judgement, judgeExit } from './contract.js';
import { beforeDeadline } from './deadline.js';
import type { Phase, ProbeResult, Reason } from './model.js';
import { MonHistory } from './mon-history.js';
import type { Prober } from './prober.js';
import { outcomeOf, printable } from './reason.js';
import type { ExecCheck } from './spec-program.js';

/** Asks for a program; `onStart` is called when its turn has come. */
export type RunProgram = (program: Program, onStart: () => void) => ProgramRun;

export interface ExecPorts {
  readonly clock: Clock;
  readonly run: RunProgram;
}

/** The deadline is that of the probe, which is 24 h at most: this one never comes first. */
const NEVER = seconds(100_000);
const DETAIL_MAX = 200;

/** What is kept of a check from probe to probe. */
interface Memory {
  /** The program of the last probe, until nothing of it is left. */
  last: ProgramRun | undefined;
  readonly history: MonHistory;
}

/** One probe. */
class ExecProbe {
  readonly #ports: ExecPorts;
  readonly #spec: ExecCheck;
  readonly #memory: Memory;
  readonly #started: Millis;
  #ran: Millis | undefined;

  constructor(ports: ExecPorts, spec: ExecCheck, memory: Memory) {
    this.#ports = ports;
    this.#spec = spec;
    this.#memory = memory;
    this.#started = ports.clock.monotonic();
  }

  async run(signal: AbortSignal): Promise<ProbeResult> {
    const { last } = this.#memory;
    if (last !== undefined) await beforeDeadline(signal, last.gone);
    // It did not end in its time, and does not end now: no other one is started beside it.
    if (signal.aborted) return this.#result({ reason: { kind: 'timeout', phase: 'wait' } }, '');
    const run = this.#begin();
    const result = await beforeDeadline(signal, run.result);
    if (result === undefined) run.stop();
    const judged = result === undefined ? { reason: this.#lateReason() } : this.#judge(result);
    return this.#result(judged, result === undefined || result.kind === 'not-run' ? '' : result.output);
  }

  #begin(): ProgramRun {
    const { argv, user, environment, contract } = this.#spec;
    const told = contract === 'mon' ? this.#memory.history.environment() : {};
    const run = this.#ports.run(
      {
        argv: [...argv],
        user,
        deadline: NEVER,
        environment: { ...told, ...environment },
        leavesNothing: true,
      },
      () => {
        this.#ran = this.#ports.clock.monotonic();
      },
    );
    this.#memory.last = run;
    void run.gone.then(() => {
      if (this.#memory.last === run) this.#memory.last = undefined;
    });
    return run;
  }

  #judge(result: ProgramResult): Judgement {
    switch (result.kind) {
      case 'exited':
        return judgeExit(this.#spec.contract, result.code, result.output);
      case 'signalled': {
        const words = firstLine(result.output);
        const detail = `ended by ${result.signal}${words === '' ? '' : `: ${words}`}`;
        return { reason: { kind: 'protocol-error', phase: 'run', detail } };
      }
      case 'timeout':
        return { reason: { kind: 'timeout', phase: 'run' } };
      case 'not-run': {
        const detail = printable(result.text, DETAIL_MAX);
        return { reason: { kind: 'local', phase: 'run', errno: result.errno ?? 'defect', detail } };
      }
      default:
        return unreachable(result);
    }
  }

  /** A program that had to wait for others so long that it had less than half of its time has not been too slow. */
  #lateReason(): Reason {
    const waited = (this.#ran ?? this.#now()) - this.#started;
    if (this.#ran !== undefined && waited <= (this.#now() - this.#started) / 2)
      return { kind: 'timeout', phase: 'run' };
    const detail = `it waited ${Math.round(waited)} ms for other programs`;
    return { kind: 'local', phase: 'wait', errno: 'EBUSY', detail };
  }

  #now(): Millis {
    return this.#ports.clock.monotonic();
  }

  #result({ reason, ...said }: Judgement, output: string): ProbeResult {
    const ended = this.#now();
    const ran = this.#ran ?? ended;
    const phases: (readonly [Phase, Millis])[] = [['wait', millis(ran - this.#started)]];
    if (this.#ran !== undefined) phases.push(['run', millis(ended - ran)]);
    const outcome = outcomeOf(reason);
    if (this.#spec.contract === 'mon') this.#memory.history.note(outcome, output, this.#ports.clock.wall());
    return {
      outcome,
      reason,
      phases: phases.map(([phase, time]) => [phase, micros(Math.round(time * 1000))]),
      elapsed: micros(Math.round((ended - this.#started) * 1000)),
      ...said,
    };
  }
}

/** Checks by programs. What cannot be run, or not in time because of others, is unknown. */
export function execProber(ports: ExecPorts): Prober<ExecCheck> {
  // A check gives the same object every time, and what is kept of it goes with it.
  const memories = new WeakMap<ExecCheck, Memory>();
  return (spec, signal) => {
    const memory = memories.get(spec) ?? { last: undefined, history: new MonHistory() };
    memories.set(spec, memory);
    return new ExecProbe(ports, spec, memory).run(signal);
  };
}
