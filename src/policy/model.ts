/** What is decided of services and servers between their health and the table. Types only. */
import type { Check, CheckId } from '../checks/model.js';
import type { EpochMillis, Millis } from '../core/units.js';

/** `service/server`: unique in one configuration. The only check of a server has the same id. */
export type ServerId = CheckId;

/** The present, on both clocks. */
export interface Instant {
  /** Monotonic. */
  readonly now: Millis;
  readonly wall: EpochMillis;
}

/** How much weight a service needs. */
export interface QuorumRule {
  /** The sum of the weights of the servers that serve. */
  readonly weight: number;
  /** It is lost below `weight - hysteresis`, and met again at `weight + hysteresis`. */
  readonly hysteresis: number;
}

/** How a server that comes back is brought back. */
export interface AdmitRule {
  /** The weight that it begins with. */
  readonly canary: number;
  /** From the first weight to the whole one. */
  readonly ramp: Millis;
  readonly curve: 'linear' | 'exponential';
}

/** Who may say something of a server. Each has one word about it, and takes back none but its own. */
export type AdminSource = 'operator' | `maintenance ${string}` | `check ${CheckId}`;
/** How many servers must serve: so many, or a share of those that the operator lets serve. */
export type MinimumHealthy =
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'share'; readonly percent: number };

/** How far health may take a service apart. */
export interface RailsRule {
  /** Undefined: down to the last one. */
  readonly minimum: MinimumHealthy | undefined;
  /** In any minute; undefined: as many as fail. */
  readonly maximumRemovals: number | undefined;
}

/** What keeps a server in although it is down. */
export type Rail = 'minimum-healthy' | 'maximum-removals' | 'mass-failure';

/** When so many servers fail at once that this director may be the sick one, and what is done then. */
export interface MassFailureRule {
  /** Of the servers that were well, counted by address. */
  readonly percent: number;
  /** Fewer addresses than this never count as most. */
  readonly minimum: number;
  /** What counts as at once, beside what the interval and the time-out of a check leave open. */
  readonly within: Millis;
  readonly action: 'hold' | 'open' | 'closed' | 'fallback';
  /** After this the verdicts are believed; undefined: never for that. */
  readonly limit: Millis | undefined;
  /** Targets that tell servers that died from a network that did. */
  readonly canaries: readonly Canary[];
}

export interface Canary {
  readonly name: string;
  readonly check: Check;
}

/** What a canary says: `silent` until it was heard since most servers failed. */
export type CanaryVoice = 'up' | 'down' | 'silent';

/** How it stands with the failure of most servers at once. */
export interface MassFailureState {
  readonly rule: MassFailureRule;
  /** Something is done about it now. */
  readonly isActive: boolean;
  /** Addresses that fail, and all that were well before. */
  readonly failing: number;
  readonly of: number;
  readonly canaries: readonly { readonly name: string; readonly voice: CanaryVoice }[];
  /** How often it happened, since the start. */
  readonly count: number;
}

/** What is done about the failure of most servers at once: `closed` is none of these. */
export type MassEffect =
  /** Those of its servers that were in stay in; `ids` went down in it. */
  | { readonly kind: 'hold'; readonly ids: Pick<ReadonlySet<CheckId>, 'has'> }
  /** All are in. */
  | { readonly kind: 'open' }
  /** The fallback of every service serves. */
  | { readonly kind: 'fallback' };

/** The operator's word about a server, or a maintenance window's. It is an axis of its own, beside health. */
export interface AdminEntry {
  readonly source: AdminSource;
  /**
   * `draining` and `drained`: weight 0, connections live on; `drained` when they are gone, or the deadline has come.
   * `disabled`: out of the table.
   */
  readonly state: 'enabled' | 'draining' | 'drained' | 'disabled';
  /** In place of the configured one; undefined: the configured one. */
  readonly weight: number | undefined;
  readonly since: EpochMillis;
  /** When draining is given up, whatever connections are left; undefined: never. */
  readonly deadline: EpochMillis | undefined;
  /** What the server is when draining has come to its end. */
  readonly finish: 'drained' | 'disabled';
  /** Who said so, for people: `operator`, `operator NAME`, `maintenance NAME`. */
  readonly by: string;
  readonly reason: string | undefined;
}

/** What the table counts of one server. */
export interface Connections {
  readonly active: number;
  readonly inactive: number;
  /** Templates of persistent clients: each sends whoever it is for to this server again. */
  readonly persistent: number;
}

/** A drain as it was looked at and told last. */
export interface DrainWatch {
  /** What is left; undefined before the first look. */
  readonly left: Connections | undefined;
  /** How many were left when it was told last. */
  readonly told: number | undefined;
  /** When, monotonic. */
  readonly toldAt: Millis;
}

/** All that is said of one server. */
export interface ServerAdmin {
  /** What comes of it: the strictest state, with who said that, and the smallest weight. */
  readonly effective: AdminEntry;
  /** One a source, the strictest first; never empty. */
  readonly entries: readonly AdminEntry[];
  /** While it drains, and of the last drain behind that. */
  readonly drain: DrainWatch | undefined;
}

/** One source says, or takes back (undefined), its word about one server. */
export interface AdminWord {
  readonly server: ServerId;
  readonly source: AdminSource;
  readonly entry: AdminEntry | undefined;
  /** Who takes it back, where that is not who said it. */
  readonly by?: string;
  /** It was told before: by another run of this director, or by another director. */
  readonly told?: true;
}

export type QuorumState = 'met' | 'lost';

/** Why a server is in the table as it is. */
export type Standing =
  /** It serves, with its whole weight. */
  | { readonly kind: 'serving' }
  /** No verdict yet: as the table has it. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'down' }
  /** It serves, with the weight that its checks say. */
  | { readonly kind: 'weighted'; readonly weight: number; readonly of: number }
  /** It came back and gets more weight by and by. */
  | { readonly kind: 'admission'; readonly weight: number; readonly of: number }
  /** Taken out by hand or by a maintenance window. */
  | { readonly kind: 'admin'; readonly state: 'draining' | 'drained' | 'disabled'; readonly by: string }
  /** It is down, and a safety rail keeps it in. `limit`: what the rail says, in servers. */
  | { readonly kind: 'held'; readonly rail: Rail; readonly limit: number | undefined }
  /** It is up, but most servers failed at once, and then the fallback is to serve. */
  | { readonly kind: 'set-aside' }
  /** It is up, but its service has lost its quorum and a fallback serves. */
  | { readonly kind: 'quorum-lost' }
  /** A fallback that is not needed. */
  | { readonly kind: 'reserve' }
  /** A fallback that served: it gets no new connections, and goes when those that it has are over. */
  | { readonly kind: 'leaving' }
  /** A fallback that serves. */
  | { readonly kind: 'fallback'; readonly tier: number };

/** How it stands with a service. A new object whenever something of it changed. */
export interface ServiceStanding {
  /** Undefined until enough is known. */
  readonly quorum: QuorumState | undefined;
  /** Sum of the weights of the servers that serve. */
  readonly weight: number;
  /** What the quorum asks for. */
  readonly needed: number;
  /** How many servers of weight above 0 serve, those that are held included. */
  readonly serving: number;
  /** How many must; undefined: no rule says. */
  readonly minimum: number | undefined;
  /** The fallback tier that serves, from 0; undefined: the servers do. */
  readonly tier: number | undefined;
  readonly servers: ReadonlyMap<ServerId, Standing>;
}
