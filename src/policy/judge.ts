/** What health, the operator and the rules of a service make of its servers. Pure. */
import type { CheckId, SaidWeight } from '../checks/model.js';
import type { FallbackServer, ServerConfig, ServiceConfig } from '../config/model.js';
import { type Millis, millis } from '../core/units.js';
import type { ServerHealth } from '../world.js';
import { admission } from './admission.js';
import { assumedSide, assumedWith } from './combine.js';
import { type Holding, holdServers, type Row } from './holding.js';
import { type FallbackMemory, leavesUntil, NO_FALLBACKS } from './leaving.js';
import type { MassEffect, QuorumState, ServerAdmin, ServerId, ServiceStanding, Standing } from './model.js';
import { neededWeight, stepQuorum, type Weights } from './quorum.js';
import { weightOf } from './weight.js';

const SERVING: Standing = { kind: 'serving' };

/** What a service remembers from one judgement to the next. */
export interface ServiceMemory {
  readonly quorum: QuorumState | undefined;
  readonly tier: number | undefined;
  /** Servers that are being brought back, and since when. */
  readonly ramps: ReadonlyMap<ServerId, Millis>;
  /** Servers that were out of service: when they come back, they are brought back gently. */
  readonly out: ReadonlySet<ServerId>;
  /** Servers that the operator took out, and of which nothing was known since. */
  readonly taken: ReadonlySet<ServerId>;
  /** Servers that were in service, held or not. */
  readonly in: ReadonlySet<ServerId>;
  /** When health took servers out within the last minute, the oldest first. */
  readonly removals: readonly Millis[];
  readonly fallbacks: FallbackMemory;
}

export const NO_MEMORY: ServiceMemory = {
  quorum: undefined,
  tier: undefined,
  ramps: new Map(),
  out: new Set(),
  taken: new Set(),
  in: new Set(),
  removals: [],
  fallbacks: NO_FALLBACKS,
};

/** What is known of the servers of a service, by id. */
export interface Known {
  /** Of their checks too. */
  readonly health: ReadonlyMap<CheckId, ServerHealth>;
  readonly admin: ReadonlyMap<ServerId, ServerAdmin>;
  /** Those whose first verdict was waited for long enough: what their checks assume counts. */
  readonly assumed?: ReadonlySet<ServerId>;
  /** What is done about most servers having failed at once. */
  readonly mass?: MassEffect | undefined;
  /** It is what the run before knew: what was out then is not taken out now. */
  readonly isRecalled?: boolean;
  /** Whether the table gives a server no connections: for those of which nothing was known before. */
  readonly isIdle?: (service: ServiceConfig, server: ServerConfig) => boolean;
  /** Whether the table holds a server, or may. */
  readonly isInTable?: (service: ServiceConfig, server: FallbackServer) => boolean;
}

export interface Judgement {
  readonly memory: ServiceMemory;
  readonly standing: ServiceStanding;
  /** The weight of every server that has one, by id: of those that serve or are quiesced. */
  readonly weights: ReadonlyMap<ServerId, number>;
  /** Until it is to be judged again although nothing happens; undefined: not before something does. */
  readonly again: Millis | undefined;
}

/** `service/server`, as in the configuration. */
export function serverId(service: ServiceConfig, server: ServerConfig | FallbackServer): ServerId {
  return `${service.name}/${server.name}`;
}

/** What a server is by itself, before its service has a word. */
export type Own =
  /** `capacity`: the weight, however long its probes take. */
  | { readonly kind: 'candidate'; readonly weight: number; readonly capacity: number }
  | Extract<Standing, { kind: 'unknown' | 'down' | 'admin' }>;

function heldOf(
  server: ServerConfig | FallbackServer,
  id: ServerId,
  known: Known,
): 'up' | 'down' | undefined {
  if (server.checks.length === 0) return 'up';
  const held = known.health.get(id)?.held;
  if (held !== undefined || known.assumed?.has(id) !== true) return held;
  // What the table has it as is held anyway.
  return assumedWith(server, known.health);
}

function ownStanding(server: ServerConfig | FallbackServer, id: ServerId, known: Known): Own {
  const admin = known.admin.get(id)?.effective;
  if (admin !== undefined && admin.state === 'disabled')
    return { kind: 'admin', state: admin.state, by: admin.by };
  const held = heldOf(server, id, known);
  if (held === 'down') return { kind: 'down' };
  if (admin !== undefined && admin.state !== 'enabled')
    return { kind: 'admin', state: admin.state, by: admin.by };
  if (held === undefined) return { kind: 'unknown' };
  return { kind: 'candidate', ...fullWeight(server, id, known) };
}

