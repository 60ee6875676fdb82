/** What a command gets from the outside, and what it may leave behind. */
import type { Config } from '../config/model.js';
import type { Clock, OpenOrigin, OpenPacketSocket, OpenPipe, Timers } from '../core/ports.js';
import type { Facts } from '../doctor/model.js';
import type { IpvsTable } from '../ipvs/model.js';
import type { RealServer } from '../realserver/keeper.js';

export interface CliContext {
  /** To standard output and standard error; a line each, the newline is added. */
  out(line: string): void;
  err(line: string): void;
  /** Whether standard output is a terminal: something that can be cleared. */
  readonly isTerminal: boolean;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Opens sockets of probes that are to come from somewhere else. @throws NATIVE */
  readonly openOrigin: OpenOrigin;
  readonly openSocket: OpenPacketSocket;
  /** For the output of programs. @throws NATIVE */
  readonly openPipe: OpenPipe;
  /** The table of this machine's kernel. @throws IPVS_ABSENT, NATIVE, NETLINK, PERMISSION (rejects) */
  openKernelTable(): Promise<IpvsTable>;
  /** This machine as a real server. @throws NATIVE, NETLINK, PERMISSION (rejects) */
  openRealServer(): Promise<RealServer>;
  /** Looks at this machine. @param config what it is to do; undefined: what its table says. @throws NATIVE, NETLINK (rejects) */
  examine(config: Config | undefined): Promise<Facts>;
  /** Where an apply that is not confirmed yet says how to take it back. */
  readonly trialFile: string;
  /** The kernel's list of connections. */
  readonly connectionsFile: string;
  /** Calls when the process is asked to end, which it then does not do by itself. @returns ends it */
  onInterrupt(listener: () => void): () => void;
  /** Runs the daemon until it is told to stop. @returns the exit code */
  runDaemon(path: string, level: LogLevel): Promise<number>;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Exit codes: scripts rely on them, and `lvsentry help` lists them. */
export const EXIT = { done: 0, failed: 1, usage: 2, config: 3, unreachable: 4 } as const;

/** What stands on the command line behind the command, by the names of its row. */
export interface Given {
  text(name: string): string | undefined;
  /** Of an option that may be repeated, in the order given. */
  texts(name: string): readonly string[];
  flag(name: string): boolean;
}

/** A file of src/cli that is one command. @returns the exit code */
export interface CommandModule {
  run(context: CliContext, given: Given): Promise<number>;
}
