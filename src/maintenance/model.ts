/** Maintenance windows. Types only. */
import type { EpochMillis, Millis } from '../core/units.js';
import type { ServerId } from '../policy/model.js';

/** When a window is. */
export type WindowTimes =
  | { readonly kind: 'once'; readonly from: EpochMillis; readonly until: EpochMillis }
  | {
      readonly kind: 'recurring';
      /** Five fields, as in crontab(5). */
      readonly schedule: string;
      /** Of the IANA database. */
      readonly timezone: string;
      readonly duration: Millis;
    };

/** One entry of `maintenance:`. */
export interface MaintenanceWindow {
  readonly name: string;
  readonly times: WindowTimes;
  /** In the order of the configuration; never empty. */
  readonly servers: readonly ServerId[];
  /** The servers are drained this long before. */
  readonly ahead: Millis;
  readonly reason: string | undefined;
}

/** A stretch of time during which a window's servers are out; what overlaps is one. */
export interface Stretch {
  /** When draining begins. */
  readonly drainFrom: EpochMillis;
  readonly from: EpochMillis;
  readonly until: EpochMillis;
}

/** How it stands with a window now. */
export interface WindowState {
  readonly window: MaintenanceWindow;
  /** Undefined: it is not under way. */
  readonly current: Stretch | undefined;
  /** The next one; undefined: there is none. */
  readonly next: Stretch | undefined;
}
