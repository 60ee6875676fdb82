/** How the virtual IPs of one entry of `vrrp:` are announced. */
import { millis, parseDuration } from '../core/units.js';
import type { AnnounceRule } from '../vrrp/model.js';
import { type Checked, type Cursor, FAULTY, member, read } from './cursor.js';
import type { RawRouter } from './schema-vrrp.js';

/** The rule, with the defaults of what is not said. */
export function announceOf(at: Cursor<RawRouter>): Checked<AnnounceRule> {
  const given = member(at, 'announce');
  if (given === FAULTY) return FAULTY;
  const repeat = given === undefined ? 5 : read(given, 'repeat', 5);
  const delay = given === undefined ? '5s' : read(given, 'delay', '5s');
  const refresh = given === undefined ? '0s' : read(given, 'refresh', '0s');
  if (repeat === FAULTY || delay === FAULTY || refresh === FAULTY) return FAULTY;
  const later = parseDuration(delay) ?? millis(0);
  return {
    repeat,
    delay: later,
    refresh: parseDuration(refresh) ?? millis(0),
    refreshRepeat: 1,
    lowerRepeat: repeat,
    lowerDelay: later,
  };
}
