/** Alerts decided: who wants an event, what is said, in which order, and what to do with the receiver's answer. */
import { boundedJson } from '../core/json.js';
import { type EpochMillis, type Millis, millis, seconds } from '../core/units.js';
import { type AlertRule, EVENT_KINDS, type EventKind, type LvsEvent } from './model.js';

/** What a webhook receives: `config/alert.schema.json` is its schema. */
export interface AlertBody {
  /** Of this shape. Members may be added without a new version; none is removed or changes its meaning. */
  readonly version: 1;
  /** The same for every receiver and every attempt: tell duplicates by it. */
  readonly id: string;
  /** Counts up from 1 in one run of the daemon: tell the order by it. */
  readonly sequence: number;
  /** When it happened, RFC 3339, UTC. */
  readonly time: string;
  readonly director: string;
  readonly rule: string;
  readonly event: EventKind;
  readonly service: string | null;
  readonly server: string | null;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** One alert, ready to be sent. */
export interface AlertMessage {
  readonly id: string;
  /** JSON of an AlertBody. */
  readonly body: string;
}

/** What came of one attempt. */
export type Delivery =
  | { readonly kind: 'delivered' }
  /** The receiver said no, and would say it again. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** It may work later. */
  | { readonly kind: 'failed'; readonly detail: string; readonly retryAfter: Millis | undefined };

/** Who sends: set by the daemon. */
export interface AlertSender {
  /** Name of this director. */
  readonly director: string;
  /** Differs from run to run; letters, digits, `.`, `_` and `-` only, for it stands in a header. */
  readonly run: string;
}

const nullableText = (description: string): object => ({ type: ['string', 'null'], description });

/** JSON Schema of AlertBody. `config/alert.schema.json` is generated from it. */
export const ALERT_SCHEMA = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'lvsentry alert',
  description:
    'The body of an alert webhook. Ignore members that you do not know: later versions may add some.',
  type: 'object',
  required: [
    'version',
    'id',
    'sequence',
    'time',
    'director',
    'rule',
    'event',
    'service',
    'server',
    'message',
    'facts',
  ],
  properties: {
    version: { const: 1, description: 'Version of this format.' },
    id: {
      type: 'string',
      pattern: '^[A-Za-z0-9._-]+$',
      description: 'Identifies the event; the same in every attempt and in the header lvsentry-event-id.',
    },
    sequence: {
      type: 'integer',
      minimum: 1,
      description: 'Counts up in one run of the daemon: the order of events.',
    },
    time: {
      type: 'string',
      pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$',
      description: 'When it happened: RFC 3339, UTC, milliseconds.',
    },
    director: { type: 'string', description: 'Name of the director, from `name` in its configuration.' },
    rule: { type: 'string', description: 'Name of the entry of `alerts` that sent it.' },
    event: {
      oneOf: Object.entries(EVENT_KINDS).map(([kind, description]) => ({ const: kind, description })),
    },
    service: nullableText('Name of the virtual service; null for events of the daemon.'),
    server: nullableText('Name of the real server; null for events of a service or the daemon.'),
    message: { type: 'string', description: 'What happened and why, one sentence for a person.' },
    facts: {
      type: 'object',
      description: 'The same as data. Members depend on the event and may change.',
    },
  },
} as const;

/** Longer texts and facts are cut: a receiver's limit must not lose the alert. Characters. */
const MESSAGE_LENGTH_MAX = 2000;
const FACTS_LENGTH_MAX = 16_384;

/** Whether a rule sends this event. */
export function wants(rule: AlertRule, event: LvsEvent): boolean {
  return rule.on.has(event.kind);
}

/** Events of the same lane are delivered in order; lanes do not wait for each other. */
export function laneOf(event: LvsEvent): string {
  return JSON.stringify([event.service, event.server, event.facts.instance]);
}

export function eventId(sender: AlertSender, event: LvsEvent): string {
  return `${sender.run}-${event.sequence}`;
}

export function alertBody(sender: AlertSender, rule: AlertRule, event: LvsEvent): AlertBody {
  return {
    version: 1,
    id: eventId(sender, event),
    sequence: event.sequence,
    time: new Date(event.at).toISOString(),
    director: sender.director,
    rule: rule.name,
    event: event.kind,
    service: event.service ?? null,
    server: event.server ?? null,
    message: event.message.slice(0, MESSAGE_LENGTH_MAX),
    facts: event.facts,
  };
}

/** The alert as it is sent: its id, and its body as JSON. */
export function alertMessage(sender: AlertSender, rule: AlertRule, event: LvsEvent): AlertMessage {
  const body = alertBody(sender, rule, event);
  const text = JSON.stringify({ ...body, facts: undefined });
  return { id: body.id, body: `${text.slice(0, -1)},"facts":${boundedJson(event.facts, FACTS_LENGTH_MAX)}}` };
}

/** Statuses of the 4xx class that ask for another attempt: Request Timeout, Too Early, Too Many Requests. */
const RETRIED_STATUS: ReadonlySet<number> = new Set([408, 425, 429]);

/** What a status means: RFC 9110 section 15, RFC 8470 (425), RFC 6585 (429). */
export function judgeStatus(status: number, retryAfter: Millis | undefined): Delivery {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  if (status >= 500 || RETRIED_STATUS.has(status))
    return { kind: 'failed', detail: `status ${status}`, retryAfter };
  if (status >= 300 && status < 400)
    return {
      kind: 'refused',
      detail: `status ${status}: redirects are not followed, name the final address in \`url\``,
    };
  return { kind: 'refused', detail: `status ${status}` };
}

/** A receiver cannot make us wait longer than this. */
const RETRY_AFTER_MAX = seconds(300);

/**
 * Reads a Retry-After header: whole seconds, or an HTTP date (RFC 9110 10.2.3); within 0 and five minutes.
 * @returns undefined where it is neither.
 */
export function parseRetryAfter(text: string, now: EpochMillis): Millis | undefined {
  const wait = /^\d{1,10}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(wait) ? undefined : millis(Math.min(Math.max(wait, 0), RETRY_AFTER_MAX));
}

const BACKOFF_FIRST = seconds(1);
const BACKOFF_MAX = seconds(60);

/**
 * How long to wait before the next attempt: exponential with full jitter, so that many directors do not come back
 * to a receiver at the same moment; never less than the receiver asked for.
 * @param failures attempts that failed so far, 1 or more
 * @param uniform a random number in [0, 1)
 */
export function retryDelay(failures: number, uniform: number, retryAfter: Millis | undefined): Millis {
  const limit = Math.min(BACKOFF_MAX, BACKOFF_FIRST * 2 ** (failures - 1));
  return millis(Math.max(uniform * limit, retryAfter ?? 0));
}
