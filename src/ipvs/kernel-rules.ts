/**
 * What the kernel allows in its table, as far as it does not depend on the table: the checks of
 * net/netfilter/ipvs/ip_vs_ctl.c (6.1) in their order, with their error numbers. The memory table obeys them;
 * the contract suite holds them against the kernel.
 */
import type { Errno } from '../core/errno.js';
import { type Ip, ip, ipBytes, ipFamily, isMulticast } from '../core/ip.js';
import { serviceFamily } from './keys.js';
import type { Dest, Service, ServiceKey, SyncDaemon, Timeouts } from './model.js';
import { PERSISTENCE_ENGINES, SCHEDULERS } from './names.js';

/** `none` binds no scheduler: such a service drops every packet. */
const KNOWN_SCHEDULERS: ReadonlySet<string> = new Set([...SCHEDULERS, 'none']);

const KNOWN_ENGINES: ReadonlySet<string> = new Set(PERSISTENCE_ENGINES);

/** IP_VS_SCHEDNAME_MAXLEN - 1 and IP_VS_PENAME_MAXLEN: the longest names that the attributes may carry. */
const SCHEDULER_NAME_MAX = 15;
const ENGINE_NAME_MAX = 16;
/** IP_VS_IFNAME_MAXLEN - 1 */
const INTERFACE_NAME_MAX = 15;

/** IP_VS_SYNC_GROUP and IP_VS_SYNC_PORT */
const SYNC_GROUP = ip('224.0.0.81');
const SYNC_PORT = 8848;

/** INT_MAX / HZ of the kernels with the smallest range of time-outs (HZ=1000). */
const TIMEOUT_SECONDS_MAX = 2147483;

/** ip_vs_genl_parse_service: what is refused before the table is looked at. */
export function serviceFault({ settings }: Service): Errno | undefined {
  const { scheduler, persistenceEngine } = settings;
  if (scheduler.length > SCHEDULER_NAME_MAX) return 'EINVAL';
  if (persistenceEngine !== undefined && persistenceEngine.length > ENGINE_NAME_MAX) return 'EINVAL';
  return undefined;
}

/** ip_vs_add_service and ip_vs_edit_service: what is refused once the service may be there. */
export function settingsFault({ key, settings }: Service): Errno | undefined {
  if (!KNOWN_SCHEDULERS.has(settings.scheduler)) return 'ENOENT';
  const engine = settings.persistenceEngine;
  if (engine !== undefined && !KNOWN_ENGINES.has(engine)) return 'ENOENT';
  const prefix = settings.persistence?.prefix;
  if (serviceFamily(key) === 'ipv6' && prefix !== undefined && (prefix < 1 || prefix > 128)) return 'EINVAL';
  return undefined;
}

/** A destination of the other family: through tunnels only, and never beside a sync daemon. */
export function mixedFamilyFault(service: ServiceKey, dest: Dest, synchronising: boolean): Errno | undefined {
  if (!isMixed(service, dest.key.address)) return undefined;
  if (synchronising || dest.settings.forward.method !== 'tunnel') return 'EINVAL';
  return undefined;
}

export function isMixed(service: ServiceKey, dest: Ip): boolean {
  return ipFamily(dest) !== serviceFamily(service);
}

/** ip_vs_add_dest and ip_vs_edit_dest, before the destination is looked up. */
export function destFault({ settings }: Dest): Errno | undefined {
  if (settings.weight < 0) return 'ERANGE';
  if (settings.lowerThreshold > settings.upperThreshold) return 'ERANGE';
  const { forward } = settings;
  if (forward.method === 'tunnel' && forward.type === 'gue' && forward.port === 0) return 'EINVAL';
  return undefined;
}

/** RTN_UNICAST or RTN_LOCAL, for a machine without addresses of its own. */
function isIpv4Unicast(bytes: Uint8Array): boolean {
  const first = bytes[0] ?? 0;
  const multicast = first >= 224 && first <= 239;
  return !multicast && bytes.some((byte) => byte !== 0) && bytes.some((byte) => byte !== 255);
}

/** ipv6_addr_type: IPV6_ADDR_UNICAST without IPV6_ADDR_LINKLOCAL. */
function isIpv6Unicast(bytes: Uint8Array): boolean {
  const [first = 0, second = 0] = bytes;
  if (first === 0xff) return false;
  if (first === 0xfe && (second & 0xc0) === 0x80) return false;
  if (bytes.every((byte) => byte === 0)) return false;
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  return !mapped;
}

/**
 * ip_vs_new_dest: may this address be a destination? The kernel also refuses the broadcast addresses of its own
 * subnets, and takes addresses of its own that are link-local; both need its interfaces to be known.
 */
export function isDestAddress(address: Ip): boolean {
  const bytes = ipBytes(address);
  return ipFamily(address) === 'ipv4' ? isIpv4Unicast(bytes) : isIpv6Unicast(bytes);
}

/** ip_vs_genl_new_daemon: what is refused before interfaces and the running daemons are looked at. */
export function syncDaemonFault(daemon: SyncDaemon, mixedDests: boolean): Errno | undefined {
  if (daemon.interface.length > INTERFACE_NAME_MAX) return 'EINVAL';
  if (daemon.group !== undefined && !isMulticast(daemon.group)) return 'EINVAL';
  return mixedDests ? 'EINVAL' : undefined;
}

/** What a daemon has where nothing was asked for: ip_vs_sync.c, start_sync_thread. */
export function completeSyncDaemon(daemon: SyncDaemon, mtu: number): SyncDaemon {
  const ipv6 = daemon.group !== undefined && ipFamily(daemon.group) === 'ipv6';
  const headers = ipv6 ? 48 : 28;
  const least = daemon.role === 'backup' ? 1024 : 1;
  const asked = daemon.maxLength ?? 0;
  return {
    role: daemon.role,
    interface: daemon.interface,
    syncId: daemon.syncId,
    maxLength: asked === 0 ? mtu - headers : Math.min(Math.max(asked, least), 65535 - headers),
    group: daemon.group ?? SYNC_GROUP,
    // As with the length, 0 asks for the default.
    port: daemon.port || SYNC_PORT,
    ttl: daemon.ttl || 1,
  };
}

/** ip_vs_set_timeout: all or nothing. */
export function timeoutsFault(timeouts: Partial<Timeouts>): Errno | undefined {
  const { tcp = 0, tcpFin = 0, udp = 0 } = timeouts;
  return [tcp, tcpFin, udp].some((value) => value < 0 || value > TIMEOUT_SECONDS_MAX) ? 'EINVAL' : undefined;
}
