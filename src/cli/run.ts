/** `lvsentry run`: the daemon, in the foreground. */
import { assert } from '../core/assert.js';
import { type CliContext, type Given, LOG_LEVELS } from './context.js';

export async function run(context: CliContext, given: Given): Promise<number> {
  const path = given.text('config');
  const level = LOG_LEVELS.find((each) => each === given.text('logLevel'));
  assert(path !== undefined && level !== undefined, 'the command line has a path and a level');
  return context.runDaemon(path, level);
}
