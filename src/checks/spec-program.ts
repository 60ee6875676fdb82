/** Checks by what is on this machine: programs and files. */
import type { Target } from './spec-target.js';

/** What a program's exit code and its output say: see docs/checks.md. */
export const CONTRACTS = ['exit', 'keepalived', 'nagios', 'mon'] as const;
export type Contract = (typeof CONTRACTS)[number];

/** A program of this machine that probes the target. */
export interface ExecCheck {
  readonly type: 'exec';
  readonly target: Target;
  /** The absolute path, then the arguments; nothing is left to be replaced. */
  readonly argv: readonly [string, ...string[]];
  /** `USER` or `USER:GROUP`; undefined: as lvsentry itself. */
  readonly user: string | undefined;
  /** Beside PATH and LANG. */
  readonly environment: Readonly<Record<string, string>>;
  readonly contract: Contract;
}

/** A file of this machine that holds a whole number; one that is not there holds 0. */
export interface FileCheck {
  readonly type: 'file';
  readonly target: Target;
  /** Absolute. */
  readonly path: string;
  /** Times the number is added to the weight; undefined: the number says up (0) or down. Not 0. */
  readonly weight: number | undefined;
  /** Turns it round: 0 is down; what would be added is taken away. */
  readonly reverse: boolean;
}
