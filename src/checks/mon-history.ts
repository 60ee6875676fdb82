/** What a monitor of mon is told of the runs before: its environment. Source: mon(8), "Monitor programs". */
import type { EpochMillis } from '../core/units.js';
import type { Outcome } from './model.js';

/** One is kept for each check. */
export class MonHistory {
  #output = '';
  #firstFailure = 0;
  #lastFailure = 0;
  #lastSuccess = 0;

  /** Instants are seconds since 1970, 0 where there was none. */
  environment(): Readonly<Record<string, string>> {
    return {
      MON_LAST_SUMMARY: this.#output.split('\n', 1)[0] ?? '',
      MON_LAST_OUTPUT: this.#output,
      MON_FIRST_FAILURE: String(this.#firstFailure),
      MON_LAST_FAILURE: String(this.#lastFailure),
      MON_LAST_SUCCESS: String(this.#lastSuccess),
    };
  }

  /** Takes a run in. What is unknown was no run. */
  note(outcome: Outcome, output: string, at: EpochMillis): void {
    if (outcome === 'unknown') return;
    const now = Math.floor(at / 1000);
    // A zero byte would keep the next run from being started.
    this.#output = output.replaceAll('\0', '');
    if (outcome === 'pass') {
      this.#lastSuccess = now;
      this.#firstFailure = 0;
    } else {
      this.#lastFailure = now;
      if (this.#firstFailure === 0) this.#firstFailure = now;
    }
  }
}
