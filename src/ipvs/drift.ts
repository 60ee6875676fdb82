import {
  type Concessions,
  type DestConcession,
  NO_CONCESSIONS,
  type ServiceConcessions,
  type ServiceItselfConcession,
  withDestConcession,
} from './concession.js';
import { resolve } from './diff.js';
import { methodDifference, sameDest, serviceDifference, weightDifference } from './difference.js';
import { entryOf } from './keys.js';
import type { DestSettings, ObservedService, ObservedTable } from './model.js';
import type { DriftKind, DriftPolicies, DriftPolicy } from './ownership.js';
import type { Cause, Desired, DesiredServer, DesiredService, PlanStep } from './plan.js';

export interface Drift {
  /** Names from the configuration. */
  readonly service: string;
  readonly server: string | undefined;
  readonly kind: DriftKind;
  /** What is done about it. */
  readonly policy: DriftPolicy;
  /** In words: `removed`, `added`, `weight 0, should be 3`. */
  readonly difference: string;
}

/** What is repaired, by `serviceText` alone for a service, and with the server's `destText` behind a blank for a server. */
export type Repairs = ReadonlyMap<string, Omit<Drift, 'kind' | 'policy'>>;

export interface DriftFound {
  readonly drift: readonly Drift[];
  readonly repairs: Repairs;
  /** Those from before, and what is let stand from now on. */
  readonly concessions: Concessions;
}

/** The rules of one service. */
type PoliciesOf = (service: string) => DriftPolicies;

type DestDeviation = Pick<DestConcession, 'kind' | 'difference'>;

const DEST_KINDS: readonly DestConcession['kind'][] = ['removed', 'added', 'weight', 'settings'];

const PRESENCE_KINDS: readonly DestConcession['kind'][] = ['removed', 'added'];

/** The kinds of what changed between two looks: the rest was told before. */
function changedKinds(
  before: DestSettings | undefined,
  now: DestSettings,
): readonly DestConcession['kind'][] {
  if (before === undefined) return DEST_KINDS;
  const kinds: DestConcession['kind'][] = [];
  if (weightDifference(before, now) !== undefined) kinds.push('weight', 'added');
  if (methodDifference(before, now) !== undefined) kinds.push('settings');
  return kinds;
}

/** How a server differs from what is wanted of it, by kind. */
function deviations(wanted: DestSettings | undefined, found: DestSettings | undefined): DestDeviation[] {
  if (wanted === undefined) return found === undefined ? [] : [{ kind: 'added', difference: 'added' }];
  if (found === undefined) return [{ kind: 'removed', difference: 'removed' }];
  const all: DestDeviation[] = [];
  const method = methodDifference(wanted, found);
  const weight = weightDifference(wanted, found);
  if (method !== undefined) all.push({ kind: 'settings', difference: method });
  if (weight !== undefined) all.push({ kind: wanted.weight === 0 ? 'added' : 'weight', difference: weight });
  return all;
}

/** One look at the table. */
class Look {
  readonly drift: Drift[] = [];
  readonly repairs = new Map<string, Omit<Drift, 'kind' | 'policy'>>();
  readonly concessions: Map<string, ServiceConcessions>;

  constructor(
    readonly policies: PoliciesOf,
    before: Concessions,
  ) {
    this.concessions = new Map(before);
  }

  #note(entry: string, drift: Drift): void {
    this.drift.push(drift);
    if (drift.policy !== 'repair') return;
    const { service, server, difference } = drift;
    const earlier = this.repairs.get(entry);
    const both = earlier === undefined ? difference : `${earlier.difference}; ${difference}`;
    this.repairs.set(entry, { service, server, difference: both });
  }

  #keep(text: string, conceded: ServiceConcessions): void {
    if (conceded.itself === undefined && conceded.dests.size === 0) this.concessions.delete(text);
    else this.concessions.set(text, conceded);
  }

  /** @param now undefined where the service was removed */
  atService(text: string, { name, service }: DesiredService, now: ObservedService | undefined): void {
    const wanted = service.settings;
    const found = now?.service.settings;
    const difference = found === undefined ? 'removed' : serviceDifference(wanted, found);
    const policy = this.policies(text).service;
    let itself: ServiceItselfConcession | undefined;
    if (difference !== undefined) {
      this.#note(text, { service: name, server: undefined, kind: 'service', policy, difference });
      if (policy !== 'repair') itself = { policy, wanted, found, difference };
    }
    this.#keep(text, { ...(this.concessions.get(text) ?? NO_CONCESSIONS), itself });
  }

  atServer(
    text: string,
    dest: string,
    [service, server]: readonly [DesiredService, DesiredServer],
    [before, now]: readonly [ObservedService, ObservedService],
  ): void {
    const wanted = resolve(server.want, true, before.dests.get(dest))?.settings;
    const found = now.dests.get(dest)?.settings;
    // Whether it is there at all says nothing about how it is served once it is.
    const kinds =
      wanted === undefined || found === undefined
        ? PRESENCE_KINDS
        : changedKinds(before.dests.get(dest)?.settings, found);
    const conceded: DestConcession[] = [];
    for (const { kind, difference } of deviations(wanted, found)) {
      if (!kinds.includes(kind)) continue;
      const policy = this.policies(text)[kind];
      const names = { service: service.name, server: server.server };
      this.#note(`${text} ${dest}`, { ...names, kind, policy, difference });
      if (policy !== 'repair') conceded.push({ kind, policy, wanted, found, difference });
    }
    const earlier = this.concessions.get(text) ?? NO_CONCESSIONS;
    if (conceded.length === 0 && earlier === NO_CONCESSIONS) return;
    this.#keep(text, withDestConcession(earlier, dest, kinds, conceded));
  }
}

function hasChanged(before: DestSettings | undefined, now: DestSettings | undefined): boolean {
  if (before === undefined || now === undefined) return before !== now;
  return !sameDest(before, now);
}

/**
 * Compares entry by entry what we believed the table to hold with what a dump found; what somebody changed, and what is
 * not as it is wanted now, is drift. Foreign entries are not looked at. Cost: one pass over what is ours.
 * @param concessions what was let stand before
 */
export function findDrift(
  desired: Desired,
  [believed, observed]: readonly [ObservedTable, ObservedTable],
  policies: PoliciesOf,
  concessions: Concessions = new Map(),
): DriftFound {
  const look = new Look(policies, concessions);
  for (const [text, service] of desired) {
    const before = believed.get(text);
    const now = observed.get(text);
    if (before === undefined) continue;
    const isOther =
      now === undefined || serviceDifference(before.service.settings, now.service.settings) !== undefined;
    if (isOther) look.atService(text, service, now);
    if (now === undefined || now.dests === before.dests) continue;
    for (const [dest, server] of service.servers) {
      if (hasChanged(before.dests.get(dest)?.settings, now.dests.get(dest)?.settings))
        look.atServer(text, dest, [service, server], [before, now]);
    }
  }
  return { drift: look.drift, repairs: look.repairs, concessions: look.concessions };
}

/** Gives the steps that repair drift that cause; the others keep theirs. */
export function explainByDrift(steps: readonly PlanStep[], repairs: Repairs): readonly PlanStep[] {
  if (repairs.size === 0) return steps;
  return steps.map((step) => {
    const [service, dest] = entryOf(step.operation);
    // A service that was removed took its servers with it.
    const found =
      (dest === undefined ? undefined : repairs.get(`${service} ${dest}`)) ?? repairs.get(service);
    if (found === undefined) return step;
    const cause: Cause = { kind: 'drift', ...found };
    return { operation: step.operation, cause };
  });
}
