/** ARP for IPv4 on Ethernet (RFC 826), the announcement of a virtual IP and the question whether it is taken. */
import { ByteReader, ByteWriter } from '../core/bytes.js';
import { LvsError } from '../core/errors.js';
import { type Ip, ip, ipBytes, ipFromBytes } from '../core/ip.js';
import { MAC_LENGTH, type Mac } from '../core/mac.js';
import {
  BROADCAST,
  ETH_P,
  type EthernetHeader,
  NO_MAC,
  readEthernet,
  readMac,
  writeEthernet,
  writeMac,
} from './ethernet.js';

const HARDWARE_ETHERNET = 1;
const IPV4_LENGTH = 4;

export const ARP_OP = { REQUEST: 1, REPLY: 2 } as const;

export interface Arp {
  readonly ethernet: EthernetHeader;
  readonly operation: number;
  readonly senderMac: Mac;
  readonly senderIp: Ip;
  readonly targetMac: Mac;
  readonly targetIp: Ip;
}

/** The frame, 42 bytes; the driver pads it. */
export function writeArp(arp: Arp): Uint8Array {
  const writer = new ByteWriter(42);
  writeEthernet(writer, arp.ethernet);
  writer.u16be(HARDWARE_ETHERNET);
  writer.u16be(ETH_P.IP);
  writer.u8(MAC_LENGTH);
  writer.u8(IPV4_LENGTH);
  writer.u16be(arp.operation);
  writeMac(writer, arp.senderMac);
  writer.raw(ipBytes(arp.senderIp));
  writeMac(writer, arp.targetMac);
  writer.raw(ipBytes(arp.targetIp));
  return writer.finish();
}

/** @throws TRUNCATED, MALFORMED for ARP of another kind than IPv4 on Ethernet. */
export function readArp(frame: Uint8Array): Arp {
  const reader = new ByteReader(frame);
  const ethernet = readEthernet(reader);
  const kinds = [reader.u16be(), reader.u16be(), reader.u8(), reader.u8()].join();
  if (
    ethernet.type !== ETH_P.ARP ||
    kinds !== `${HARDWARE_ETHERNET},${ETH_P.IP},${MAC_LENGTH},${IPV4_LENGTH}`
  ) {
    throw new LvsError('MALFORMED', `not ARP for IPv4 on Ethernet: type ${ethernet.type}, ${kinds}`);
  }
  return {
    ethernet,
    operation: reader.u16be(),
    senderMac: readMac(reader),
    senderIp: ipFromBytes(reader.take(IPV4_LENGTH)),
    targetMac: readMac(reader),
    targetIp: ipFromBytes(reader.take(IPV4_LENGTH)),
  };
}

function broadcastFrom(source: Mac): EthernetHeader {
  return { destination: BROADCAST, source, type: ETH_P.ARP };
}

/**
 * "This address is at this MAC now", in the form that keepalived and FRR send: a request with sender and target
 * the virtual IP, and the broadcast address as target MAC.
 */
export function gratuitousArp(virtualIp: Ip, owner: Mac): Uint8Array {
  return writeArp({
    ethernet: broadcastFrom(owner),
    operation: ARP_OP.REQUEST,
    senderMac: owner,
    senderIp: virtualIp,
    targetMac: BROADCAST,
    targetIp: virtualIp,
  });
}

/** "Does anybody have this address?" without claiming it: sender 0.0.0.0 (RFC 5227 1.1). */
export function arpProbe(address: Ip, asker: Mac): Uint8Array {
  return writeArp({
    ethernet: broadcastFrom(asker),
    operation: ARP_OP.REQUEST,
    senderMac: asker,
    senderIp: ip('0.0.0.0'),
    targetMac: NO_MAC,
    targetIp: address,
  });
}
