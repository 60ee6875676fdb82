/** `lvsentry apply`: makes the table what a configuration wants, once, without a daemon. */
import type { Listen } from '../config/model.js';
import { LvsError } from '../core/errors.js';
import { epochMillis, formatDuration, type Millis, millis, parseDuration } from '../core/units.js';
import { allow, type Sorted } from '../ipvs/allow.js';
import type { IpvsTable, ObservedTable, Operation, OperationResult } from '../ipvs/model.js';
import type { Plan } from '../ipvs/plan.js';
import { fitUndo, undo } from '../ipvs/undo.js';
import { changeLine, changeOf } from '../plan-words.js';
import { askDaemon } from './client.js';
import { readConfig } from './config.js';
import { type CliContext, EXIT, type Given } from './context.js';
import { allowedKinds, rememberedNames, startPlan } from './start-plan.js';
import { decide, decisionOf, forgetTrial, isWaitedFor, readTrial, writeTrial } from './trial.js';

/** From one look for a confirmation to the next. */
const LOOK = millis(200);
const PATIENCE_MAX = millis(86_400_000);

/** A daemon that keeps this table would undo what we do, or do it itself. @throws USAGE */
async function refuseBesideDaemon(listen: Listen): Promise<void> {
  try {
    await askDaemon(listen, '/v1/status');
  } catch (thrown) {
    if (thrown instanceof LvsError && thrown.code === 'API') return;
    throw thrown;
  }
  throw new LvsError(
    'USAGE',
    'a daemon runs with this configuration and keeps the table itself: look with `lvsentry plan`, then reload it',
  );
}

/** @throws USAGE where an earlier apply was not decided upon */
function refuseBesideTrial(path: string): void {
  const trial = readTrial(path);
  if (trial === undefined) return;
  const who = isWaitedFor(trial) ? `process ${trial.pid} waits for it` : 'nobody waits for it any more';
  throw new LvsError(
    'USAGE',
    `an earlier apply is not confirmed, and ${who}: \`lvsentry confirm\` keeps it, \`lvsentry confirm --rollback\` takes it back`,
  );
}

/** @throws USAGE */
function patience(given: Given): Millis | undefined {
  const text = given.text('confirm');
  if (text === undefined) return undefined;
  const time = parseDuration(text);
  if (time === undefined || time < 1000 || time > PATIENCE_MAX)
    throw new LvsError('USAGE', `--confirm: "${text}" is not a duration from 1s to 24h, such as 5m`);
  return time;
}

interface Applied extends Sorted {
  readonly results: readonly OperationResult[];
}

function print(context: CliContext, given: Given, { allowed, withheld, results }: Applied): void {
  if (given.flag('json')) {
    const changes = allowed.map((step, index) => {
      const result = results[index];
      return { ...changeOf(step), refused: result?.ok === false ? result.message : null };
    });
    context.out(JSON.stringify({ changes, withheld: withheld.map(changeOf) }));
    return;
  }
  if (allowed.length + withheld.length === 0)
    context.out('# no changes: the table is as the configuration wants it');
  for (const [index, step] of allowed.entries()) {
    const result = results[index];
    context.out(`${changeLine(step)}${result?.ok === false ? `: REFUSED, ${result.message}` : ''}`);
  }
  for (const step of withheld) context.out(`# withheld: ${changeLine(step)}`);
}

/** Until somebody decides, the time is over, or the process is to end. */
async function decision(
  context: CliContext,
  path: string,
  time: Millis,
): Promise<'confirmed' | 'undone' | 'late'> {
  const end = context.clock.monotonic() + time;
  let interrupted = false;
  const stopListening = context.onInterrupt(() => {
    interrupted = true;
  });
  try {
    while (context.clock.monotonic() < end && !interrupted) {
      const decided = decisionOf(path);
      if (decided !== undefined) return decided;
      await new Promise<void>((resolve) => context.timers.after(LOOK, resolve));
    }
  } finally {
    stopListening();
  }
  return decide(path, 'undone') ? 'late' : (decisionOf(path) ?? 'undone');
}

/** Takes operations back, as far as the table still allows it. @returns how many the kernel refused */
export async function takeBack(table: IpvsTable, operations: readonly Operation[]): Promise<number> {
  const fit = fitUndo(operations, await table.dump());
  const results = await table.apply(fit);
  return results.filter(({ ok }) => !ok).length;
}

const doneOf = (plan: Plan, results: readonly OperationResult[]): readonly Operation[] =>
  plan.map(({ operation }) => operation).filter((_, index) => results[index]?.ok === true);

async function awaitDecision(
  context: CliContext,
  table: IpvsTable,
  time: Millis,
  back: readonly Operation[],
): Promise<number> {
  const path = context.trialFile;
  context.err(
    `lvsentry: \`lvsentry confirm\` keeps this; else it is taken back in ${formatDuration(time)}, and with Ctrl-C at once`,
  );
  const decided = await decision(context, path, time);
  // First the table: whoever reads what is printed may be gone.
  const refused = decided === 'late' ? await takeBack(table, back) : 0;
  forgetTrial(path);
  if (decided === 'confirmed') {
    context.err('lvsentry: confirmed');
    return EXIT.done;
  }
  context.err(`lvsentry: not confirmed: taken back${refused === 0 ? '' : `, but for ${refused} changes`}`);
  return EXIT.failed;
}

async function applyTo(
  context: CliContext,
  given: Given,
  table: IpvsTable,
  sorted: Sorted & { readonly before: ObservedTable },
): Promise<number> {
  const time = patience(given);
  const { allowed, before } = sorted;
  const operations = allowed.map(({ operation }) => operation);
  const isTrial = time !== undefined && operations.length > 0;
  const deadline = epochMillis(context.clock.wall() + (time ?? 0));
  const note = (back: readonly Operation[]): void =>
    writeTrial(context.trialFile, { pid: process.pid, deadline, undo: back });
  if (isTrial) forgetTrial(context.trialFile);
  // Before the first change: a crash in between can be taken back.
  if (isTrial) note(undo(before, operations));
  const results = await table.apply(operations);
  const back = undo(before, doneOf(allowed, results));
  if (isTrial) note(back);
  print(context, given, { ...sorted, results });
  const code = isTrial ? await awaitDecision(context, table, time, back) : EXIT.done;
  return results.every(({ ok }) => ok) ? code : EXIT.failed;
}

export async function run(context: CliContext, given: Given): Promise<number> {
  const config = readConfig(context, given);
  if (config === undefined) return EXIT.config;
  const kinds = allowedKinds(given);
  patience(given);
  if (config.table === 'memory')
    throw new LvsError('USAGE', 'table: memory is nowhere but in a daemon: there is nothing to apply to');
  refuseBesideTrial(context.trialFile);
  await refuseBesideDaemon(config.api.listen);
  const table = await context.openKernelTable();
  try {
    const before = await table.dump();
    const found = { table: before, remembered: await rememberedNames(config) };
    const { plan } = startPlan(config, found, given.flag('assume'));
    return await applyTo(context, given, table, { before, ...allow(plan, kinds, before) });
  } finally {
    table.close();
  }
}
