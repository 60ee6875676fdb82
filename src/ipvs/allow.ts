/** Which steps of a plan may be applied, where only some kinds of change are allowed. Pure. */
import { unreachable } from '../core/assert.js';
import { methodDifference, weightDifference } from './difference.js';
import { destText, entryOf, serviceText } from './keys.js';
import type { ObservedTable, Operation } from './model.js';
import type { Plan, PlanStep } from './plan.js';

/** Kinds of change, and what they are. */
export const CHANGE_KINDS = {
  add: 'services and servers come in',
  weight: 'servers get another weight',
  settings: 'services and servers get other settings',
  remove: 'services and servers go',
} as const;

export type ChangeKind = keyof typeof CHANGE_KINDS;

export interface Sorted {
  readonly allowed: Plan;
  readonly withheld: Plan;
}

/** What an operation does to the table as it stands. */
function kindsOf(operation: Operation, observed: ObservedTable): readonly ChangeKind[] {
  switch (operation.kind) {
    case 'add-service':
    case 'add-dest':
      return ['add'];
    case 'delete-service':
    case 'delete-dest':
      return ['remove'];
    case 'edit-service':
      return ['settings'];
    case 'edit-dest': {
      const { key, settings } = operation.dest;
      const seen = observed.get(serviceText(operation.service))?.dests.get(destText(key))?.settings;
      if (seen === undefined) return ['weight', 'settings'];
      const kinds: ChangeKind[] = [];
      if (weightDifference(settings, seen) !== undefined) kinds.push('weight');
      if (methodDifference(settings, seen) !== undefined) kinds.push('settings');
      return kinds;
    }
    default:
      return unreachable(operation);
  }
}

/** Whether a step may take capacity out of its service. */
function takes({ operation }: PlanStep, observed: ObservedTable): boolean {
  if (operation.kind === 'delete-dest') return true;
  if (operation.kind !== 'edit-dest') return false;
  const { key, settings } = operation.dest;
  const seen = observed.get(serviceText(operation.service))?.dests.get(destText(key));
  return settings.weight < (seen?.settings.weight ?? 0);
}

/**
 * Sorts the steps of a plan. Where a step of a service is withheld, those that take capacity out of it are withheld,
 * too: a plan is gap-free only as a whole.
 */
export function allow(plan: Plan, kinds: ReadonlySet<ChangeKind>, observed: ObservedTable): Sorted {
  const isAllowed = plan.map(({ operation }) =>
    kindsOf(operation, observed).every((kind) => kinds.has(kind)),
  );
  const torn = new Set(
    plan.filter((_, index) => isAllowed[index] === false).map(({ operation }) => entryOf(operation)[0]),
  );
  const allowed: PlanStep[] = [];
  const withheld: PlanStep[] = [];
  for (const [index, step] of plan.entries()) {
    const waits = torn.has(entryOf(step.operation)[0]) && takes(step, observed);
    if (isAllowed[index] === true && !waits) allowed.push(step);
    else withheld.push(step);
  }
  return { allowed, withheld };
}
