/** Neighbour advertisements (RFC 4861 4.4), how a virtual IP of IPv6 is announced, and the question who has it. */
import { ByteReader, ByteWriter } from '../core/bytes.js';
import { LvsError } from '../core/errors.js';
import { type Ip, ip, ipBytes, ipFromBytes } from '../core/ip.js';
import { MAC_LENGTH, type Mac, mac, macFromBytes } from '../core/mac.js';
import { addPseudoHeader, addWords, finishChecksum } from './checksum.js';
import { ETH_P, type EthernetHeader, readEthernet, readMac, writeEthernet, writeMac } from './ethernet.js';
import { IPPROTO } from './ip-protocols.js';
import { type Ipv6Header, readIpv6, writeIpv6 } from './ipv6.js';

const NEIGHBOR_SOLICITATION = 135;
const NEIGHBOR_ADVERTISEMENT = 136;
const TARGET_LINK_LAYER_ADDRESS = 2;
const OPTION_UNIT = 8;
const CHECKSUM_OFFSET = 2;
const HOPS = 255;

/** All nodes of the link, and the frames that reach them (RFC 2464 7). */
const ALL_NODES = ip('ff02::1');
const ALL_NODES_MAC = mac('33:33:00:00:00:01');

const FLAG_ROUTER = 0x80000000;
const FLAG_SOLICITED = 0x40000000;
const FLAG_OVERRIDE = 0x20000000;

/** The message without what carries it. */
interface Advertised {
  readonly router: boolean;
  readonly solicited: boolean;
  readonly override: boolean;
  readonly target: Ip;
  /** Where the target is; undefined where the option is missing. */
  readonly targetMac: Mac | undefined;
}

export interface NeighborAdvertisement extends Advertised {
  readonly ethernet: EthernetHeader;
  readonly ip: Ipv6Header;
}

function writeMessage(na: NeighborAdvertisement): Uint8Array {
  const writer = new ByteWriter(32);
  writer.u8(NEIGHBOR_ADVERTISEMENT);
  writer.u8(0);
  writer.zeros(2);
  const flags =
    (na.router ? FLAG_ROUTER : 0) + (na.solicited ? FLAG_SOLICITED : 0) + (na.override ? FLAG_OVERRIDE : 0);
  writer.u32be(flags);
  writer.raw(ipBytes(na.target));
  if (na.targetMac !== undefined) {
    writer.u8(TARGET_LINK_LAYER_ADDRESS);
    writer.u8(1);
    writeMac(writer, na.targetMac);
  }
  const message = writer.finish();
  const { source, destination } = na.ip;
  const pseudo = addPseudoHeader(0, source, destination, IPPROTO.ICMPV6, message.length);
  writer.patchU16be(CHECKSUM_OFFSET, finishChecksum(addWords(pseudo, message)));
  return writer.finish();
}

/** The frame; the checksum is filled in. */
export function writeNeighborAdvertisement(na: NeighborAdvertisement): Uint8Array {
  const writer = new ByteWriter(86);
  writeEthernet(writer, na.ethernet);
  writer.raw(writeIpv6(na.ip, writeMessage(na)));
  return writer.finish();
}

function readTargetMac(reader: ByteReader): Mac | undefined {
  let found: Mac | undefined;
  while (reader.left >= 2) {
    const [type, units] = [reader.u8(), reader.u8()];
    if (units === 0)
      throw new LvsError('MALFORMED', 'a neighbour discovery option of length 0 (RFC 4861 4.6)');
    const value = new ByteReader(reader.take(units * OPTION_UNIT - 2));
    if (type === TARGET_LINK_LAYER_ADDRESS && value.left === MAC_LENGTH) found ??= readMac(value);
  }
  return found;
}

