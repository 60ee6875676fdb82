/** Events as they are kept and read again. Types only. */
import type { EpochMillis } from '../core/units.js';

/** An event from the journal: as LvsEvent, but its kind may be one of another version. */
export interface RecordedEvent {
  readonly sequence: number;
  readonly at: EpochMillis;
  readonly kind: string;
  readonly service: string | undefined;
  readonly server: string | undefined;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Which events somebody wants to read. */
export interface EventQuery {
  /** Those behind this sequence number. */
  readonly after: number;
  /** Not earlier than this. */
  readonly since: EpochMillis | undefined;
  /** Undefined: all. */
  readonly kinds: ReadonlySet<string> | undefined;
  readonly service: string | undefined;
  /** Not there: all. */
  readonly server?: string;
}

/** Events in the order of their numbers. */
export interface EventPage {
  readonly events: readonly RecordedEvent[];
  /** Everything up to this number was looked at; the next page begins behind it. */
  readonly upTo: number;
}
