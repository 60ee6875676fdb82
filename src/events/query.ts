/** Which events somebody wants: what a query says, and whether an event is among them. */
import { type EpochMillis, epochMillis } from '../core/units.js';
import type { EventQuery, RecordedEvent } from './model.js';

export const ALL_EVENTS: EventQuery = { after: 0, since: undefined, kinds: undefined, service: undefined };

/** Whether the query asks for this event. */
export function isWanted(
  { after, since, kinds, service, server }: EventQuery,
  event: RecordedEvent,
): boolean {
  return (
    event.sequence > after &&
    (since === undefined || event.at >= since) &&
    (kinds === undefined || kinds.has(event.kind)) &&
    (service === undefined || event.service === service) &&
    (server === undefined || event.server === server)
  );
}

/** With a time zone, as RFC 3339 has it: a time without one means another instant on every machine. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

/** @returns undefined where the text is no time with its zone (RFC 3339) */
export function parseTime(text: string): EpochMillis | undefined {
  const time = TIME.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : epochMillis(time);
}

/** Where somebody stopped reading: the number of the last event, and the journal that gave it. */
export interface Cursor {
  readonly journal: string;
  readonly sequence: number;
}

const CURSOR = /^([A-Za-z0-9]{1,32})-(\d{1,15})$/;

export function cursorText({ journal, sequence }: Cursor): string {
  return `${journal}-${sequence}`;
}

export function parseCursor(text: string): Cursor | undefined {
  const [, journal, sequence] = CURSOR.exec(text) ?? [];
  return journal === undefined ? undefined : { journal, sequence: Number(sequence) };
}

/** Where the reader of another journal begins: its numbers mean nothing here, so at the beginning. */
export function resumeAfter(text: string, journal: string): number | undefined {
  const cursor = parseCursor(text);
  if (cursor === undefined) return undefined;
  return cursor.journal === journal ? cursor.sequence : 0;
}
