/** file checks. */
import type { FileCheck } from '../checks/spec-program.js';
import type { Target } from '../checks/spec-target.js';
import { type Checked, type Context, FAULTY, report } from './cursor.js';
import { type Layers, pick, pickValue } from './layers.js';

/** The check by a file that these layers describe. */
export function fileProbe(context: Context, layers: Layers): Checked<(target: Target) => FileCheck> {
  const at = pick(layers, 'value-file');
  const weightAt = pick(layers, 'weight');
  const reverse = pickValue(layers, 'reverse', false);
  if (at === FAULTY || weightAt === FAULTY || reverse === FAULTY) return FAULTY;
  if (weightAt?.value === 0)
    return report(context, weightAt, '0 adds nothing; leave it out, and the number says up or down');
  if (at === undefined) {
    const type = pick(layers, 'type');
    return type === undefined || type === FAULTY
      ? FAULTY
      : report(context, type, 'its `value-file` is missing: the path of the file');
  }
  return (target) => ({ type: 'file', target, path: at.value, weight: weightAt?.value, reverse });
}
