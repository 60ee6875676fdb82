/** Agent check: one line in the words of HAProxy's agents, which may change the server's weight and state too. */
import { AGENT_LINE_MAX, type AgentAnswer, agentLineEnd, parseAgentLine } from '../wire/agent.js';
import { type Now, type ProbeRun, runProbe } from './probe-run.js';
import type { Prober } from './prober.js';
import { printable } from './reason.js';
import type { AgentCheck } from './spec-agent.js';

/**
 * What the agent says is the outcome: `up` passes, `down`, `fail` and `stopped` fail, and a line without any of them
 * is neutral, as is an agent that cannot be asked or understood. `drain`, `maint`, `ready` and percentages are told
 * beside it. Phases: `connect`, `request` where something is sent, `response`.
 */
export function agentProber(now: Now): Prober<AgentCheck> {
  return ({ target, send }, signal) =>
    runProbe(now, signal, (run) => {
      const line = new Line(run);
      run.failNeutrally();
      run.openTcp(target, {
        open: (socket) => {
          if (send !== undefined) {
            run.enter('request');
            socket.write(send);
          }
          run.enter('response');
        },
        data: (bytes) => line.data(bytes),
        end: () => line.end(),
      });
    });
}

/** What came so far. A line is read up to its limit, and ends with the connection where nothing else ends it. */
class Line {
  readonly #run: ProbeRun;
  readonly #bytes = Buffer.alloc(AGENT_LINE_MAX);
  #length = 0;

  constructor(run: ProbeRun) {
    this.#run = run;
  }

  data(bytes: Uint8Array): void {
    const end = agentLineEnd(bytes);
    const count = end ?? bytes.length;
    if (this.#length + count > AGENT_LINE_MAX) {
      this.#run.end({ kind: 'too-long', phase: 'response', limit: AGENT_LINE_MAX });
      return;
    }
    this.#bytes.set(bytes.subarray(0, count), this.#length);
    this.#length += count;
    if (end !== undefined) this.#judge();
  }

  end(): void {
    if (this.#length === 0) this.#run.end({ kind: 'closed', phase: 'response' });
    else this.#judge();
  }

  #judge(): void {
    const line = this.#bytes.toString('utf8', 0, this.#length);
    const answer = parseAgentLine(line);
    if (answer.isKnown) tell(this.#run, answer);
    else
      this.#run.end({
        kind: 'protocol-error',
        phase: 'response',
        detail: printable(line === '' ? 'an empty line' : `no word of an agent: ${line}`),
      });
  }
}

/** The description is part of the reason then. */
function isFailure(operation: AgentAnswer['operation']): boolean {
  return operation !== undefined && operation !== 'up';
}

function tell(run: ProbeRun, { operation, administration, percent, description }: AgentAnswer): void {
  run.tell({
    ...(percent === undefined ? {} : { weight: { kind: 'percent', value: percent } as const }),
    ...(administration === undefined ? {} : { say: administration }),
    ...(description === '' || isFailure(operation) ? {} : { words: printable(description) }),
  });
  if (operation === undefined) run.end({ kind: 'ok' }, 'neutral');
  else if (operation === 'up') run.end({ kind: 'ok' });
  else {
    const detail = printable(description === '' ? operation : `${operation}: ${description}`);
    run.end({ kind: 'rejected', phase: 'response', code: undefined, detail }, 'fail');
  }
}
