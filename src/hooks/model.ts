/** What is told of changes of role to programs and FIFOs. Types only. */
import type { Program } from '../exec/model.js';

/** Who is told. */
export interface Hooks {
  /** Gets four more arguments for each change. */
  readonly program: Omit<Program, 'environment'> | undefined;
  /** Gets one line for each change. An absolute path. */
  readonly fifo: string | undefined;
}

/** All hooks of a configuration. */
export interface HookPlan {
  /** Of all virtual routers and sync groups. */
  readonly all: Hooks | undefined;
  /** Of single virtual routers, by name, beside them. */
  readonly single: ReadonlyMap<string, Hooks>;
  /** The names of the members of each sync group. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
}

/** keepalived's words for roles. */
export type StateWord = 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP';

/** One change that is told. */
export interface Notice {
  readonly object: 'INSTANCE' | 'GROUP';
  readonly name: string;
  readonly state: StateWord;
  /** The effective priority; 0 for a group, as in keepalived. */
  readonly priority: number;
}
