/** `lvsentry confirm`: keeps what `lvsentry apply --confirm` did, or takes it back at once. */
import { takeBack } from './apply.js';
import { type CliContext, EXIT, type Given } from './context.js';
import { decide, forgetTrial, isWaitedFor, readTrial } from './trial.js';

async function rollBack(context: CliContext): Promise<number> {
  const path = context.trialFile;
  const trial = readTrial(path);
  // Opened first: where the table cannot be changed nothing is decided.
  const table = await context.openKernelTable();
  try {
    if (trial === undefined || !decide(path, 'undone')) return nothing(context);
    const refused = await takeBack(table, trial.undo);
    if (!isWaitedFor(trial)) forgetTrial(path);
    context.out(`taken back${refused === 0 ? '' : `, but for ${refused} changes that the kernel refused`}`);
    return refused === 0 ? EXIT.done : EXIT.failed;
  } finally {
    table.close();
  }
}

function nothing(context: CliContext): number {
  context.err(
    'lvsentry: there is nothing to confirm: no apply waits for it, or its time is over and it was taken back',
  );
  return EXIT.failed;
}

export async function run(context: CliContext, given: Given): Promise<number> {
  if (given.flag('rollback')) return rollBack(context);
  const path = context.trialFile;
  const trial = readTrial(path);
  if (trial === undefined || !decide(path, 'confirmed')) return nothing(context);
  if (!isWaitedFor(trial)) forgetTrial(path);
  context.out('confirmed');
  return EXIT.done;
}
