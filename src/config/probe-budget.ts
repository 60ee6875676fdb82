/** Completes `probe-budget:`. */
import type { ProbeBudget } from '../checks/model.js';
import { type Cursor, FAULTY, member } from './cursor.js';
import type { RawProbeBudget } from './schema-probe-budget.js';

/** The budget; undefined where it limits nothing. */
export function completeProbeBudget(at: Cursor<RawProbeBudget>): ProbeBudget | undefined {
  const total = member(at, 'total');
  const perServer = member(at, 'per-server');
  if (total === FAULTY || perServer === FAULTY) return undefined;
  if (total === undefined && perServer === undefined) return undefined;
  return { total: total?.value, perServer: perServer?.value };
}