/** One judgement under way. */
interface Work {
  readonly service: ServiceConfig;
  readonly known: Known;
  readonly now: Millis;
  /** Its servers, those of its fallback aside: what they are called is put together once. */
  readonly rows: readonly Row[];
  readonly holding: Holding;
  readonly ramps: Map<ServerId, Millis>;
  readonly out: Set<ServerId>;
  readonly taken: Set<ServerId>;
  readonly standings: Map<ServerId, Standing>;
  readonly weights: Map<ServerId, number>;
  readonly memory: ServiceMemory;
  readonly fallbacks: { readonly serving: Set<ServerId>; readonly leaving: Map<ServerId, Millis> };
  again: Millis | undefined;
}

/** The weight that a server has while nothing but the operator says otherwise. */
function plainWeight(server: FallbackServer, id: ServerId, known: Known): number {
  return known.admin.get(id)?.effective.weight ?? server.dest.settings.weight;
}

/**
 * The weight that a server has while it serves wholly. Its capacity leaves out how long probes take: where all servers
 * are slow at once, that may not cost the service its quorum.
 */
function fullWeight(
  server: FallbackServer,
  id: ServerId,
  { admin, health }: Known,
): { readonly weight: number; readonly capacity: number } {
  const said: SaidWeight[] = [];
  const shares: SaidWeight[] = [];
  for (const check of server.checks) {
    const remark = health.get(check.id)?.remark;
    if (remark?.weight !== undefined) said.push(remark.weight);
    if (remark?.latency !== undefined) shares.push({ kind: 'percent', value: remark.latency.share });
  }
  const [configured, ordered] = [server.dest.settings.weight, admin.get(id)?.effective.weight];
  const capacity = weightOf(configured, ordered, said);
  return {
    capacity,
    weight: shares.length === 0 ? capacity : weightOf(configured, ordered, [...said, ...shares]),
  };
}

/** What checks say takes nothing from what there is to lose. @param awaited of names without an answer yet */
function weigh(rows: readonly Row[], awaited: number): Weights {
  let [total, serving, unknown] = [awaited, 0, awaited];
  for (const { own, plain } of rows) {
    total += plain;
    if (own.kind === 'candidate') serving += own.capacity;
    if (own.kind === 'unknown') unknown += plain;
  }
  return { total, serving, unknown };
}

/** A server without a verdict is taken for what its check assumes: somebody has to serve. */
function canServe(server: FallbackServer, id: ServerId, known: Known): boolean {
  const own = ownStanding(server, id, known);
  // It went down with most others, and that is not believed.
  if (own.kind === 'down' && known.mass?.kind === 'hold' && known.mass.ids.has(id)) return true;
  return own.kind === 'candidate' || (own.kind === 'unknown' && assumedSide(server) === 'up');
}

/** The first tier with a server that can serve. */
function firstTier(service: ServiceConfig, known: Known): number | undefined {
  const index = service.fallback.findIndex((tier) =>
    tier.some((server) => canServe(server, serverId(service, server), known)),
  );
  return index < 0 ? undefined : index;
}

/** The tier that serves. While most servers seem to have failed it is not changed for that. */
function chooseTier(
  service: ServiceConfig,
  known: Known,
  quorum: QuorumState | undefined,
  before: number | undefined,
): number | undefined {
  if (known.mass?.kind === 'fallback') return firstTier(service, known);
  if (quorum !== 'lost' || known.mass?.kind === 'open') return undefined;
  if (known.mass?.kind !== 'hold') return firstTier(service, known);
  return before !== undefined && before < service.fallback.length ? before : undefined;
}

function soonest(a: Millis | undefined, b: Millis | undefined): Millis | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return millis(Math.min(a, b));
}

/** Who serves with its whole weight: is that its own? */
function servingWith(weight: number, of: number): Standing {
  return weight === of ? SERVING : { kind: 'weighted', weight, of };
}

/** A candidate's weight: the whole one, or what staged admission gives it by now. */
function admit(work: Work, { id, plain }: Row, full: number): void {
  const rule = work.service.admit;
  if (work.out.delete(id) && rule !== undefined) work.ramps.set(id, work.now);
  const start = work.ramps.get(id);
  if (rule === undefined || start === undefined) {
    work.ramps.delete(id);
    work.weights.set(id, full);
    work.standings.set(id, servingWith(full, plain));
    return;
  }
  const { weight, next } = admission(rule, full, millis(work.now - start));
  if (next === undefined) work.ramps.delete(id);
  work.again = soonest(work.again, next);
  work.weights.set(id, weight);
  const standing: Standing = { kind: 'admission', weight, of: full };
  work.standings.set(id, weight === full ? servingWith(full, plain) : standing);
}

/** A server that is down stays with its weight; one that was being brought back, with the weight that it began with. */
function keep(work: Work, id: ServerId, full: number): void {
  const { admit: rule } = work.service;
  const isRamping = rule !== undefined && work.ramps.has(id);
  // Then it begins anew when it is up.
  if (isRamping) work.out.add(id);
  else work.out.delete(id);
  work.weights.set(id, isRamping ? Math.min(rule.canary, full) : full);
}

/**
 * Nothing is known of it, and the operator took it out and gives it back: what the table says of it is what it was given
 * for that, so what its checks assume counts.
 */
