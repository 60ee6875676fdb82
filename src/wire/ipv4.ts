/** The header of IPv4 (RFC 791), without options on sending. */
import { ByteReader, ByteWriter } from '../core/bytes.js';
import { LvsError } from '../core/errors.js';
import { type Ip, ipBytes, ipFromBytes } from '../core/ip.js';
import { addWords, checksum, finishChecksum } from './checksum.js';

const IPV4_HEADER_LENGTH = 20;
const CHECKSUM_OFFSET = 10;

export interface Ipv4Header {
  /** Type of service: DSCP and ECN. */
  readonly tos: number;
  readonly id: number;
  /** Flags (3 bits) and fragment offset. */
  readonly fragment: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly source: Ip;
  readonly destination: Ip;
}

export interface Ipv4Packet extends Ipv4Header {
  readonly checksumOk: boolean;
  /** Exactly as long as the header says: padding of the link is left out. A view, not a copy. */
  readonly payload: Uint8Array;
}

/** A packet with this payload; length and checksum are filled in. */
export function writeIpv4(header: Ipv4Header, payload: Uint8Array): Uint8Array {
  const writer = new ByteWriter(IPV4_HEADER_LENGTH + payload.length);
  writer.u8(0x45);
  writer.u8(header.tos);
  writer.u16be(IPV4_HEADER_LENGTH + payload.length);
  writer.u16be(header.id);
  writer.u16be(header.fragment);
  writer.u8(header.ttl);
  writer.u8(header.protocol);
  writer.zeros(2);
  writer.raw(ipBytes(header.source));
  writer.raw(ipBytes(header.destination));
  writer.patchU16be(CHECKSUM_OFFSET, checksum(writer.finish()));
  writer.raw(payload);
  return writer.finish();
}

/** @throws TRUNCATED where bytes are missing, MALFORMED for another version or impossible lengths. */
export function readIpv4(bytes: Uint8Array): Ipv4Packet {
  const reader = new ByteReader(bytes);
  const first = reader.u8();
  const headerLength = (first & 0xf) * 4;
  const tos = reader.u8();
  const totalLength = reader.u16be();
  const impossible = headerLength < IPV4_HEADER_LENGTH || totalLength < headerLength;
  if (first >> 4 !== 4 || impossible) {
    throw new LvsError('MALFORMED', `not an IPv4 header: ${first}, total length ${totalLength}`);
  }
  const [id, fragment, ttl, protocol] = [reader.u16be(), reader.u16be(), reader.u8(), reader.u8()];
  reader.skip(2);
  const source = ipFromBytes(reader.take(4));
  const destination = ipFromBytes(reader.take(4));
  reader.skip(headerLength - IPV4_HEADER_LENGTH);
  const checksumOk = finishChecksum(addWords(0, bytes, 0, headerLength)) === 0;
  const payload = reader.take(totalLength - headerLength);
  return { tos, id, fragment, ttl, protocol, source, destination, checksumOk, payload };
}
