/** `lvsentry plan`: what a start would change, before any probe. */
import type { Config } from '../config/model.js';
import { allow, type Sorted } from '../ipvs/allow.js';
import { foreignTexts } from '../ipvs/foreign.js';
import { MemoryTable } from '../ipvs/memory.js';
import type { ObservedTable, SyncDaemon, Timeouts } from '../ipvs/model.js';
import type { Foreign } from '../ipvs/ownership.js';
import { planSyncStart, type SyncStep } from '../ipvs/sync.js';
import { planTimeouts, timeoutsText } from '../ipvs/timeouts.js';
import { changeLine, changeOf, syncChangeOf, timeoutsChangeOf } from '../plan-words.js';
import { readConfig } from './config.js';
import { type CliContext, EXIT, type Given } from './context.js';
import { allowedKinds, rememberedNames, startPlan } from './start-plan.js';

interface Found {
  readonly table: ObservedTable;
  readonly daemons: readonly SyncDaemon[];
  readonly timeouts: Timeouts;
}

async function observe(context: CliContext, kind: Config['table']): Promise<Found> {
  const table = kind === 'memory' ? new MemoryTable() : await context.openKernelTable();
  try {
    return {
      table: await table.dump(),
      daemons: await table.syncDaemons(),
      timeouts: await table.timeouts(),
    };
  } finally {
    table.close();
  }
}

/** More foreign entries than these are counted only, but for the JSON. */
const FOREIGN_LISTED_MAX = 20;

/** All that a plan has to tell. */
interface Told extends Sorted {
  readonly config: Config;
  readonly foreign: Foreign;
  readonly sync: readonly SyncStep[];
  /** Those that would be set; empty for none. */
  readonly timeouts: Partial<Timeouts>;
}

function planJson({ config, allowed, withheld, foreign, sync, timeouts }: Told): object {
  return {
    table: config.table,
    changes: allowed.map(changeOf),
    withheld: withheld.map(changeOf),
    foreign: foreignTexts(foreign),
    sync: sync.map(syncChangeOf),
    timeouts: timeoutsChangeOf(timeouts),
  };
}

function* foreignLines({ config, foreign }: Told): Generator<string> {
  if (config.ownership.exclusive) return;
  const texts = foreignTexts(foreign);
  for (const text of texts.slice(0, FOREIGN_LISTED_MAX)) yield `# foreign, left alone: ${text}`;
  if (texts.length > FOREIGN_LISTED_MAX)
    yield `# foreign, left alone: ${texts.length - FOREIGN_LISTED_MAX} more`;
}

function* planLines(told: Told): Generator<string> {
  const { config, allowed, withheld, sync } = told;
  const timeouts = timeoutsChangeOf(told.timeouts);
  if (config.table === 'memory')
    yield '# table: memory begins empty with every run; with table: kernel the plan starts from the live table';
  if (allowed.length + withheld.length + sync.length === 0 && timeouts === null)
    yield '# no changes: the table is as the configuration wants it';
  for (const step of allowed) yield changeLine(step);
  for (const step of withheld) yield `# withheld: ${changeLine(step)}`;
  const { roles } = config.sync ?? {};
  const why =
    roles?.kind === 'follow' ? `follows ${roles.instance}, which begins as backup` : 'its role is fixed';
  for (const step of sync) yield `${syncChangeOf(step).command}  # sync: ${why}`;
  if (timeouts !== null) yield `${timeouts.command}  # timeouts: ${timeoutsText(timeouts.set)}`;
  yield* foreignLines(told);
}

export async function run(context: CliContext, given: Given): Promise<number> {
  const config = readConfig(context, given);
  if (config === undefined) return EXIT.config;
  const kinds = allowedKinds(given);
  const { table, daemons, timeouts: seen } = await observe(context, config.table);
  const found = { table, remembered: await rememberedNames(config) };
  const { plan, foreign } = startPlan(config, found, given.flag('assume'));
  const sync = config.sync === undefined ? [] : planSyncStart(config.sync, daemons);
  const { set: timeouts } = planTimeouts(config.timeouts, {}, seen);
  const told: Told = { config, foreign, sync, timeouts, ...allow(plan, kinds, table) };
  if (given.flag('json')) context.out(JSON.stringify(planJson(told)));
  else for (const line of planLines(told)) context.out(line);
  return EXIT.done;
}
