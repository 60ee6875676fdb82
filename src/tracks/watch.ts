/** What the watches of tracked objects need, and how they tell what they see. Types only. */
import type { Clock, Timers, Turns } from '../core/ports.js';
import type { Program } from '../exec/model.js';
import type { ProgramRun } from '../exec/runner.js';
import type { Observation } from '../vrrp/model.js';

/** What is outside a watch. */
export interface WatchPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly turns: Turns;
  readonly run: (program: Program) => ProgramRun;
}

/** Where a watch tells what it sees. */
export interface WatchEvents {
  /** After the first look, and after each change. */
  readonly onSeen: (seen: Observation, why: string) => void;
  /** It cannot look; what was seen last holds. Once until it can again. */
  readonly onBlind: (problem: string) => void;
}

/** Something that is looked at until it is stopped. */
export interface Watch {
  start(): void;
  stop(): void;
}
