/** Which servers of a service stay in although they are down. Pure. */
import type { ServerConfig, ServiceConfig } from '../config/model.js';
import type { Millis } from '../core/units.js';
import type { Known, Own, ServiceMemory } from './judge.js';
import type { ServerId, Standing } from './model.js';
import { minimumOf, type RailsCase, stepRails } from './rails.js';

type Held = Extract<Standing, { kind: 'held' }>;

export interface Holding {
  readonly held: ReadonlyMap<ServerId, Held>;
  readonly removals: readonly Millis[];
  readonly again: Millis | undefined;
  /** How many servers of weight above 0 are in, those that are held included. */
  readonly serving: number;
  /** How many must be; undefined: no rule says. */
  readonly minimum: number | undefined;
}

/** A server of the service. */
export interface Row {
  readonly id: ServerId;
  readonly server: ServerConfig;
  readonly own: Own;
  /** What it has while it serves wholly. */
  readonly weight: number;
  /** The same, whatever its checks say of it. */
  readonly plain: number;
}

/** What holding looks at. */
export interface HoldingView {
  /** In the order of the configuration. */
  readonly rows: readonly Row[];
  readonly known: Known;
  readonly memory: ServiceMemory;
  /** A fallback serves. */
  readonly hasFallback: boolean;
}

/** The operator took it out, or wants it out. */
function isTaken(id: ServerId, known: Known): boolean {
  const state = known.admin.get(id)?.effective.state;
  return state !== undefined && state !== 'enabled';
}

/** It is in: it was in when it failed, or the table has it in and nothing was known of it. */
function isIn(service: ServiceConfig, { id, server }: Row, { known, memory }: HoldingView): boolean {
  if (memory.in.has(id)) return true;
  return !memory.out.has(id) && known.isIdle?.(service, server) !== true;
}

interface Failed {
  readonly id: ServerId;
  readonly since: number;
  readonly isIn: boolean;
}

interface Count {
  readonly failed: readonly Failed[];
  readonly staying: number;
  readonly eligible: number;
}

function count(service: ServiceConfig, view: HoldingView): Count {
  const failed: Failed[] = [];
  let [staying, eligible] = [0, 0];
  for (const row of view.rows) {
    const { id, own, weight } = row;
    if (isTaken(id, view.known) || weight === 0) continue;
    eligible += 1;
    // Of what is unknown the table is held.
    if (own.kind === 'candidate' || own.kind === 'unknown') staying += 1;
    else {
      const since = view.known.health.get(id)?.since ?? 0;
      failed.push({ id, since, isIn: isIn(service, row, view) });
    }
  }
  return { failed, staying, eligible };
}

/** Whoever failed first leaves first; of those that failed together, the last in the configuration. */
function inOrder(failed: readonly Failed[]): readonly ServerId[] {
  return [...failed]
    .reverse()
    .sort((a, b) => a.since - b.since)
    .map(({ id }) => id);
}

/** Most servers failed at once: those of this service that are held because of that. */
function heldByMass(failed: readonly Failed[], { known, hasFallback }: HoldingView): readonly ServerId[] {
  const { mass } = known;
  if (hasFallback || mass === undefined || mass.kind === 'fallback') return [];
  const those = mass.kind === 'open' ? failed : failed.filter((one) => one.isIn || mass.ids.has(one.id));
  return those.map(({ id }) => id);
}

/** The rails, where nothing else decides. A fallback that serves is better than servers that are down. */
function heldByRails(
  service: ServiceConfig,
  facts: RailsCase,
  view: HoldingView,
  now: Millis,
): Pick<Holding, 'held' | 'removals' | 'again'> {
  const { removals } = view.memory;
  const { mass } = view.known;
  if (view.hasFallback || (mass !== undefined && mass.kind !== 'fallback'))
    return { held: new Map(), removals, again: undefined };
  const own = service.rails;
  const rails = view.known.isRecalled === true ? { ...own, maximumRemovals: undefined } : own;
  const step = stepRails(rails, facts, removals, now);
  const { minimum, maximumRemovals } = service.rails;
  const least = minimum === undefined ? undefined : minimumOf(minimum, facts.eligible);
  const held = new Map<ServerId, Held>();
  for (const [id, rail] of step.held)
    held.set(id, { kind: 'held', rail, limit: rail === 'minimum-healthy' ? least : maximumRemovals });
  return { held, removals: step.removals, again: step.again };
}

/**
 * Decides for a service which of its servers that are down stay in. What the operator takes out goes.
 * @param now monotonic
 */
export function holdServers(service: ServiceConfig, view: HoldingView, now: Millis): Holding {
  const { failed, staying, eligible } = count(service, view);
  const { minimum } = service.rails;
  const least = minimum === undefined ? undefined : minimumOf(minimum, eligible);
  const leaving = inOrder(failed.filter((one) => one.isIn));
  const byRails = heldByRails(service, { leaving, staying, eligible }, view, now);
  const held = new Map(byRails.held);
  for (const id of heldByMass(failed, view))
    held.set(id, { kind: 'held', rail: 'mass-failure', limit: undefined });
  return { ...byRails, held, serving: staying + held.size, minimum: least };
}
