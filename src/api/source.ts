/** What the API knows of the daemon: it reads snapshots, and never reaches past the controller. */
import type { CheckId } from '../checks/model.js';
import type { CheckSight } from '../checks/sight.js';
import type { Clock, Logger, Timers } from '../core/ports.js';
import type { EventJournal } from '../events/journal.js';
import type { AdminWord } from '../policy/model.js';
import type { TableWork } from '../table-journal.js';
import type { World } from '../world.js';

export interface ApiSource {
  world(): World;
  work(): TableWork;
  /** How it stands with checks, as their workers say; one whose worker does not answer is left out. */
  look(checks: readonly CheckId[]): Promise<ReadonlyMap<CheckId, CheckSight>>;
  /** Takes words about servers; what comes of them stands in the world at once. */
  administer(words: readonly AdminWord[]): void;
  /** Reads the configuration again. Never rejects. @returns its faults; none: it is in force */
  reload(): Promise<readonly string[]>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly events: Pick<EventJournal, 'name' | 'newest' | 'page' | 'tail' | 'onRecord'>;
  /** Where given, defects of the API are logged. */
  readonly log?: Logger;
}
