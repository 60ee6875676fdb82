/** Routes (linux/rtnetlink.h): RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE. */
import { ByteReader, ByteWriter } from '../core/bytes.js';
import { LvsError } from '../core/errors.js';
import type { Ip } from '../core/ip.js';
import { align4, putBytes } from './attributes.js';
import { type Field, type Format, fieldsOf, IP, readFields, U8, U32, writeFields } from './rtnl-fields.js';

/** RT_SCOPE_* */
export const RT_SCOPE = { UNIVERSE: 0, SITE: 200, LINK: 253, HOST: 254, NOWHERE: 255 } as const;

/** RTN_*: what a route does. UNSPEC in a request to delete. */
export const RTN = { UNSPEC: 0, UNICAST: 1, LOCAL: 2, BLACKHOLE: 6, UNREACHABLE: 7, PROHIBIT: 8 } as const;

/** RTPROT_*: who added it. */
export const RTPROT = { UNSPEC: 0, KERNEL: 2, BOOT: 3, STATIC: 4, KEEPALIVED: 18 } as const;

/** RT_TABLE_*. Tables above 255 are in `tableId`, with UNSPEC or COMPAT in `table`. */
export const RT_TABLE = { UNSPEC: 0, COMPAT: 252, DEFAULT: 253, MAIN: 254, LOCAL: 255 } as const;

/** enum RTA_* */
const RTA = {
  DST: 1,
  SRC: 2,
  IIF: 3,
  OIF: 4,
  GATEWAY: 5,
  PRIORITY: 6,
  PREFSRC: 7,
  MULTIPATH: 9,
  TABLE: 15,
  PREF: 20,
} as const;

/** struct rtnexthop and its attributes. */
export interface NextHop {
  /** RTNH_F_* */
  readonly flags: number;
  /** Weight less 1. */
  readonly hops: number;
  /** Of the link. */
  readonly index: number;
  readonly gateway?: Ip;
}

/** A route, or what a request wants of one. */
export interface Route {
  /** AF_INET 2, AF_INET6 10, 0 for both; multicast routes have 128 and 129. */
  readonly family: number;
  readonly destinationLength: number;
  readonly sourceLength: number;
  readonly tos: number;
  readonly table: number;
  /** RTPROT_* */
  readonly protocol: number;
  /** RT_SCOPE_* */
  readonly scope: number;
  /** RTN_* */
  readonly type: number;
  /** RTM_F_*, RTNH_F_* */
  readonly flags: number;
  /** Missing for the default route. */
  readonly destination?: Ip;
  readonly source?: Ip;
  readonly tableId?: number;
  readonly gateway?: Ip;
  /** Metric: the lowest wins. */
  readonly priority?: number;
  readonly preferredSource?: Ip;
  readonly nextHops?: readonly NextHop[];
  /** Index of the link that packets come in by, or leave by. */
  readonly inputIndex?: number;
  readonly outputIndex?: number;
  /** ICMPV6_ROUTER_PREF_* */
  readonly preference?: number;
}

/** sizeof(struct rtnexthop), already aligned. */
const RTNEXTHOP_BYTES = 8;

const hopField = fieldsOf<NextHop>();
const HOP_FIELDS: readonly Field<NextHop>[] = [hopField(RTA.GATEWAY, 'gateway', IP)];

/** struct rtnexthop: u16 length with attributes, u8 flags, u8 hops, i32 index. */
function readHop(reader: ByteReader): NextHop {
  const length = reader.u16le();
  if (length < RTNEXTHOP_BYTES) throw new LvsError('MALFORMED', `a next hop claims ${length} bytes, below 8`);
  const header = { flags: reader.u8(), hops: reader.u8(), index: reader.i32le() };
  const attributes = reader.take(length - RTNEXTHOP_BYTES);
  reader.skip(Math.min(align4(length) - length, reader.left));
  return readFields(HOP_FIELDS, attributes, 0, header);
}

function writeHop(writer: ByteWriter, hop: NextHop): void {
  const start = writer.length;
  writer.zeros(2);
  writer.u8(hop.flags);
  writer.u8(hop.hops);
  writer.i32le(hop.index);
  writeFields(HOP_FIELDS, writer, hop);
  writer.patchU16le(start, writer.length - start);
}

const NEXT_HOPS: Format<readonly NextHop[]> = {
  read(attribute) {
    const reader = new ByteReader(attribute.bytes());
    const hops: NextHop[] = [];
    while (reader.left > 0) hops.push(readHop(reader));
    return hops;
  },
  write(writer, type, hops) {
    const inner = new ByteWriter(32 * hops.length);
    for (const hop of hops) writeHop(inner, hop);
    putBytes(writer, type, inner.finish());
  },
};

const field = fieldsOf<Route>();

/** In the order in which iproute2 sends them. */
const ROUTE_FIELDS: readonly Field<Route>[] = [
  field(RTA.DST, 'destination', IP),
  field(RTA.SRC, 'source', IP),
  field(RTA.TABLE, 'tableId', U32),
  field(RTA.GATEWAY, 'gateway', IP),
  field(RTA.PRIORITY, 'priority', U32),
  field(RTA.PREFSRC, 'preferredSource', IP),
  field(RTA.MULTIPATH, 'nextHops', NEXT_HOPS),
  field(RTA.IIF, 'inputIndex', U32),
  field(RTA.OIF, 'outputIndex', U32),
  field(RTA.PREF, 'preference', U8),
];

/**
 * struct rtmsg: u8 family, dst_len, src_len, tos, table, protocol, scope, type; u32 flags.
 * @throws TRUNCATED, MALFORMED
 */
export function readRoute(payload: Uint8Array): Route {
  const reader = new ByteReader(payload);
  const header = {
    family: reader.u8(),
    destinationLength: reader.u8(),
    sourceLength: reader.u8(),
    tos: reader.u8(),
    table: reader.u8(),
    protocol: reader.u8(),
    scope: reader.u8(),
    type: reader.u8(),
    flags: reader.u32le(),
  };
  return readFields(ROUTE_FIELDS, payload, reader.offset, header);
}

/** The payload of a request. @throws MALFORMED */
export function writeRoute(route: Route): Uint8Array {
  const writer = new ByteWriter(128);
  writer.u8(route.family);
  writer.u8(route.destinationLength);
  writer.u8(route.sourceLength);
  writer.u8(route.tos);
  writer.u8(route.table);
  writer.u8(route.protocol);
  writer.u8(route.scope);
  writer.u8(route.type);
  writer.u32le(route.flags);
  writeFields(ROUTE_FIELDS, writer, route);
  return writer.finish();
}
