/**
 * What a run of the daemon leaves to the next one about the table: who of it was leaving, and what somebody else changed
 * that was accepted. The next run takes back only what the table still shows: whatever is otherwise by now is somebody
 * else's doing. Pure.
 */
import type { Millis } from '../core/units.js';
import type { Concessions, DestConcession, ServiceConcessions } from './concession.js';
import { NO_CONCESSIONS } from './concession.js';
import { methodText, settingsText } from './difference.js';
import type { DestSettings, ObservedService, ObservedTable } from './model.js';
import type { DriftKind, DriftPolicies } from './ownership.js';
import type { Desired, DesiredService } from './plan.js';
import type { Retired, RetiredDest, RetiredService } from './retire.js';

/** A server that finishes its connections before it leaves. */
export interface LeavingServer {
  /** Its `destText`. */
  readonly dest: string;
  readonly server: string;
  /** Monotonic. */
  readonly until: Millis;
}

export interface LeavingService {
  /** Its `serviceText`. */
  readonly service: string;
  readonly name: string;
  /** The service itself leaves, too. */
  readonly whole: boolean;
  readonly servers: readonly LeavingServer[];
}

/** One change that was accepted. */
export interface Accepted {
  readonly service: string;
  /** Undefined: of the service itself. */
  readonly dest: string | undefined;
  readonly kind: DriftKind;
  /** What was wanted and what was found instead, as texts; a `weight` as its number. Undefined: the entry was absent. */
  readonly wanted: string;
  readonly found: string | undefined;
  readonly difference: string;
}

export interface TableMemory {
  readonly leaving: readonly LeavingService[];
  readonly accepted: readonly Accepted[];
}

function* leavingOf(retired: Retired): Generator<LeavingService> {
  for (const [service, { name, why, whole, dests }] of retired) {
    if (why !== 'unconfigured') continue;
    const servers = [...dests].flatMap(([dest, { server, drainsUntil }]) =>
      drainsUntil === undefined ? [] : { dest, server, until: drainsUntil },
    );
    if (servers.length > 0) yield { service, name, whole, servers };
  }
}

const destWords = (kind: DestConcession['kind'], settings: DestSettings): string =>
  kind === 'weight' ? String(settings.weight) : methodText(settings);

function* acceptedOf(concessions: Concessions): Generator<Accepted> {
  for (const [service, { itself, dests }] of concessions) {
    if (itself?.policy === 'accept') {
      const { wanted, found, difference } = itself;
      const words = { wanted: settingsText(wanted), found: found && settingsText(found) };
      yield { service, dest: undefined, kind: 'service', ...words, difference };
    }
    for (const [dest, all] of dests)
      for (const { kind, policy, wanted, found, difference } of all) {
        // A server that is to be out of service is never let in for good.
        if (policy !== 'accept' || kind === 'added' || wanted === undefined) continue;
        const words = { wanted: destWords(kind, wanted), found: found && destWords(kind, found) };
        yield { service, dest, kind, ...words, difference };
      }
  }
}

export function memoryOf(retired: Retired, concessions: Concessions): TableMemory {
  return { leaving: [...leavingOf(retired)], accepted: [...acceptedOf(concessions)] };
}

function retiredFrom(leaving: LeavingService, observed: ObservedService): RetiredService | undefined {
  const dests = new Map<string, RetiredDest>();
  for (const { dest, server, until } of leaving.servers) {
    const seen = observed.dests.get(dest);
    // With a weight somebody has put it back: it is theirs.
    if (seen?.settings.weight === 0) dests.set(dest, { server, key: seen.key, drainsUntil: until });
  }
  if (dests.size === 0) return undefined;
  const { name, whole } = leaving;
  return { name, key: observed.service.key, why: 'unconfigured', whole, dests };
}

/** Who of those that were leaving is in the table still, as it was left. By `serviceText`. */
export function recallLeaving(memory: TableMemory, observed: ObservedTable): Retired {
  const retired = new Map<string, RetiredService>();
  for (const leaving of memory.leaving) {
    const seen = observed.get(leaving.service);
    const gone = seen && retiredFrom(leaving, seen);
    if (gone !== undefined) retired.set(leaving.service, gone);
  }
  return retired;
}

function destConcession(
  { kind, wanted, found, difference }: Accepted,
  is: DestSettings,
  seen: DestSettings | undefined,
): DestConcession | undefined {
  const common = { policy: 'accept', difference } as const;
  if (kind === 'weight') {
    if (found === undefined) return undefined;
    const [was, now] = [
      { ...is, weight: Number(wanted) },
      { ...is, weight: Number(found) },
    ];
    return { ...common, kind, wanted: was, found: now };
  }
  // The configuration says something else of it by now.
  if (wanted !== methodText(is)) return undefined;
  if (kind === 'removed')
    return seen === undefined ? { ...common, kind, wanted: is, found: undefined } : undefined;
  if (kind !== 'settings' || seen === undefined || found !== methodText(seen)) return undefined;
  return { ...common, kind, wanted: is, found: seen };
}

function withAccepted(
  before: ServiceConcessions,
  accepted: Accepted,
  desired: DesiredService,
  observed: ObservedService | undefined,
): ServiceConcessions {
  const { dest, wanted, found, difference } = accepted;
  if (dest === undefined) {
    const [is, seen] = [desired.service.settings, observed?.service.settings];
    const isSame = wanted === settingsText(is) && found === (seen && settingsText(seen));
    return isSame ? { ...before, itself: { policy: 'accept', wanted: is, found: seen, difference } } : before;
  }
  const is = desired.servers.get(dest)?.want.dest.settings;
  // A service that is gone took its servers with it.
  if (is === undefined || observed === undefined) return before;
  const one = destConcession(accepted, is, observed.dests.get(dest)?.settings);
  if (one === undefined) return before;
  return { ...before, dests: new Map(before.dests).set(dest, [...(before.dests.get(dest) ?? []), one]) };
}

/** What was accepted and is still so, where the configuration still says the same of the entry, and `accept`. */
export function recallAccepted(
  memory: TableMemory,
  desired: Desired,
  observed: ObservedTable,
  policies: (service: string) => DriftPolicies,
): Concessions {
  const concessions = new Map<string, ServiceConcessions>();
  for (const accepted of memory.accepted) {
    const { service: text, kind } = accepted;
    const service = desired.get(text);
    if (service === undefined || policies(text)[kind] !== 'accept') continue;
    const before = concessions.get(text) ?? NO_CONCESSIONS;
    const after = withAccepted(before, accepted, service, observed.get(text));
    if (after !== NO_CONCESSIONS) concessions.set(text, after);
  }
  return concessions;
}
