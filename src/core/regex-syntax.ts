/**
 * Regular expressions that are matched in linear time: the syntax. What needs backtracking (references, look-around)
 * or has no meaning for bytes is refused. A repetition is written out, so the number of states bounds the work.
 */

/** What a state waits for: a byte of a set (256 flags), an assertion, or nothing (a fork). */
export type State =
  | { readonly kind: 'byte'; readonly set: Uint8Array; readonly next: number }
  | { readonly kind: 'line-start' | 'line-end'; readonly next: number }
  | { readonly kind: 'fork'; readonly ways: readonly number[] }
  | { readonly kind: 'match' };

/** An automaton; states are numbered, `start` is the first. */
export interface Regex {
  readonly states: readonly State[];
  readonly start: number;
}

export type RegexResult =
  | { readonly ok: true; readonly regex: Regex }
  /** `problem` completes "the regex ..."; `at` counts characters from 0. */
  | { readonly ok: false; readonly problem: string; readonly at: number };

/** More states than this would let a server buy much of our time with few bytes. */
export const REGEX_STATES_MAX = 500;
const DEPTH_MAX = 20;

type Node =
  | { readonly kind: 'set'; readonly set: Uint8Array }
  | { readonly kind: 'line-start' | 'line-end' }
  | { readonly kind: 'all'; readonly parts: readonly Node[] }
  | { readonly kind: 'any'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly least: number; readonly most: number };

class SyntaxFault {
  constructor(
    readonly problem: string,
    readonly at: number,
  ) {}
}

/** Compiles a pattern. Letters beyond ASCII are the bytes of their UTF-8 form. */
export function compileRegex(source: string): RegexResult {
  try {
    const parser = new Parser(source);
    const node = parser.whole();
    const builder = new Builder(source.length);
    const start = builder.build(node, builder.add({ kind: 'match' }));
    return { ok: true, regex: { states: builder.states, start } };
  } catch (thrown) {
    if (thrown instanceof SyntaxFault) return { ok: false, problem: thrown.problem, at: thrown.at };
    throw thrown;
  }
}

/** The automaton that looks for one byte of each set, in order. */
export function regexOfSets(sets: readonly Uint8Array[]): Regex {
  const states: State[] = sets.map((set, index) => ({ kind: 'byte', set, next: index + 1 }));
  return { states: [...states, { kind: 'match' }], start: 0 };
}

/** The set of the bytes for which `has` holds. */
export function setOf(has: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (has(byte) ? 1 : 0));
}

const single = (byte: number): Uint8Array => setOf((other) => other === byte);
const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;
const isWord = (byte: number): boolean =>
  isDigit(byte) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a) || byte === 0x5f;
const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);

/** Escapes that stand for a set of bytes. */
const CLASSES: Readonly<Record<string, Uint8Array>> = {
  d: setOf(isDigit),
  D: setOf((byte) => !isDigit(byte)),
  w: setOf(isWord),
  W: setOf((byte) => !isWord(byte)),
  s: setOf(isSpace),
  S: setOf((byte) => !isSpace(byte)),
};

/** Escapes that stand for one byte. */
const CONTROLS: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, '0': 0 };

const ANY_BUT_LF = setOf((byte) => byte !== 0x0a);

function utf8(letter: string): readonly number[] {
  const code = letter.codePointAt(0) ?? 0;
  if (code < 0x80) return [code];
  const tail = (shift: number): number => 0x80 | ((code >> shift) & 0x3f);
  if (code < 0x800) return [0xc0 | (code >> 6), tail(0)];
  if (code < 0x1_0000) return [0xe0 | (code >> 12), tail(6), tail(0)];
  return [0xf0 | (code >> 18), tail(12), tail(6), tail(0)];
}

