/**
 * What somebody else made of an entry of ours and what we let stand, by `drift: report` or `accept`. A concession says
 * what was wanted then and what was found instead: while the same is wanted, what was found is put in its place. Pure.
 */
import { methodDifference, sameDest, serviceDifference } from './difference.js';
import type { DestSettings, ObservedService, ServiceSettings } from './model.js';
import type { DriftKind, DriftPolicies, DriftPolicy } from './ownership.js';
import type { Desired, DesiredDest, DesiredServer, DesiredService } from './plan.js';

export interface DestConcession {
  readonly kind: Exclude<DriftKind, 'service'>;
  readonly policy: Exclude<DriftPolicy, 'repair'>;
  /** Undefined: it was to be absent. */
  readonly wanted: DestSettings | undefined;
  /** Undefined: it was absent. */
  readonly found: DestSettings | undefined;
  /** The difference in words. */
  readonly difference: string;
}

export interface ServiceItselfConcession {
  readonly policy: Exclude<DriftPolicy, 'repair'>;
  readonly wanted: ServiceSettings;
  /** Undefined: the service was absent. */
  readonly found: ServiceSettings | undefined;
  readonly difference: string;
}

export interface ServiceConcessions {
  readonly itself: ServiceItselfConcession | undefined;
  /** By `destText`. */
  readonly dests: ReadonlyMap<string, readonly DestConcession[]>;
}

/** By `serviceText`; only services where something was conceded. */
export type Concessions = ReadonlyMap<string, ServiceConcessions>;

export const NO_CONCESSIONS: ServiceConcessions = { itself: undefined, dests: new Map() };

function settingsWanted(want: DesiredDest): DestSettings | undefined {
  return want.kind === 'absent' ? undefined : want.dest.settings;
}

function sameWish(one: DestSettings | undefined, other: DestSettings | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return sameDest(one, other);
}

/** A server that is to be out of service never becomes one that is in service for good: that would overrule verdicts. */
function isLasting({ kind, policy }: DestConcession): boolean {
  return policy === 'accept' && kind !== 'added';
}

function destHolds(concession: DestConcession, want: DesiredDest, isSeen: boolean): boolean {
  // Somebody put it back.
  if (concession.kind === 'removed' && isSeen) return false;
  return isLasting(concession) || sameWish(settingsWanted(want), concession.wanted);
}

function itselfHolds(
  { policy, wanted, found }: ServiceItselfConcession,
  service: DesiredService,
  isSeen: boolean,
): boolean {
  if (found === undefined && isSeen) return false;
  return policy === 'accept' || serviceDifference(wanted, service.service.settings) === undefined;
}

/** What of the concessions still holds, as something else may be wanted by now; undefined where nothing does. */
export function stillConceded(
  conceded: ServiceConcessions,
  service: DesiredService,
  observed: ObservedService | undefined,
): ServiceConcessions | undefined {
  const { itself } = conceded;
  const dests = new Map<string, readonly DestConcession[]>();
  for (const [text, all] of conceded.dests) {
    const server = service.servers.get(text);
    const isSeen = observed?.dests.has(text) === true;
    const kept = server === undefined ? [] : all.filter((one) => destHolds(one, server.want, isSeen));
    if (kept.length > 0) dests.set(text, kept);
  }
  const holds = itself !== undefined && itselfHolds(itself, service, observed !== undefined);
  if (!holds && dests.size === 0) return undefined;
  return { itself: holds ? itself : undefined, dests };
}

function withSettings(want: DesiredDest, settings: DestSettings): DesiredDest {
  return { ...want, dest: { key: want.dest.key, settings } };
}

function yieldTo(want: DesiredDest, { kind, wanted, found }: DestConcession): DesiredDest {
  const now = settingsWanted(want);
  if (found === undefined) return kind === 'removed' ? { kind: 'absent', dest: want.dest } : want;
  if (now === undefined) {
    if (kind !== 'added') return want;
    return { kind: 'present', dest: { key: want.dest.key, settings: found } };
  }
  if (wanted === undefined) return want;
  if (kind === 'settings')
    return methodDifference(wanted, now) === undefined
      ? withSettings(want, { ...found, weight: now.weight })
      : want;
  return now.weight === wanted.weight ? withSettings(want, { ...now, weight: found.weight }) : want;
}

function concedeServer(server: DesiredServer, all: readonly DestConcession[]): DesiredServer {
  return { ...server, want: all.reduce(yieldTo, server.want) };
}

/** What is wanted of a service after what was conceded; undefined where nothing of it is, for it was removed. */
export function concede(service: DesiredService, conceded: ServiceConcessions): DesiredService | undefined {
  const { itself, dests } = conceded;
  if (itself !== undefined && itself.found === undefined) return undefined;
  const isSame = itself && serviceDifference(itself.wanted, service.service.settings) === undefined;
  const settings = (isSame === true ? itself?.found : undefined) ?? service.service.settings;
  const servers = new Map(service.servers);
  for (const [text, all] of dests) {
    const server = servers.get(text);
    if (server !== undefined) servers.set(text, concedeServer(server, all));
  }
  return { ...service, service: { key: service.service.key, settings }, servers };
}

/** `one` in place of those of its kind; without it they go. */
export function withDestConcession(
  conceded: ServiceConcessions,
  text: string,
  kinds: readonly DriftKind[],
  more: readonly DestConcession[],
): ServiceConcessions {
  const dests = new Map(conceded.dests);
  const others = (dests.get(text) ?? []).filter(({ kind }) => !kinds.includes(kind));
  if (others.length + more.length === 0) dests.delete(text);
  else dests.set(text, [...others, ...more]);
  return { ...conceded, dests };
}

function survivesReload(
  conceded: ServiceConcessions,
  drift: DriftPolicies,
  [before, now]: readonly [DesiredService | undefined, DesiredService | undefined],
): ServiceConcessions | undefined {
  if (before === undefined || now === undefined) return undefined;
  const { itself } = conceded;
  const dests = new Map<string, readonly DestConcession[]>();
  for (const [dest, all] of conceded.dests) {
    const was = before.servers.get(dest)?.want.dest.settings;
    const is = now.servers.get(dest)?.want.dest.settings;
    if (was === undefined || is === undefined || !sameDest(was, is)) continue;
    const kept = all.filter((one) => isLasting(one) && drift[one.kind] === 'accept');
    if (kept.length > 0) dests.set(dest, kept);
  }
  const isSame = serviceDifference(before.service.settings, now.service.settings) === undefined;
  const keeps = itself?.policy === 'accept' && drift.service === 'accept' && isSame;
  if (!keeps && dests.size === 0) return undefined;
  return { itself: keeps ? itself : undefined, dests };
}

/**
 * What a reload leaves of the concessions: nothing that was only reported; what was accepted where the configuration
 * says the same as before of the entry, and still says `accept`.
 */
export function concessionsAfterReload(
  concessions: Concessions,
  before: Desired,
  now: Desired,
  policies: (service: string) => DriftPolicies,
): Concessions {
  const kept = new Map<string, ServiceConcessions>();
  for (const [text, conceded] of concessions) {
    const its = survivesReload(conceded, policies(text), [before.get(text), now.get(text)]);
    if (its !== undefined) kept.set(text, its);
  }
  return kept;
}
