/** What leaves: entries that were ours and are no longer named. Pure. */
import { type Millis, millis } from '../core/units.js';
import type { DestKey, DestSeen, ObservedService, ServiceKey } from './model.js';
import type { Leaving } from './ownership.js';
import type { Cause, Desired, DesiredService, PlanStep } from './plan.js';

export interface RetiredDest {
  readonly server: string;
  readonly key: DestKey;
  /** Until this monotonic instant it may stay with weight 0 to finish its connections; undefined: it goes at once. */
  readonly drainsUntil: Millis | undefined;
}

/** What an earlier configuration of this run of the daemon named and the present one does not. */
export interface RetiredService {
  readonly name: string;
  readonly key: ServiceKey;
  readonly why: 'unconfigured' | 'stopping';
  /** The service itself leaves, not only some of its servers. */
  readonly whole: boolean;
  /** By `destText`. */
  readonly dests: ReadonlyMap<string, RetiredDest>;
}

/** By `serviceText`. */
export type Retired = ReadonlyMap<string, RetiredService>;

/** How entries leave, and why. */
export interface Departure {
  readonly why: RetiredService['why'];
  /** Of a service, by its `serviceText`. */
  readonly leaving: (service: string) => Leaving;
  readonly now: Millis;
}

const AT_ONCE: Departure = { why: 'unconfigured', leaving: () => ({ kind: 'remove' }), now: millis(0) };

/** No connection of any kind is left: neither open, nor closing, nor one that a client may come back to. */
export function isEmpty({ active, inactive, persistent }: DestSeen): boolean {
  return active === 0 && inactive === 0 && persistent === 0;
}

function retiredOf(
  text: string,
  before: DesiredService,
  now: DesiredService | undefined,
  departure: Departure,
): RetiredService {
  const leaving = departure.leaving(text);
  const drainsUntil = leaving.kind === 'drain' ? millis(departure.now + leaving.deadline) : undefined;
  const dests = new Map<string, RetiredDest>();
  for (const [dest, { server, want }] of before.servers) {
    if (now?.servers.has(dest) !== true) dests.set(dest, { server, key: want.dest.key, drainsUntil });
  }
  const whole = now === undefined;
  return { name: before.name, key: before.service.key, why: departure.why, whole, dests };
}

function stillRetired(gone: RetiredService, now: DesiredService | undefined): RetiredService {
  const dests = [...gone.dests].filter(([text]) => now?.servers.has(text) !== true);
  return { ...gone, whole: now === undefined, dests: new Map(dests) };
}

/**
 * What leaves with a new configuration: all that `before` or the still pending `retired` name and `now` does
 * not. An entry that comes back is ours again and leaves the list.
 */
export function retire(
  before: Desired,
  now: Desired,
  retired: Retired,
  departure: Departure = AT_ONCE,
): Retired {
  const result = new Map<string, RetiredService>();
  for (const [text, gone] of retired) result.set(text, stillRetired(gone, now.get(text)));
  for (const [text, service] of before) {
    // Most reloads leave most services as they are: the very objects.
    if (now.get(text) === service) continue;
    const gone = retiredOf(text, service, now.get(text), departure);
    if (!gone.whole && gone.dests.size === 0) continue;
    const earlier = result.get(text);
    result.set(text, { ...gone, dests: new Map([...(earlier?.dests ?? []), ...gone.dests]) });
  }
  for (const [text, gone] of result) if (!gone.whole && gone.dests.size === 0) result.delete(text);
  return result;
}

function hasForeign(gone: RetiredService, observed: ObservedService): boolean {
  return [...observed.dests.keys()].some((text) => !gone.dests.has(text));
}

/** Whether something of it is in the table still. A service with servers of others in it is theirs. */
export function isStillThere(gone: RetiredService, observed: ObservedService | undefined): boolean {
  if (observed === undefined) return false;
  if (gone.whole && !hasForeign(gone, observed)) return true;
  return [...gone.dests.keys()].some((text) => observed.dests.has(text));
}

const causeOf = (gone: RetiredService, server: string | undefined): Cause => ({
  kind: gone.why,
  service: gone.name,
  server,
});

function isDraining({ drainsUntil }: RetiredDest, seen: DestSeen, now: Millis | undefined): boolean {
  return drainsUntil !== undefined && now !== undefined && now < drainsUntil && !isEmpty(seen);
}

/** What is done about the servers that leave. */
export interface RetiringSteps {
  /** Weights that become 0. */
  readonly quiesce: readonly PlanStep[];
  readonly remove: readonly PlanStep[];
  /** Some finish their connections still. */
  readonly draining: boolean;
}

/** The steps for servers that leave. @param now monotonic; undefined: nobody is waited for */
export function retireDests(
  gone: RetiredService,
  observed: ObservedService | undefined,
  now: Millis | undefined,
): RetiringSteps {
  const quiesce: PlanStep[] = [];
  const remove: PlanStep[] = [];
  let draining = false;
  for (const [text, dest] of gone.dests) {
    const seen = observed?.dests.get(text);
    if (seen === undefined) continue;
    const cause = causeOf(gone, dest.server);
    if (!isDraining(dest, seen, now)) {
      remove.push({ operation: { kind: 'delete-dest', service: gone.key, dest: dest.key }, cause });
      continue;
    }
    draining = true;
    if (seen.settings.weight === 0) continue;
    const empty = { key: seen.key, settings: { ...seen.settings, weight: 0 } };
    quiesce.push({ operation: { kind: 'edit-dest', service: gone.key, dest: empty }, cause });
  }
  return { quiesce, remove, draining };
}

/** The steps for a service dropped from the configuration; it stays while it holds servers of others, or drains. */
export function diffRetired(
  gone: RetiredService,
  observed: ObservedService | undefined,
  now?: Millis,
): readonly PlanStep[] {
  if (observed === undefined) return [];
  const { quiesce, remove, draining } = retireDests(gone, observed, now);
  if (draining || !gone.whole || hasForeign(gone, observed)) return [...quiesce, ...remove];
  // DEL_SERVICE takes its destinations with it: one message, and no moment of an empty service.
  return [{ operation: { kind: 'delete-service', key: gone.key }, cause: causeOf(gone, undefined) }];
}
