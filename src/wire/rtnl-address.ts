/** Addresses (linux/if_addr.h): RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR. */
import { ByteReader, ByteWriter } from '../core/bytes.js';
import type { Ip } from '../core/ip.js';
import { putBytes } from './attributes.js';
import {
  type Field,
  type Format,
  fieldsOf,
  IP,
  readFields,
  TEXT,
  U8,
  U32,
  writeFields,
} from './rtnl-fields.js';

/** IFA_F_* */
export const IFA_F = {
  SECONDARY: 0x1,
  NODAD: 0x2,
  DADFAILED: 0x8,
  DEPRECATED: 0x20,
  TENTATIVE: 0x40,
  PERMANENT: 0x80,
  NOPREFIXROUTE: 0x200,
} as const;

/** INFINITY_LIFE_TIME: an address that stays. */
export const LIFETIME_FOREVER = 0xffffffff;

/** enum IFA_* */
const IFA = {
  ADDRESS: 1,
  LOCAL: 2,
  LABEL: 3,
  BROADCAST: 4,
  CACHEINFO: 6,
  FLAGS: 8,
  RT_PRIORITY: 9,
  PROTO: 11,
} as const;

/** struct ifa_cacheinfo. An address is deprecated, never a source, once `preferredSeconds` is 0. */
export interface Lifetimes {
  readonly preferredSeconds: number;
  readonly validSeconds: number;
  /** Hundredths of a second after boot. */
  readonly created: number;
  readonly updated: number;
}

/** An address of a link, or what a request wants of one. */
export interface Address {
  /** AF_INET 2, AF_INET6 10; 0 in a request for both. */
  readonly family: number;
  readonly prefixLength: number;
  /** The low eight bits of IFA_F_*: `allFlags` has them all. */
  readonly flags: number;
  /** RT_SCOPE_*. In one subnet of one link all addresses must have the same. */
  readonly scope: number;
  /** Of the link. */
  readonly index: number;
  /** The address itself. IPv6 addresses of the kernel have it in `address` alone. */
  readonly local?: Ip;
  readonly broadcast?: Ip;
  readonly label?: string;
  /** The peer on a point-to-point link, else the address itself. */
  readonly address?: Ip;
  readonly lifetimes?: Lifetimes;
  /** IFA_F_* */
  readonly allFlags?: number;
  /** Metric of the route to its prefix. */
  readonly routePriority?: number;
  /** Who added it (IFAPROT_*); kernels before 5.18 forget it. */
  readonly protocol?: number;
}

const LIFETIMES: Format<Lifetimes> = {
  read(attribute) {
    const fields = new ByteReader(attribute.bytes());
    return {
      preferredSeconds: fields.u32le(),
      validSeconds: fields.u32le(),
      created: fields.u32le(),
      updated: fields.u32le(),
    };
  },
  write(writer, type, value) {
    const inner = new ByteWriter(16);
    inner.u32le(value.preferredSeconds);
    inner.u32le(value.validSeconds);
    inner.u32le(value.created);
    inner.u32le(value.updated);
    putBytes(writer, type, inner.finish());
  },
};

const field = fieldsOf<Address>();

/** In the order in which iproute2 sends them. */
export const ADDRESS_FIELDS: readonly Field<Address>[] = [
  field(IFA.LOCAL, 'local', IP),
  field(IFA.BROADCAST, 'broadcast', IP),
  field(IFA.LABEL, 'label', TEXT),
  field(IFA.ADDRESS, 'address', IP),
  field(IFA.CACHEINFO, 'lifetimes', LIFETIMES),
  field(IFA.FLAGS, 'allFlags', U32),
  field(IFA.RT_PRIORITY, 'routePriority', U32),
  field(IFA.PROTO, 'protocol', U8),
];

/** struct ifaddrmsg: u8 family, u8 prefixlen, u8 flags, u8 scope, u32 index. @throws TRUNCATED, MALFORMED */
export function readAddress(payload: Uint8Array): Address {
  const reader = new ByteReader(payload);
  const header = {
    family: reader.u8(),
    prefixLength: reader.u8(),
    flags: reader.u8(),
    scope: reader.u8(),
    index: reader.u32le(),
  };
  return readFields(ADDRESS_FIELDS, payload, reader.offset, header);
}

/** The payload of a request. @throws MALFORMED */
export function writeAddress(address: Address): Uint8Array {
  const writer = new ByteWriter(128);
  writer.u8(address.family);
  writer.u8(address.prefixLength);
  writer.u8(address.flags);
  writer.u8(address.scope);
  writer.u32le(address.index);
  writeFields(ADDRESS_FIELDS, writer, address);
  return writer.finish();
}
