/** Regular expressions in the configuration, held against what src/core/regex.ts can run. */
import { compileRegex } from '../core/regex-syntax.js';
import { type Checked, type Context, type Cursor, report } from './cursor.js';

/** The text of a regex that compiles; a fault says where it does not. */
export function checkedRegex(context: Context, at: Cursor<string>): Checked<string> {
  const result = compileRegex(at.value);
  return result.ok
    ? at.value
    : report(context, at, `the regex ${result.problem} (at character ${result.at + 1})`);
}
