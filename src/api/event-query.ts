/** What a request for events asks for. */
import type { EventQuery } from '../events/model.js';
import { ALL_EVENTS, parseTime, resumeAfter } from '../events/query.js';

export interface EventRequest {
  readonly query: EventQuery;
  readonly limit: number;
  /** A place to begin was named; else it is the newest that are wanted. */
  readonly begins: boolean;
}

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1000;
const VALUE_LENGTH_MAX = 1000;

type Found<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

/** Every value as one text; undefined where the parameter is not there. A repeated one is a list. */
function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'string' ? value : undefined;
}

const PARAMETERS = ['since', 'limit', 'kind', 'service'];

const SINCE_PROBLEM =
  '`since` is a time such as 2026-03-01T03:00:00Z, the number of an event, or `next` of an answer';

function sinceOf(text: string, journal: string): Found<Pick<EventQuery, 'after' | 'since'>> {
  if (/^\d{1,15}$/.test(text)) return { ok: true, value: { after: Number(text), since: undefined } };
  const after = resumeAfter(text, journal);
  if (after !== undefined) return { ok: true, value: { after, since: undefined } };
  const since = parseTime(text);
  return since === undefined
    ? { ok: false, problem: SINCE_PROBLEM }
    : { ok: true, value: { after: 0, since } };
}

function limitOf(text: string): Found<number> {
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= LIMIT_MAX) return { ok: true, value: limit };
  return { ok: false, problem: `\`limit\` is a number from 1 to ${LIMIT_MAX}` };
}

/** Reads the query of a URL. @param journal whose numbers a cursor must be of */
export function eventRequest(given: Readonly<Record<string, unknown>>, journal: string): Found<EventRequest> {
  const unknown = Object.keys(given).find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined)
    return {
      ok: false,
      problem: `there is no parameter "${unknown.slice(0, 40)}"; there are ${PARAMETERS.join(', ')}`,
    };
  const [since, limit, kind, service] = PARAMETERS.map((name) =>
    textOf(given[name])?.slice(0, VALUE_LENGTH_MAX),
  );
  const begin = since === undefined ? undefined : sinceOf(since, journal);
  if (begin?.ok === false) return begin;
  const most = limitOf(limit ?? String(LIMIT_DEFAULT));
  if (!most.ok) return most;
  const kinds = kind === undefined ? undefined : new Set(kind.split(','));
  const query: EventQuery = { ...ALL_EVENTS, ...begin?.value, kinds, service };
  return { ok: true, value: { query, limit: most.value, begins: begin !== undefined } };
}
