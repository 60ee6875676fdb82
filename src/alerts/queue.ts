/** The alerts of one rule that are not delivered yet: bounded, ordered per server, retried. */
import { assert } from '../core/assert.js';
import { errorText } from '../core/errors.js';
import type { Entropy, Logger, Timer, Timers } from '../core/ports.js';
import { millis, seconds } from '../core/units.js';
import type { AlertRule, LvsEvent } from './model.js';
import { type AlertSender, alertMessage, type Delivery, eventId, laneOf, retryDelay } from './policy.js';
import type { Courier } from './webhook.js';

/** Undelivered alerts of one rule; the oldest is dropped for a new one. */
export const QUEUE_LENGTH_MAX = 1000;
/** Attempts of one rule at the same time. */
export const ATTEMPTS_MAX = 4;
/** Drops after the first are reported together, this often. */
const DROP_REPORT_INTERVAL = seconds(60);

export interface QueuePorts {
  readonly courier: Courier;
  readonly timers: Timers;
  readonly entropy: Entropy;
  readonly log: Logger;
}

export interface QueueStats {
  readonly rule: string;
  readonly waiting: number;
  readonly delivered: number;
  /** Refused by the receiver, or out of attempts. */
  readonly lost: number;
  /** Given up for newer alerts. */
  readonly dropped: number;
}

interface Entry {
  readonly event: LvsEvent;
  readonly lane: string;
  failures: number;
  isSending: boolean;
  /** Runs while the entry waits for its next attempt. */
  rest: Timer | undefined;
}

/**
 * An entry is in `#pending` until it is delivered, lost or dropped. Its lane holds it in order; only the head of a
 * lane is ever ready, resting or being sent, so that one server's alerts keep their order and wait for nobody else's.
 */
export class RuleQueue {
  readonly #ports: QueuePorts;
  #sender: AlertSender;
  #rule: AlertRule;
  readonly #pending = new Set<Entry>();
  readonly #lanes = new Map<string, Entry[]>();
  readonly #ready = new Set<Entry>();
  readonly #attempts = new Set<AbortController>();
  #start: Timer | undefined;
  #isFailing = false;
  #delivered = 0;
  #lost = 0;
  #dropped = 0;
  #unreportedDrops = 0;
  #dropReport: Timer | undefined;
  #onEmpty: (() => void) | undefined;
  #isClosing = false;

  constructor(ports: QueuePorts, sender: AlertSender, rule: AlertRule) {
    this.#ports = ports;
    this.#sender = sender;
    this.#rule = rule;
  }

  /** Puts a changed rule in force; what waits is sent by it. */
  change(sender: AlertSender, rule: AlertRule): void {
    this.#sender = sender;
    this.#rule = rule;
  }

  get stats(): QueueStats {
    return {
      rule: this.#rule.name,
      waiting: this.#pending.size,
      delivered: this.#delivered,
      lost: this.#lost,
      dropped: this.#dropped,
    };
  }

  /** Takes an event in constant time. Sending starts in a later turn: whoever offers has better things to do. */
  offer(event: LvsEvent): void {
    if (this.#isClosing) return;
    if (this.#pending.size >= QUEUE_LENGTH_MAX) this.#dropOldest();
    const entry: Entry = { event, lane: laneOf(event), failures: 0, isSending: false, rest: undefined };
    this.#pending.add(entry);
    const lane = this.#lanes.get(entry.lane);
    if (lane === undefined) {
      this.#lanes.set(entry.lane, [entry]);
      this.#ready.add(entry);
    } else {
      lane.push(entry);
    }
    this.#start ??= this.#ports.timers.after(millis(0), () => {
      this.#start = undefined;
      this.#pump();
    });
  }