/** @throws TRUNCATED, MALFORMED where it is anything else, or its checksum or hop limit is wrong (RFC 4861 7.1.2). */
export function readNeighborAdvertisement(frame: Uint8Array): NeighborAdvertisement {
  const outer = new ByteReader(frame);
  const ethernet = readEthernet(outer);
  const { payload, ...header } = readIpv6(outer.take(outer.left));
  const reader = new ByteReader(payload);
  const [type, code] = [reader.u8(), reader.u8()];
  const expected = ethernet.type === ETH_P.IPV6 && header.nextHeader === IPPROTO.ICMPV6;
  const sum = addPseudoHeader(0, header.source, header.destination, IPPROTO.ICMPV6, payload.length);
  const sound = header.hopLimit === HOPS && finishChecksum(addWords(sum, payload)) === 0;
  if (!expected || !sound || type !== NEIGHBOR_ADVERTISEMENT || code !== 0) {
    throw new LvsError('MALFORMED', `not a sound neighbour advertisement: type ${type}, code ${code}`);
  }
  return { ethernet, ip: header, ...readAdvertised(payload) };
}

/**
 * What an ICMPv6 message of type 136 says; whether it is sound is not looked at: the kernel did.
 * @throws TRUNCATED, MALFORMED
 */
export function readAdvertised(message: Uint8Array): Advertised {
  const reader = new ByteReader(message);
  reader.skip(4);
  const flags = reader.u32be();
  return {
    router: (flags & FLAG_ROUTER) !== 0,
    solicited: (flags & FLAG_SOLICITED) !== 0,
    override: (flags & FLAG_OVERRIDE) !== 0,
    target: ipFromBytes(reader.take(16)),
    targetMac: readTargetMac(reader),
  };
}

/**
 * "This address is at this MAC now": S clear, O set, from the address itself to all nodes (RFC 5798 6.4.1).
 * `router` is whether this host forwards IPv6: hosts drop a default router whose R flag goes away.
 */
export function unsolicitedAdvertisement(virtualIp: Ip, owner: Mac, router: boolean): Uint8Array {
  return writeNeighborAdvertisement({
    ethernet: { destination: ALL_NODES_MAC, source: owner, type: ETH_P.IPV6 },
    ip: {
      trafficClass: 0,
      flowLabel: 0,
      nextHeader: IPPROTO.ICMPV6,
      hopLimit: HOPS,
      source: virtualIp,
      destination: ALL_NODES,
    },
    router,
    solicited: false,
    override: true,
    target: virtualIp,
    targetMac: owner,
  });
}

/** The group that hears questions for an address, and its frames (RFC 4291 2.7.1, RFC 2464 7). */
function solicitedNode(address: Ip): { readonly group: Ip; readonly frames: Mac } {
  const last = ipBytes(address).subarray(13);
  const group = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, ...last);
  return { group: ipFromBytes(group), frames: macFromBytes(Uint8Array.of(0x33, 0x33, 0xff, ...last)) };
}

/**
 * "Does anybody have this address?" without claiming it: from the unspecified address (RFC 4862 5.4.2). Whoever has it
 * answers to all nodes.
 */
export function neighborProbe(address: Ip, asker: Mac): Uint8Array {
  const { group, frames } = solicitedNode(address);
  const writer = new ByteWriter(24);
  writer.u8(NEIGHBOR_SOLICITATION);
  writer.zeros(7);
  writer.raw(ipBytes(address));
  const message = writer.finish();
  const source = ip('::');
  const pseudo = addPseudoHeader(0, source, group, IPPROTO.ICMPV6, message.length);
  writer.patchU16be(CHECKSUM_OFFSET, finishChecksum(addWords(pseudo, message)));
  const header = { trafficClass: 0, flowLabel: 0, nextHeader: IPPROTO.ICMPV6, hopLimit: HOPS };
  const frame = new ByteWriter(78);
  writeEthernet(frame, { destination: frames, source: asker, type: ETH_P.IPV6 });
  frame.raw(writeIpv6({ ...header, source, destination: group }, writer.finish()));
  return frame.finish();
}
