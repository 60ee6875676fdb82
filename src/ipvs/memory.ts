/**
 * The table without a kernel: `table: memory`, and the kernel's double in tests. It keeps the rules of the kernel
 * (kernel-rules.ts) and passes the same contract suite. No traffic flows through it.
 */
import { unreachable } from '../core/assert.js';
import type { Errno } from '../core/errno.js';
import { LvsError } from '../core/errors.js';
import { operationRequest, setTimeoutsRequest, startSyncDaemonRequest } from './codec.js';
import { commandError, refusal, type TableCommand } from './failure.js';
import {
  completeSyncDaemon,
  destFault,
  isDestAddress,
  isMixed,
  mixedFamilyFault,
  serviceFault,
  settingsFault,
  syncDaemonFault,
  timeoutsFault,
} from './kernel-rules.js';
import { destText, serviceText } from './keys.js';
import type {
  Dest,
  DestKey,
  DestSeen,
  IpvsInfo,
  IpvsTable,
  ObservedService,
  ObservedTable,
  Operation,
  OperationResult,
  Service,
  ServiceKey,
  Stats,
  SyncDaemon,
  SyncRole,
  Timeouts,
} from './model.js';
import { type DestCounters, destSeen, serviceSeen, ZERO_STATS } from './observe.js';

/** Of an interface that the memory table is told nothing more about. */
const MTU = 1500;

const NO_COUNTERS: DestCounters = { active: 0, inactive: 0, persistent: 0, stats: ZERO_STATS };

interface DestEntry {
  dest: Dest;
  counters: DestCounters;
}

interface ServiceEntry {
  service: Service;
  stats: Stats;
  readonly dests: Map<string, DestEntry>;
}

/** A deleted destination that counted something, and the service that it was deleted from. */
interface Trashed {
  readonly from: ServiceEntry;
  readonly counters: DestCounters;
}

export interface MemoryTableOptions {
  /**
   * Asked before each operation of an `apply`, with its index there: an error number refuses the operation.
   * For tests of bad luck in the middle of a plan.
   */
  readonly fault?: (operation: Operation, index: number) => Errno | undefined;
  /** The interfaces there are, for sync daemons; any name where absent. */
  readonly interfaces?: ReadonlyMap<string, 'up' | 'down'>;
}

function observe(entry: ServiceEntry): ObservedService {
  const dests = new Map<string, DestSeen>();
  for (const [text, { dest, counters }] of entry.dests) dests.set(text, destSeen(dest, counters));
  return { service: serviceSeen(entry.service, entry.stats), dests };
}

/** Why no request could carry these values to a kernel; undefined where one can. */
function unencodable(encode: () => unknown): string | undefined {
  try {
    encode();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof LvsError && thrown.code === 'MALFORMED') return thrown.message;
    throw thrown;
  }
}

function trashText(entry: ServiceEntry, dest: string): string {
  return `${serviceText(entry.service.key)} ${dest}`;
}

function addStats(a: Stats, b: Stats): Stats {
  return {
    connections: a.connections + b.connections,
    packetsIn: a.packetsIn + b.packetsIn,
    packetsOut: a.packetsOut + b.packetsOut,
    bytesIn: a.bytesIn + b.bytesIn,
    bytesOut: a.bytesOut + b.bytesOut,
    connectionsPerSecond: b.connectionsPerSecond,
    packetsInPerSecond: b.packetsInPerSecond,
    packetsOutPerSecond: b.packetsOutPerSecond,
    bytesInPerSecond: b.bytesInPerSecond,
    bytesOutPerSecond: b.bytesOutPerSecond,
  };
}

export class MemoryTable implements IpvsTable {
  readonly kind = 'memory';
  readonly #options: MemoryTableOptions;
  readonly #services = new Map<string, ServiceEntry>();
  /** By `trashText`. The kernel empties it after minutes without connections; here it stays. */
  readonly #trash = new Map<string, Trashed>();
  readonly #daemons = new Map<SyncRole, SyncDaemon>();
  #closed = false;
  #timeouts: Timeouts = { tcp: 900, tcpFin: 120, udp: 300 };

  constructor(options: MemoryTableOptions = {}) {
    this.#options = options;
  }

  #assertOpen(command: TableCommand): void {
    if (this.#closed) throw commandError(command, 'ECANCELED');
  }

