/** What the generated validator calls. */
import { parseDuration } from '../core/units.js';

/** The keyword `x-duration`. What is no duration at all passes: that is the pattern's fault to tell. */
export function durationWithin([least, most]: readonly [string, string], text: string): boolean {
  const value = parseDuration(text);
  if (value === undefined) return true;
  return value >= (parseDuration(least) ?? 0) && value <= (parseDuration(most) ?? 0);
}

/** Characters (code points), as JSON Schema counts the length of a text. */
export function characters(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; count += 1)
    index += (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
  return count;
}
