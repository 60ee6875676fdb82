/** What the API tells of what stands in the kernel beside the table: sync daemons and time-outs of connections. */
import type { SyncDaemon, SyncRole, TimeoutsState } from '../ipvs/model.js';
import { timeoutDriftText } from '../ipvs/timeout-drift.js';
import type { TimeoutName } from '../ipvs/timeouts.js';
import type { World } from '../world.js';

export interface SyncDaemonStatus {
  readonly role: SyncRole;
  readonly interface: string;
  readonly id: number;
  readonly group: string | null;
  readonly port: number | null;
  readonly ttl: number | null;
  readonly maxlen: number | null;
}

export interface SyncStatus {
  readonly follows: string | null;
  readonly wanted: readonly SyncRole[] | null;
  readonly running: readonly SyncDaemonStatus[] | null;
  readonly inSync: boolean;
  readonly lastError: string | null;
  readonly repaired: number;
  readonly left: readonly string[];
}

/** Whole seconds; null: not asked for, not known, or not ours. */
export interface TimeoutStatus {
  readonly wanted: number | null;
  readonly seen: number | null;
  readonly original: number | null;
}

export interface TimeoutsStatus {
  readonly tcp: TimeoutStatus;
  readonly tcpFin: TimeoutStatus;
  readonly udp: TimeoutStatus;
  readonly inSync: boolean;
  readonly lastError: string | null;
  readonly repaired: number;
  readonly left: readonly string[];
}

function syncDaemonStatus(daemon: SyncDaemon): SyncDaemonStatus {
  const { role, interface: device, syncId, group, port, ttl, maxLength } = daemon;
  return {
    role,
    interface: device,
    id: syncId,
    group: group ?? null,
    port: port ?? null,
    ttl: ttl ?? null,
    maxlen: maxLength ?? null,
  };
}

export function syncStatus({ sync, config }: World): SyncStatus | null {
  if (sync === undefined) return null;
  const roles = config.sync?.roles;
  return {
    follows: roles?.kind === 'follow' ? roles.instance : null,
    wanted: sync.wanted?.map(({ role }) => role) ?? null,
    running: sync.seen?.map(syncDaemonStatus) ?? null,
    inSync: sync.inSync,
    lastError: sync.lastError ?? null,
    repaired: sync.repaired,
    left: sync.left.map(({ difference }) => difference),
  };
}

function timeoutStatus({ wanted, seen, original }: TimeoutsState, name: TimeoutName): TimeoutStatus {
  return {
    wanted: wanted[name] ?? null,
    seen: seen?.[name] ?? null,
    original: original[name] ?? null,
  };
}

export function timeoutsStatus({ timeouts }: World): TimeoutsStatus | null {
  if (timeouts === undefined) return null;
  return {
    tcp: timeoutStatus(timeouts, 'tcp'),
    tcpFin: timeoutStatus(timeouts, 'tcpFin'),
    udp: timeoutStatus(timeouts, 'udp'),
    inSync: timeouts.inSync,
    lastError: timeouts.lastError ?? null,
    repaired: timeouts.repaired,
    left: timeouts.left.map(timeoutDriftText),
  };
}