class Parser {
  readonly #letters: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#letters = [...source];
  }

  whole(): Node {
    const node = this.#alternatives();
    if (this.#at < this.#letters.length) this.#fail('has a ")" without its "("');
    return node;
  }

  #fail(problem: string, at = this.#at): never {
    throw new SyntaxFault(problem, at);
  }

  #peek(): string | undefined {
    return this.#letters[this.#at];
  }

  #take(): string {
    const letter = this.#letters[this.#at];
    if (letter === undefined) this.#fail('ends too early');
    this.#at += 1;
    return letter;
  }

  #takeIf(letter: string): boolean {
    if (this.#peek() !== letter) return false;
    this.#at += 1;
    return true;
  }

  #alternatives(): Node {
    const parts = [this.#sequence()];
    while (this.#takeIf('|')) parts.push(this.#sequence());
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: 'any', parts };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek())
      parts.push(this.#repeated());
    return { kind: 'all', parts };
  }

  #repeated(): Node {
    const part = this.#atom();
    const repeat = this.#repetition();
    if (repeat === undefined) return part;
    if (part.kind === 'line-start' || part.kind === 'line-end') this.#fail('repeats an assertion');
    // Whether a match is greedy changes nothing where only its earliest end counts.
    this.#takeIf('?');
    if (['*', '+', '?', '{'].includes(this.#peek() ?? '')) this.#fail('repeats a repetition');
    return { kind: 'repeat', part, least: repeat[0], most: repeat[1] };
  }

  #repetition(): readonly [number, number] | undefined {
    if (this.#takeIf('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#takeIf('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#takeIf('?')) return [0, 1];
    if (this.#peek() !== '{') return undefined;
    const from = this.#at;
    const close = this.#letters.indexOf('}', from);
    const match = /^\{(\d{1,4})(?:(,)(\d{1,4})?)?\}$/.exec(this.#letters.slice(from, close + 1).join(''));
    if (match === null) this.#fail('has a "{" that begins no repetition such as {2,5}; write \\{');
    this.#at = close + 1;
    const least = Number(match[1]);
    const most = match[2] === undefined ? least : Number(match[3] ?? Number.POSITIVE_INFINITY);
    return most < least ? this.#fail('has a repetition that ends before it begins', from) : [least, most];
  }

  #atom(): Node {
    const from = this.#at;
    const letter = this.#take();
    switch (letter) {
      case '(':
        return this.#group(from);
      case '[':
        return { kind: 'set', set: this.#set(from) };
      case '.':
        return { kind: 'set', set: ANY_BUT_LF };
      case '^':
        return { kind: 'line-start' };
      case '$':
        return { kind: 'line-end' };
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
      case '{':
        return this.#fail(`has a "${letter}" with nothing before it`, from);
      default:
        return bytesOf(letter);
    }
  }

  #group(from: number): Node {
    if (this.#takeIf('?') && !this.#takeIf(':')) this.#fail('uses "(?", of which only "(?:" is known', from);
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) this.#fail(`is nested more than ${DEPTH_MAX} deep`, from);
    const node = this.#alternatives();
    if (!this.#takeIf(')')) this.#fail('has a "(" without its ")"', from);
    this.#depth -= 1;
    return node;
  }

  #escape(): Node {
    const from = this.#at - 1;
    const letter = this.#take();
    const set = CLASSES[letter];
    if (set !== undefined) return { kind: 'set', set };
    return { kind: 'set', set: single(this.#escapedByte(letter, from)) };
  }

  /** One byte after a backslash: a control, `\xHH`, or a mark that stands for itself. */
  #escapedByte(letter: string, from: number): number {
    const control = CONTROLS[letter];
    if (control !== undefined) return control;
    if (letter === 'x') {
      const digits = this.#take() + this.#take();
      if (/^[0-9a-f]{2}$/i.test(digits)) return Number.parseInt(digits, 16);
      this.#fail('has a "\\x" without two hexadecimal digits', from);
    }
    if (/^[!-/:-@[-`{-~ ]$/.test(letter)) return letter.charCodeAt(0);
    return this.#fail(`uses "\\${letter}", which is not known`, from);
  }

  #set(from: number): Uint8Array {
    const inverted = this.#takeIf('^');
    const set = new Uint8Array(256);
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      if (this.#peek() === undefined) this.#fail('has a "[" without its "]"', from);
      if (first && this.#peek() === ']') this.#fail('has an empty set; write \\] for a bracket', from);
      this.#setItem(set);
    }
    this.#at += 1;
    return inverted ? setOf((byte) => set[byte] === 0) : set;
  }

  /** A byte, a range of bytes, or a class. */
  #setItem(set: Uint8Array): void {
    const from = this.#at;
    const low = this.#setByte();
    if (low instanceof Uint8Array) {
      for (const [byte, has] of low.entries()) if (has === 1) set[byte] = 1;
      return;
    }
    const isRange = this.#peek() === '-' && this.#letters[this.#at + 1] !== ']';
    if (isRange) this.#at += 1;
    const high = isRange ? this.#setByte() : low;
    if (high instanceof Uint8Array || high < low) this.#fail('has a range that is none', from);
    set.fill(1, low, high + 1);
  }

  #setByte(): number | Uint8Array {
    const from = this.#at;
    const letter = this.#take();
    if (letter === '\\') {
      const escaped = this.#take();
      return CLASSES[escaped] ?? this.#escapedByte(escaped, from);
    }
    const [byte = 0, ...more] = utf8(letter);
    return more.length === 0 ? byte : this.#fail('has a letter beyond ASCII in a set', from);
  }
}

function bytesOf(letter: string): Node {
  return { kind: 'all', parts: utf8(letter).map((byte) => ({ kind: 'set', set: single(byte) })) };
}

/** Makes states of the tree, from its end to its start. */
class Builder {
  readonly states: State[] = [];
  readonly #length: number;

  constructor(length: number) {
    this.#length = length;
  }

  add(state: State): number {
    if (this.states.length >= REGEX_STATES_MAX)
      throw new SyntaxFault(`comes to more than ${REGEX_STATES_MAX} states`, this.#length);
    this.states.push(state);
    return this.states.length - 1;
  }

  /** States for `node` that lead to `next`; says where they begin. */
  build(node: Node, next: number): number {
    switch (node.kind) {
      case 'set':
        return this.add({ kind: 'byte', set: node.set, next });
      case 'line-start':
      case 'line-end':
        return this.add({ kind: node.kind, next });
      case 'all':
        return node.parts.reduceRight((after, part) => this.build(part, after), next);
      case 'any':
        return this.add({ kind: 'fork', ways: node.parts.map((part) => this.build(part, next)) });
      case 'repeat':
        return this.#repeat(node.part, [node.least, node.most], next);
    }
  }

  #repeat(part: Node, [least, most]: readonly [number, number], next: number): number {
    let start = next;
    if (most === Number.POSITIVE_INFINITY) start = this.#loop(part, next);
    else
      for (let count = least; count < most; count += 1)
        start = this.add({ kind: 'fork', ways: [this.build(part, start), next] });
    for (let count = 0; count < least; count += 1) start = this.build(part, start);
    return start;
  }

  /** Any number of times; the loop's fork is made first and learns its ways afterwards. */
  #loop(part: Node, next: number): number {
    const ways: number[] = [next];
    const fork = this.add({ kind: 'fork', ways });
    ways.push(this.build(part, fork));
    return fork;
  }
}
