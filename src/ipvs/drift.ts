/** What somebody else did to what is ours: the table as we left it against the table as it is. Pure. */
import { destDifference, serviceDifference } from './difference.js';
import { destText, serviceText } from './keys.js';
import type { ObservedService, ObservedTable, Operation } from './model.js';
import type { Cause, Desired, DesiredService, PlanStep } from './plan.js';

export interface Drift {
  /** Names from the configuration. */
  readonly service: string;
  readonly server: string | undefined;
  /** In words: `removed`, `added`, `weight 0, should be 3`. */
  readonly difference: string;
}

/** By `serviceText` alone for a service, and with the server's `destText` behind a space for a server. */
export type DriftMap = ReadonlyMap<string, Drift>;

function driftOfServers(
  drift: Map<string, Drift>,
  text: string,
  desired: DesiredService,
  believed: ObservedService,
  observed: ObservedService,
): void {
  for (const [dest, { server }] of desired.servers) {
    const before = believed.dests.get(dest);
    const now = observed.dests.get(dest);
    const difference =
      before === undefined
        ? now && 'added'
        : now === undefined
          ? 'removed'
          : destDifference(before.settings, now.settings);
    if (difference !== undefined) drift.set(`${text} ${dest}`, { service: desired.name, server, difference });
  }
}

/**
 * Compares entry by entry what we believed the table to hold with what a dump found.
 * Foreign entries are not looked at. Cost: one pass over what is ours.
 */
export function findDrift(desired: Desired, believed: ObservedTable, observed: ObservedTable): DriftMap {
  const drift = new Map<string, Drift>();
  for (const [text, service] of desired) {
    const before = believed.get(text);
    const now = observed.get(text);
    if (before === undefined) continue;
    if (now === undefined) {
      drift.set(text, { service: service.name, server: undefined, difference: 'removed' });
      continue;
    }
    const difference = serviceDifference(before.service.settings, now.service.settings);
    if (difference !== undefined) drift.set(text, { service: service.name, server: undefined, difference });
    driftOfServers(drift, text, service, before, now);
  }
  return drift;
}

/** The key of the entry that an operation changes, as in `DriftMap`. */
function entryOf(operation: Operation): readonly [service: string, dest: string | undefined] {
  switch (operation.kind) {
    case 'add-service':
    case 'edit-service':
      return [serviceText(operation.service.key), undefined];
    case 'delete-service':
      return [serviceText(operation.key), undefined];
    case 'add-dest':
    case 'edit-dest':
      return [serviceText(operation.service), destText(operation.dest.key)];
    case 'delete-dest':
      return [serviceText(operation.service), destText(operation.dest)];
  }
}

/** Gives the steps that repair drift that cause; the others keep theirs. */
export function explainByDrift(steps: readonly PlanStep[], drift: DriftMap): readonly PlanStep[] {
  if (drift.size === 0) return steps;
  return steps.map((step) => {
    const [service, dest] = entryOf(step.operation);
    // A service that was removed took its servers with it.
    const found = (dest === undefined ? undefined : drift.get(`${service} ${dest}`)) ?? drift.get(service);
    if (found === undefined) return step;
    const cause: Cause = { kind: 'drift', ...found };
    return { operation: step.operation, cause };
  });
}
