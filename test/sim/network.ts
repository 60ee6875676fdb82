/** The links between directors: what is wrong with them now, and what becomes of one packet. */
import type { Random } from './random.js';
import type { Disturbance, Scenario } from './scenario.js';

/** Whether `disturbance` can touch what `from` says to `to`. */
function touches(disturbance: Disturbance, from: number, to: number): boolean {
  switch (disturbance.kind) {
    case 'loss':
    case 'delay':
    case 'duplicate':
      return true;
    case 'cut':
      return disturbance.from === from && disturbance.to === to;
    case 'partition':
      return disturbance.side.includes(from) !== disturbance.side.includes(to);
    case 'unplug':
      return disturbance.director === from || disturbance.director === to;
    default:
      return false;
  }
}

export class Network {
  readonly #active = new Set<Disturbance>();
  readonly #dirtyUntil: number[][];
  readonly #count: number;
  readonly #calm: number;
  /** No packet that was held back is under way after this. */
  ghostsUntil = 0;

  constructor(
    readonly random: Random,
    scenario: Scenario,
  ) {
    this.#count = scenario.directors.length;
    this.#dirtyUntil = Array.from({ length: this.#count }, () => new Array<number>(this.#count).fill(0));
    this.#calm = scenario.calm;
  }

  get disturbed(): boolean {
    return this.#active.size > 0;
  }

  begin(disturbance: Disturbance): void {
    this.#active.add(disturbance);
  }

  end(disturbance: Disturbance): void {
    this.#active.delete(disturbance);
    const { kind, until } = disturbance;
    const clean = kind === 'delay' ? until + disturbance.most : until;
    this.ghostsUntil = Math.max(this.ghostsUntil, clean);
    for (let from = 0; from < this.#count; from += 1)
      for (let to = 0; to < this.#count; to += 1)
        if (touches(disturbance, from, to)) this.#mark(from, to, clean);
  }

  #mark(from: number, to: number, until: number): void {
    const row = this.#dirtyUntil[from];
    if (row !== undefined) row[to] = Math.max(row[to] ?? 0, until);
  }

  /** Since when two directors hear each other undisturbed; infinity where they do not now. */
  cleanSince(a: number, b: number): number {
    for (const disturbance of this.#active)
      if (touches(disturbance, a, b) || touches(disturbance, b, a)) return Number.POSITIVE_INFINITY;
    return Math.max(this.#dirtyUntil[a]?.[b] ?? 0, this.#dirtyUntil[b]?.[a] ?? 0);
  }

  /** When a packet sent now arrives: never, once or several times, from now on. */
  delays(from: number, to: number): number[] {
    const { random } = this;
    const base = random.between(0, this.#calm);
    if (this.#active.size === 0) return [base];
    let [copies, extra] = [1, 0];
    for (const disturbance of this.#active) {
      if (!touches(disturbance, from, to)) continue;
      if (disturbance.kind === 'loss') copies *= random.chance(disturbance.probability) ? 0 : 1;
      else if (disturbance.kind === 'duplicate') copies *= random.chance(disturbance.probability) ? 2 : 1;
      else if (disturbance.kind === 'delay') extra = Math.max(extra, disturbance.most);
      else copies = 0;
    }
    return Array.from({ length: copies }, () => base + random.between(0, extra));
  }
}
