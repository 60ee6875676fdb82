/** Which processes count, and what their number makes of a tracked one. */
import { type Millis, millis } from '../core/units.js';
import type { WatchedProcess } from './model.js';

/** TASK_COMM_LEN of linux/sched.h without its final zero. */
const COMM_BYTES = 15;

function utf8Cut(text: string): string {
  let cut = '';
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (bytes > COMM_BYTES) break;
    cut += character;
  }
  return cut;
}

/** What the kernel calls a process of this program (proc(5), /proc/PID/comm). */
export function commOf(program: string): string {
  return utf8Cut(program);
}

/** Whether the name as the kernel has it says too little: it was cut, or arguments count too. */
export function needsArguments({ program, arguments: wanted }: WatchedProcess): boolean {
  return wanted.length > 0 || commOf(program) !== program;
}

function fileName(path: string | undefined): string {
  return path === undefined ? '' : path.slice(path.lastIndexOf('/') + 1);
}

/**
 * Whether a process whose comm fits is one of them, by its arguments. A script runs as `interpreter script argument`:
 * then what follows the script is compared.
 */
export function fitsArguments(watched: WatchedProcess, argv: readonly string[]): boolean {
  const { program, arguments: wanted } = watched;
  const isScript = fileName(argv[0]) !== program && fileName(argv[1]) === program;
  if (commOf(program) !== program && !isScript && fileName(argv[0]) !== program) return false;
  const given = argv.slice(isScript ? 2 : 1);
  return wanted.every((word, index) => given[index] === word);
}

/** The state letter of /proc/PID/stat; the name before it may hold anything. */
export function isDead(stat: string): boolean {
  const state = stat.slice(stat.lastIndexOf(')') + 2)[0];
  return state === 'Z' || state === 'X';
}

export interface CountState {
  /** What counts. */
  readonly up: boolean;
  /** Since when the opposite has been seen. */
  readonly otherSince: Millis | undefined;
}

/** Folds a count in. The first counts at once; a change only when it has lasted for the delay. */
export function stepCount(
  watched: WatchedProcess,
  state: CountState | undefined,
  count: number,
  now: Millis,
): CountState {
  const up = count >= watched.minimum && count <= watched.maximum;
  if (state === undefined || up === state.up) return { up, otherSince: undefined };
  const since = state.otherSince ?? now;
  return millis(now - since) >= watched.delay
    ? { up, otherSince: undefined }
    : { up: state.up, otherSince: since };
}
