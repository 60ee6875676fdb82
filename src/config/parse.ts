/** From the text of one or more files to a complete configuration, or to all that is wrong with it. */

import { finish, type Steps } from '../core/steps.js';
import type { ConfigCache } from './cache.js';
import type { ConfigDeps } from './cursor.js';
import type { Source } from './faults.js';
import type { ConfigResult } from './model.js';
import { parsePieces } from './pieces.js';
import { parseWhole } from './whole.js';

/**
 * Parses one configuration that may be spread over several files.
 * All faults are told at once, sorted by file and place. Never throws for what stands in a file.
 * @param deps what references to secrets and files are resolved with.
 * @param cache what the last configuration left; services whose text and defaults are the same are the same
 * objects again. Only a configuration without faults changes it.
 */
export function parseConfig(sources: readonly Source[], deps: ConfigDeps, cache?: ConfigCache): ConfigResult {
  return finish(parseInSteps(sources, deps, cache));
}

/** The same in steps; one with a fault, or with unusual YAML, is one long step at the end. */
export function* parseInSteps(
  sources: readonly Source[],
  deps: ConfigDeps,
  cache?: ConfigCache,
): Steps<ConfigResult> {
  const config = yield* parsePieces(sources, deps, cache);
  return config === undefined ? parseWhole(sources, deps) : { ok: true, config };
}
