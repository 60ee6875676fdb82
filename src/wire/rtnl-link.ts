/** Links (linux/if_link.h, linux/rtnetlink.h): RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK. */
import { ByteReader, ByteWriter } from '../core/bytes.js';
import { AttributeReader, putBytes, putNest, putU8, putU32le } from './attributes.js';
import {
  type Field,
  fieldsOf,
  findAttribute,
  HARDWARE_ADDRESS,
  RAW,
  readFields,
  readPackedU32,
  TEXT,
  U8,
  U32,
  writeFields,
} from './rtnl-fields.js';

/** IFF_* of linux/if.h. A link is usable when it is UP and RUNNING. */
export const IFF = { UP: 0x1, LOOPBACK: 0x8, RUNNING: 0x40, LOWER_UP: 0x10000 } as const;

/** IF_OPER_*, RFC 2863: `operState`. */
export const IF_OPER = {
  UNKNOWN: 0,
  NOTPRESENT: 1,
  DOWN: 2,
  LOWERLAYERDOWN: 3,
  TESTING: 4,
  DORMANT: 5,
  UP: 6,
} as const;

/** RTEXT_FILTER_*: `extensions`. With both, answers are small. */
export const RTEXT_FILTER = { VF: 1, SKIP_STATS: 8 } as const;

/** enum macvlan_mode */
export const MACVLAN_MODE = { PRIVATE: 1, VEPA: 2, BRIDGE: 4, PASSTHRU: 8 } as const;

/** enum in6_addr_gen_mode */
export const ADDR_GEN_MODE = { EUI64: 0, NONE: 1, STABLE_PRIVACY: 2, RANDOM: 3 } as const;

/** IPV4_DEVCONF_* of linux/ip.h: numbers of the settings under net.ipv4.conf. */
export const IPV4_DEVCONF = {
  RP_FILTER: 8,
  ARPFILTER: 13,
  ARP_ANNOUNCE: 18,
  ARP_IGNORE: 19,
  PROMOTE_SECONDARIES: 20,
  ACCEPT_LOCAL: 23,
} as const;

/** enum IFLA_* */
const IFLA = {
  ADDRESS: 1,
  BROADCAST: 2,
  IFNAME: 3,
  MTU: 4,
  LINK: 5,
  MASTER: 10,
  OPERSTATE: 16,
  LINKMODE: 17,
  LINKINFO: 18,
  NET_NS_PID: 19,
  IFALIAS: 20,
  AF_SPEC: 26,
  GROUP: 27,
  EXT_MASK: 29,
  CARRIER: 33,
} as const;
const IFLA_INFO = { KIND: 1, DATA: 2 } as const;
const IFLA_MACVLAN_MODE = 1;
const IFLA_INET_CONF = 1;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const AF_INET = 2;
const AF_INET6 = 10;

/** A link, or what a request wants of one: index 0 and no name is any. */
export interface Link {
  /** AF_UNSPEC 0; AF_BRIDGE 7 in the notifications of bridge ports. */
  readonly family: number;
  /** ARPHRD_*: 1 Ethernet, 772 loopback. */
  readonly type: number;
  readonly index: number;
  /** IFF_* */
  readonly flags: number;
  /** Which flags to change, or have changed. */
  readonly change: number;
  /** As `00:00:5e:00:01:33`. */
  readonly hardwareAddress?: string;
  /** Index of the link beneath: the parent of a macvlan. */
  readonly parent?: number;
  readonly name?: string;
  /** Free text that whoever made the link may leave on it. */
  readonly alias?: string;
  readonly hardwareBroadcast?: string;
  readonly mtu?: number;
  /** Index of the bridge, bond or VRF that it belongs to. */
  readonly master?: number;
  /** IF_OPER_* */
  readonly operState?: number;
  readonly linkMode?: number;
  readonly carrier?: number;
  readonly group?: number;
  /** Process in whose network namespace the link is to be. */
  readonly namespacePid?: number;
  /** RTEXT_FILTER_*, in a request. */
  readonly extensions?: number;
  /** Attributes IFLA_INFO_*: see macvlanInfo, readLinkInfo. */
  readonly info?: Uint8Array;
  /** Attributes by address family: see inetSettings, addrGenMode. */
  readonly familySpec?: Uint8Array;
}

const field = fieldsOf<Link>();

/** In the order in which iproute2 sends them. */
export const LINK_FIELDS: readonly Field<Link>[] = [
  field(IFLA.ADDRESS, 'hardwareAddress', HARDWARE_ADDRESS),
  field(IFLA.LINK, 'parent', U32),
  field(IFLA.IFNAME, 'name', TEXT),
  field(IFLA.IFALIAS, 'alias', TEXT),
  field(IFLA.BROADCAST, 'hardwareBroadcast', HARDWARE_ADDRESS),
  field(IFLA.MTU, 'mtu', U32),
  field(IFLA.MASTER, 'master', U32),
  field(IFLA.OPERSTATE, 'operState', U8),
  field(IFLA.LINKMODE, 'linkMode', U8),
  field(IFLA.CARRIER, 'carrier', U8),
  field(IFLA.GROUP, 'group', U32),
  field(IFLA.NET_NS_PID, 'namespacePid', U32),
  field(IFLA.EXT_MASK, 'extensions', U32),
  field(IFLA.LINKINFO, 'info', RAW),
  field(IFLA.AF_SPEC, 'familySpec', RAW),
];

