/** A number for plain data, equal for equal data: to find what is alike among thousands without comparing all with all. */

/** FNV-1a. Source: draft-eastlake-fnv, 32 bits. */
const START = 0x811c9dc5 | 0;
const PRIME = 0x01000193;

/** Longer texts, such as certificates, mostly stand in many checks: they are gone through once. */
const LONG = 256;

const step = (hash: number, value: number): number => Math.imul(hash ^ value, PRIME);

function ofText(text: string, start = START): number {
  let hash = start;
  for (let index = 0; index < text.length; index += 1) hash = step(hash, text.charCodeAt(index));
  return hash;
}

/** Keep one for as long as much is compared at a time; it remembers long texts. */
export class Likeness {
  readonly #long = new Map<string, number>();

  /**
   * @param value plain data: texts, numbers, typed arrays, arrays, and objects with members in any order. Of other
   * objects only their own members count.
   * @returns 32 bits. Different data may have the same number: whoever finds one compares.
   */
  of(value: unknown): number {
    switch (typeof value) {
      case 'string':
        return value.length > LONG ? this.#ofLong(value) : ofText(value);
      case 'number':
        return Number.isInteger(value) ? step(START, value | 0) : ofText(String(value), 1);
      case 'object':
        return value === null ? 2 : this.#ofObject(value);
      default:
        return ofText(String(value), 3);
    }
  }

  #ofLong(text: string): number {
    const known = this.#long.get(text);
    if (known !== undefined) return known;
    const hash = ofText(text);
    this.#long.set(text, hash);
    return hash;
  }

  #ofObject(value: object): number {
    if (Array.isArray(value) || value instanceof Uint8Array) {
      let hash = 4;
      for (const one of value) hash = step(hash, this.of(one));
      return hash;
    }
    let sum = 5;
    for (const [key, member] of Object.entries(value)) sum = (sum + step(ofText(key), this.of(member))) | 0;
    return sum;
  }
}
