/** The world as main knows it: one immutable snapshot, replaced as a whole. Types only. */
import type { BudgetPlan, CheckId, ProbeBudget, Remark, Verdict, VerdictChange } from './checks/model.js';
import type { Config } from './config/model.js';
import type { EpochMillis } from './core/units.js';
import type { ObservedTable, SyncState, TimeoutsState } from './ipvs/model.js';
import type { Foreign } from './ipvs/ownership.js';
import type { WindowState } from './maintenance/model.js';
import type { NameView } from './names/model.js';
import type { MassFailureState, ServerAdmin, ServerId, ServiceStanding } from './policy/model.js';
import type { VrrpDigest } from './vrrp/status.js';

/** What is known of a check, or of a server by all its checks. */
export interface ServerHealth {
  readonly verdict: Verdict;
  /** The last verdict there was: what the table follows while `verdict` is unknown. */
  readonly held: 'up' | 'down' | undefined;
  readonly since: EpochMillis;
  /** The change that made it what it is; of a server with several checks, that of the check which decided. */
  readonly lastChange: VerdictChange | undefined;
  /** Of a check: what it says beside its verdict; most say nothing. */
  readonly remark?: Remark;
}

export interface TableState {
  readonly kind: 'kernel' | 'memory';
  /** The last plan was applied without an error and nothing is pending. */
  readonly inSync: boolean;
  readonly lastDumpAt: EpochMillis | undefined;
  /** The last error of the table, until it is in sync again. */
  readonly lastError: string | undefined;
  /** Changes of what is ours by somebody else, since the start. */
  readonly driftFound: number;
  /** What is in the table and not ours, as of the last dump. */
  readonly foreign: Foreign;
  readonly operationsApplied: number;
  readonly operationsFailed: number;
}

/** What a probe worker says once a second. */
export interface WorkerDigest {
  readonly worker: number;
  readonly at: EpochMillis;
  readonly checks: number;
  readonly inFlight: number;
  /** Since the worker started. */
  readonly probes: number;
  readonly failures: number;
  readonly unknowns: number;
}

/** How much there is to probe. */
export interface ProbingState {
  readonly checks: number;
  /** What is probed for them: checks that are alike are probed as one. */
  readonly distinct: number;
  /** Undefined: none is configured. */
  readonly budget: ProbeBudget | undefined;
  /** What the budget comes to. */
  readonly plan: BudgetPlan;
}

/** What others than the controller know. */
export interface Beside {
  /** As the VRRP thread said last; undefined before, and without virtual routers. */
  readonly vrrp: VrrpDigest | undefined;
  /** Undefined where no connections are synchronised. */
  readonly sync: SyncState | undefined;
  /** Undefined before the probes are started. */
  readonly probing: ProbingState | undefined;
  /** How it stands with each maintenance window, in the order of the configuration. */
  readonly maintenance: readonly WindowState[];
  /** Undefined where no time-outs of connections are kept. */
  readonly timeouts: TimeoutsState | undefined;
  /** What is known of the names of servers, in the order of the configuration. */
  readonly names: readonly NameView[];
  /** Requests that the API refused, by the code of its answer, since the start. */
  readonly refused: Readonly<Record<'FORBIDDEN' | 'UNAUTHORIZED', number>>;
}

export interface World extends Beside {
  /** Counts up with every change. */
  readonly version: number;
  readonly startedAt: EpochMillis;
  readonly config: Config;
  readonly configLoadedAt: EpochMillis;
  /** By check id; a server with several checks has an entry beside theirs, under its own id. */
  readonly health: ReadonlyMap<CheckId, ServerHealth>;
  /** What the operator and maintenance windows say of servers; those of which nothing is said are not there. */
  readonly admin: ReadonlyMap<ServerId, ServerAdmin>;
  /** How it stands with each service, by name. */
  readonly standings: Pick<ReadonlyMap<string, ServiceStanding>, 'get'>;
  /** How it stands with the failure of most servers at once; undefined where nothing is configured for it. */
  readonly mass: MassFailureState | undefined;
  /** The table as last dumped or changed; undefined before the first dump. */
  readonly observed: ObservedTable | undefined;
  readonly table: TableState;
  readonly workers: readonly WorkerDigest[];
  readonly stopping: boolean;
}
