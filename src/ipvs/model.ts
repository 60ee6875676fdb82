/**
 * IPVS in our words. Identity, settings and observation are three types: a key never holds a weight,
 * a setting never holds a counter. Numbers and meanings: linux/ip_vs.h.
 */
import type { Family, Ip } from '../core/ip.js';

export type Protocol = 'tcp' | 'udp' | 'sctp';

/** What makes a virtual service the same service. */
export type ServiceKey =
  | { readonly kind: 'address'; readonly protocol: Protocol; readonly address: Ip; readonly port: number }
  | { readonly kind: 'fwmark'; readonly family: Family; readonly mark: number };

/** Scheduler flags as the kernel has them (IP_VS_SVC_F_SCHED1..3); their names depend on the scheduler. */
export interface SchedulerFlags {
  readonly flag1: boolean;
  readonly flag2: boolean;
  readonly flag3: boolean;
}

export interface Persistence {
  /** Whole seconds, 1 or more. */
  readonly timeoutSeconds: number;
  /** Prefix length of the client network that sticks together: 1-32 or 1-128. */
  readonly prefix: number;
}

/** Everything of a service that can be changed without losing its connections. */
export interface ServiceSettings {
  readonly scheduler: string;
  readonly schedulerFlags: SchedulerFlags;
  readonly onePacket: boolean;
  readonly persistence: Persistence | undefined;
  /** Name of a persistence engine ("sip"), if any. */
  readonly persistenceEngine: string | undefined;
}

export interface Service {
  readonly key: ServiceKey;
  readonly settings: ServiceSettings;
}

/** What makes a destination (a real server inside a service) the same destination. */
export interface DestKey {
  readonly address: Ip;
  readonly port: number;
}

export type TunnelType = 'ipip' | 'gue' | 'gre';
export type TunnelChecksum = 'none' | 'checksum' | 'remote-checksum';

/** How packets reach the real server. `local` and `bypass` are set by the kernel alone. */
export type Forward =
  | { readonly method: 'masquerade' | 'direct' | 'local' | 'bypass' }
  | {
      readonly method: 'tunnel';
      readonly type: TunnelType;
      /** UDP port of GUE; 0 for the others. */
      readonly port: number;
      readonly checksum: TunnelChecksum;
    };

export interface DestSettings {
  readonly forward: Forward;
  /** 0 (no new connections) to 2^31-1. */
  readonly weight: number;
  /** No new connections from this many on; 0 is no limit. */
  readonly upperThreshold: number;
  /** New connections again below this many. */
  readonly lowerThreshold: number;
}

export interface Dest {
  readonly key: DestKey;
  readonly settings: DestSettings;
}

/** Counters since the last zero, and rates per second averaged by the kernel's estimator. */
export interface Stats {
  readonly connections: bigint;
  readonly packetsIn: bigint;
  readonly packetsOut: bigint;
  readonly bytesIn: bigint;
  readonly bytesOut: bigint;
  readonly connectionsPerSecond: bigint;
  readonly packetsInPerSecond: bigint;
  readonly packetsOutPerSecond: bigint;
  readonly bytesInPerSecond: bigint;
  readonly bytesOutPerSecond: bigint;
}

export interface DestSeen extends Dest {
  readonly active: number;
  readonly inactive: number;
  readonly persistent: number;
  readonly stats: Stats;
}

export interface ServiceSeen extends Service {
  readonly stats: Stats;
}

/** A service and its destinations as the kernel holds them; `dests` by `destText`. */
export interface ObservedService {
  readonly service: ServiceSeen;
  readonly dests: ReadonlyMap<string, DestSeen>;
}

/** The whole table, by `serviceText`. */
export type ObservedTable = ReadonlyMap<string, ObservedService>;

/** One change of the table: one netlink message. Destinations always carry all their settings. */
export type Operation =
  | { readonly kind: 'add-service'; readonly service: Service }
  | { readonly kind: 'edit-service'; readonly service: Service }
  | { readonly kind: 'delete-service'; readonly key: ServiceKey }
  | { readonly kind: 'add-dest'; readonly service: ServiceKey; readonly dest: Dest }
  | { readonly kind: 'edit-dest'; readonly service: ServiceKey; readonly dest: Dest }
  | { readonly kind: 'delete-dest'; readonly service: ServiceKey; readonly dest: DestKey };

/** What the kernel said to one operation. */
export type OperationResult =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** Name of the error number: ENOENT, EEXIST ...; ETIMEDOUT where no answer came. */
      readonly errno: string;
      /** What it means for this operation, and the kernel's own words where it gave some. */
      readonly message: string;
    };

