/** Policy rules (linux/fib_rules.h): RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE. */
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

/** FR_ACT_*: what a rule does. UNSPEC in a request to delete. */
export const FR_ACT = { UNSPEC: 0, TO_TBL: 1, BLACKHOLE: 6, UNREACHABLE: 7, PROHIBIT: 8 } as const;

/** enum FRA_* */
const FRA = {
  DST: 1,
  SRC: 2,
  IIFNAME: 3,
  PRIORITY: 6,
  FWMARK: 10,
  SUPPRESS_IFGROUP: 13,
  SUPPRESS_PREFIXLEN: 14,
  TABLE: 15,
  FWMASK: 16,
  OIFNAME: 17,
  PROTOCOL: 21,
  IP_PROTO: 22,
  SPORT_RANGE: 23,
  DPORT_RANGE: 24,
} as const;

/** struct fib_rule_port_range, host order; both ends count. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** A rule, or what a request wants of one. To delete, the same selectors have to be given. */
export interface Rule {
  /** AF_INET 2, AF_INET6 10; multicast rules have 128 and 129. */
  readonly family: number;
  readonly destinationLength: number;
  readonly sourceLength: number;
  readonly tos: number;
  readonly table: number;
  /** FR_ACT_* */
  readonly action: number;
  /** FIB_RULE_* */
  readonly flags: number;
  readonly destination?: Ip;
  readonly source?: Ip;
  readonly inputName?: string;
  readonly outputName?: string;
  readonly mark?: number;
  readonly markMask?: number;
  /** The table where it does not fit into `table`. */
  readonly tableId?: number;
  /** Rules are tried from the lowest on. */
  readonly priority?: number;
  /** 0xffffffff is none. */
  readonly suppressGroup?: number;
  readonly suppressPrefixLength?: number;
  /** RTPROT_*: who added it. */
  readonly protocol?: number;
  /** IPPROTO_* */
  readonly ipProtocol?: number;
  readonly sourcePorts?: PortRange;
  readonly destinationPorts?: PortRange;
}

const PORT_RANGE: Format<PortRange> = {
  read(attribute) {
    const reader = new ByteReader(attribute.bytes());
    return { first: reader.u16le(), last: reader.u16le() };
  },
  write(writer, type, { first, last }) {
    const inner = new ByteWriter(4);
    inner.u16le(first);
    inner.u16le(last);
    putBytes(writer, type, inner.finish());
  },
};

const field = fieldsOf<Rule>();

/** In the order in which iproute2 sends them. */
const RULE_FIELDS: readonly Field<Rule>[] = [
  field(FRA.DST, 'destination', IP),
  field(FRA.SRC, 'source', IP),
  field(FRA.IIFNAME, 'inputName', TEXT),
  field(FRA.OIFNAME, 'outputName', TEXT),
  field(FRA.FWMARK, 'mark', U32),
  field(FRA.FWMASK, 'markMask', U32),
  field(FRA.TABLE, 'tableId', U32),
  field(FRA.PRIORITY, 'priority', U32),
  field(FRA.SUPPRESS_IFGROUP, 'suppressGroup', U32),
  field(FRA.SUPPRESS_PREFIXLEN, 'suppressPrefixLength', U32),
  field(FRA.PROTOCOL, 'protocol', U8),
  field(FRA.IP_PROTO, 'ipProtocol', U8),
  field(FRA.SPORT_RANGE, 'sourcePorts', PORT_RANGE),
  field(FRA.DPORT_RANGE, 'destinationPorts', PORT_RANGE),
];

/**
 * struct fib_rule_hdr: u8 family, dst_len, src_len, tos, table, res1, res2, action; u32 flags.
 * @throws TRUNCATED, MALFORMED
 */
export function readRule(payload: Uint8Array): Rule {
  const reader = new ByteReader(payload);
  const selector = {
    family: reader.u8(),
    destinationLength: reader.u8(),
    sourceLength: reader.u8(),
    tos: reader.u8(),
    table: reader.u8(),
  };
  reader.skip(2);
  const header = { ...selector, action: reader.u8(), flags: reader.u32le() };
  return readFields(RULE_FIELDS, payload, reader.offset, header);
}

/** The payload of a request. @throws MALFORMED */
export function writeRule(rule: Rule): Uint8Array {
  const writer = new ByteWriter(128);
  writer.u8(rule.family);
  writer.u8(rule.destinationLength);
  writer.u8(rule.sourceLength);
  writer.u8(rule.tos);
  writer.u8(rule.table);
  writer.zeros(2);
  writer.u8(rule.action);
  writer.u32le(rule.flags);
  writeFields(RULE_FIELDS, writer, rule);
  return writer.finish();
}
