/** Virtual services <-> the attributes of an IPVS_CMD_ATTR_SERVICE nest (linux/ip_vs.h, IPVS_SVC_ATTR_*). */
import { ByteReader, type ByteWriter } from '../core/bytes.js';
import { LvsError } from '../core/errors.js';
import type { Family } from '../core/ip.js';
import {
  type AttributeReader,
  putText,
  putU16be,
  putU16le,
  putU32be,
  putU32le,
  putU32lePair,
} from '../wire/attributes.js';
import { familyNumber, familyOf, putAddress, readAddress, readStats, required } from './codec-common.js';
import { serviceFamily } from './keys.js';
import type { Persistence, Protocol, Service, ServiceKey, ServiceSeen, ServiceSettings } from './model.js';
import { ZERO_STATS } from './observe.js';

/** IPVS_SVC_ATTR_* */
const SVC = {
  AF: 1,
  PROTOCOL: 2,
  ADDR: 3,
  PORT: 4,
  FWMARK: 5,
  SCHED_NAME: 6,
  FLAGS: 7,
  TIMEOUT: 8,
  NETMASK: 9,
  STATS: 10,
  PE_NAME: 11,
  STATS64: 12,
} as const;

/** IP_VS_SVC_F_*. HASHED (2) is the kernel's own mark and says nothing to us. */
const FLAG = { PERSISTENT: 0x1, ONEPACKET: 0x4, SCHED1: 0x8, SCHED2: 0x10, SCHED3: 0x20 } as const;

/** With this mask the flags of a request replace all flags of the service. */
const FLAGS_MASK_ALL = 0xffffffff;

const PROTOCOL_NUMBERS: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17, sctp: 132 };
const PROTOCOLS = new Map<number, Protocol>([
  [PROTOCOL_NUMBERS.tcp, 'tcp'],
  [PROTOCOL_NUMBERS.udp, 'udp'],
  [PROTOCOL_NUMBERS.sctp, 'sctp'],
]);

/** Writes the attributes that say which service is meant. @throws MALFORMED for an impossible port or mark. */
export function putServiceKey(writer: ByteWriter, key: ServiceKey): void {
  putU16le(writer, SVC.AF, familyNumber(serviceFamily(key)));
  if (key.kind === 'fwmark') {
    // The kernel takes mark 0 for an address service of 0.0.0.0:0.
    if (key.mark === 0) throw new LvsError('MALFORMED', 'a firewall mark of 0 marks nothing');
    putU32le(writer, SVC.FWMARK, key.mark);
    return;
  }
  putU16le(writer, SVC.PROTOCOL, PROTOCOL_NUMBERS[key.protocol]);
  putAddress(writer, SVC.ADDR, key.address);
  putU16be(writer, SVC.PORT, key.port);
}

function settingsFlags(settings: ServiceSettings): number {
  const { schedulerFlags, onePacket, persistence } = settings;
  return (
    (persistence === undefined ? 0 : FLAG.PERSISTENT) |
    (onePacket ? FLAG.ONEPACKET : 0) |
    (schedulerFlags.flag1 ? FLAG.SCHED1 : 0) |
    (schedulerFlags.flag2 ? FLAG.SCHED2 : 0) |
    (schedulerFlags.flag3 ? FLAG.SCHED3 : 0)
  );
}

/** A mask in network order for IPv4, a prefix length in host order for IPv6, in the same attribute. */
function putNetmask(writer: ByteWriter, family: Family, prefix: number): void {
  const bits = family === 'ipv4' ? 32 : 128;
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > bits) {
    throw new LvsError('MALFORMED', `an ${family} prefix of ${prefix} bits`);
  }
  if (family === 'ipv6') putU32le(writer, SVC.NETMASK, prefix);
  else putU32be(writer, SVC.NETMASK, prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0);
}

/**
 * Writes everything that NEW_SERVICE and SET_SERVICE want: the kernel refuses a service with a part missing.
 * A service without persistence gets the full mask: IPv6 knows no other neutral value.
 * @throws MALFORMED for values that no attribute can hold.
 */
export function putService(writer: ByteWriter, { key, settings }: Service): void {
  putServiceKey(writer, key);
  putText(writer, SVC.SCHED_NAME, settings.scheduler);
  if (settings.persistenceEngine !== undefined) putText(writer, SVC.PE_NAME, settings.persistenceEngine);
  putU32lePair(writer, SVC.FLAGS, settingsFlags(settings), FLAGS_MASK_ALL);
  putU32le(writer, SVC.TIMEOUT, settings.persistence?.timeoutSeconds ?? 0);
  const family = serviceFamily(key);
  putNetmask(writer, family, settings.persistence?.prefix ?? (family === 'ipv4' ? 32 : 128));
}