export interface IpvsInfo {
  /** "1.2.1" */
  readonly version: string;
  readonly connectionTableSize: number;
}

/** Whole seconds; in a request an absent member (or 0) leaves the time-out as it is. */
export interface Timeouts {
  readonly tcp: number;
  readonly tcpFin: number;
  readonly udp: number;
}

/** What is done about a change by somebody else that is let stand: see DriftPolicy. */
export type Tolerated = 'report' | 'accept';

/** A time-out that somebody else changed, and that is let stand; in whole seconds. */
export interface TimeoutLeft {
  readonly name: keyof Timeouts;
  readonly policy: Tolerated;
  readonly wanted: number;
  readonly found: number;
}

/** How it stands with the time-outs that `timeouts:` asks for. Whole seconds. */
export interface TimeoutsState {
  readonly wanted: Partial<Timeouts>;
  /** All of the kernel's, as it told last; undefined before. */
  readonly seen: Timeouts | undefined;
  /** What stood there before us, and is put back at the end. */
  readonly original: Partial<Timeouts>;
  /** The kernel has what is wanted, or what was accepted instead. */
  readonly inSync: boolean;
  /** What went wrong last, until they are right again. */
  readonly lastError: string | undefined;
  /** Changes by somebody else that were undone, since the start. */
  readonly repaired: number;
  readonly left: readonly TimeoutLeft[];
}

export type SyncRole = 'master' | 'backup';

/** A connection-synchronisation daemon. Defaults of the kernel where a member is undefined. */
export interface SyncDaemon {
  readonly role: SyncRole;
  readonly interface: string;
  /** 0-255 */
  readonly syncId: number;
  readonly maxLength: number | undefined;
  readonly group: Ip | undefined;
  readonly port: number | undefined;
  readonly ttl: number | undefined;
}

/** `sync:` of the configuration, complete. */
export interface SyncRule {
  /** The virtual router whose role the daemon takes, or daemons that always run. */
  readonly roles:
    | { readonly kind: 'follow'; readonly instance: string }
    | { readonly kind: 'fixed'; readonly roles: readonly SyncRole[] };
  readonly daemon: Omit<SyncDaemon, 'role'>;
}

/** What somebody else made of the daemon of one role, and what is let stand. */
export interface SyncLeft {
  readonly role: SyncRole;
  readonly policy: Tolerated;
  readonly difference: string;
}

/** How it stands with the daemons that `sync:` asks for. */
export interface SyncState {
  /** Undefined while the role to follow is not known: what runs is left alone. */
  readonly wanted: readonly SyncDaemon[] | undefined;
  /** As the kernel told last; undefined before. */
  readonly seen: readonly SyncDaemon[] | undefined;
  /** What is wanted, or what was accepted instead, was seen to run, and nothing else. */
  readonly inSync: boolean;
  /** What went wrong last, until they are right again. */
  readonly lastError: string | undefined;
  /** Changes by somebody else that were undone, since the start. */
  readonly repaired: number;
  readonly left: readonly SyncLeft[];
}

/**
 * The table, kernel or memory: one port, one contract suite (`test/contract`).
 * Reads and single commands reject with LvsError IPVS (facts: operation, errno), IPVS_ABSENT or PERMISSION.
 */
export interface IpvsTable {
  readonly kind: 'kernel' | 'memory';
  info(): Promise<IpvsInfo>;
  /**
   * Everything, foreign entries too.
   * @param between is called now and then while the table is read, and waited for. It may use the table; of a service
   *   that it changes the dump may tell how it was before or after. Not called where the dump is a matter of a moment.
   */
  dump(between?: () => Promise<void>): Promise<ObservedTable>;
  /** One service with its destinations; undefined where it is missing. */
  read(key: ServiceKey): Promise<ObservedService | undefined>;
  /** In order; an error does not stop the rest. One result for each operation. Never rejects for a kernel errno. */
  apply(operations: readonly Operation[]): Promise<readonly OperationResult[]>;
  /** Removes every service of everybody. */
  flush(): Promise<void>;
  /** Zeroes the counters of one service, or of all. */
  zero(key?: ServiceKey): Promise<void>;
  timeouts(): Promise<Timeouts>;
  setTimeouts(timeouts: Partial<Timeouts>): Promise<void>;
  syncDaemons(): Promise<readonly SyncDaemon[]>;
  startSyncDaemon(daemon: SyncDaemon): Promise<void>;
  stopSyncDaemon(role: SyncRole): Promise<void>;
  close(): void;
}