  async info(): Promise<IpvsInfo> {
    this.#assertOpen('info');
    return { version: '1.2.1', connectionTableSize: 4096 };
  }

  async dump(): Promise<ObservedTable> {
    this.#assertOpen('dump');
    const table = new Map<string, ObservedService>();
    for (const [text, entry] of this.#services) table.set(text, observe(entry));
    return table;
  }

  async read(key: ServiceKey): Promise<ObservedService | undefined> {
    this.#assertOpen('read');
    const entry = this.#services.get(serviceText(key));
    return entry === undefined ? undefined : observe(entry);
  }

  async apply(operations: readonly Operation[]): Promise<readonly OperationResult[]> {
    this.#assertOpen('apply');
    return operations.map((operation, index) => {
      const injected = this.#options.fault?.(operation, index);
      if (injected !== undefined) return refusal(operation, injected);
      const words = unencodable(() => operationRequest(operation));
      if (words !== undefined) return refusal(operation, 'EINVAL', words);
      const errno = this.#perform(operation);
      return errno === undefined ? { ok: true } : refusal(operation, errno);
    });
  }

  /** ip_vs_genl_set_cmd: the checks and their order are the kernel's. */
  #perform(operation: Operation): Errno | undefined {
    switch (operation.kind) {
      case 'add-service':
        return this.#addService(operation.service);
      case 'edit-service':
        return this.#editService(operation.service);
      case 'delete-service':
        return this.#deleteService(operation.key);
      case 'add-dest':
        return this.#addDest(operation.service, operation.dest);
      case 'edit-dest':
        return this.#editDest(operation.service, operation.dest);
      case 'delete-dest':
        return this.#deleteDest(operation.service, operation.dest);
      default:
        return unreachable(operation);
    }
  }

  #addService(service: Service): Errno | undefined {
    const text = serviceText(service.key);
    const fault =
      serviceFault(service) ?? (this.#services.has(text) ? 'EEXIST' : undefined) ?? settingsFault(service);
    if (fault !== undefined) return fault;
    this.#services.set(text, { service, stats: ZERO_STATS, dests: new Map() });
    return undefined;
  }

