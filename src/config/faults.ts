/** Faults while they are collected, and the list that is handed out: without repeats, sorted, bounded. */
import type { ConfigFault } from './model.js';

/** One file of the configuration, already text. */
export interface Source {
  readonly file: string;
  readonly text: string;
  /** Why there is no text, where the file could not be read. */
  readonly problem?: string;
}

/** The offset of a fault that is the file as a whole. */
export const WHOLE_FILE = -1;

export interface RawFault {
  readonly source: Source;
  /** Of the character that is wrong, in UTF-16 units; WHOLE_FILE for the file as a whole. */
  readonly offset: number;
  readonly message: string;
}

/** More faults than this help nobody; the last one then says that there are more. */
export const FAULTS_MAX = 1000;

/** Offsets at which the lines of a text begin: after \n, \r\n or a lone \r, as in YAML 1.2 5.4. */
function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\n|\r/g)) starts.push(match.index + match[0].length);
  return starts;
}

/** Line and column (both from 1) of an offset. */
export type Locate = (offset: number) => { readonly line: number; readonly column: number };

const locators = new WeakMap<Source, Locate>();

/** A function that places offsets of this file; O(log lines) for each. */
export function locator(source: Source): Locate {
  const known = locators.get(source);
  if (known !== undefined) return known;
  const starts = lineStarts(source.text);
  const locate: Locate = (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
  locators.set(source, locate);
  return locate;
}

/**
 * A place in words, for faults that name a second place.
 * The file is left out where it is the one the fault is in.
 */
export function placeText(from: Source, source: Source, offset: number): string {
  const { line, column } = locator(source)(offset);
  return from === source ? `line ${line}` : `${source.file}:${line}:${column}`;
}

function bounded(faults: ConfigFault[]): readonly ConfigFault[] {
  const last = faults[FAULTS_MAX - 1];
  if (faults.length <= FAULTS_MAX || last === undefined) return faults;
  return [...faults.slice(0, FAULTS_MAX), { ...last, message: 'and more; put these right first' }];
}

const MESSAGE_LENGTH_MAX = 600;

/** What a file holds goes to terminals and logs: no control characters, and not at any length. */
function printable(message: string): string {
  const cut = message.length <= MESSAGE_LENGTH_MAX ? message : `${message.slice(0, MESSAGE_LENGTH_MAX)}...`;
  return cut.replaceAll(/\p{Cc}/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Sorts by file (in the order of `sources`), line and column; what stands twice is told once. */
export function finishFaults(sources: readonly Source[], raw: readonly RawFault[]): readonly ConfigFault[] {
  const order = new Map(sources.map((source, index) => [source, index]));
  const rank = (fault: RawFault): number => order.get(fault.source) ?? 0;
  const sorted = [...raw].sort((a, b) => rank(a) - rank(b) || a.offset - b.offset);
  const seen = new Set<string>();
  const faults: ConfigFault[] = [];
  for (const { source, offset, message } of sorted) {
    const key = `${rank({ source, offset, message })} ${offset} ${message}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const place = offset === WHOLE_FILE ? { line: 0, column: 0 } : locator(source)(offset);
    faults.push({ file: source.file, ...place, message: printable(message) });
  }
  return bounded(faults);
}

/** `file:line:column: message`; without line and column where the fault is the file as a whole. */
export function faultText(fault: ConfigFault): string {
  return fault.line === 0
    ? `${fault.file}: ${fault.message}`
    : `${fault.file}:${fault.line}:${fault.column}: ${fault.message}`;
}
