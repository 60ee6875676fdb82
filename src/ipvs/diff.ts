/** Hop 4: the plan that leads from the observed to the desired table. Pure; touches only what is ours. */

import { destDifference, serviceDifference } from './difference.js';
import { destText } from './keys.js';
import type {
  Dest,
  DestKey,
  DestSeen,
  DestSettings,
  ObservedService,
  ObservedTable,
  ServiceKey,
} from './model.js';
import type { Cause, Desired, DesiredDest, DesiredServer, DesiredService, Plan, PlanStep } from './plan.js';

/** What an earlier configuration of this run of the daemon named and the present one does not. */
export interface RetiredService {
  readonly name: string;
  readonly key: ServiceKey;
  /** The service itself is gone from the configuration, not only some of its servers. */
  readonly whole: boolean;
  /** By `destText`. */
  readonly dests: ReadonlyMap<string, { readonly server: string; readonly key: DestKey }>;
}

/** By `serviceText`. */
export type Retired = ReadonlyMap<string, RetiredService>;

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
function resolve(want: DesiredDest, serviceSeen: boolean, seen: DestSeen | undefined): Dest | undefined {
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
): void {
  const seen = observed?.dests.get(destText(server.want.dest.key));
  const dest = resolve(server.want, observed !== undefined, seen);
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

function retireDests(steps: Steps, retired: RetiredService, observed: ObservedService | undefined): void {
  for (const [text, { server, key }] of retired.dests) {
    if (observed?.dests.has(text) !== true) continue;
    steps.remove.push({
      operation: { kind: 'delete-dest', service: retired.key, dest: key },
      cause: { kind: 'unconfigured', service: retired.name, server },
    });
  }
}

/**
 * The steps for one service: itself first, then more capacity, then edits, then less capacity.
 * Servers that neither the configuration nor `retired` names are foreign and stay.
 */
export function diffService(
  desired: DesiredService,
  observed: ObservedService | undefined,
  retired?: RetiredService,
): Plan {
  const steps: Steps = { service: [], add: [], edit: [], remove: [] };
  diffServiceItself(steps, desired, observed);
  for (const server of desired.servers.values()) diffServer(steps, desired.service.key, server, observed);
  if (retired !== undefined) retireDests(steps, retired, observed);
  return inOrder(steps);
}

/** The steps that remove a service dropped from the configuration; it stays while it holds foreign servers. */
export function diffRetired(retired: RetiredService, observed: ObservedService | undefined): Plan {
  if (observed === undefined) return [];
  const steps: Steps = { service: [], add: [], edit: [], remove: [] };
  retireDests(steps, retired, observed);
  const foreign = [...observed.dests.keys()].some((text) => !retired.dests.has(text));
  if (foreign || !retired.whole) return inOrder(steps);
  // DEL_SERVICE takes its destinations with it: one message, and no moment of an empty service.
  const cause: Cause = { kind: 'unconfigured', service: retired.name, server: undefined };
  return [{ operation: { kind: 'delete-service', key: retired.key }, cause }];
}

/** The plan for all that is ours: services in the configuration's order, then what was dropped from it. */
export function diffTable(desired: Desired, observed: ObservedTable, retired: Retired = new Map()): Plan {
  const plan: PlanStep[] = [];
  for (const [text, service] of desired) {
    for (const step of diffService(service, observed.get(text), retired.get(text))) plan.push(step);
  }
  for (const [text, gone] of retired) {
    if (desired.has(text)) continue;
    for (const step of diffRetired(gone, observed.get(text))) plan.push(step);
  }
  return plan;
}

function retiredOf(before: DesiredService, now: DesiredService | undefined): RetiredService {
  const dests = new Map<string, { server: string; key: DestKey }>();
  for (const [text, { server, want }] of before.servers) {
    if (now?.servers.has(text) !== true) dests.set(text, { server, key: want.dest.key });
  }
  return { name: before.name, key: before.service.key, whole: now === undefined, dests };
}

function stillRetired(gone: RetiredService, now: DesiredService | undefined): RetiredService {
  const dests = [...gone.dests].filter(([text]) => now?.servers.has(text) !== true);
  return { ...gone, whole: now === undefined, dests: new Map(dests) };
}

/**
 * What leaves with a new configuration: all that `before` or the still pending `retired` name and `now` does
 * not. An entry that comes back is ours again and leaves the list.
 */
export function retire(before: Desired, now: Desired, retired: Retired): Retired {
  const result = new Map<string, RetiredService>();
  for (const [text, gone] of retired) result.set(text, stillRetired(gone, now.get(text)));
  for (const [text, service] of before) {
    const gone = retiredOf(service, now.get(text));
    const earlier = result.get(text);
    result.set(text, { ...gone, dests: new Map([...(earlier?.dests ?? []), ...gone.dests]) });
  }
  for (const [text, gone] of result) if (!gone.whole && gone.dests.size === 0) result.delete(text);
  return result;
}
