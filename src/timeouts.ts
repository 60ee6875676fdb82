/** The connection time-outs of the configuration, kept in the kernel: what is told of it. */
import type { Config } from './config/model.js';
import type { Timers } from './core/ports.js';
import { DRIFT_DONE, type Happening } from './describe.js';
import type { IpvsTable, Timeouts, TimeoutsState } from './ipvs/model.js';
import type { DriftPolicy } from './ipvs/ownership.js';
import { timeoutDriftText } from './ipvs/timeout-drift.js';
import { TimeoutKeeper, type TimeoutPreview } from './ipvs/timeout-keeper.js';
import { type TimeoutDrift, type TimeoutStore, timeoutsText } from './ipvs/timeouts.js';

export interface TimeoutFollowerOptions {
  readonly table: IpvsTable;
  readonly store: TimeoutStore;
  readonly timers: Timers;
  readonly onState: (state: TimeoutsState | undefined) => void;
  readonly tell: (happening: Happening) => void;
}

function changeHappening(set: Partial<Timeouts>): Happening {
  return {
    kind: 'timeouts-set',
    message: `the time-outs of connections were set: ${timeoutsText(set)}`,
    facts: { set },
  };
}

function driftHappening(drift: readonly TimeoutDrift[], policy: DriftPolicy): Happening {
  const words = drift.map(timeoutDriftText).join('; ');
  return {
    kind: policy === 'accept' ? 'drift-accepted' : 'table-drift',
    message: `the time-outs of connections were changed by somebody else, ${DRIFT_DONE[policy]}: ${words}`,
    facts: { policy, entries: drift.length, timeouts: drift },
  };
}

function failureHappening(message: string): Happening {
  return {
    kind: 'table-error',
    message: `the time-outs of connections are not as they should be: ${message}`,
    facts: { subject: 'timeouts' },
  };
}

export class TimeoutFollower {
  readonly #keeper: TimeoutKeeper;

  constructor({ table, store, timers, onState, tell }: TimeoutFollowerOptions) {
    this.#keeper = new TimeoutKeeper({
      table,
      store,
      timers,
      events: {
        onState,
        onChanged: (set) => tell(changeHappening(set)),
        onDrift: (drift, policy) => tell(driftHappening(drift, policy)),
        onFailure: (message) => tell(failureHappening(message)),
      },
    });
  }

  /** After a new configuration. */
  configure({ timeouts, resync, ownership }: Pick<Config, 'timeouts' | 'resync' | 'ownership'>): void {
    this.#keeper.govern(ownership.besideDrift.timeouts);
    this.#keeper.aim(timeouts, resync);
  }

  /** What a look would do now. @throws as `timeouts` of the table (rejects) */
  preview(): Promise<TimeoutPreview> {
    return this.#keeper.preview();
  }

  /** Puts back what stood there before us. */
  close(): Promise<void> {
    return this.#keeper.close();
  }
}
