/** `lvsentry plan`: what a start would change, before any probe. */
import type { Config } from '../config/model.js';
import { causeText } from '../describe.js';
import { computeDesired } from '../ipvs/desired.js';
import { diffTable } from '../ipvs/diff.js';
import { operationWords } from '../ipvs/ipvsadm.js';
import { MemoryTable } from '../ipvs/memory.js';
import type { ObservedTable } from '../ipvs/model.js';
import type { Plan } from '../ipvs/plan.js';
import { readConfig } from './config.js';
import { type CliContext, EXIT, type Given } from './context.js';

async function observe(context: CliContext, kind: Config['table']): Promise<ObservedTable> {
  const table = kind === 'memory' ? new MemoryTable() : await context.openKernelTable();
  try {
    return await table.dump();
  } finally {
    table.close();
  }
}

function planJson(config: Config, plan: Plan): object {
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
  };
}

function* planLines(config: Config, plan: Plan): Generator<string> {
  if (config.table === 'memory')
    yield '# table: memory begins empty with every run; with table: kernel the plan starts from the live table';
  if (plan.length === 0) yield '# no changes: the table is as the configuration wants it';
  for (const { operation, cause } of plan) {
    const server = cause.server === undefined ? '' : `/${cause.server}`;
    yield `ipvsadm ${operationWords(operation)}  # ${cause.service}${server}: ${causeText(cause)}`;
  }
}

export async function run(context: CliContext, given: Given): Promise<number> {
  const config = readConfig(context, given);
  if (config === undefined) return EXIT.config;
  const observed = await observe(context, config.table);
  // No verdicts: what health has done to the table stays, as it does at a start.
  const plan = diffTable(computeDesired(config, new Map()), observed);
  if (given.flag('json')) context.out(JSON.stringify(planJson(config, plan)));
  else for (const line of planLines(config, plan)) context.out(line);
  return EXIT.done;
}