  /** Sends what waits, each once more at most, until `limit` fires. @returns how many were given up. */
  async close(limit: AbortSignal): Promise<number> {
    this.#isClosing = true;
    this.#start?.cancel();
    for (const entry of this.#pending) {
      if (entry.rest !== undefined) this.#wake(entry);
    }
    this.#pump();
    if (this.#pending.size > 0 && !limit.aborted) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
        limit.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    return this.discard();
  }

  /** Gives up what waits and what is under way. @returns how many. */
  discard(): number {
    const count = this.#pending.size;
    this.#isClosing = true;
    this.#start?.cancel();
    for (const { rest } of this.#pending) rest?.cancel();
    this.#pending.clear();
    this.#lanes.clear();
    this.#ready.clear();
    for (const attempt of this.#attempts) attempt.abort();
    this.#dropReport?.cancel();
    this.#reportDrops();
    return count;
  }

  #pump(): void {
    for (const entry of this.#ready) {
      if (this.#attempts.size >= ATTEMPTS_MAX) return;
      this.#ready.delete(entry);
      // #attempt handles every outcome itself.
      void this.#attempt(entry);
    }
  }

  async #attempt(entry: Entry): Promise<void> {
    const abort = new AbortController();
    this.#attempts.add(abort);
    entry.isSending = true;
    const deadline = this.#ports.timers.after(this.#rule.timeout, () => abort.abort());
    let delivery: Delivery;
    try {
      const message = alertMessage(this.#sender, this.#rule, entry.event);
      delivery = await this.#ports.courier.deliver(this.#rule.webhook, message, abort.signal);
    } catch (error) {
      delivery = { kind: 'failed', detail: errorText(error), retryAfter: undefined };
    }
    deadline.cancel();
    this.#attempts.delete(abort);
    entry.isSending = false;
    // It is no longer pending where the queue was discarded meanwhile.
    if (this.#pending.has(entry)) this.#settle(entry, delivery);
    this.#pump();
  }

  #settle(entry: Entry, delivery: Delivery): void {
    this.#noteReceiver(delivery);
    if (delivery.kind === 'delivered') {
      this.#delivered += 1;
      this.#remove(entry);
      return;
    }
    entry.failures += 1;
    if (delivery.kind === 'refused' || this.#isClosing || entry.failures > this.#rule.retries) {
      this.#lose(entry, delivery.detail);
      return;
    }
    const delay = retryDelay(entry.failures, this.#ports.entropy.uniform(), delivery.retryAfter);
    entry.rest = this.#ports.timers.after(delay, () => {
      this.#wake(entry);
      this.#pump();
    });
  }

  #wake(entry: Entry): void {
    entry.rest?.cancel();
    entry.rest = undefined;
    this.#ready.add(entry);
  }

  #remove(entry: Entry): void {
    const lane = this.#lanes.get(entry.lane);
    assert(lane !== undefined, 'a pending alert has a lane');
    const at = lane.indexOf(entry);
    // Before an entry that leaves stands at most the one being sent: the head, or the one after it.
    assert(at === 0 || at === 1, 'an alert leaves its lane in order');
    lane.splice(at, 1);
    const [next] = lane;
    if (next === undefined) this.#lanes.delete(entry.lane);
    else if (at === 0) this.#ready.add(next);
    this.#pending.delete(entry);
    if (this.#pending.size === 0) this.#onEmpty?.();
  }

  #lose(entry: Entry, detail: string): void {
    this.#lost += 1;
    this.#ports.log.error(
      {
        code: 'ALERT',
        rule: this.#rule.name,
        target: targetText(this.#rule),
        event: eventId(this.#sender, entry.event),
        kind: entry.event.kind,
        attempts: entry.failures,
        cause: detail,
      },
      `alert ${this.#rule.name}: not delivered, given up: ${detail}: ${entry.event.message}`,
    );
    this.#remove(entry);
  }

  #dropOldest(): void {
    for (const entry of this.#pending) {
      if (entry.isSending) continue;
      entry.rest?.cancel();
      this.#ready.delete(entry);
      this.#remove(entry);
      this.#noteDrop();
      return;
    }
  }

  #noteDrop(): void {
    this.#dropped += 1;
    this.#unreportedDrops += 1;
    if (this.#dropReport !== undefined) return;
    this.#reportDrops();
    this.#dropReport = this.#ports.timers.after(DROP_REPORT_INTERVAL, () => {
      this.#dropReport = undefined;
      this.#reportDrops();
    });
  }

  #reportDrops(): void {
    if (this.#unreportedDrops === 0) return;
    const rule = this.#rule.name;
    this.#ports.log.error(
      { code: 'ALERT', rule, target: targetText(this.#rule), dropped: this.#dropped },
      `alert ${rule}: the queue is full (${QUEUE_LENGTH_MAX}): ${this.#unreportedDrops} of the oldest alerts dropped; ` +
        'is the receiver reachable?',
    );
    this.#unreportedDrops = 0;
  }

  /** One line when a receiver begins to fail and one when it is back, however many alerts wait. */
  #noteReceiver(delivery: Delivery): void {
    const rule = this.#rule.name;
    const fields = { rule, target: targetText(this.#rule) };
    if (delivery.kind === 'failed' && !this.#isFailing) {
      this.#isFailing = true;
      this.#ports.log.warn(
        { ...fields, cause: delivery.detail },
        `alert ${rule}: the receiver fails: ${delivery.detail}`,
      );
    }
    if (delivery.kind === 'delivered' && this.#isFailing) {
      this.#isFailing = false;
      this.#ports.log.info(fields, `alert ${rule}: the receiver takes alerts again`);
    }
  }
}

/** The receiver's origin alone: path, query and user of an address are often secrets. */
function targetText(rule: AlertRule): string {
  const match = /^([a-z]+:\/\/)(?:[^/?#]*@)?([^/?#]*)/i.exec(rule.webhook.url);
  return match === null ? 'unreadable address' : `${match[1]}${match[2]}`;
}
