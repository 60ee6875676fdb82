/** What is still to be done to the table, and what of it is let be. */
import { foreignTexts } from '../ipvs/foreign.js';
import { type Change, changeOf } from '../plan-words.js';
import type { TableWork } from '../table-journal.js';
import type { World } from '../world.js';

export interface LeftStatus {
  readonly service: string;
  readonly server: string | null;
  readonly kind: string;
  readonly policy: string;
  readonly difference: string;
}

export interface PlanStatus {
  readonly lastDumpAt: string | null;
  readonly changes: readonly Change[];
  readonly left: readonly LeftStatus[];
  readonly foreign: readonly string[];
}

export function planStatus({ table }: World, { plan, left }: TableWork): PlanStatus {
  return {
    lastDumpAt: table.lastDumpAt === undefined ? null : new Date(table.lastDumpAt).toISOString(),
    changes: plan.map(changeOf),
    left: left.map(({ service, server, kind, policy, difference }) => ({
      service,
      server: server ?? null,
      kind,
      policy,
      difference,
    })),
    foreign: foreignTexts(table.foreign),
  };
}
