/** How the virtual IPs of one entry of `vrrp:` are announced. */
import { type Millis, parseDuration, seconds } from '../core/units.js';
import type { AnnounceRule } from '../vrrp/model.js';
import { type Checked, type Cursor, FAULTY, member, read } from './cursor.js';
import type { RawRouter } from './schema-vrrp.js';

const DEFAULTS: AnnounceRule = {
  repeat: 5,
  delay: seconds(5),
  refresh: seconds(0),
  refreshRepeat: 1,
  lowerRepeat: 5,
  lowerDelay: seconds(5),
  spacing: seconds(0),
};

type RawAnnounce = NonNullable<RawRouter['announce']>;

function time(
  at: Cursor<RawAnnounce>,
  key: 'delay' | 'refresh' | 'lower-delay' | 'spacing',
  otherwise: Millis,
): Checked<Millis> {
  const given = member(at, key);
  if (given === undefined || given === FAULTY) return given ?? otherwise;
  return parseDuration(given.value) ?? otherwise;
}

/** The rule, with the defaults of what is not said. */
export function announceOf(at: Cursor<RawRouter>): Checked<AnnounceRule> {
  const given = member(at, 'announce');
  if (given === FAULTY) return FAULTY;
  if (given === undefined) return DEFAULTS;
  const repeat = read(given, 'repeat', DEFAULTS.repeat);
  const delay = time(given, 'delay', DEFAULTS.delay);
  const rule = {
    repeat,
    delay,
    refresh: time(given, 'refresh', DEFAULTS.refresh),
    refreshRepeat: read(given, 'refresh-repeat', DEFAULTS.refreshRepeat),
    lowerRepeat: repeat === FAULTY ? FAULTY : read(given, 'lower-repeat', repeat),
    lowerDelay: delay === FAULTY ? FAULTY : time(given, 'lower-delay', delay),
    spacing: time(given, 'spacing', DEFAULTS.spacing),
  };
  return Object.values(rule).includes(FAULTY) ? FAULTY : (rule as AnnounceRule);
}
