/** What the API tells of the world: types of its answers, and how they are made of a snapshot. */
import type { Verdict } from '../checks/model.js';
import type { FallbackServer, ServerConfig, ServiceConfig } from '../config/model.js';
import type { EpochMillis } from '../core/units.js';
import { firstForeign, foreignTexts } from '../ipvs/foreign.js';
import { entriesText } from '../ipvs/keys.js';
import type { ObservedService } from '../ipvs/model.js';
import type { WindowState } from '../maintenance/model.js';
import { destIn, entriesOf } from '../policy/desired.js';
import { serverId } from '../policy/judge.js';
import type { AdminEntry, AdminSource, Connections, ServerAdmin, Standing } from '../policy/model.js';
import { standingText } from '../policy/words.js';
import type { World } from '../world.js';
import { type CheckStatus, checksStatus } from './checks.js';
import { type MassStatus, massStatus } from './mass.js';
import { type NameStatus, namesStatus } from './names.js';
import { type SyncStatus, syncStatus, type TimeoutsStatus, timeoutsStatus } from './status-kernel.js';
import {
  destsOf,
  serverTraffic,
  serviceTraffic,
  type TrafficStatus,
  trafficStatus,
  weightOf,
} from './traffic.js';

export interface ServerStatus {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Of all entries of the service. */
  readonly ports: readonly number[];
  readonly verdict: Verdict;
  readonly weight: number | null;
  readonly configuredWeight: number;
  readonly inTable: boolean;
  readonly since: string;
  readonly reason: string;
  /** Why it is degraded although it is up. */
  readonly warning: string | null;
  /** Why it serves as it does, as one word: health, the operator and the rules of the service taken together. */
  readonly standing: Standing['kind'];
  /** The same as a sentence that follows the name. */
  readonly why: string;
  readonly admin: AdminStatus | null;
  /** None: it is not checked. */
  readonly checks: readonly CheckStatus[];
  /** How many of them must pass. */
  readonly needed: number;
  readonly traffic: TrafficStatus | null;
}

/** What the operator and maintenance windows say of a server. */
export interface AdminStatus {
  readonly state: AdminEntry['state'];
  readonly weight: number | null;
  readonly since: string;
  readonly deadline: string | null;
  readonly by: string;
  readonly reason: string | null;
  /** What a drain has left, as it was seen last; null where none was looked at. */
  readonly left: Connections | null;
  /** Everybody's word where there are several; they are in force together. */
  readonly words: readonly AdminWordStatus[];
}

/** One server in one service. */
export interface PlaceStatus {
  readonly service: string;
  readonly server: ServerStatus;
}

/** Servers that one name or address stands for. */
export interface Servers {
  /** Of how many of them a command changed something. */
  readonly changed: number;
  /** What is said of servers outlives a restart of the daemon. */
  readonly kept: boolean;
  readonly servers: readonly PlaceStatus[];
}

/** The word of one source. */
export type AdminWordStatus = Omit<AdminStatus, 'words' | 'left'> & { readonly source: AdminSource };

export interface QuorumStatus {
  /** `unknown` until enough verdicts are in. */
  readonly state: 'met' | 'lost' | 'unknown';
  /** Of the servers that serve. */
  readonly weight: number;
  readonly needed: number;
}

export interface ServiceStatus {
  readonly name: string;
  readonly service: string;
  readonly entries: readonly string[];
  readonly scheduler: string;
  readonly inTable: boolean;
  readonly up: number;
  readonly down: number;
  readonly unknown: number;
  readonly quorum: QuorumStatus;
  readonly traffic: TrafficStatus | null;
  /** The fallback tier that serves, from 0. */
  readonly tier: number | null;
  readonly servers: readonly ServerStatus[];
  readonly fallback: readonly ServerStatus[];
}

