/** Programs that lvsentry runs, and what comes of them. Types only. */
import type { Millis } from '../core/units.js';

/** A program as it is started: never by way of a shell. */
export interface Program {
  /** The absolute path, then the arguments. */
  readonly argv: readonly [string, ...string[]];
  /** `USER`, `USER:GROUP`, or numbers; undefined: as lvsentry itself. Supplementary groups are given up. */
  readonly user: string | undefined;
  /** From its start until it is told to end. */
  readonly deadline: Millis;
  /** Beside PATH and LANG; nothing else is handed on. */
  readonly environment: Readonly<Record<string, string>>;
  /** What is left of its group when it has ended is killed. */
  readonly leavesNothing?: true;
}

/** What was seen of a program. Output is the beginning of what it wrote, on either descriptor. */
export type ProgramResult =
  | { readonly kind: 'exited'; readonly code: number; readonly output: string }
  /** Somebody else ended it. */
  | { readonly kind: 'signalled'; readonly signal: string; readonly output: string }
  /** Its deadline came first. */
  | { readonly kind: 'timeout'; readonly output: string }
  /** Nothing can be said about what it was to find out. */
  | { readonly kind: 'not-run'; readonly errno: string | undefined; readonly text: string };
