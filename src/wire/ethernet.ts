/** Ethernet II frames: the 14 bytes before a payload. */
import type { ByteReader, ByteWriter } from '../core/bytes.js';
import { MAC_LENGTH, type Mac, mac, macBytes, macFromBytes } from '../core/mac.js';

/** linux/if_ether.h */
export const ETH_P = { IP: 0x0800, ARP: 0x0806, IPV6: 0x86dd } as const;

export const BROADCAST: Mac = mac('ff:ff:ff:ff:ff:ff');
export const NO_MAC: Mac = mac('00:00:00:00:00:00');

export interface EthernetHeader {
  readonly destination: Mac;
  readonly source: Mac;
  readonly type: number;
}

export function writeMac(writer: ByteWriter, address: Mac): void {
  writer.raw(macBytes(address));
}

/** @throws TRUNCATED */
export function readMac(reader: ByteReader): Mac {
  return macFromBytes(reader.take(MAC_LENGTH));
}

export function writeEthernet(writer: ByteWriter, header: EthernetHeader): void {
  writeMac(writer, header.destination);
  writeMac(writer, header.source);
  writer.u16be(header.type);
}

/** @throws TRUNCATED */
export function readEthernet(reader: ByteReader): EthernetHeader {
  return { destination: readMac(reader), source: readMac(reader), type: reader.u16be() };
}
