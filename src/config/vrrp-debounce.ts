/** How long a change of a link must last for one entry of `vrrp:`. */
import { millis, parseDuration } from '../core/units.js';
import type { DebounceRule } from '../vrrp/model.js';
import { type Checked, type Cursor, FAULTY, member, read } from './cursor.js';
import type { RawRouter } from './schema-vrrp.js';

/** The rule; without `debounce` every change counts at once. */
export function debounceOf(at: Cursor<RawRouter>): Checked<DebounceRule> {
  const given = member(at, 'debounce');
  if (given === FAULTY) return FAULTY;
  const down = given === undefined ? '0s' : read(given, 'down', '0s');
  const up = given === undefined ? '0s' : read(given, 'up', '0s');
  if (down === FAULTY || up === FAULTY) return FAULTY;
  return { down: parseDuration(down) ?? millis(0), up: parseDuration(up) ?? millis(0) };
}
