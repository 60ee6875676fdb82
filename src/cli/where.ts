/** Which daemon a command asks: `--url`, the one of a configuration, or the usual one. */
import type { Listen } from '../config/model.js';
import { parseUrl } from './client.js';
import type { CliContext, Given } from './context.js';

/** Where the daemon listens unless its configuration says otherwise. */
const USUAL: Listen = { kind: 'tcp', host: '127.0.0.1', port: 8405 };

/** Undefined where the configuration is wrong; its faults were printed. @throws USAGE */
export async function daemonOf(context: CliContext, given: Given): Promise<Listen | undefined> {
  const url = given.text('url');
  if (url !== undefined) return parseUrl(url);
  if (given.text('config') === undefined) return USUAL;
  // The configuration's reader is slow to load, and mostly not needed here.
  const { readConfig } = await import('./config.js');
  return readConfig(context, given)?.api.listen;
}
