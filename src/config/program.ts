/** Completes a program, wherever one is configured. */
import { type Checked, type Context, type Cursor, FAULTY, items, report } from './cursor.js';

/** The path and the arguments of a program. */
export function programOf(context: Context, at: Cursor<readonly string[]>): Checked<[string, ...string[]]> {
  const words = items(at);
  const [path, ...rest] = words;
  if (path === undefined) return report(context, at, 'empty; the first word is the path of a program');
  if (path === FAULTY || words.includes(FAULTY)) return FAULTY;
  if (!path.value.startsWith('/'))
    return report(context, path, `"${path.value}" is not an absolute path; no PATH is searched`);
  return [path.value, ...rest.map((word) => (word === FAULTY ? '' : word.value))];
}
