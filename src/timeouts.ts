/** The connection time-outs of the configuration, kept in the kernel: what is told of it. */
import type { Config } from './config/model.js';
import type { Timers } from './core/ports.js';
import type { Happening } from './describe.js';
import type { IpvsTable, Timeouts, TimeoutsState } from './ipvs/model.js';
import { TimeoutKeeper } from './ipvs/timeout-keeper.js';
import { type TimeoutDrift, type TimeoutStore, timeoutsText, timeoutWord } from './ipvs/timeouts.js';

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

function driftHappening(drift: readonly TimeoutDrift[]): Happening {
  const words = drift.map(
    ({ name, found, wanted }) => `${timeoutWord(name)} ${found}s, should be ${wanted}s`,
  );
  return {
    kind: 'table-drift',
    message: `the time-outs of connections were changed by somebody else: ${words.join('; ')}`,
    facts: { entries: drift.length, timeouts: drift },
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
        onDrift: (drift) => tell(driftHappening(drift)),
        onFailure: (message) => tell(failureHappening(message)),
      },
    });
  }

  /** After a new configuration. */
  configure({ timeouts, resync }: Pick<Config, 'timeouts' | 'resync'>): void {
    this.#keeper.aim(timeouts, resync);
  }

  /** Puts back what stood there before us. */
  close(): Promise<void> {
    return this.#keeper.close();
  }
}
