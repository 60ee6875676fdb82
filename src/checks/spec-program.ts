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
