/** The token that a command shows to the daemon. */
import { readFileSync } from 'node:fs';
import { errorText, LvsError } from '../core/errors.js';
import type { Given } from './context.js';

/** Of `--token-file`, else of LVSENTRY_TOKEN; undefined: none. @throws USAGE where the file cannot be read */
export function tokenOf(given: Given): string | undefined {
  const path = given.text('tokenFile');
  if (path === undefined) return process.env.LVSENTRY_TOKEN || undefined;
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (thrown) {
    throw new LvsError('USAGE', `cannot read the token: ${errorText(thrown)}`);
  }
}
