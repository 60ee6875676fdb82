/** Completes `latency-weight:`. */
import type { LatencyRule } from '../checks/model.js';
import { assert } from '../core/assert.js';
import { parseDuration } from '../core/units.js';
import { type Checked, type Context, type Cursor, FAULTY, member, read, report } from './cursor.js';
import { type Layers, pick } from './layers.js';
import type { RawLatencyWeight } from './schema-check-latency.js';

/** The rule of the innermost layer that has one, as a whole; undefined where none has. */
export function latencyRule(context: Context, layers: Layers): Checked<LatencyRule | undefined> {
  const at = pick(layers, 'latency-weight') as Checked<Cursor<RawLatencyWeight> | undefined>;
  if (at === undefined || at === FAULTY) return at;
  const share = (key: 'floor' | 'ceiling' | 'maximum-step' | 'dead-band', otherwise: string) => {
    const found = read(at, key, otherwise);
    return found === FAULTY ? FAULTY : Number.parseInt(found, 10);
  };
  // Without it there is a fault already.
  const target = member(at, 'target') ?? FAULTY;
  const half = read(at, 'half-life', '30s');
  const floor = share('floor', '25%');
  const ceiling = share('ceiling', '100%');
  const maximumStep = share('maximum-step', '10%');
  const deadBand = share('dead-band', '5%');
  if (target === FAULTY || half === FAULTY || floor === FAULTY || ceiling === FAULTY) return FAULTY;
  if (maximumStep === FAULTY || deadBand === FAULTY) return FAULTY;
  if (floor > ceiling) return report(context, at, `a floor of ${floor}% is above the ceiling of ${ceiling}%`);
  const [wanted, halfLife] = [parseDuration(target.value), parseDuration(half)];
  assert(wanted !== undefined && halfLife !== undefined, 'the schema lets only durations through');
  return { target: wanted * 1000, halfLife, floor, ceiling, maximumStep, deadBand };
}