function isReturned({ taken }: Work, { id, own, server }: Row): boolean {
  return own.kind === 'unknown' && taken.has(id) && assumedSide(server) === 'up';
}

function settleServers(work: Work, tier: number | undefined): void {
  const aside: Standing = { kind: work.known.mass?.kind === 'fallback' ? 'set-aside' : 'quorum-lost' };
  for (const row of work.rows) {
    const { id, own, weight } = row;
    if (own.kind === 'admin') work.taken.add(id);
    else if (own.kind !== 'unknown') work.taken.delete(id);
    if (own.kind === 'candidate' || isReturned(work, row)) {
      admit(work, row, weight);
      if (tier === undefined) continue;
      work.weights.set(id, 0);
      work.standings.set(id, aside);
      continue;
    }
    const held = work.holding.held.get(id);
    if (held !== undefined) {
      keep(work, id, weight);
      work.standings.set(id, held);
      continue;
    }
    if (own.kind !== 'unknown') {
      work.out.add(id);
      work.ramps.delete(id);
    }
    settleOut(work, id, own);
  }
}

/** A server that does not serve by itself: with weight 0 where its connections are to live on. */
function settleOut(work: Work, id: ServerId, own: Exclude<Own, { kind: 'candidate' }>): void {
  work.standings.set(id, own);
  const quiesced =
    own.kind === 'down'
      ? work.service.onFailure === 'quiesce'
      : own.kind === 'admin' && own.state !== 'disabled';
  if (quiesced) work.weights.set(id, 0);
}

/** A fallback that does not serve. */
function settleReserve(work: Work, id: ServerId, server: FallbackServer): void {
  const { service, known, memory, now } = work;
  const own = ownStanding(server, id, known);
  if (own.kind !== 'candidate' && own.kind !== 'unknown') {
    work.standings.set(id, own);
    // It may have served until now: what connections it has live on.
    if (own.kind === 'admin' && own.state !== 'disabled') work.weights.set(id, 0);
    return;
  }
  const { isInTable } = known;
  const isFirst = memory.quorum === undefined;
  const until = leavesUntil({ service, server, id, before: memory.fallbacks, isFirst, isInTable }, now);
  work.standings.set(id, { kind: until === undefined ? 'reserve' : 'leaving' });
  if (until === undefined) return;
  work.fallbacks.leaving.set(id, until);
  work.again = soonest(work.again, millis(until - now));
}

function settleFallback(work: Work, serving: number | undefined, undecided: boolean): void {
  for (const [tier, servers] of work.service.fallback.entries()) {
    for (const server of servers) {
      const id = serverId(work.service, server);
      if (undecided) work.standings.set(id, { kind: 'unknown' });
      else if (tier === serving && canServe(server, id, work.known)) {
        work.weights.set(id, fullWeight(server, id, work.known).weight);
        work.standings.set(id, { kind: 'fallback', tier });
        work.fallbacks.serving.add(id);
      } else settleReserve(work, id, server);
    }
  }
}

function servingIds({ rows, weights }: Work): ReadonlySet<ServerId> {
  const ids = new Set<ServerId>();
  for (const { id, own } of rows) if (own.kind === 'candidate' || (weights.get(id) ?? 0) > 0) ids.add(id);
  return ids;
}

/**
 * Judges one service.
 * @param now monotonic
 */
export function judge(service: ServiceConfig, known: Known, memory: ServiceMemory, now: Millis): Judgement {
  const rows = service.servers.map((server): Row => {
    const id = serverId(service, server);
    const own = ownStanding(server, id, known);
    const { weight } = own.kind === 'candidate' ? own : fullWeight(server, id, known);
    return { id, server, own, weight, plain: plainWeight(server, id, known) };
  });
  const weights = weigh(rows, service.awaited ?? 0);
  const quorum = stepQuorum(service.quorum, memory.quorum, weights);
  const tier = chooseTier(service, known, quorum, memory.tier);
  const view = { rows, known, memory, hasFallback: tier !== undefined };
  const holding = holdServers(service, view, now);
  const work: Work = {
    service,
    known,
    now,
    rows,
    holding,
    ramps: new Map(memory.ramps),
    out: new Set(memory.out),
    taken: new Set(memory.taken),
    standings: new Map(),
    weights: new Map(),
    memory,
    fallbacks: { serving: new Set(), leaving: new Map() },
    again: holding.again,
  };
  settleServers(work, tier);
  settleFallback(work, tier, quorum === undefined);
  return {
    memory: {
      quorum,
      tier,
      ramps: work.ramps,
      out: work.out,
      taken: work.taken,
      in: servingIds(work),
      removals: holding.removals,
      fallbacks: work.fallbacks,
    },
    standing: {
      quorum,
      weight: weights.serving,
      needed: neededWeight(service.quorum, weights.total),
      serving: holding.serving,
      minimum: holding.minimum,
      tier,
      servers: work.standings,
    },
    weights: work.weights,
    again: work.again,
  };
}
