/** Seeded chance: the same seed gives the same world on every machine. */

/** xoshiro128** (Blackman, Vigna), seeded by splitmix32. */
export class Random {
  readonly #state: Uint32Array;

  constructor(seed: number) {
    let mixed = seed >>> 0;
    this.#state = Uint32Array.from({ length: 4 }, () => {
      mixed = (mixed + 0x9e3779b9) >>> 0;
      let value = mixed;
      value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
      value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
      return (value ^ (value >>> 16)) >>> 0;
    });
  }

  /** 32 bits. */
  #next(): number {
    const s = this.#state;
    const [a, b, c, d] = [s[0] ?? 0, s[1] ?? 0, s[2] ?? 0, s[3] ?? 0];
    const spun = Math.imul(b, 5);
    const result = Math.imul((spun << 7) | (spun >>> 25), 9) >>> 0;
    const [c1, d1] = [c ^ a, d ^ b];
    s[0] = a ^ d1;
    s[1] = b ^ c1;
    s[2] = c1 ^ (b << 9);
    s[3] = (d1 << 11) | (d1 >>> 21);
    return result;
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.#next() / 2 ** 32;
  }

  /** Uniform in [least, most). */
  between(least: number, most: number): number {
    return least + this.uniform() * (most - least);
  }

  /** A whole number, both ends included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.uniform() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  pick<Value>(values: readonly Value[]): Value {
    const value = values[Math.floor(this.uniform() * values.length)];
    if (value === undefined) throw new Error('nothing to pick from');
    return value;
  }
}
