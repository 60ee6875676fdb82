/** The journal's lines: its head, and one event each, as JSON. */
import { boundedJson } from '../core/json.js';
import { epochMillis } from '../core/units.js';
import type { RecordedEvent } from './model.js';

/** A journal of a higher format is not touched. */
export const JOURNAL_FORMAT = 1;
/** Longer texts and facts are cut. Characters. */
const MESSAGE_LENGTH_MAX = 4000;
const FACTS_LENGTH_MAX = 16_384;

/** The first line of a file. */
export interface JournalHead {
  readonly format: number;
  /** Tells journals apart: numbers of another one mean nothing here. */
  readonly journal: string;
}

export function headLine({ format, journal }: JournalHead): string {
  return `${JSON.stringify({ lvsentry: 'events', format, journal })}\n`;
}

/** A value of a line; undefined where it is no mapping. */
function mappingOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isMapping ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

/** @returns undefined where the line is not the head of a journal */
export function readHead(line: string): JournalHead | undefined {
  const { lvsentry, format, journal } = mappingOf(line) ?? {};
  if (lvsentry !== 'events' || typeof format !== 'number' || typeof journal !== 'string') return undefined;
  return /^[A-Za-z0-9]{1,32}$/.test(journal) ? { format, journal } : undefined;
}

/** An event as JSON: what the journal keeps and what the API tells. */
export function eventJson(event: RecordedEvent): string {
  const { sequence, at, kind, service, server, message, facts } = event;
  const text = JSON.stringify({
    sequence,
    time: new Date(at).toISOString(),
    kind,
    service: service ?? null,
    server: server ?? null,
    message: message.slice(0, MESSAGE_LENGTH_MAX),
  });
  return `${text.slice(0, -1)},"facts":${boundedJson(facts, FACTS_LENGTH_MAX)}}`;
}

const orUndefined = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** @returns undefined where the line is no event */
export function readEvent(line: string): RecordedEvent | undefined {
  const { sequence, time, kind, service, server, message, facts } = mappingOf(line) ?? {};
  if (!Number.isSafeInteger(sequence) || Number(sequence) < 1) return undefined;
  const at = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(at) || typeof kind !== 'string' || typeof message !== 'string') return undefined;
  if (typeof facts !== 'object' || facts === null) return undefined;
  return {
    sequence: Number(sequence),
    at: epochMillis(at),
    kind,
    service: orUndefined(service),
    server: orUndefined(server),
    message,
    facts: facts as Readonly<Record<string, unknown>>,
  };
}

/** What a clean end leaves as the last line. */
export const CLOSED_LINE = '{"closed":true}\n';

export function isClosedLine(line: string): boolean {
  return `${line}\n` === CLOSED_LINE;
}