/** struct ifinfomsg: u8 family, u8 pad, u16 type, i32 index, u32 flags, u32 change. @throws TRUNCATED, MALFORMED */
export function readLink(payload: Uint8Array): Link {
  const reader = new ByteReader(payload);
  const family = reader.u8();
  reader.skip(1);
  const type = reader.u16le();
  const index = reader.i32le();
  const flags = reader.u32le();
  const change = reader.u32le();
  return readFields(LINK_FIELDS, payload, reader.offset, { family, type, index, flags, change });
}

/** The payload of a request. @throws MALFORMED */
export function writeLink(link: Link): Uint8Array {
  const writer = new ByteWriter(128);
  writer.u8(link.family);
  writer.zeros(1);
  writer.u16le(link.type);
  writer.i32le(link.index);
  writer.u32le(link.flags);
  writer.u32le(link.change);
  writeFields(LINK_FIELDS, writer, link);
  return writer.finish();
}

function nest(fill: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter(64);
  fill(writer);
  return writer.finish();
}

/** Without a NUL, as iproute2 sends it. */
function putKind(writer: ByteWriter, kind: string): void {
  putBytes(writer, IFLA_INFO.KIND, new Uint8Array([...kind].map((letter) => letter.charCodeAt(0))));
}

/** `info` for the creation of a link that needs no more than its kind: `ipip`, `dummy`. */
export function kindInfo(kind: string): Uint8Array {
  return nest((writer) => putKind(writer, kind));
}

/** `info` for the creation of a macvlan; `mode` is of MACVLAN_MODE. */
export function macvlanInfo(mode: number): Uint8Array {
  return nest((writer) => {
    putKind(writer, 'macvlan');
    putNest(writer, IFLA_INFO.DATA, (inner) => putU32le(inner, IFLA_MACVLAN_MODE, mode));
  });
}

export interface LinkInfo {
  /** `macvlan`, `veth`, `bridge` ... */
  readonly kind: string | undefined;
  /** Of a macvlan. */
  readonly macvlanMode: number | undefined;
}

/** Reads `info`. @throws TRUNCATED, MALFORMED */
export function readLinkInfo(info: Uint8Array): LinkInfo {
  let kind: string | undefined;
  let macvlanMode: number | undefined;
  const reader = AttributeReader.over(info);
  while (reader.next()) {
    if (reader.type === IFLA_INFO.KIND) kind = reader.text();
    else if (reader.type === IFLA_INFO.DATA && kind === 'macvlan')
      macvlanMode = readMacvlanMode(reader.nested());
  }
  return { kind, macvlanMode };
}

function readMacvlanMode(data: AttributeReader): number | undefined {
  while (data.next()) if (data.type === IFLA_MACVLAN_MODE) return data.u32le();
  return undefined;
}

/** `familySpec` that sets IPv4 settings: pairs of an IPV4_DEVCONF number and its value. */
export function inetSettings(settings: readonly (readonly [number, number])[]): Uint8Array {
  return nest((writer) => {
    putNest(writer, AF_INET, (family) => {
      putNest(family, IFLA_INET_CONF, (inner) => {
        for (const [number, value] of settings) putU32le(inner, number, value);
      });
    });
  });
}

/**
 * The IPv4 settings in a `familySpec` of the kernel: setting `number` is at index `number - 1`. The kernel tells them
 * as a packed array, though it wants them as attributes. Empty where there are none.
 * @throws TRUNCATED, MALFORMED
 */
export function readInetSettings(familySpec: Uint8Array): readonly number[] {
  const family = findAttribute(familySpec, AF_INET);
  const packed = family === undefined ? undefined : findAttribute(family, IFLA_INET_CONF);
  return packed === undefined ? [] : readPackedU32(packed);
}

/** `familySpec` that says how the kernel makes link-local addresses; `mode` is of ADDR_GEN_MODE. */
export function addrGenMode(mode: number): Uint8Array {
  return nest((writer) => {
    putNest(writer, AF_INET6, (family) => putU8(family, IFLA_INET6_ADDR_GEN_MODE, mode));
  });
}

/** The mode in a `familySpec` of the kernel; undefined without IPv6. @throws TRUNCATED, MALFORMED */
export function readAddrGenMode(familySpec: Uint8Array): number | undefined {
  const family = findAttribute(familySpec, AF_INET6);
  return family === undefined ? undefined : findAttribute(family, IFLA_INET6_ADDR_GEN_MODE)?.[0];
}
