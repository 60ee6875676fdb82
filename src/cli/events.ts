/** `lvsentry events`: what happened, as the journal of the daemon has it; with --follow, what happens. */
import type { EventStatus } from '../api/events.js';
import type { Listen } from '../config/model.js';
import { errorText, LvsError } from '../core/errors.js';
import { parseDuration, seconds } from '../core/units.js';
import { parseTime } from '../events/query.js';
import { askDaemon } from './client.js';
import { type CliContext, EXIT, type Given } from './context.js';
import { followDaemon } from './follow.js';
import { daemonOf } from './where.js';

/** A daemon that is restarted is waited for. */
const RETRY_AFTER = seconds(1);
/** The most that one answer holds. */
const PAGE_LENGTH = 1000;

const NOT_LVSENTRY = 'what answers there is not lvsentry, or not this version of it';

function isEvent(value: unknown): value is EventStatus {
  if (typeof value !== 'object' || value === null) return false;
  const { sequence, time, kind, message } = value as Readonly<Record<string, unknown>>;
  return (
    typeof sequence === 'number' &&
    typeof time === 'string' &&
    typeof kind === 'string' &&
    typeof message === 'string'
  );
}

/** A value of JSON; undefined where it is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

interface Page {
  readonly events: readonly EventStatus[];
  readonly next: string;
}

function readPage(body: string): Page {
  const value = parsed(body);
  const { events, next } = (typeof value === 'object' && value !== null ? value : {}) as Readonly<
    Record<string, unknown>
  >;
  if (!Array.isArray(events) || !events.every(isEvent) || typeof next !== 'string')
    throw new LvsError('API', NOT_LVSENTRY);
  return { events, next };
}

/** Control characters would be the terminal's to obey. */
const plain = (text: string): string => text.replaceAll(/\p{Cc}/gu, ' ');

/** `2026-03-01T03:00:00.123Z server-down  web1 of web is down: ...` */
export function eventLineText({ time, kind, message }: EventStatus): string {
  return `${plain(time)} ${plain(kind).padEnd(18)} ${plain(message)}`;
}

/** `--since` as the API takes it. @throws USAGE */
export function sinceText(text: string, now: number): string {
  const ago = parseDuration(text);
  if (ago !== undefined) return new Date(Math.max(0, now - ago)).toISOString();
  if (/^\d{1,15}$/.test(text)) return text;
  const time = parseTime(text);
  if (time !== undefined) return new Date(time).toISOString();
  throw new LvsError(
    'USAGE',
    `"${text}" is no beginning: write how long ago (10m), a time with its zone (2026-03-01T03:00:00Z) or the number of an event`,
  );
}

function queryOf(context: CliContext, given: Given): URLSearchParams {
  const query = new URLSearchParams();
  const [since, kind, service] = ['since', 'kind', 'service'].map((name) => given.text(name));
  if (since !== undefined) query.set('since', sinceText(since, context.clock.wall()));
  if (kind !== undefined) query.set('kind', kind);
  if (service !== undefined) query.set('service', service);
  return query;
}

function show(context: CliContext, given: Given, event: EventStatus): void {
  context.out(given.flag('json') ? JSON.stringify(event) : eventLineText(event));
}

/** @returns where the next page begins */
async function printPast(context: CliContext, given: Given, where: Listen): Promise<string> {
  const query = queryOf(context, given);
  const all = query.has('since');
  if (all) query.set('limit', String(PAGE_LENGTH));
  for (;;) {
    const page = readPage(await askDaemon(where, `/v1/events?${query}`));
    for (const event of page.events) show(context, given, event);
    if (!all || page.events.length < PAGE_LENGTH) return page.next;
    query.set('since', page.next);
  }
}

/** Until the process is ended. */
async function follow(context: CliContext, given: Given, where: Listen, from: string): Promise<never> {
  const query = queryOf(context, given);
  query.delete('since');
  let last = from;
  for (;;) {
    try {
      await followDaemon(where, `/v1/events?${query}`, last, (id, data) => {
        const event = parsed(data);
        if (!isEvent(event)) throw new LvsError('API', NOT_LVSENTRY);
        show(context, given, event);
        last = id;
      });
    } catch (thrown) {
      context.err(`lvsentry: ${errorText(thrown)}`);
    }
    await new Promise<void>((resolve) => {
      context.timers.after(RETRY_AFTER, resolve);
    });
  }
}

export async function run(context: CliContext, given: Given): Promise<number> {
  const where = await daemonOf(context, given);
  if (where === undefined) return EXIT.config;
  const next = await printPast(context, given, where);
  if (given.flag('follow')) await follow(context, given, where, next);
  return EXIT.done;
}
