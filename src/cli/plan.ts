/** `lvsentry plan`: what a start would change, before any probe. */
import type { Config } from '../config/model.js';
import { causeText } from '../describe.js';
import { diffTable } from '../ipvs/diff.js';
import { operationWords, syncStepWords } from '../ipvs/ipvsadm.js';
import { MemoryTable } from '../ipvs/memory.js';
import type { ObservedTable, SyncDaemon } from '../ipvs/model.js';
import type { Plan } from '../ipvs/plan.js';
import { planSyncStart, type SyncStep } from '../ipvs/sync.js';
import { computeDesired } from '../policy/desired.js';
import { readConfig } from './config.js';
import { type CliContext, EXIT, type Given } from './context.js';

interface Found {
  readonly table: ObservedTable;
  readonly daemons: readonly SyncDaemon[];
}

async function observe(context: CliContext, kind: Config['table']): Promise<Found> {
  const table = kind === 'memory' ? new MemoryTable() : await context.openKernelTable();
  try {
    return { table: await table.dump(), daemons: await table.syncDaemons() };
  } finally {
    table.close();
  }
}

const SYNC_OPERATIONS = { start: 'start-sync-daemon', stop: 'stop-sync-daemon' } as const;

function planJson(config: Config, plan: Plan, sync: readonly SyncStep[]): object {
  return {
    table: config.table,
    changes: plan.map(({ operation, cause }) => ({
      operation: operation.kind,
      command: `ipvsadm ${operationWords(operation)}`,
      service: cause.service,
      server: cause.server ?? null,
      cause: cause.kind,
      why: causeText(cause),
    })),
    sync: sync.map((step) => ({
      operation: SYNC_OPERATIONS[step.kind],
      command: `ipvsadm ${syncStepWords(step)}`,
    })),
  };
}

function* planLines(config: Config, plan: Plan, sync: readonly SyncStep[]): Generator<string> {
  if (config.table === 'memory')
    yield '# table: memory begins empty with every run; with table: kernel the plan starts from the live table';
  if (plan.length === 0 && sync.length === 0)
    yield '# no changes: the table is as the configuration wants it';
  for (const { operation, cause } of plan) {
    const server = cause.server === undefined ? '' : `/${cause.server}`;
    yield `ipvsadm ${operationWords(operation)}  # ${cause.service}${server}: ${causeText(cause)}`;
  }
  const { roles } = config.sync ?? {};
  const why =
    roles?.kind === 'follow' ? `follows ${roles.instance}, which begins as backup` : 'its role is fixed';
  for (const step of sync) yield `ipvsadm ${syncStepWords(step)}  # sync: ${why}`;
}

export async function run(context: CliContext, given: Given): Promise<number> {
  const config = readConfig(context, given);
  if (config === undefined) return EXIT.config;
  const { table, daemons } = await observe(context, config.table);
  // No verdicts: what health has done to the table stays, as it does at a start.
  const plan = diffTable(computeDesired(config, new Map()), table);
  const sync = config.sync === undefined ? [] : planSyncStart(config.sync, daemons);
  if (given.flag('json')) context.out(JSON.stringify(planJson(config, plan, sync)));
  else for (const line of planLines(config, plan, sync)) context.out(line);
  return EXIT.done;
}
