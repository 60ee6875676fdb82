/** What a virtual router says of itself, and how it is set up from the configuration. Types only. */
import type { VirtualAddress, VirtualLink, VirtualRoute, VirtualRule } from '../addresses/model.js';
import type { Ip } from '../core/ip.js';
import type { Mac } from '../core/mac.js';
import type { EpochMillis, Micros } from '../core/units.js';
import type {
  DebounceRule,
  Fault,
  InstanceConfig,
  PriorityReport,
  Rival,
  Role,
  RoleCause,
  Track,
} from './model.js';

/** One entry of `vrrp:`, complete. */
export interface RouterConfig {
  readonly instance: InstanceConfig;
  /** All virtual IPs, those too that adverts do not carry. */
  readonly addresses: readonly VirtualAddress[];
  readonly routes: readonly VirtualRoute[];
  readonly rules: readonly VirtualRule[];
  /** The link that has its virtual MAC; undefined: everything is on its interface. */
  readonly virtualLink: VirtualLink | undefined;
  /** Secrets of `auth: hmac`, by key id. */
  readonly keys: ReadonlyMap<number, string>;
  /** The sync group that it belongs to. */
  readonly group: string | undefined;
  readonly tracks: readonly Track[];
  /** How long a change of a link must last. */
  readonly debounce: DebounceRule;
}

/** How late adverts went out, of those sent last. */
export interface Lateness {
  readonly count: number;
  readonly p50: Micros;
  readonly p99: Micros;
  readonly max: Micros;
}

/** Counted since the thread started. */
export interface RouterCounters {
  readonly sent: number;
  readonly sendErrors: number;
  readonly received: number;
  readonly becameMaster: number;
  readonly putBack: number;
  readonly announced: number;
  /** Announcements of its virtual IPs that came in with our own MAC. */
  readonly mirrored: number;
  /** By DISCARD_REASONS. */
  readonly discarded: Readonly<Record<string, number>>;
  /** Received and accepted, but odd: by Oddity. */
  readonly odd: Readonly<Record<string, number>>;
}

/** Another machine that has virtual IPs of a master. */
export interface Squatter {
  readonly mac: Mac;
  /** Some of them. */
  readonly addresses: readonly Ip[];
  readonly since: EpochMillis;
}

export interface RouterStatus {
  readonly name: string;
  readonly role: Role;
  readonly since: EpochMillis;
  /** The last change of role. */
  readonly cause: RoleCause | undefined;
  readonly source: Ip | undefined;
  readonly faults: readonly Fault[];
  readonly priority: PriorityReport;
  /** Who was heard last. */
  readonly heard: Rival | undefined;
  /** Who else has its virtual IPs. */
  readonly squatters: readonly Squatter[];
  readonly counters: RouterCounters;
  readonly lateness: Lateness;
}

/** The thread as a whole, once a second and after every change of role. */
export interface VrrpDigest {
  readonly at: EpochMillis;
  readonly routers: readonly RouterStatus[];
  /** How late the thread's own alarm was served. */
  readonly loop: Lateness;
  /** Packets of ids that no instance has. */
  readonly strangers: number;
  readonly unreadable: number;
}
