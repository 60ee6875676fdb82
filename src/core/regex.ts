/**
 * The search for a regex in bytes that come in pieces: all ways through the automaton are walked at once (Thompson,
 * "Regular Expression Search Algorithm", CACM 11(6), 1968), so a byte costs at most one step for each state, whatever
 * the pattern and whatever the server sends.
 */
import type { Regex } from './regex-syntax.js';

const LF = 0x0a;
const CR = 0x0d;

/**
 * Looks for the match that ends first. `^` is the start of a line or of all that is searched, `$` the end of a line
 * (before LF or CR) or of all.
 */
export class RegexSearch {
  readonly #regex: Regex;
  /** States that wait for the next byte, and those that will wait for the one after. */
  #now: number[] = [];
  #then: number[] = [];
  /** For each state the round in which it was entered last. */
  readonly #entered: Uint32Array;
  #round = 1;
  #matched = false;
  #count = 0;
  #atLineStart = true;

  constructor(regex: Regex) {
    this.#regex = regex;
    this.#entered = new Uint32Array(regex.states.length);
  }

  /** Takes bytes from `from` on. Says after how many bytes of all that it was given the match ends, or -1. */
  push(bytes: Uint8Array, from = 0): number {
    for (let index = from; index < bytes.length; index += 1) {
      const byte = bytes[index] ?? 0;
      this.#begin(byte === LF || byte === CR);
      if (this.#matched) return this.#count;
      this.#step(byte);
      this.#count += 1;
    }
    return this.#matchesNow() ? this.#count : -1;
  }

  /** No more bytes will come: `$` holds. Says whether there is a match here. */
  finish(): boolean {
    this.#begin(true);
    return this.#matched;
  }

  /** Whether there is a match that needs no look at the next byte. */
  #matchesNow(): boolean {
    this.#begin(false);
    return this.#matched;
  }

  /** Enters all states that can be reached before the next byte, a new attempt among them. */
  #begin(atLineEnd: boolean): void {
    this.#round += 1;
    const waiting = this.#now;
    this.#then.length = 0;
    for (const state of waiting) this.#enter(state, atLineEnd);
    this.#enter(this.#regex.start, atLineEnd);
  }

  /** Walks the states of `#then` over one byte; where they lead is kept in `#now`. */
  #step(byte: number): void {
    const { states } = this.#regex;
    this.#now = [];
    for (const index of this.#then) {
      const state = states[index];
      if (state?.kind === 'byte' && state.set[byte] === 1) this.#now.push(state.next);
    }
    this.#atLineStart = byte === LF;
  }

  #enter(first: number, atLineEnd: boolean): void {
    const open = [first];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (this.#entered[index] === this.#round) continue;
      this.#entered[index] = this.#round;
      const state = this.#regex.states[index];
      if (state === undefined) continue;
      if (state.kind === 'byte') this.#then.push(index);
      else if (state.kind === 'match') this.#matched = true;
      else if (state.kind === 'fork') open.push(...state.ways);
      else if (state.kind === 'line-start' ? this.#atLineStart : atLineEnd) open.push(state.next);
    }
  }
}
