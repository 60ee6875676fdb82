/** Events, rules and couriers for the tests of alerts. */
import { type AlertRule, EVENT_KINDS, type EventKind, type LvsEvent } from '../../src/alerts/model.js';
import type { AlertBody, AlertMessage, Delivery } from '../../src/alerts/policy.js';
import type { Courier } from '../../src/alerts/webhook.js';
import type { LogFields, Logger } from '../../src/core/ports.js';
import { epochMillis, type Millis, seconds } from '../../src/core/units.js';

export const ALL_KINDS = Object.keys(EVENT_KINDS) as EventKind[];

export function rule(changes: Partial<AlertRule> = {}): AlertRule {
  return {
    name: 'oncall',
    webhook: { url: 'http://127.0.0.1:9/hook', secret: 'key' },
    on: new Set(ALL_KINDS),
    timeout: seconds(5),
    retries: 3,
    ...changes,
  };
}

export function event(sequence: number, server?: string, changes: Partial<LvsEvent> = {}): LvsEvent {
  return {
    sequence,
    at: epochMillis(1_700_000_000_000 + sequence),
    kind: 'server-down',
    service: 'web',
    server,
    message: `event ${sequence}`,
    facts: {},
    ...changes,
  };
}

export const DELIVERED: Delivery = { kind: 'delivered' };
export const FAILED: Delivery = { kind: 'failed', detail: 'status 500', retryAfter: undefined };
export const failedFor = (retryAfter: Millis): Delivery => ({
  kind: 'failed',
  detail: 'status 503',
  retryAfter,
});
export const REFUSED: Delivery = { kind: 'refused', detail: 'status 400' };

export interface Sent {
  readonly sequence: number;
  readonly body: AlertBody;
  readonly message: AlertMessage;
  readonly url: string;
  readonly signal: AbortSignal;
  /** Ends the attempt. */
  answer(delivery: Delivery): void;
}

/** Keeps every attempt open until the test answers it, or answers at once by `respond`. */
export class FakeCourier implements Courier {
  prepared = 0;
  readonly sent: Sent[] = [];
  readonly open = new Set<Sent>();
  respond: ((sent: Sent) => Delivery | undefined) | undefined;

  prepare(): void {
    this.prepared += 1;
  }

  deliver(target: AlertRule['webhook'], message: AlertMessage, signal: AbortSignal): Promise<Delivery> {
    const body = JSON.parse(message.body) as AlertBody;
    return new Promise((resolve) => {
      const sent: Sent = {
        sequence: body.sequence,
        body,
        message,
        url: target.url,
        signal,
        answer: (delivery) => {
          this.open.delete(sent);
          resolve(delivery);
        },
      };
      this.sent.push(sent);
      this.open.add(sent);
      signal.addEventListener('abort', () =>
        sent.answer({ kind: 'failed', detail: 'no answer in time', retryAfter: undefined }),
      );
      const delivery = this.respond?.(sent);
      if (delivery !== undefined) sent.answer(delivery);
    });
  }

  get sequences(): number[] {
    return this.sent.map(({ sequence }) => sequence);
  }
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: LogFields;
  readonly message: string;
}

export class FakeLog implements Logger {
  readonly lines: LogLine[] = [];
  #add = (level: LogLine['level']) => (fields: LogFields, message: string) => {
    this.lines.push({ level, fields, message });
  };
  debug = this.#add('debug');
  info = this.#add('info');
  warn = this.#add('warn');
  error = this.#add('error');

  get messages(): string[] {
    return this.lines.map(({ level, message }) => `${level} ${message}`);
  }
}
