/**
 * What the time that probes take says of a server's weight: a share of it, by an average that forgets with time
 * (EWMA over irregular intervals). Pure; it reads no clock.
 */
import type { Micros, Millis } from '../core/units.js';
import type { LatencyRemark, LatencyRule, ProbeResult } from './model.js';

const WHOLE = 100;
/** Passes before the average counts: the first ones of a server that has just started are its slowest. */
const SAMPLES_MIN = 5;
/** From one change of the share to the next, at least: each is written to the table. */
const CHANGE_INTERVAL = 1000;

/** Kept for each check that has a rule for it. */
export class Latency {
  readonly #rule: LatencyRule;
  /** Microseconds. */
  #average = 0;
  #at = 0;
  #samples = 0;
  #share = WHOLE;
  #changedAt = Number.NEGATIVE_INFINITY;

  constructor(rule: LatencyRule) {
    this.#rule = rule;
  }

  /**
   * Takes one probe in; only how long a pass took counts. Time away weighs as much as time seen: after a long pause the
   * first pass is nearly all of the average.
   * @param now monotonic
   * @returns what is to be told; undefined: the share stays as it is, and nothing was allocated
   */
  take(
    { outcome, elapsed }: Pick<ProbeResult, 'outcome' | 'elapsed'>,
    now: Millis,
  ): LatencyRemark | undefined {
    if (outcome !== 'pass') return undefined;
    const kept = this.#samples === 0 ? 0 : 2 ** ((this.#at - now) / this.#rule.halfLife);
    this.#average = this.#average * kept + elapsed * (1 - kept);
    this.#at = now;
    this.#samples += 1;
    if (this.#samples < SAMPLES_MIN || now - this.#changedAt < CHANGE_INTERVAL) return undefined;
    const share = this.#next();
    if (share === this.#share) return undefined;
    this.#share = share;
    this.#changedAt = now;
    return { share, average: Math.round(this.#average) as Micros };
  }

  /**
   * The share that follows: what the average asks for, no more than a step away. Within the dead band it stays, but for
   * the bounds, which are reached: a server that is fast again has its whole weight.
   */
  #next(): number {
    const { target, floor, ceiling, maximumStep, deadBand } = this.#rule;
    const wanted = (WHOLE * target) / Math.max(this.#average, 1);
    const asked = Math.round(Math.min(Math.max(wanted, floor), ceiling));
    const away = asked - this.#share;
    if (Math.abs(away) < deadBand && asked !== floor && asked !== ceiling) return this.#share;
    return this.#share + Math.sign(away) * Math.min(Math.abs(away), maximumStep);
  }
}
