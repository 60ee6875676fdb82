/** Runs one tracked script again and again: start to start, never twice at the same time. */
import { unreachable } from '../core/assert.js';
import type { Timer } from '../core/ports.js';
import { type Millis, millis } from '../core/units.js';
import type { ProgramResult } from '../exec/model.js';
import type { ProgramRun } from '../exec/runner.js';
import type { WatchedScript } from './model.js';
import { NO_RESULT, type Side, stepRiseFall } from './rise-fall.js';
import type { Watch, WatchEvents, WatchPorts } from './watch.js';

const SAID_MAX = 200;

/** The first line that it wrote, for people. */
function said(output: string): string {
  const line = output
    .split('\n', 1)[0]
    ?.replaceAll(/\p{Cc}/gu, ' ')
    .trim();
  return line === undefined || line === '' ? '' : `: ${line.slice(0, SAID_MAX)}`;
}

type Ran = Exclude<ProgramResult, { kind: 'not-run' }>;

/** What one run says. */
function judge(result: Ran, deadline: Millis): { side: Side; why: string } {
  switch (result.kind) {
    case 'exited':
      return {
        side: result.code === 0 ? 'up' : 'down',
        why: `exit code ${result.code}${said(result.output)}`,
      };
    case 'signalled':
      return { side: 'down', why: `ended by ${result.signal}${said(result.output)}` };
    case 'timeout':
      return { side: 'down', why: `not done within ${deadline} ms${said(result.output)}` };
    default:
      return unreachable(result);
  }
}

export class ScriptWatch implements Watch {
  readonly #script: WatchedScript;
  readonly #ports: WatchPorts;
  readonly #events: WatchEvents;
  #state = NO_RESULT;
  #isBlind = false;
  #isStopped = false;
  #run: ProgramRun | undefined;
  #next: Timer | undefined;

  constructor(script: WatchedScript, ports: WatchPorts, events: WatchEvents) {
    this.#script = script;
    this.#ports = ports;
    this.#events = events;
  }

  start(): void {
    // #once settles whatever the program does.
    void this.#once();
  }

  stop(): void {
    this.#isStopped = true;
    this.#next?.cancel();
    this.#run?.stop();
  }

  async #once(): Promise<void> {
    const { clock, timers, run } = this.#ports;
    const startedAt = clock.monotonic();
    this.#run = run(this.#script.program);
    const result = await this.#run.result;
    if (!this.#isStopped) this.#onResult(result);
    await this.#run.gone;
    if (this.#isStopped) return;
    const left = startedAt + this.#script.interval - clock.monotonic();
    this.#next = timers.after(millis(Math.max(0, left)), () => this.start());
  }

  #onResult(result: ProgramResult): void {
    if (result.kind === 'not-run') {
      if (!this.#isBlind) this.#events.onBlind(result.text);
      this.#isBlind = true;
      return;
    }
    const judged = judge(result, this.#script.program.deadline);
    this.#isBlind = false;
    const before = this.#state.side;
    this.#state = stepRiseFall(this.#script, this.#state, judged.side);
    const { side } = this.#state;
    if (side !== undefined && side !== before) this.#events.onSeen({ kind: side }, judged.why);
  }
}
