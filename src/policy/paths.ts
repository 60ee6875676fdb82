/** What checks through a service and checks of the server itself say together. Pure. */
import type { Check, CheckId, VerdictChange } from '../checks/model.js';
import type { HealthById } from './combine.js';

/** The change as it is to be told, or the very same. */
function told(change: VerdictChange, serverIsWell: boolean): VerdictChange {
  const { serverIsWell: said, ...reason } = change.result.reason;
  if ((said === true) === serverIsWell) return change;
  const now = serverIsWell ? { ...reason, serverIsWell } : reason;
  return { ...change, result: { ...change.result, reason: now } };
}

/**
 * Of the checks of one server, those that go through its service and are down, where it is to be told otherwise whether
 * the server is well: all checks of the server itself are up, and there is one.
 */
export function pathChanges(
  checks: readonly Check[],
  health: HealthById,
): ReadonlyMap<CheckId, VerdictChange> {
  const changes = new Map<CheckId, VerdictChange>();
  if (checks.length < 2 || checks.every(({ through }) => through === undefined)) return changes;
  const own = checks.filter(({ through }) => through === undefined);
  const isWell = own.length > 0 && own.every(({ id }) => health.get(id)?.held === 'up');
  for (const { id, through } of checks) {
    const its = health.get(id);
    if (through === undefined || its?.held !== 'down' || its.lastChange === undefined) continue;
    const change = told(its.lastChange, isWell);
    if (change !== its.lastChange) changes.set(id, change);
  }
  return changes;
}
