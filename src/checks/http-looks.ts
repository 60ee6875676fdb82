/** What a check looks for in the body of an answer, while it comes. */
import { createHash, type Hash } from 'node:crypto';
import { assert } from '../core/assert.js';
import { valueAt } from '../core/json-pointer.js';
import { RegexSearch } from '../core/regex.js';
import { compileRegex, type Regex } from '../core/regex-syntax.js';
import { printable } from './reason.js';
import type { HttpUrl, JsonScalar } from './spec-web.js';

/** One thing that is looked for. */
export interface BodyLook {
  /** Takes the next bytes, valid during the call only; says whether what is looked for is there already. */
  push(bytes: Uint8Array): boolean;
  /** The body was whole: what is wrong with it; undefined: nothing. @param length of it in bytes */
  end(length: number): string | undefined;
}

/** Makes a look for each answer. What is the same for all of them is prepared once. */
export type LookMaker = () => BodyLook;

/** What is to be looked for in the body; nothing: the body does not matter. */
export function lookMakers(url: HttpUrl): readonly LookMaker[] {
  const makers: LookMaker[] = [];
  const { contains, matches, json, digest } = url;
  if (contains !== undefined) {
    const text = Buffer.from(contains, 'utf8');
    makers.push(() => new TextLook(text));
  }
  if (matches !== undefined) {
    const regex = regexOf(matches);
    makers.push(() => new RegexLook(regex, matches));
  }
  if (json.length > 0) makers.push(() => new JsonLook(json));
  if (digest !== undefined) makers.push(() => new DigestLook(digest));
  return makers;
}

/** A regex that the configuration has held against the syntax. */
export function regexOf(text: string): Regex {
  const result = compileRegex(text);
  assert(result.ok, 'the configuration lets only regexes through');
  return result.regex;
}

class TextLook implements BodyLook {
  readonly #text: Buffer;
  /** The end of the body so far: where the text may have begun. */
  #tail: Uint8Array = new Uint8Array(0);

  constructor(text: Buffer) {
    this.#text = text;
  }

  push(bytes: Uint8Array): boolean {
    const seen = Buffer.concat([this.#tail, bytes]);
    this.#tail = seen.subarray(Math.max(0, seen.length - this.#text.length + 1));
    return seen.includes(this.#text);
  }

  end(length: number): string {
    return `no ${JSON.stringify(printable(this.#text.toString()))} in ${length} bytes`;
  }
}

class RegexLook implements BodyLook {
  readonly #search: RegexSearch;
  readonly #text: string;

  constructor(regex: Regex, text: string) {
    this.#search = new RegexSearch(regex);
    this.#text = text;
  }

  push(bytes: Uint8Array): boolean {
    return this.#search.push(bytes) >= 0;
  }

  end(length: number): string | undefined {
    return this.#search.finish() ? undefined : `no match of /${printable(this.#text)}/ in ${length} bytes`;
  }
}

class JsonLook implements BodyLook {
  readonly #wanted: HttpUrl['json'];
  readonly #pieces: Uint8Array[] = [];

  constructor(wanted: HttpUrl['json']) {
    this.#wanted = wanted;
  }

  push(bytes: Uint8Array): boolean {
    this.#pieces.push(Uint8Array.from(bytes));
    return false;
  }

  end(): string | undefined {
    let document: unknown;
    try {
      document = JSON.parse(Buffer.concat(this.#pieces).toString('utf8'));
    } catch {
      return 'not JSON';
    }
    for (const [pointer, wanted] of this.#wanted) {
      const found = valueAt(document, pointer);
      if (found !== wanted) return jsonText(pointer, found, wanted);
    }
    return undefined;
  }
}

function jsonText(pointer: string, found: unknown, wanted: JsonScalar): string {
  const place = pointer === '' ? 'the document' : printable(pointer);
  if (found === undefined) return `no ${place}`;
  const isScalar = found === null || typeof found !== 'object';
  const text = isScalar ? printable(JSON.stringify(found)) : Array.isArray(found) ? 'a list' : 'an object';
  return `${place} is ${text}, not ${printable(JSON.stringify(wanted))}`;
}

class DigestLook implements BodyLook {
  readonly #wanted: string;
  readonly #hash: Hash;

  constructor(wanted: string) {
    this.#wanted = wanted;
    this.#hash = createHash(wanted.length === 32 ? 'md5' : 'sha256');
  }

  push(bytes: Uint8Array): boolean {
    this.#hash.update(bytes);
    return false;
  }

  end(): string | undefined {
    const found = this.#hash.digest('hex');
    const name = found.length === 32 ? 'MD5' : 'SHA-256';
    return found === this.#wanted ? undefined : `the ${name} of the body is ${found}`;
  }
}
