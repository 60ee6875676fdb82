/** What virtual routers track and main watches for them. Types only. */
import type { Millis } from '../core/units.js';
import type { Program } from '../exec/model.js';

/** A program that is run again and again: exit code 0 is up. */
export interface WatchedScript {
  readonly kind: 'script';
  readonly name: string;
  readonly program: Program;
  /** From one start to the next; a run that takes longer delays it. */
  readonly interval: Millis;
  /** Results in a row that turn down into up, and up into down. */
  readonly rise: number;
  readonly fall: number;
  /** What it is taken for until its first result; undefined: for neither. */
  readonly assume: 'up' | 'down' | undefined;
}

/** A file that holds a number. */
export interface WatchedFile {
  readonly kind: 'file';
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

/** So many processes of one name. */
export interface WatchedProcess {
  readonly kind: 'process';
  readonly name: string;
  /** The file's name without its folders. */
  readonly program: string;
  /** What its arguments begin with. */
  readonly arguments: readonly string[];
  /** Up from so many to so many. */
  readonly minimum: number;
  readonly maximum: number;
  /** How long a change has to last until it counts. */
  readonly delay: Millis;
}

export type Watched = WatchedScript | WatchedFile | WatchedProcess;
