/** One answer of a web server, held against what is wanted of it while it comes. */
import { RegexSearch } from '../core/regex.js';
import type { Regex } from '../core/regex-syntax.js';
import { type BodyLook, type LookMaker, lookMakers, regexOf } from './http-looks.js';
import type { Reason } from './model.js';
import { printable } from './reason.js';
import type { HttpUrl, StatusRange } from './spec-web.js';

interface WantedField {
  readonly name: string;
  readonly text: string;
  readonly regex: Regex;
}

/** What is wanted of every answer to one request. */
export interface Wants {
  readonly status: readonly StatusRange[];
  readonly fields: readonly WantedField[];
  readonly looks: readonly LookMaker[];
  /** More body than this many bytes is never looked at. */
  readonly bodyLimit: number;
}

export function wantsOf(url: HttpUrl, bodyLimit: number): Wants {
  const fields = url.fields.map(([name, text]) => ({ name, text, regex: regexOf(text) }));
  return { status: url.status, fields, looks: lookMakers(url), bodyLimit };
}

/** Names of the fields that a reader must keep for a judge. */
export type Fields = ReadonlyMap<string, string>;

const OK: Reason = { kind: 'ok' };
const NO_LOOKS: readonly BodyLook[] = [];

export class Judge {
  readonly #wants: Wants;
  readonly #looks: readonly BodyLook[];
  /** For each look whether it has found what it looks for. */
  readonly #met: boolean[] = [];
  #bodyLength = 0;
  #ended = false;
  /** What the head came to; undefined: it is as wanted. */
  #fault: Reason | undefined;
  #hasHead = false;

  constructor(wants: Wants) {
    this.#wants = wants;
    this.#looks = wants.looks.length === 0 ? NO_LOOKS : wants.looks.map((make) => make());
  }

  /** Bytes of the body so far. */
  get bodyLength(): number {
    return this.#bodyLength;
  }

  /** Takes the head of the final response; only the first call counts. */
  head(status: number, fields: Fields): void {
    if (this.#hasHead) return;
    this.#hasHead = true;
    const { status: ranges, fields: wanted } = this.#wants;
    if (!ranges.some(([from, to]) => status >= from && status <= to))
      this.#fault = { kind: 'bad-status', status };
    for (const field of wanted) this.#fault ??= fieldFault(field, fields.get(field.name));
  }

  body(bytes: Uint8Array): void {
    const wanted = bytes.subarray(0, Math.max(0, this.#wants.bodyLimit - this.#bodyLength));
    this.#bodyLength += bytes.length;
    if (wanted.length === 0) return;
    for (const [index, look] of this.#looks.entries())
      if (this.#met[index] !== true) this.#met[index] = look.push(wanted);
  }

  /** The body is whole. */
  end(): void {
    if (this.#ended || this.#tooLong()) return;
    this.#ended = true;
    for (const [index, look] of this.#looks.entries()) {
      if (this.#met[index] === true) continue;
      const detail = look.end(this.#bodyLength);
      if (detail === undefined) this.#met[index] = true;
      else this.#fault ??= { kind: 'bad-content', phase: 'response', detail };
    }
  }

  /** What the answer means, as soon as that is known. */
  get reason(): Reason | undefined {
    if (!this.#hasHead || this.#fault !== undefined) return this.#fault;
    if (this.#looks.every((_, index) => this.#met[index] === true)) return OK;
    return this.#tooLong()
      ? { kind: 'too-long', phase: 'response', limit: this.#wants.bodyLimit }
      : undefined;
  }

  #tooLong(): boolean {
    return this.#bodyLength > this.#wants.bodyLimit;
  }
}

function fieldFault({ name, text, regex }: WantedField, value: string | undefined): Reason | undefined {
  const fault = (detail: string): Reason => ({ kind: 'bad-content', phase: 'response', detail });
  if (value === undefined) return fault(`no ${name}`);
  const search = new RegexSearch(regex);
  if (search.push(Buffer.from(value, 'latin1')) >= 0 || search.finish()) return undefined;
  return fault(`${name} is ${JSON.stringify(printable(value))}, which /${printable(text)}/ does not match`);
}
