/** What the service and the destination codec share: addresses and counters (linux/ip_vs.h). */
import type { ByteWriter } from '../core/bytes.js';
import { LvsError } from '../core/errors.js';
import { type Family, type Ip, ipBytes, ipFromBytes } from '../core/ip.js';
import { type AttributeReader, putPaddedBytes } from '../wire/attributes.js';
import type { Stats } from './model.js';

const AF_INET = 2;
const AF_INET6 = 10;

/** sizeof(union nf_inet_addr) */
const ADDRESS_SIZE = 16;

/** AF_INET or AF_INET6. */
export function familyNumber(family: Family): number {
  return family === 'ipv4' ? AF_INET : AF_INET6;
}

/** @throws MALFORMED for any other number. */
export function familyOf(number: number): Family {
  if (number === AF_INET) return 'ipv4';
  if (number === AF_INET6) return 'ipv6';
  throw new LvsError('MALFORMED', `the kernel answered with address family ${number}`);
}

/** union nf_inet_addr: an IPv4 address stands in the first 4 of 16 bytes, the rest is zero. */
export function putAddress(writer: ByteWriter, type: number, address: Ip): void {
  putPaddedBytes(writer, type, ipBytes(address), ADDRESS_SIZE);
}

/** The address in the bytes of a union nf_inet_addr. @throws TRUNCATED, MALFORMED */
export function readAddress(bytes: Uint8Array, family: Family): Ip {
  const size = family === 'ipv4' ? 4 : ADDRESS_SIZE;
  if (bytes.length < size) {
    const facts = { need: size, have: bytes.length };
    throw new LvsError('TRUNCATED', `an ${family} address in ${bytes.length} bytes`, facts);
  }
  return ipFromBytes(bytes.subarray(0, size));
}

/** The value, or MALFORMED where the kernel left it out. */
export function required<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new LvsError('MALFORMED', `the kernel's answer lacks ${name}`);
  return value;
}

/** enum IPVS_STATS_ATTR_*, in the order of the members of Stats below. */
const STATS_COUNT = 10;

/**
 * Reads an IPVS_*_ATTR_STATS or STATS64 nest. In STATS the byte counters have 64 bits and all others 32, in
 * STATS64 all have 64. The kernel may put PAD attributes (type 11) before 64-bit ones: like any unknown type
 * they are skipped. @throws TRUNCATED, MALFORMED
 */
export function readStats(reader: AttributeReader): Stats {
  const values: bigint[] = new Array<bigint>(STATS_COUNT).fill(0n);
  while (reader.next()) {
    if (reader.type < 1 || reader.type > STATS_COUNT) continue;
    values[reader.type - 1] = reader.size === 4 ? BigInt(reader.u32le()) : reader.u64le();
  }
  const at = (index: number): bigint => values[index] ?? 0n;
  return {
    connections: at(0),
    packetsIn: at(1),
    packetsOut: at(2),
    bytesIn: at(3),
    bytesOut: at(4),
    connectionsPerSecond: at(5),
    packetsInPerSecond: at(6),
    packetsOutPerSecond: at(7),
    bytesInPerSecond: at(8),
    bytesOutPerSecond: at(9),
  };
}
