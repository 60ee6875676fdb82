/** Completes `timeouts:`. */
import type { Timeouts } from '../ipvs/model.js';
import { type Checked, type Context, type Cursor, FAULTY, member } from './cursor.js';
import type { RawTimeouts } from './schema-timeouts.js';
import { wholeSeconds } from './whole-seconds.js';

const NAMES = { tcp: 'tcp', 'tcp-fin': 'tcpFin', udp: 'udp' } as const;

/** The connection time-outs that the configuration states; those that it leaves out are the kernel's own. */
export function completeTimeouts(context: Context, at: Cursor<RawTimeouts>): Checked<Partial<Timeouts>> {
  const stated: Partial<Record<keyof Timeouts, number>> = {};
  let sound = true;
  for (const word of ['tcp', 'tcp-fin', 'udp'] as const) {
    const given = member(at, word);
    if (given === undefined) continue;
    const value = given === FAULTY ? FAULTY : wholeSeconds(context, given);
    if (value === FAULTY) sound = false;
    else stated[NAMES[word]] = value;
  }
  return sound ? stated : FAULTY;
}
