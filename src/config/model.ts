/** The configuration after it was read, checked and completed: no defaults left to fill, nothing left to parse. */
import type { AlertRule } from '../alerts/model.js';
import type { Check, ProbeBudget } from '../checks/model.js';
import type { Ip } from '../core/ip.js';
import type { Millis } from '../core/units.js';
import type { HookPlan } from '../hooks/model.js';
import type { Dest, Service, SyncRule, Timeouts } from '../ipvs/model.js';
import type { OwnershipChoice, OwnershipRules } from '../ipvs/ownership.js';
import type { MaintenanceWindow } from '../maintenance/model.js';
import type { NameRule, Question } from '../names/model.js';
import type { AdmitRule, MassFailureRule, QuorumRule, RailsRule } from '../policy/model.js';
import type { StateConfig } from '../store/model.js';
import type { Watched } from '../tracks/model.js';
import type { RouterConfig } from '../vrrp/status.js';

export type OnFailure = 'remove' | 'quiesce';

export interface ServerConfig {
  /** From the configuration, else the endpoint (`192.0.2.2:80`). Unique in its service. */
  readonly name: string;
  /**
   * As it stands in the first entry of its service while the server is up: key, forward, configured weight, thresholds.
   * `destIn` says how it stands in the others.
   */
  readonly dest: Dest;
  /** It states no port: it has the port of each entry. */
  readonly followsPort: boolean;
  readonly checks: readonly [Check, ...Check[]];
  /** How many of them must pass for the server to be up. */
  readonly needed: number;
  /** For maintenance windows; most servers have none. */
  readonly tags?: readonly string[];
}

/** A server that serves where the servers of its service cannot. */
export interface FallbackServer {
  readonly name: string;
  readonly dest: Dest;
  readonly followsPort: boolean;
  /** None: it is always thought to be up. */
  readonly checks: readonly Check[];
  /** How many of them must pass. */
  readonly needed: number;
}

/** A name in place of an address: each of its addresses is a server. */
export interface NamedServers {
  /** From the configuration, else the name in DNS. Unique in its service. */
  readonly name: string;
  readonly question: Question;
  /** At most so many addresses become servers. */
  readonly most: number;
  /** Of each of them. */
  readonly weight: number;
  readonly tags?: readonly string[];
  /** The server that an address of the question's family is. */
  readonly serverAt: (address: Ip) => ServerConfig;
}

export interface ServiceConfig {
  readonly name: string;
  /** What it is in the table: an entry for each of its addresses and marks, all with the same servers and checks. */
  readonly entries: readonly [Service, ...Service[]];
  readonly onFailure: OnFailure;
  /** Those with an address; in the effective configuration also those that names stand for. */
  readonly servers: readonly ServerConfig[];
  /** Most services have none. */
  readonly names?: readonly NamedServers[];
  /** In the effective configuration: the weight that is to be expected of names of which nothing is known yet. */
  readonly awaited?: number;
  readonly quorum: QuorumRule;
  /** Tiers in order; the first with a server that is up serves where the quorum is lost. */
  readonly fallback: readonly (readonly FallbackServer[])[];
  /** Undefined: a server that comes back has its whole weight at once. */
  readonly admit: AdmitRule | undefined;
  readonly rails: RailsRule;
  readonly ownership: OwnershipChoice;
  /** Of all its servers. */
  readonly tags: readonly string[];
}

export type Listen =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Who may change something by the API. */
export interface ApiToken {
  readonly name: string;
  readonly token: string;
}

export interface ApiConfig {
  readonly listen: Listen;
  readonly tokens: readonly ApiToken[];
}

export interface Config {
  /** This director, in events and alerts. */
  readonly name: string;
  readonly table: 'kernel' | 'memory';
  /** From one full dump of the table to the next. */
  readonly resync: Millis;
  /** The first of the marks of checks that go through their service. */
  readonly pathMarks: number;
  /** Of services that say nothing else. */
  readonly ownership: OwnershipRules;
  readonly api: ApiConfig;
  readonly services: readonly ServiceConfig[];
  /** How the names of servers are looked up. */
  readonly resolve: NameRule;
  /** Undefined: however many servers fail at once, the verdicts are believed. */
  readonly massFailure: MassFailureRule | undefined;
  /** How many probes there may be; undefined: as many as the checks say. */
  readonly probeBudget: ProbeBudget | undefined;
  readonly alerts: readonly AlertRule[];
  /** The virtual routers. */
  readonly vrrp: readonly RouterConfig[];
  /** The synchronisation of connections; undefined: none, and the kernel's daemons are not looked at. */
  readonly sync: SyncRule | undefined;
  /** The kernel's time-outs of connections that are set; the others are left alone. */
  readonly timeouts: Partial<Timeouts>;
  /** What they track and main watches. */
  readonly tracks: readonly Watched[];
  /** Who is told of changes of their roles. */
  readonly hooks: HookPlan;
  /** What outlives a restart; undefined: nothing. */
  readonly state: StateConfig | undefined;
  readonly maintenance: readonly MaintenanceWindow[];
}

/** One fault of a configuration file. */
export interface ConfigFault {
  readonly file: string;
  /** From 1; 0 where the fault is the file as a whole. */
  readonly line: number;
  readonly column: number;
  /** What is wrong and what to do. */
  readonly message: string;
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly faults: readonly ConfigFault[] };
