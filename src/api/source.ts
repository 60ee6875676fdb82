/** What the API knows of the daemon: it reads snapshots, and never reaches past the controller. */

import type { Applied } from '../applied.js';
import type { CheckId } from '../checks/model.js';
import type { CheckSight } from '../checks/sight.js';
import type { Clock, Logger, Timers } from '../core/ports.js';
import type { EventJournal } from '../events/journal.js';
import type { Preview } from '../ipvs/aims.js';
import type { SyncPreview } from '../ipvs/sync-keeper.js';
import type { TimeoutPreview } from '../ipvs/timeout-keeper.js';
import type { AdminWord } from '../policy/model.js';
import type { World } from '../world.js';

/** What came of reading the configuration again. */
export interface Reloaded {
  /** None: it is in force. */
  readonly faults: readonly string[];
  /** What was done to the table for it. */
  readonly applied: Applied;
}

/** What there is to be done to the table, and to what is kept in the kernel beside it. */
export interface KernelPreview extends Preview {
  readonly sync: SyncPreview;
  readonly timeouts: TimeoutPreview;
}

export interface ApiSource {
  world(): World;
  /** How it stands with checks, as their workers say; one whose worker does not answer is left out. */
  look(checks: readonly CheckId[]): Promise<ReadonlyMap<CheckId, CheckSight>>;
  /** Reads the table. @throws where it cannot be read (rejects) */
  preview(): Promise<KernelPreview>;
  /** Takes words about servers; what comes of them stands in the world at once. */
  administer(words: readonly AdminWord[]): void;
  /** It refused a request. */
  refused(code: keyof World['refused']): void;
  /** Reads the configuration again. Never rejects. */
  reload(): Promise<Reloaded>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly events: Pick<EventJournal, 'name' | 'newest' | 'page' | 'tail' | 'onRecord'>;
  /** Where given, defects of the API are logged. */
  readonly log?: Logger;
}
