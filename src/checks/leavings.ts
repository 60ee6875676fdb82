/** What a thread that is no more has left running. */
import type { ReapChild, Timers } from '../core/ports.js';
import { millis } from '../core/units.js';
import type { ProcessGroups } from '../exec/groups.js';

const AGAIN = millis(100);
/** What the kernel does not let go of in this time is left to it. */
const TRIES_MAX = 100;

export interface LeavingsPorts {
  readonly timers: Timers;
  readonly reapChild: ReapChild;
}

/** Kills the programs of a dead thread, and takes their exits: else they would stay as zombies. */
export function endPrograms(groups: ProcessGroups, { timers, reapChild }: LeavingsPorts): void {
  let left = groups.killAll();
  let tries = 0;
  const look = (): void => {
    left = left.filter((pid) => reapChild(pid));
    tries += 1;
    if (left.length > 0 && tries < TRIES_MAX) timers.after(AGAIN, look);
  };
  look();
}
