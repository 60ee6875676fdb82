/** Takes events from the controller and delivers them by the rules; nothing here can reach back into it. */
import { errorText } from '../core/errors.js';
import type { Millis } from '../core/units.js';
import type { AlertRule, LvsEvent } from './model.js';
import { type AlertSender, wants } from './policy.js';
import { type QueuePorts, type QueueStats, RuleQueue } from './queue.js';

interface RuleEntry {
  rule: AlertRule;
  readonly queue: RuleQueue;
}

export class Outbox {
  readonly #ports: QueuePorts;
  readonly #run: string;
  readonly #rules = new Map<string, RuleEntry>();

  /** @param run differs from run to run of the daemon; part of every event's id. See AlertSender. */
  constructor(run: string, ports: QueuePorts) {
    this.#run = run;
    this.#ports = ports;
  }

  /** Puts a configuration in force. A rule that stays, by its name, keeps what it has not delivered yet. */
  configure(director: string, rules: readonly AlertRule[]): void {
    const sender: AlertSender = { director, run: this.#run };
    const names = new Set(rules.map(({ name }) => name));
    for (const [name, { queue }] of this.#rules) {
      if (names.has(name)) continue;
      this.#rules.delete(name);
      this.#noteGivenUp(name, queue.discard(), 'its rule is gone');
    }
    for (const rule of rules) {
      const known = this.#rules.get(rule.name);
      if (known === undefined) {
        this.#rules.set(rule.name, { rule, queue: new RuleQueue(this.#ports, sender, rule) });
      } else {
        known.rule = rule;
        known.queue.change(sender, rule);
      }
    }
    if (rules.length > 0) this.#ports.courier.prepare();
  }

  /** Queues an event for every rule that wants it, and returns at once. Never throws. */
  offer(event: LvsEvent): void {
    try {
      for (const { rule, queue } of this.#rules.values()) {
        if (wants(rule, event)) queue.offer(event);
      }
    } catch (error) {
      this.#ports.log.error({ code: 'INTERNAL', cause: errorText(error) }, 'an alert was lost by a defect');
    }
  }

  get stats(): readonly QueueStats[] {
    return [...this.#rules.values()].map(({ queue }) => queue.stats);
  }

  /** Takes no more events and sends what waits, for `limit` at most. @returns how many were given up. */
  async close(limit: Millis): Promise<number> {
    const abort = new AbortController();
    const timer = this.#ports.timers.after(limit, () => abort.abort());
    const counts = await Promise.all(
      [...this.#rules].map(async ([name, { queue }]) => {
        const count = await queue.close(abort.signal);
        this.#noteGivenUp(name, count, 'lvsentry stops');
        return count;
      }),
    );
    timer.cancel();
    return counts.reduce((sum, count) => sum + count, 0);
  }

  #noteGivenUp(rule: string, count: number, why: string): void {
    if (count === 0) return;
    this.#ports.log.error({ code: 'ALERT', rule, count }, `alert ${rule}: ${count} alerts given up: ${why}`);
  }
}
