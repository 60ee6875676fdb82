/** Destinations <-> the attributes of an IPVS_CMD_ATTR_DEST nest (linux/ip_vs.h, IPVS_DEST_ATTR_*). */
import { unreachable } from '../core/assert.js';
import type { ByteWriter } from '../core/bytes.js';
import { LvsError } from '../core/errors.js';
import { type Family, ipFamily } from '../core/ip.js';
import { type AttributeReader, putI32le, putU8, putU16be, putU16le, putU32le } from '../wire/attributes.js';
import { familyNumber, familyOf, putAddress, readAddress, readStats, required } from './codec-common.js';
import type { Dest, DestKey, DestSeen, Forward, TunnelChecksum, TunnelType } from './model.js';
import { ZERO_STATS } from './observe.js';

/** IPVS_DEST_ATTR_* */
const DEST = {
  ADDR: 1,
  PORT: 2,
  FWD_METHOD: 3,
  WEIGHT: 4,
  U_THRESH: 5,
  L_THRESH: 6,
  ACTIVE_CONNS: 7,
  INACT_CONNS: 8,
  PERSIST_CONNS: 9,
  STATS: 10,
  ADDR_FAMILY: 11,
  STATS64: 12,
  TUN_TYPE: 13,
  TUN_PORT: 14,
  TUN_FLAGS: 15,
} as const;

/** IP_VS_CONN_F_FWD_MASK and the methods below it: IP_VS_CONN_F_MASQ, LOCALNODE, TUNNEL, DROUTE. */
const FWD_MASK = 0x7;
const FWD = { MASQ: 0, LOCALNODE: 1, TUNNEL: 2, DROUTE: 3 } as const;

/** IP_VS_CONN_F_TUNNEL_TYPE_* */
const TUNNEL_TYPES: readonly TunnelType[] = ['ipip', 'gue', 'gre'];
/** IP_VS_TUNNEL_ENCAP_FLAG_*: none, CSUM, REMCSUM. */
const TUNNEL_CHECKSUMS: readonly TunnelChecksum[] = ['none', 'checksum', 'remote-checksum'];

/** Writes the attributes that say which destination of a service is meant. @throws MALFORMED */
export function putDestKey(writer: ByteWriter, key: DestKey): void {
  putU16le(writer, DEST.ADDR_FAMILY, familyNumber(ipFamily(key.address)));
  putAddress(writer, DEST.ADDR, key.address);
  putU16be(writer, DEST.PORT, key.port);
}

function methodNumber(forward: Forward): number {
  switch (forward.method) {
    case 'masquerade':
      return FWD.MASQ;
    case 'tunnel':
      return FWD.TUNNEL;
    case 'direct':
      return FWD.DROUTE;
    case 'local':
    case 'bypass':
      throw new LvsError('MALFORMED', `forwarding ${forward.method} is set by the kernel alone`);
    default:
      return unreachable(forward);
  }
}

/**
 * Writes everything that NEW_DEST and SET_DEST want. SET_DEST replaces all settings: what is left out (tunnel
 * attributes) falls back to the kernel's default, so all are always sent.
 * The kernel stores the port as it gets it: with direct routing and tunnels the packet keeps the port of the
 * service, so a configuration should give such a destination the port of its service (ipvsadm does).
 * @throws MALFORMED for values that no attribute can hold, and for forwarding local and bypass.
 */
export function putDest(writer: ByteWriter, { key, settings }: Dest): void {
  const { forward } = settings;
  const tunnel =
    forward.method === 'tunnel' ? forward : ({ type: 'ipip', port: 0, checksum: 'none' } as const);
  putDestKey(writer, key);
  putU32le(writer, DEST.FWD_METHOD, methodNumber(forward));
  putI32le(writer, DEST.WEIGHT, settings.weight);
  putU8(writer, DEST.TUN_TYPE, TUNNEL_TYPES.indexOf(tunnel.type));
  putU16be(writer, DEST.TUN_PORT, tunnel.port);
  putU16le(writer, DEST.TUN_FLAGS, TUNNEL_CHECKSUMS.indexOf(tunnel.checksum));
  putU32le(writer, DEST.U_THRESH, settings.upperThreshold);
  putU32le(writer, DEST.L_THRESH, settings.lowerThreshold);
}

