/** An answer of HTTP/1.0 or 1.1 as it comes: read, and held against what is wanted. */
import { type HttpFault, HttpResponseReader } from '../wire/http.js';
import { Judge, type Wants } from './http-judge.js';
import type { Reason } from './model.js';

/** Fields that the probe itself needs where more than one request may be made. */
const OWN_FIELDS = ['connection', 'location'] as const;

/** What is asked for, of which answers are made. */
export interface Expected {
  readonly method: string;
  readonly wants: Wants;
  /** The fields of the head that are kept; undefined: none. */
  readonly fields: ReadonlySet<string> | undefined;
}

/** @param isOnly whether nothing can come after this request */
export function expected(method: string, wants: Wants, isOnly: boolean): Expected {
  if (isOnly && wants.fields.length === 0) return { method, wants, fields: undefined };
  return { method, wants, fields: new Set([...OWN_FIELDS, ...wants.fields.map(({ name }) => name)]) };
}

export class Answer {
  readonly #judge: Judge;
  readonly #reader: HttpResponseReader;
  readonly #wants: Wants;

  constructor({ method, wants, fields }: Expected) {
    this.#wants = wants;
    this.#judge = new Judge(wants);
    this.#reader = new HttpResponseReader(method, (bytes) => this.#onBody(bytes), fields);
  }

  push(bytes: Uint8Array): void {
    this.#reader.push(bytes);
    this.#tell();
  }

  /** The server will say no more. */
  finish(): void {
    this.#reader.finish();
    this.#tell();
  }

  /** What the answer means, as soon as that is known. */
  get reason(): Reason | undefined {
    const { fault } = this.#reader;
    return this.#judge.reason ?? (fault === undefined ? undefined : reasonOfFault(fault));
  }

  get status(): number | undefined {
    return this.#reader.status;
  }

  get location(): string | undefined {
    return this.#reader.fields.get('location');
  }

  /** Whether the rest of it is worth waiting for, because the connection can then be used again. */
  get endsSoon(): boolean {
    const { done, fault, persists } = this.#reader;
    return !done && fault === undefined && persists && this.#judge.bodyLength <= this.#wants.bodyLimit;
  }

  /** Whether another request may follow on the connection now. */
  get leavesConnection(): boolean {
    return this.#reader.done && this.#reader.persists;
  }

  #onBody(bytes: Uint8Array): void {
    this.#tellHead();
    this.#judge.body(bytes);
  }

  #tell(): void {
    this.#tellHead();
    if (this.#reader.done) this.#judge.end();
  }

  #tellHead(): void {
    const { status, fields } = this.#reader;
    if (status !== undefined) this.#judge.head(status, fields);
  }
}

/** What a response that cannot be read on means. */
export function reasonOfFault(fault: HttpFault): Reason {
  switch (fault.kind) {
    case 'malformed':
      return { kind: 'protocol-error', phase: 'response', detail: fault.detail };
    case 'too-long':
      return { kind: 'too-long', phase: 'response', limit: fault.limit };
    case 'truncated':
      return { kind: 'closed', phase: 'response' };
  }
}