export interface TableStatus {
  readonly kind: 'kernel' | 'memory';
  readonly inSync: boolean;
  readonly lastDumpAt: string | null;
  readonly lastError: string | null;
  readonly driftFound: number;
  readonly foreignServices: number;
  readonly foreignServers: number;
  readonly foreign: readonly string[];
  readonly operationsApplied: number;
  readonly operationsFailed: number;
}

export interface WorkerStatus {
  readonly worker: number;
  readonly at: string;
  readonly checks: number;
  readonly inFlight: number;
  readonly probes: number;
  readonly failures: number;
  readonly unknowns: number;
}

/** How much there is to probe. */
export interface ProbingStatus {
  readonly checks: number;
  readonly distinct: number;
  readonly budget: number | null;
  readonly budgetPerServer: number | null;
  readonly wanted: number;
  readonly planned: number;
  readonly stretch: number;
  readonly stretchedServers: number;
}

/** One virtual router, in short. */
export interface RoleStatus {
  readonly name: string;
  readonly role: string;
  readonly since: string | null;
  readonly priority: number | null;
}

/** One maintenance window. */
export interface MaintenanceStatus {
  readonly name: string;
  readonly reason: string | null;
  readonly servers: readonly string[];
  readonly active: boolean;
  readonly from: string | null;
  readonly until: string | null;
  readonly next: string | null;
}

export interface Status {
  readonly name: string;
  readonly version: string;
  readonly startedAt: string;
  readonly configLoadedAt: string;
  readonly stopping: boolean;
  readonly table: TableStatus;
  readonly sync: SyncStatus | null;
  readonly timeouts: TimeoutsStatus | null;
  readonly massFailure: MassStatus | null;
  readonly names: readonly NameStatus[];
  readonly services: readonly ServiceStatus[];
  readonly routers: readonly RoleStatus[];
  readonly maintenance: readonly MaintenanceStatus[];
  readonly probing: ProbingStatus | null;
  readonly workers: readonly WorkerStatus[];
}

export interface Services {
  readonly services: readonly ServiceStatus[];
}

/** More foreign entries than these are counted only. */
const FOREIGN_LISTED_MAX = 100;

const isoTime = (at: EpochMillis): string => new Date(at).toISOString();

function entryStatus(entry: AdminEntry): Omit<AdminStatus, 'words' | 'left'> {
  const { state, weight, since, deadline, by, reason } = entry;
  return {
    state,
    weight: weight ?? null,
    since: isoTime(since),
    deadline: deadline === undefined ? null : isoTime(deadline),
    by,
    reason: reason ?? null,
  };
}

function adminStatus(admin: ServerAdmin | undefined): AdminStatus | null {
  if (admin === undefined) return null;
  const words = admin.entries.map((entry) => ({ source: entry.source, ...entryStatus(entry) }));
  return { ...entryStatus(admin.effective), left: admin.drain?.left ?? null, words };
}

const NOT_JUDGED: Standing = { kind: 'unknown' };

function serverStatus(
  service: ServiceConfig,
  server: ServerConfig | FallbackServer,
  world: World,
  seen: readonly (ObservedService | undefined)[],
): ServerStatus {
  const id = serverId(service, server);
  const standing = world.standings.get(service.name)?.servers.get(id) ?? NOT_JUDGED;
  const dests = destsOf(service, server, seen);
  return {
    name: server.name,
    address: server.dest.key.address,
    port: server.dest.key.port,
    ports: [...new Set(service.entries.map(({ key }) => destIn(server, key).key.port))],
    weight: weightOf(dests) ?? null,
    configuredWeight: server.dest.settings.weight,
    inTable: dests.length === service.entries.length,
    ...checksStatus(server, id, world),
    standing: standing.kind,
    why: standingText(standing),
    admin: adminStatus(world.admin.get(id)),
    traffic: trafficStatus(serverTraffic(dests)),
  };
}

/** One server in one service. */
export function placeStatus(
  service: ServiceConfig,
  server: ServerConfig | FallbackServer,
  world: World,
): PlaceStatus {
  const seen = entriesOf(service).map((entry) => world.observed?.get(entry));
  return { service: service.name, server: serverStatus(service, server, world, seen) };
}