/** Attributes as they come; the family, which says how to read some of them, may come last. */
interface Fields {
  family?: Family;
  protocol?: number;
  address?: Uint8Array;
  port?: number;
  mark?: number;
  scheduler?: string;
  engine?: string;
  flags?: number;
  timeout?: number;
  netmask?: Uint8Array;
  stats?: AttributeReader;
  stats64?: AttributeReader;
}

function collect(reader: AttributeReader): Fields {
  const fields: Fields = {};
  while (reader.next()) {
    switch (reader.type) {
      case SVC.AF:
        fields.family = familyOf(reader.u16le());
        break;
      case SVC.PROTOCOL:
        fields.protocol = reader.u16le();
        break;
      case SVC.ADDR:
        fields.address = reader.bytes();
        break;
      case SVC.PORT:
        fields.port = reader.u16be();
        break;
      case SVC.FWMARK:
        fields.mark = reader.u32le();
        break;
      case SVC.SCHED_NAME:
        fields.scheduler = reader.text();
        break;
      case SVC.PE_NAME:
        fields.engine = reader.text();
        break;
      case SVC.FLAGS:
        fields.flags = new ByteReader(reader.bytes()).u32le();
        break;
      case SVC.TIMEOUT:
        fields.timeout = reader.u32le();
        break;
      case SVC.NETMASK:
        fields.netmask = reader.bytes();
        break;
      case SVC.STATS:
        fields.stats = reader.nested();
        break;
      case SVC.STATS64:
        fields.stats64 = reader.nested();
        break;
    }
  }
  return fields;
}

function keyOf(fields: Fields): ServiceKey | undefined {
  const family = required(fields.family, 'SVC_ATTR_AF');
  if (fields.mark !== undefined) return { kind: 'fwmark', family, mark: fields.mark };
  const protocol = PROTOCOLS.get(required(fields.protocol, 'SVC_ATTR_PROTOCOL'));
  const address = readAddress(required(fields.address, 'SVC_ATTR_ADDR'), family);
  const port = required(fields.port, 'SVC_ATTR_PORT');
  return protocol === undefined ? undefined : { kind: 'address', protocol, address, port };
}

/** Bits of a netmask; 0 for an IPv4 mask with holes, which the kernel takes and no configuration of ours asks for. */
function prefixOf(netmask: Uint8Array, family: Family): number {
  const reader = new ByteReader(netmask);
  if (family === 'ipv6') return reader.u32le();
  const mask = reader.u32be();
  const bits = Math.clz32(~mask);
  return mask === (bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0) ? bits : 0;
}

function persistenceOf(fields: Fields, flags: number, family: Family): Persistence | undefined {
  // A time-out without the flag does not make a service persistent.
  if ((flags & FLAG.PERSISTENT) === 0) return undefined;
  return {
    timeoutSeconds: required(fields.timeout, 'SVC_ATTR_TIMEOUT'),
    prefix: prefixOf(required(fields.netmask, 'SVC_ATTR_NETMASK'), family),
  };
}

/** Which service a nest means. @throws TRUNCATED, MALFORMED, also for a protocol other than tcp, udp, sctp. */
export function readServiceKey(reader: AttributeReader): ServiceKey {
  const key = keyOf(collect(reader));
  if (key === undefined)
    throw new LvsError('MALFORMED', 'a service of a protocol that IPVS does not balance');
  return key;
}

/**
 * Reads a SERVICE nest of the kernel. Undefined for a service whose protocol is none of tcp, udp, sctp: the kernel
 * takes any number from anybody, and forwards nothing for it. @throws TRUNCATED, MALFORMED
 */
export function readService(reader: AttributeReader): ServiceSeen | undefined {
  const fields = collect(reader);
  const key = keyOf(fields);
  if (key === undefined) return undefined;
  const flags = required(fields.flags, 'SVC_ATTR_FLAGS');
  const stats = fields.stats64 ?? fields.stats;
  return {
    key,
    settings: {
      scheduler: required(fields.scheduler, 'SVC_ATTR_SCHED_NAME'),
      schedulerFlags: {
        flag1: (flags & FLAG.SCHED1) !== 0,
        flag2: (flags & FLAG.SCHED2) !== 0,
        flag3: (flags & FLAG.SCHED3) !== 0,
      },
      onePacket: (flags & FLAG.ONEPACKET) !== 0,
      persistence: persistenceOf(fields, flags, serviceFamily(key)),
      persistenceEngine: fields.engine,
    },
    stats: stats === undefined ? ZERO_STATS : readStats(stats),
  };
}
