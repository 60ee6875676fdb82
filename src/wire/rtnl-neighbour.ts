/** Neighbours (linux/neighbour.h): RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH. */
import { ByteReader, ByteWriter } from '../core/bytes.js';
import type { Ip } from '../core/ip.js';
import { type Field, fieldsOf, HARDWARE_ADDRESS, IP, readFields, writeFields } from './rtnl-fields.js';

/** NUD_* */
export const NUD = { REACHABLE: 0x2, STALE: 0x4, FAILED: 0x20, NOARP: 0x40, PERMANENT: 0x80 } as const;

/** enum NDA_* */
const NDA = { DST: 1, LLADDR: 2 } as const;

/** An entry of the ARP or ND table, or what a request wants of one. */
export interface Neighbour {
  /** AF_INET 2, AF_INET6 10; AF_BRIDGE 7 for forwarding entries, which have no `destination`. */
  readonly family: number;
  /** Of the link. */
  readonly index: number;
  /** NUD_* */
  readonly state: number;
  /** NTF_* */
  readonly flags: number;
  /** RTN_* */
  readonly type: number;
  readonly destination?: Ip;
  readonly hardwareAddress?: string;
}

const field = fieldsOf<Neighbour>();

/** In the order in which iproute2 sends them. */
const NEIGHBOUR_FIELDS: readonly Field<Neighbour>[] = [
  field(NDA.DST, 'destination', IP),
  field(NDA.LLADDR, 'hardwareAddress', HARDWARE_ADDRESS),
];

/**
 * struct ndmsg: u8 family, u8 pad, u16 pad, i32 ifindex, u16 state, u8 flags, u8 type.
 * @throws TRUNCATED, MALFORMED
 */
export function readNeighbour(payload: Uint8Array): Neighbour {
  const reader = new ByteReader(payload);
  const family = reader.u8();
  reader.skip(3);
  const header = {
    family,
    index: reader.i32le(),
    state: reader.u16le(),
    flags: reader.u8(),
    type: reader.u8(),
  };
  return readFields(NEIGHBOUR_FIELDS, payload, reader.offset, header);
}

/** The payload of a request. @throws MALFORMED */
export function writeNeighbour(neighbour: Neighbour): Uint8Array {
  const writer = new ByteWriter(128);
  writer.u8(neighbour.family);
  writer.zeros(3);
  writer.i32le(neighbour.index);
  writer.u16le(neighbour.state);
  writer.u8(neighbour.flags);
  writer.u8(neighbour.type);
  writeFields(NEIGHBOUR_FIELDS, writer, neighbour);
  return writer.finish();
}