/** Attributes as they come; the family, which says how to read the address, comes late. */
interface Fields {
  family?: Family;
  address?: Uint8Array;
  port?: number;
  method?: number;
  weight?: number;
  upper?: number;
  lower?: number;
  active: number;
  inactive: number;
  persistent: number;
  tunnelType: number;
  tunnelPort: number;
  tunnelFlags: number;
  stats?: AttributeReader;
  stats64?: AttributeReader;
}

/** Takes an attribute that identifies or sets; false where it is none of them. */
function collectSetting(fields: Fields, reader: AttributeReader): boolean {
  switch (reader.type) {
    case DEST.ADDR:
      fields.address = reader.bytes();
      return true;
    case DEST.PORT:
      fields.port = reader.u16be();
      return true;
    case DEST.FWD_METHOD:
      fields.method = reader.u32le() & FWD_MASK;
      return true;
    case DEST.WEIGHT:
      fields.weight = reader.i32le();
      return true;
    case DEST.U_THRESH:
      fields.upper = reader.u32le();
      return true;
    case DEST.L_THRESH:
      fields.lower = reader.u32le();
      return true;
    case DEST.TUN_TYPE:
      fields.tunnelType = reader.u8();
      return true;
    case DEST.TUN_PORT:
      fields.tunnelPort = reader.u16be();
      return true;
    case DEST.TUN_FLAGS:
      fields.tunnelFlags = reader.u16le();
      return true;
    default:
      return false;
  }
}

function collect(reader: AttributeReader): Fields {
  const fields: Fields = {
    active: 0,
    inactive: 0,
    persistent: 0,
    tunnelType: 0,
    tunnelPort: 0,
    tunnelFlags: 0,
  };
  while (reader.next()) {
    if (collectSetting(fields, reader)) continue;
    if (reader.type === DEST.ACTIVE_CONNS) fields.active = reader.u32le();
    else if (reader.type === DEST.INACT_CONNS) fields.inactive = reader.u32le();
    else if (reader.type === DEST.PERSIST_CONNS) fields.persistent = reader.u32le();
    else if (reader.type === DEST.STATS) fields.stats = reader.nested();
    else if (reader.type === DEST.STATS64) fields.stats64 = reader.nested();
    else if (reader.type === DEST.ADDR_FAMILY) {
      const family = reader.u16le();
      // 0 is what kernels before mixed families meant: the family of the service.
      if (family !== 0) fields.family = familyOf(family);
    }
  }
  return fields;
}

/**
 * The kernel stores method and tunnel numbers unchecked. One that we have no word for reads as `bypass`, which no
 * configuration can ask for: where the destination is ours, it shows as drift.
 */
function forwardOf(fields: Fields): Forward {
  switch (required(fields.method, 'DEST_ATTR_FWD_METHOD')) {
    case FWD.MASQ:
      return { method: 'masquerade' };
    case FWD.LOCALNODE:
      return { method: 'local' };
    case FWD.DROUTE:
      return { method: 'direct' };
    case FWD.TUNNEL: {
      const type = TUNNEL_TYPES[fields.tunnelType];
      const checksum = TUNNEL_CHECKSUMS[fields.tunnelFlags];
      if (type === undefined || checksum === undefined) return { method: 'bypass' };
      return { method: 'tunnel', type, port: fields.tunnelPort, checksum };
    }
    default:
      return { method: 'bypass' };
  }
}

/** Reads a DEST nest; `serviceFamily` counts where the kernel names none. @throws TRUNCATED, MALFORMED */
export function readDest(reader: AttributeReader, serviceFamily: Family): DestSeen {
  const fields = collect(reader);
  const stats = fields.stats64 ?? fields.stats;
  return {
    key: {
      address: readAddress(required(fields.address, 'DEST_ATTR_ADDR'), fields.family ?? serviceFamily),
      port: required(fields.port, 'DEST_ATTR_PORT'),
    },
    settings: {
      forward: forwardOf(fields),
      weight: required(fields.weight, 'DEST_ATTR_WEIGHT'),
      upperThreshold: required(fields.upper, 'DEST_ATTR_U_THRESH'),
      lowerThreshold: required(fields.lower, 'DEST_ATTR_L_THRESH'),
    },
    active: fields.active,
    inactive: fields.inactive,
    persistent: fields.persistent,
    stats: stats === undefined ? ZERO_STATS : readStats(stats),
  };
}
