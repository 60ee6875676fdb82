/** The fixed header of IPv6 (RFC 8200 3). VRRP and neighbour discovery come without extension headers. */
import { ByteReader, ByteWriter } from '../core/bytes.js';
import { LvsError } from '../core/errors.js';
import { type Ip, ipBytes, ipFromBytes } from '../core/ip.js';

const IPV6_HEADER_LENGTH = 40;

export interface Ipv6Header {
  readonly trafficClass: number;
  readonly flowLabel: number;
  readonly nextHeader: number;
  readonly hopLimit: number;
  readonly source: Ip;
  readonly destination: Ip;
}

export interface Ipv6Packet extends Ipv6Header {
  /** Exactly as long as the header says. A view, not a copy. */
  readonly payload: Uint8Array;
}

/** A packet with this payload. */
export function writeIpv6(header: Ipv6Header, payload: Uint8Array): Uint8Array {
  const writer = new ByteWriter(IPV6_HEADER_LENGTH + payload.length);
  writer.u32be(((6 << 28) | (header.trafficClass << 20) | header.flowLabel) >>> 0);
  writer.u16be(payload.length);
  writer.u8(header.nextHeader);
  writer.u8(header.hopLimit);
  writer.raw(ipBytes(header.source));
  writer.raw(ipBytes(header.destination));
  writer.raw(payload);
  return writer.finish();
}

/** @throws TRUNCATED where bytes are missing, MALFORMED for another version. */
export function readIpv6(bytes: Uint8Array): Ipv6Packet {
  const reader = new ByteReader(bytes);
  const first = reader.u32be();
  if (first >>> 28 !== 6) throw new LvsError('MALFORMED', `not an IPv6 header: version ${first >>> 28}`);
  const length = reader.u16be();
  return {
    trafficClass: (first >>> 20) & 0xff,
    flowLabel: first & 0xfffff,
    nextHeader: reader.u8(),
    hopLimit: reader.u8(),
    source: ipFromBytes(reader.take(16)),
    destination: ipFromBytes(reader.take(16)),
    payload: reader.take(length),
  };
}
