/**
 * The last probes of each check, for whoever asks why. A plain probe is a row of numbers in arrays that are there
 * already: what it found is not kept from the garbage collector, and the steady state allocates nothing for it.
 */
import { assert } from '../core/assert.js';
import { type Millis, micros, millis } from '../core/units.js';
import type { Phase, ProbeResult, Reason } from './model.js';
import { outcomeOf } from './reason.js';

/** Probes that are kept of each check. */
export const PROBES_KEPT = 10;

/** A probe of the past. */
export interface PastProbe {
  /** Monotonic. */
  readonly startedAt: Millis;
  readonly result: ProbeResult;
}

/** Checks whose probes stand in one block: each block is a few arrays. */
const BLOCK_CHECKS = 64;
const BLOCK_PROBES = BLOCK_CHECKS * PROBES_KEPT;
/** A probe with more phases than this is kept as the object that it is. */
const PHASES_MAX = 8;
/** Integers of one probe: elapsed, number of phases, and a phase each. */
const ELAPSED = 0;
const COUNT = 1;
const PHASES = 2;
const ROW = PHASES + PHASES_MAX;
/** A phase is one integer: its number in the upper bits, its microseconds in the lower ones. */
const PHASE_SHIFT = 2 ** 27;
const MICROS_MAX = 2 ** 32 - 1;

const OK: Reason = { kind: 'ok' };

interface Block {
  readonly startedAt: Float64Array;
  readonly numbers: Uint32Array;
  /** Of those that did not pass. */
  readonly reasons: (Reason | undefined)[];
  /** Of those that are not plain. */
  readonly wholes: Map<number, ProbeResult>;
  /** By check: how many probes it had, all in all. */
  readonly ended: Float64Array;
}

function newBlock(): Block {
  return {
    startedAt: new Float64Array(BLOCK_PROBES),
    numbers: new Uint32Array(BLOCK_PROBES * ROW),
    reasons: new Array<Reason | undefined>(BLOCK_PROBES).fill(undefined),
    wholes: new Map(),
    ended: new Float64Array(BLOCK_CHECKS),
  };
}

export class ProbeRing {
  readonly #blocks: Block[] = [];
  readonly #free: number[] = [];
  /** The phases that were seen, by their numbers here. */
  readonly #phases: Phase[] = [];

  /** A place for a check; `add` and `read` take it. */
  take(): number {
    const place = this.#free.pop();
    if (place !== undefined) return place;
    const first = this.#blocks.length * BLOCK_CHECKS;
    this.#blocks.push(newBlock());
    for (let next = first + BLOCK_CHECKS - 1; next > first; next -= 1) this.#free.push(next);
    return first;
  }

  /** Forgets what stands there. The place may go to another check. */
  release(place: number): void {
    const block = this.#blockOf(place);
    const check = place % BLOCK_CHECKS;
    block.ended[check] = 0;
    block.reasons.fill(undefined, check * PROBES_KEPT, (check + 1) * PROBES_KEPT);
    for (let index = 0; index < PROBES_KEPT; index += 1) block.wholes.delete(check * PROBES_KEPT + index);
    this.#free.push(place);
  }

  /** Keeps a probe that has ended, in place of the oldest. */
  add(place: number, startedAt: Millis, result: ProbeResult): void {
    const block = this.#blockOf(place);
    const check = place % BLOCK_CHECKS;
    const ended = block.ended[check] ?? 0;
    block.ended[check] = ended + 1;
    const slot = check * PROBES_KEPT + (ended % PROBES_KEPT);
    block.startedAt[slot] = startedAt;
    const isPlain = this.#write(block.numbers, slot * ROW, result);
    block.reasons[slot] = isPlain && result.reason.kind !== 'ok' ? result.reason : undefined;
    if (!isPlain) block.wholes.set(slot, result);
    else if (block.wholes.size > 0) block.wholes.delete(slot);
  }

  /** What is kept of a check, oldest first. */
  read(place: number): readonly PastProbe[] {
    const block = this.#blockOf(place);
    const check = place % BLOCK_CHECKS;
    const ended = block.ended[check] ?? 0;
    const probes: PastProbe[] = [];
    for (let index = Math.max(0, ended - PROBES_KEPT); index < ended; index += 1) {
      const slot = check * PROBES_KEPT + (index % PROBES_KEPT);
      const startedAt = millis(block.startedAt[slot] ?? 0);
      probes.push({ startedAt, result: block.wholes.get(slot) ?? this.#result(block, slot) });
    }
    return probes;
  }

  #blockOf(place: number): Block {
    const block = this.#blocks[Math.floor(place / BLOCK_CHECKS)];
    assert(block !== undefined, 'a place in the ring was taken');
    return block;
  }

  /** @returns whether the numbers, and the reason, say all of it */
  #write(numbers: Uint32Array, at: number, result: ProbeResult): boolean {
    const { phases, elapsed } = result;
    const { warning, words, weight, say } = result;
    if ((warning ?? words ?? weight ?? say) !== undefined) return false;
    if (phases.length > PHASES_MAX || elapsed > MICROS_MAX) return false;
    if (result.outcome !== outcomeOf(result.reason)) return false;
    numbers[at + ELAPSED] = elapsed;
    numbers[at + COUNT] = phases.length;
    for (let index = 0; index < phases.length; index += 1) {
      const phase = phases[index];
      if (phase === undefined || phase[1] >= PHASE_SHIFT) return false;
      numbers[at + PHASES + index] = this.#numberOf(phase[0]) * PHASE_SHIFT + phase[1];
    }
    return true;
  }

  #numberOf(phase: Phase): number {
    const known = this.#phases.indexOf(phase);
    return known >= 0 ? known : this.#phases.push(phase) - 1;
  }

  #result({ numbers, reasons }: Block, slot: number): ProbeResult {
    const at = slot * ROW;
    const reason = reasons[slot] ?? OK;
    const phases: ProbeResult['phases'][number][] = [];
    for (let index = 0; index < (numbers[at + COUNT] ?? 0); index += 1) {
      const phase = numbers[at + PHASES + index] ?? 0;
      const name = this.#phases[Math.floor(phase / PHASE_SHIFT)];
      if (name !== undefined) phases.push([name, micros(phase % PHASE_SHIFT)]);
    }
    return { outcome: outcomeOf(reason), reason, phases, elapsed: micros(numbers[at + ELAPSED] ?? 0) };
  }
}