/** One virtual service: the configuration, the verdicts, and what the table holds of it now. */
export function serviceStatus(config: ServiceConfig, world: World): ServiceStatus {
  const entries = entriesOf(config);
  const seen = entries.map((entry) => world.observed?.get(entry));
  const standing = world.standings.get(config.name);
  const statusOf = (server: ServerConfig | FallbackServer): ServerStatus =>
    serverStatus(config, server, world, seen);
  const servers = config.servers.map(statusOf);
  const count = (verdict: Verdict): number => servers.filter((server) => server.verdict === verdict).length;
  return {
    name: config.name,
    service: entriesText(config.entries),
    entries,
    scheduler: config.entries[0].settings.scheduler,
    inTable: seen.every((entry) => entry !== undefined),
    up: count('up'),
    down: count('down'),
    unknown: count('unknown'),
    quorum: {
      state: standing?.quorum ?? 'unknown',
      weight: standing?.weight ?? 0,
      needed: standing?.needed ?? config.quorum.weight,
    },
    traffic: trafficStatus(serviceTraffic(seen)),
    tier: standing?.tier ?? null,
    servers,
    fallback: config.fallback.flat().map(statusOf),
  };
}

function tableStatus({ table }: World): TableStatus {
  return {
    kind: table.kind,
    inSync: table.inSync,
    lastDumpAt: table.lastDumpAt === undefined ? null : isoTime(table.lastDumpAt),
    lastError: table.lastError ?? null,
    driftFound: table.driftFound,
    foreignServices: table.foreign.services.length,
    foreignServers: table.foreign.servers.length,
    foreign: foreignTexts(firstForeign(table.foreign, FOREIGN_LISTED_MAX)),
    operationsApplied: table.operationsApplied,
    operationsFailed: table.operationsFailed,
  };
}

function roleStatus({ config, vrrp }: World): RoleStatus[] {
  const seen = new Map(vrrp?.routers.map((router) => [router.name, router]));
  return config.vrrp.map(({ instance: { name } }) => {
    const router = seen.get(name);
    return {
      name,
      role: router?.role ?? 'initialize',
      since: router === undefined ? null : isoTime(router.since),
      priority: router?.priority.effective ?? null,
    };
  });
}

function maintenanceStatus({ window, current, next }: WindowState): MaintenanceStatus {
  return {
    name: window.name,
    reason: window.reason ?? null,
    servers: window.servers,
    active: current !== undefined,
    from: current === undefined ? null : isoTime(current.from),
    until: current === undefined ? null : isoTime(current.until),
    next: next === undefined ? null : isoTime(next.drainFrom),
  };
}

function probingStatus({ probing }: World): ProbingStatus | null {
  if (probing === undefined) return null;
  const { checks, distinct, budget, plan } = probing;
  return {
    checks,
    distinct,
    budget: budget?.total ?? null,
    budgetPerServer: budget?.perServer ?? null,
    wanted: plan.wanted,
    planned: plan.planned,
    stretch: plan.stretch,
    stretchedServers: plan.servers,
  };
}

/** All but the services: StatusTexts has them. @param version of this program */
export function worldStatus(world: World, version: string): Omit<Status, 'services'> {
  return {
    name: world.config.name,
    version,
    startedAt: isoTime(world.startedAt),
    configLoadedAt: isoTime(world.configLoadedAt),
    stopping: world.stopping,
    table: tableStatus(world),
    sync: syncStatus(world),
    timeouts: timeoutsStatus(world),
    massFailure: massStatus(world),
    names: namesStatus(world),
    routers: roleStatus(world),
    maintenance: world.maintenance.map(maintenanceStatus),
    probing: probingStatus(world),
    workers: world.workers.map((digest) => ({ ...digest, at: isoTime(digest.at) })),
  };
}