  #editService(service: Service): Errno | undefined {
    const entry = this.#services.get(serviceText(service.key));
    const fault =
      serviceFault(service) ?? (entry === undefined ? 'ESRCH' : undefined) ?? settingsFault(service);
    if (fault !== undefined || entry === undefined) return fault;
    entry.service = service;
    return undefined;
  }

  #addDest(service: ServiceKey, dest: Dest): Errno | undefined {
    const entry = this.#services.get(serviceText(service));
    if (entry === undefined) return 'ESRCH';
    const fault = mixedFamilyFault(service, dest, this.#daemons.size > 0) ?? destFault(dest);
    if (fault !== undefined) return fault;
    const text = destText(dest.key);
    if (entry.dests.has(text)) return 'EEXIST';
    if (!isDestAddress(dest.key.address)) return 'EINVAL';
    entry.dests.set(text, { dest, counters: this.#revive(entry, text) });
    return undefined;
  }

  /** ip_vs_trash_get_dest: connections come back; the counters too, where the service was not deleted meanwhile. */
  #revive(entry: ServiceEntry, text: string): DestCounters {
    const key = trashText(entry, text);
    const trashed = this.#trash.get(key);
    this.#trash.delete(key);
    if (trashed === undefined) return NO_COUNTERS;
    return trashed.from === entry ? trashed.counters : { ...trashed.counters, stats: ZERO_STATS };
  }

  #editDest(service: ServiceKey, dest: Dest): Errno | undefined {
    const entry = this.#services.get(serviceText(service));
    if (entry === undefined) return 'ESRCH';
    const fault = mixedFamilyFault(service, dest, this.#daemons.size > 0) ?? destFault(dest);
    if (fault !== undefined) return fault;
    const old = entry.dests.get(destText(dest.key));
    if (old === undefined) return 'ENOENT';
    old.dest = dest;
    return undefined;
  }

  #deleteDest(service: ServiceKey, key: DestKey): Errno | undefined {
    const entry = this.#services.get(serviceText(service));
    if (entry === undefined) return 'ESRCH';
    return this.#discard(entry, destText(key)) ? undefined : 'ENOENT';
  }

  #discard(entry: ServiceEntry, text: string): boolean {
    const counters = entry.dests.get(text)?.counters;
    if (counters !== undefined && counters !== NO_COUNTERS) {
      this.#trash.set(trashText(entry, text), { from: entry, counters });
    }
    return entry.dests.delete(text);
  }

  #deleteService(key: ServiceKey): Errno | undefined {
    const text = serviceText(key);
    const entry = this.#services.get(text);
    if (entry === undefined) return 'ESRCH';
    for (const dest of [...entry.dests.keys()]) this.#discard(entry, dest);
    this.#services.delete(text);
    return undefined;
  }

  async flush(): Promise<void> {
    this.#assertOpen('flush');
    for (const { service } of [...this.#services.values()]) this.#deleteService(service.key);
  }

  async zero(key?: ServiceKey): Promise<void> {
    this.#assertOpen('zero');
    const entries = key === undefined ? this.#services.values() : [this.#services.get(serviceText(key))];
    for (const entry of entries) {
      if (entry === undefined) throw commandError('zero', 'ESRCH');
      entry.stats = ZERO_STATS;
      for (const dest of entry.dests.values()) dest.counters = { ...dest.counters, stats: ZERO_STATS };
    }
  }

  async timeouts(): Promise<Timeouts> {
    this.#assertOpen('timeouts');
    return this.#timeouts;
  }

  async setTimeouts(timeouts: Partial<Timeouts>): Promise<void> {
    this.#assertOpen('set-timeouts');
    const words = unencodable(() => setTimeoutsRequest(timeouts));
    const errno = words === undefined ? timeoutsFault(timeouts) : 'EINVAL';
    if (errno !== undefined) throw commandError('set-timeouts', errno, words);
    const { tcp, tcpFin, udp } = this.#timeouts;
    // 0 leaves a time-out as it is, as an absent one does.
    this.#timeouts = {
      tcp: timeouts.tcp || tcp,
      tcpFin: timeouts.tcpFin || tcpFin,
      udp: timeouts.udp || udp,
    };
  }

  async syncDaemons(): Promise<readonly SyncDaemon[]> {
    this.#assertOpen('sync-daemons');
    return (['master', 'backup'] as const).flatMap((role) => this.#daemons.get(role) ?? []);
  }

  async startSyncDaemon(daemon: SyncDaemon): Promise<void> {
    this.#assertOpen('start-sync-daemon');
    const words = unencodable(() => startSyncDaemonRequest(daemon));
    const errno = words === undefined ? this.#startFault(daemon) : 'EINVAL';
    if (errno !== undefined) throw commandError('start-sync-daemon', errno, words);
    this.#daemons.set(daemon.role, completeSyncDaemon(daemon, MTU));
  }

  #startFault(daemon: SyncDaemon): Errno | undefined {
    const fault = syncDaemonFault(daemon, this.#hasMixedDests());
    if (fault !== undefined) return fault;
    const { interfaces } = this.#options;
    const state = interfaces === undefined ? 'up' : interfaces.get(daemon.interface);
    if (state === undefined) return 'ENODEV';
    if (this.#daemons.has(daemon.role)) return 'EEXIST';
    // There is no way out through it; to listen there is allowed.
    return state === 'down' && daemon.role === 'master' ? 'ENETUNREACH' : undefined;
  }

  #hasMixedDests(): boolean {
    for (const { service, dests } of this.#services.values())
      for (const { dest } of dests.values()) if (isMixed(service.key, dest.key.address)) return true;
    return false;
  }

  async stopSyncDaemon(role: SyncRole): Promise<void> {
    this.#assertOpen('stop-sync-daemon');
    if (!this.#daemons.delete(role)) throw commandError('stop-sync-daemon', 'ESRCH');
  }

  close(): void {
    this.#closed = true;
  }

  /**
   * Counts what traffic to a destination would have counted: its connections are as given, and `stats` are added
   * to those of the destination and of its service. For tests; false where there is no such destination.
   */
  countTraffic(service: ServiceKey, key: DestKey, counters: DestCounters): boolean {
    const entry = this.#services.get(serviceText(service));
    const dest = entry?.dests.get(destText(key));
    if (entry === undefined || dest === undefined) return false;
    dest.counters = { ...counters, stats: addStats(dest.counters.stats, counters.stats) };
    entry.stats = addStats(entry.stats, counters.stats);
    return true;
  }
}
