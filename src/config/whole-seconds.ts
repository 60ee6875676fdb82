import { parseDuration } from '../core/units.js';
import { type Checked, type Context, type Cursor, report } from './cursor.js';

/** A duration of the file in seconds, all that the kernel can keep; reports one that has a fraction of them. */
export function wholeSeconds(context: Context, at: Cursor<string>): Checked<number> {
  const seconds = (parseDuration(at.value) ?? 0) / 1000;
  if (Number.isInteger(seconds)) return seconds;
  return report(
    context,
    at,
    `${at.value} is not a whole number of seconds, which is all the kernel can keep`,
  );
}
