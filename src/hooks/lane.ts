/** The programs of one instance or group: strictly one after the other, in the order of the changes. */
import { unreachable } from '../core/assert.js';
import type { Millis } from '../core/units.js';
import type { Program, ProgramResult } from '../exec/model.js';
import type { ProgramRun } from '../exec/runner.js';

/** Changes that wait. The oldest is given up for a new one: the last is what matters most. */
export const WAITING_MAX = 64;

export interface LanePorts {
  readonly run: (program: Program) => ProgramRun;
  /** Something went wrong, in words. */
  readonly onTrouble: (message: string) => void;
  readonly onEmpty: () => void;
}

/** What is to be run for one change. */
export interface Task {
  /** How the change is called when something is wrong: `outside MASTER`. */
  readonly what: string;
  readonly programs: readonly Program[];
}

/** What is wrong with a run; undefined where nothing is. */
function complaint(what: string, program: Program, result: ProgramResult): string | undefined {
  const who = `${program.argv[0]} for ${what}`;
  switch (result.kind) {
    case 'exited':
      return result.code === 0 ? undefined : `${who} ended with exit code ${result.code}`;
    case 'signalled':
      return `${who} was ended by ${result.signal}`;
    case 'timeout':
      return `${who} was not done within ${program.deadline} ms and is ended`;
    case 'not-run':
      return result.errno === 'ECANCELED' ? `${who} had no more time` : `${what}: ${result.text}`;
    default:
      return unreachable(result);
  }
}

export class Lane {
  readonly #ports: LanePorts;
  readonly #waiting: Task[] = [];
  #running: ProgramRun | undefined;
  #isServing = false;
  #givesWay = false;
  #isOverflowing = false;

  constructor(ports: LanePorts) {
    this.#ports = ports;
  }

  /** Takes a task, and returns at once. */
  offer(task: Task): void {
    this.#waiting.push(task);
    if (this.#waiting.length > WAITING_MAX) this.#dropOldest();
    // #serve settles whatever the programs do.
    if (!this.#isServing) void this.#serve();
  }

  /** Time is short: of what waits, only the last is still run. */
  shorten(): void {
    const given = this.#waiting.splice(0, Math.max(0, this.#waiting.length - 1));
    for (const { what } of given) this.#ports.onTrouble(`nothing is run for ${what}: lvsentry stops`);
  }

  /** Ends what runs where something waits behind it. @param grace from TERM to KILL */
  giveWay(grace: Millis): void {
    if (this.#waiting.length === 0) return;
    this.#givesWay = true;
    this.#running?.stop(grace);
  }

  #dropOldest(): void {
    const dropped = this.#waiting.shift();
    if (dropped === undefined || this.#isOverflowing) return;
    this.#isOverflowing = true;
    this.#ports.onTrouble(
      `more than ${WAITING_MAX} changes wait for programs: nothing is run for the oldest, ${dropped.what} first`,
    );
  }

  async #serve(): Promise<void> {
    this.#isServing = true;
    for (let task = this.#waiting.shift(); task !== undefined; task = this.#waiting.shift()) {
      if (this.#waiting.length === 0) this.#isOverflowing = false;
      await this.#perform(task);
    }
    this.#isServing = false;
    this.#ports.onEmpty();
  }

  async #perform({ what, programs }: Task): Promise<void> {
    this.#givesWay = false;
    for (const program of programs) {
      if (this.#givesWay) return;
      this.#running = this.#ports.run(program);
      const said = complaint(what, program, await this.#running.result);
      if (said !== undefined) this.#ports.onTrouble(said);
      await this.#running.gone;
    }
  }
}
