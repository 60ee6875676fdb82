/** Connection-synchronisation daemons <-> an IPVS_CMD_ATTR_DAEMON nest (linux/ip_vs.h, IPVS_DAEMON_ATTR_*). */
import type { ByteWriter } from '../core/bytes.js';
import { LvsError } from '../core/errors.js';
import { type Ip, ipBytes, ipFamily, ipFromBytes } from '../core/ip.js';
import { type AttributeReader, putBytes, putText, putU8, putU16le, putU32le } from '../wire/attributes.js';
import { required } from './codec-common.js';
import type { SyncDaemon, SyncRole } from './model.js';

/** IPVS_DAEMON_ATTR_* */
const DAEMON = {
  STATE: 1,
  MCAST_IFN: 2,
  SYNC_ID: 3,
  SYNC_MAXLEN: 4,
  MCAST_GROUP: 5,
  MCAST_GROUP6: 6,
  MCAST_PORT: 7,
  MCAST_TTL: 8,
} as const;

/** IP_VS_STATE_MASTER, IP_VS_STATE_BACKUP */
const STATES: Readonly<Record<SyncRole, number>> = { master: 1, backup: 2 };

const SYNC_ID_MAX = 255;

/** Writes which daemon is meant: all that DEL_DAEMON wants. */
export function putSyncRole(writer: ByteWriter, role: SyncRole): void {
  putU32le(writer, DAEMON.STATE, STATES[role]);
}

function putGroup(writer: ByteWriter, group: Ip): void {
  const type = ipFamily(group) === 'ipv4' ? DAEMON.MCAST_GROUP : DAEMON.MCAST_GROUP6;
  putBytes(writer, type, ipBytes(group));
}

/**
 * Writes a daemon for NEW_DAEMON; the kernel fills in what is left out. Its port is in host order, unlike all
 * other ports of IPVS. The kernel does not check the sync id, so it is checked here.
 * @throws MALFORMED for a sync id above 255 and for values that no attribute can hold.
 */
export function putSyncDaemon(writer: ByteWriter, daemon: SyncDaemon): void {
  if (daemon.syncId > SYNC_ID_MAX) {
    throw new LvsError('MALFORMED', `a sync id of ${daemon.syncId} is above ${SYNC_ID_MAX}`);
  }
  putSyncRole(writer, daemon.role);
  putText(writer, DAEMON.MCAST_IFN, daemon.interface);
  putU32le(writer, DAEMON.SYNC_ID, daemon.syncId);
  if (daemon.maxLength !== undefined) putU16le(writer, DAEMON.SYNC_MAXLEN, daemon.maxLength);
  if (daemon.port !== undefined) putU16le(writer, DAEMON.MCAST_PORT, daemon.port);
  if (daemon.ttl !== undefined) putU8(writer, DAEMON.MCAST_TTL, daemon.ttl);
  if (daemon.group !== undefined) putGroup(writer, daemon.group);
}

function roleOf(state: number): SyncRole {
  if (state === STATES.master) return 'master';
  if (state === STATES.backup) return 'backup';
  throw new LvsError('MALFORMED', `the kernel answered with sync daemon state ${state}`);
}

/** Reads a DAEMON nest. Kernels before 4.3 tell neither length, group, port nor ttl. @throws TRUNCATED, MALFORMED */
export function readSyncDaemon(reader: AttributeReader): SyncDaemon {
  let role: SyncRole | undefined;
  let name: string | undefined;
  let syncId: number | undefined;
  let [maxLength, port, ttl]: (number | undefined)[] = [];
  let group: Ip | undefined;
  while (reader.next()) {
    if (reader.type === DAEMON.STATE) role = roleOf(reader.u32le());
    else if (reader.type === DAEMON.MCAST_IFN) name = reader.text();
    else if (reader.type === DAEMON.SYNC_ID) syncId = reader.u32le();
    else if (reader.type === DAEMON.SYNC_MAXLEN) maxLength = reader.u16le();
    else if (reader.type === DAEMON.MCAST_PORT) port = reader.u16le();
    else if (reader.type === DAEMON.MCAST_TTL) ttl = reader.u8();
    else if (reader.type === DAEMON.MCAST_GROUP || reader.type === DAEMON.MCAST_GROUP6) {
      group = ipFromBytes(reader.bytes());
    }
  }
  return {
    role: required(role, 'DAEMON_ATTR_STATE'),
    interface: required(name, 'DAEMON_ATTR_MCAST_IFN'),
    syncId: required(syncId, 'DAEMON_ATTR_SYNC_ID'),
    maxLength,
    group,
    port,
    ttl,
  };
}
