/** A reconciler beside a table that somebody else changes, too. */
import { seconds } from '../../src/core/units.js';
import { foreignTexts } from '../../src/ipvs/foreign.js';
import type { Dest, ObservedTable, Operation } from '../../src/ipvs/model.js';
import { applyToObserved } from '../../src/ipvs/observe.js';
import type { OwnershipRules } from '../../src/ipvs/ownership.js';
import type { Desired } from '../../src/ipvs/plan.js';
import { Reconciler } from '../../src/ipvs/reconciler.js';
import type { TableMemory } from '../../src/ipvs/remembered.js';
import { computeDesired } from '../../src/policy/desired.js';
import type { ServerHealth } from '../../src/world.js';
import { ScriptedTable } from '../fakes/scripted-table.js';
import { FakeTime } from '../fakes/time.js';
import { config, dest, health, key, RULES, service, serviceConfig, table } from './build.js';

export const WEB = service();
export const A = dest('192.0.2.11');
export const B = dest('192.0.2.12', { weight: 2 });
export const FOREIGN = dest('192.0.2.99', { weight: 7 });
export const OTHERS = service(key('192.0.2.200'));
export const WEB_TEXT = 'tcp 192.0.2.1:80';

export type Held = 'up' | 'down' | undefined;

export function desired(a: Held, b: Held, servers: readonly Dest[] = [A, B], its = WEB): Desired {
  const states = new Map<string, ServerHealth>([
    ['web/192.0.2.11:80', health(a)],
    ['web/192.0.2.12:80', health(b)],
  ]);
  return computeDesired(config(serviceConfig('web', its, servers)), states);
}

/** `scheduler: last-octet=weight ...`, services apart. */
function lines(observed: ObservedTable): string {
  return [...observed.values()]
    .map(({ service: its, dests }) => {
      const servers = [...dests.values()].map(
        ({ key: { address }, settings }) => `${address.split('.').at(-1)}=${settings.weight}`,
      );
      return `${its.settings.scheduler}: ${servers.sort().join(' ')}`;
    })
    .join(', ');
}

export class Bench {
  readonly time = new FakeTime();
  readonly scripted: ScriptedTable;
  readonly told: string[] = [];
  foreign: readonly string[] = [];
  /** What the next run is to know. */
  memory: TableMemory = { leaving: [], accepted: [] };
  readonly reconciler: Reconciler;
  rules: OwnershipRules = RULES;

  constructor(observed: ObservedTable = table([WEB, [A, B]])) {
    this.scripted = new ScriptedTable(observed);
    this.reconciler = new Reconciler({
      table: this.scripted.port(),
      clock: this.time,
      timers: this.time,
      turns: { soon: setImmediate },
      events: {
        onObserved: () => undefined,
        onApplied: (steps) => {
          for (const { operation, cause } of steps) this.told.push(`${operation.kind} ${cause.kind}`);
        },
        onDrift: (drift) => {
          for (const { policy, kind, difference } of drift)
            this.told.push(`${policy} ${kind}: ${difference}`);
        },
        onForeign: (found) => {
          this.foreign = foreignTexts(found);
        },
        onFailure: (message) => this.told.push(message),
        onSynced: () => undefined,
        onMemory: (memory) => {
          this.memory = memory;
        },
      },
    });
  }

  async configure(wanted: Desired, rules: Partial<OwnershipRules> = {}): Promise<void> {
    const its = { ...RULES, ...rules };
    this.reconciler.configure({
      desired: wanted,
      ownership: { exclusive: its.exclusive, of: () => its },
      resync: seconds(10),
    });
    await this.reconciler.settled();
  }

  async touch(wanted: Desired): Promise<void> {
    this.reconciler.touch(wanted, [WEB_TEXT]);
    await this.reconciler.settled();
  }

  /** Somebody else changes the table; then it is looked at. What was told until then is forgotten. */
  async somebody(...operations: readonly Operation[]): Promise<void> {
    this.told.length = 0;
    this.scripted.observed = applyToObserved(this.scripted.observed, operations);
    await this.time.advance(10_000);
  }

  get lines(): string {
    return lines(this.scripted.observed);
  }
}

export const sets = (its: Dest, weight: number): Operation => ({
  kind: 'edit-dest',
  service: WEB.key,
  dest: { ...its, settings: { ...its.settings, weight } },
});
export const puts = (its: Dest): Operation => ({ kind: 'add-dest', service: WEB.key, dest: its });
export const takes = (its: Dest): Operation => ({ kind: 'delete-dest', service: WEB.key, dest: its.key });
export const schedules = (scheduler: string): Operation => ({
  kind: 'edit-service',
  service: service(key(), { scheduler }),
});
export const masquerades = (its: Dest): Operation => ({
  kind: 'edit-dest',
  service: WEB.key,
  dest: { ...its, settings: { ...its.settings, forward: { method: 'masquerade' } } },
});
export const REMOVE_SERVICE: Operation = { kind: 'delete-service', key: WEB.key };
