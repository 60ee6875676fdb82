/** Hop 4: the plan that leads from the observed to the desired table. Pure; touches only what is ours. */

import type { Millis } from '../core/units.js';
import { destDifference, serviceDifference } from './difference.js';
import { foreignServersByService } from './foreign.js';
import { destText } from './keys.js';
import type { Dest, DestSeen, DestSettings, ObservedService, ObservedTable, ServiceKey } from './model.js';
import type { Foreign, ForeignServer, ForeignService } from './ownership.js';
import type { Cause, Desired, DesiredDest, DesiredServer, DesiredService, Plan, PlanStep } from './plan.js';
import { diffRetired, type Retired, type RetiredService, retireDests } from './retire.js';

/** Steps of one service, by kind, so that they can be put in the safe order. */
interface Steps {
  readonly service: PlanStep[];
  readonly add: PlanStep[];
  readonly edit: PlanStep[];
  readonly remove: PlanStep[];
}

function inOrder(steps: Steps): PlanStep[] {
  // Capacity comes before it goes: no step leaves a service emptier than both its start and its end.
  return [...steps.service, ...steps.add, ...steps.edit, ...steps.remove];
}

/** The settings that a destination should have; undefined where it should be absent. */
export function resolve(
  want: DesiredDest,
  serviceSeen: boolean,
  seen: DestSeen | undefined,
): Dest | undefined {
  switch (want.kind) {
    case 'present':
      return want.dest;
    case 'absent':
      return undefined;
    case 'hold':
      if (!serviceSeen) return want.otherwise === 'present' ? want.dest : undefined;
      if (seen === undefined) return undefined;
      // In service or out of it is health, and stays; how it is served is configuration, and is put right.
      return seen.settings.weight === 0 ? quiesced(want.dest) : want.dest;
  }
}

function quiesced(dest: Dest): Dest {
  return { key: dest.key, settings: { ...dest.settings, weight: 0 } };
}

function raisesWeight(from: DestSettings, to: DestSettings): boolean {
  return to.weight > from.weight;
}

function diffServer(
  steps: Steps,
  service: ServiceKey,
  server: DesiredServer,
  observed: ObservedService | undefined,
  knows: boolean,
): void {
  const seen = observed?.dests.get(destText(server.want.dest.key));
  const dest = resolve(server.want, knows, seen);
  const cause = server.cause;
  if (dest === undefined) {
    if (seen !== undefined) {
      steps.remove.push({ operation: { kind: 'delete-dest', service, dest: server.want.dest.key }, cause });
    }
  } else if (seen === undefined) {
    steps.add.push({ operation: { kind: 'add-dest', service, dest }, cause });
  } else if (destDifference(dest.settings, seen.settings) !== undefined) {
    const list = raisesWeight(seen.settings, dest.settings) ? steps.add : steps.edit;
    list.push({ operation: { kind: 'edit-dest', service, dest }, cause });
  }
}

function diffServiceItself(
  steps: Steps,
  desired: DesiredService,
  observed: ObservedService | undefined,
): void {
  const cause: Cause = { kind: 'configured', service: desired.name, server: undefined };
  if (observed === undefined) {
    steps.service.push({ operation: { kind: 'add-service', service: desired.service }, cause });
  } else if (serviceDifference(desired.service.settings, observed.service.settings) !== undefined) {
    steps.service.push({ operation: { kind: 'edit-service', service: desired.service }, cause });
  }
}

/**
 * All servers that the table has of a service leave it, for others that it does not have. It knows nothing of those
 * then: waiting for their verdicts would leave the service empty.
 */
function isExchanged(
  desired: DesiredService,
  observed: ObservedService,
  retired: RetiredService | undefined,
): boolean {
  if (retired === undefined) return false;
  const leaves = [...retired.dests.keys()].some(
    (text) => (observed.dests.get(text)?.settings.weight ?? 0) > 0,
  );
  return leaves && ![...desired.servers.keys()].some((text) => observed.dests.has(text));
}

/** What goes from a service beside what health takes out of it. */
export interface BesideService {
  readonly retired?: RetiredService | undefined;
  /** Monotonic; undefined: nobody is waited for to drain. */
  readonly now?: Millis | undefined;
  /** Servers of others that the configuration wants away. */
  readonly condemned?: readonly ForeignServer[] | undefined;
}

/** The same for the whole table. */
export interface BesideTable {
  readonly retired?: Retired;
  readonly now?: Millis;
  readonly condemned?: Foreign;
}

/**
 * The steps for one service: itself first, then more capacity, then edits, then less capacity.
 * Servers that neither the configuration nor `beside` names are foreign and stay.
 */
export function diffService(
  desired: DesiredService,
  observed: ObservedService | undefined,
  { retired, now, condemned = [] }: BesideService = {},
): Plan {
  const steps: Steps = { service: [], add: [], edit: [], remove: [] };
  diffServiceItself(steps, desired, observed);
  const knows = observed !== undefined && !isExchanged(desired, observed, retired);
  for (const server of desired.servers.values())
    diffServer(steps, desired.service.key, server, observed, knows);
  const leaving = retired && retireDests(retired, observed, now);
  for (const step of leaving?.quiesce ?? []) steps.edit.push(step);
  for (const step of leaving?.remove ?? []) steps.remove.push(step);
  for (const { service, server, serviceKey, key } of condemned) {
    if (observed?.dests.has(server) !== true) continue;
    steps.remove.push({
      operation: { kind: 'delete-dest', service: serviceKey, dest: key },
      cause: { kind: 'exclusive', service, server },
    });
  }
  return inOrder(steps);
}

/** The steps that remove a service of others: with all its servers in one message. */
export function diffForeign(service: ForeignService, observed: ObservedService | undefined): Plan {
  if (observed === undefined) return [];
  return [
    {
      operation: { kind: 'delete-service', key: service.key },
      cause: { kind: 'exclusive', service: service.service, server: undefined },
    },
  ];
}

/** The plan for all that is ours: services in the configuration's order, then what was dropped from it. */
export function diffTable(desired: Desired, observed: ObservedTable, beside: BesideTable = {}): Plan {
  const { retired, now, condemned } = beside;
  const plan: PlanStep[] = [];
  const servers = foreignServersByService(condemned);
  for (const [text, service] of desired) {
    const its = { retired: retired?.get(text), now, condemned: servers.get(text) };
    for (const step of diffService(service, observed.get(text), its)) plan.push(step);
  }
  for (const [text, gone] of retired ?? []) {
    if (desired.has(text)) continue;
    for (const step of diffRetired(gone, observed.get(text), now)) plan.push(step);
  }
  for (const service of condemned?.services ?? [])
    plan.push(...diffForeign(service, observed.get(service.service)));
  return plan;
}
