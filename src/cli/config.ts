/** Reading a configuration for a command. */
import { faultText } from '../config/faults.js';
import { loadConfig } from '../config/load.js';
import type { Config } from '../config/model.js';
import { assert } from '../core/assert.js';
import type { CliContext, Given } from './context.js';

/** The configuration that `-c` names; where it is wrong its faults are printed and there is none. */
export function readConfig(context: CliContext, given: Given): Config | undefined {
  const path = given.text('config');
  assert(path !== undefined, 'the command line has -c');
  const loaded = loadConfig(path);
  if (loaded.ok) return loaded.config;
  for (const fault of loaded.faults) context.err(faultText(fault));
  return undefined;
}
