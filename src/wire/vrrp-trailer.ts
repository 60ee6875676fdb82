/**
 * The authenticated trailer of keepalived 2.4.2 and later (`auth_hmac`), 28 bytes behind a VRRP message:
 * type 1, key id 1, reserved 2, seconds 4, fraction 2, counter 2, MAC 16, all in network order.
 * The MAC itself is made by the caller: the pure floors have no cryptography.
 */
import { ByteReader, ByteWriter } from '../core/bytes.js';
import { ipBytes, ipFamily } from '../core/ip.js';
import type { Envelope, Trailer } from '../vrrp/packet.js';
import { addPseudoHeader, addWords, finishChecksum } from './checksum.js';
import { IPPROTO } from './ip-protocols.js';

export const TRAILER_LENGTH = 28;

/** HMAC-SHA-256 cut to 128 bits: the only type. */
const TRAILER_HMAC_SHA256 = 1;

const MAC_LENGTH = 16;
const PSEUDO_LENGTH = 20;
const CHECKSUM_OFFSET = 6;

/** HMAC-SHA-256 with the key of this id: 32 bytes; undefined where there is no such key. */
export type Hmac = (keyId: number, data: Uint8Array) => Uint8Array | undefined;

/** @throws TRUNCATED */
export function readTrailer(bytes: Uint8Array): Trailer {
  const reader = new ByteReader(bytes);
  const [type, keyId, reserved] = [reader.u8(), reader.u8(), reader.u16be()];
  const sequence = (BigInt(reader.u32be()) << 32n) | BigInt(reader.u32be());
  return { type, keyId, reserved, sequence, mac: reader.take(MAC_LENGTH).slice() };
}

function writeHead(writer: ByteWriter, { type, keyId, reserved, sequence }: Omit<Trailer, 'mac'>): void {
  writer.u8(type);
  writer.u8(keyId);
  writer.u16be(reserved);
  writer.u32be(Number(sequence >> 32n));
  writer.u32be(Number(sequence & 0xffffffffn));
}

/**
 * What is signed: family, version, virtual router id and source address in 20 bytes; the message and the head of
 * the trailer with the checksum as 0; 16 zeros in place of the MAC. The destination is left out, so that one
 * signature serves every peer.
 */
function signedData(body: Uint8Array, envelope: Envelope): Uint8Array {
  const writer = new ByteWriter(PSEUDO_LENGTH + body.length + MAC_LENGTH);
  writer.u8(ipFamily(envelope.source) === 'ipv6' ? 6 : 4);
  writer.u8((body[0] ?? 0) >> 4);
  writer.u8(body[1] ?? 0);
  writer.zeros(1);
  const source = ipBytes(envelope.source);
  writer.raw(source);
  writer.zeros(16 - source.length);
  writer.raw(body);
  writer.patchU16be(PSEUDO_LENGTH + CHECKSUM_OFFSET, 0);
  writer.zeros(MAC_LENGTH);
  return writer.finish();
}

/**
 * A message of `writeVrrp` with its trailer. Over IPv6 the checksum covers the trailer too and is made anew.
 * Where the key is missing the MAC is zeros, which every receiver refuses.
 */
export function signVrrp(
  message: Uint8Array,
  envelope: Envelope,
  key: { readonly keyId: number; readonly sequence: bigint },
  hmac: Hmac,
): Uint8Array {
  const writer = new ByteWriter(message.length + TRAILER_LENGTH);
  writer.raw(message);
  writeHead(writer, { type: TRAILER_HMAC_SHA256, reserved: 0, ...key });
  const made = hmac(key.keyId, signedData(writer.finish(), envelope));
  writer.raw(made?.subarray(0, MAC_LENGTH) ?? new Uint8Array(MAC_LENGTH));
  if (ipFamily(envelope.source) === 'ipv6') {
    writer.patchU16be(CHECKSUM_OFFSET, 0);
    const { source, destination } = envelope;
    const pseudo = addPseudoHeader(0, source, destination, IPPROTO.VRRP, writer.length);
    writer.patchU16be(CHECKSUM_OFFSET, finishChecksum(addWords(pseudo, writer.finish())));
  }
  return writer.finish();
}

/**
 * Whether the trailer of a payload is signed with the key that it names. `unknown-key` where we have none such.
 * Takes the same time whichever byte differs.
 */
export function checkTrailer(
  payload: Uint8Array,
  envelope: Envelope,
  hmac: Hmac,
): 'good' | 'wrong' | 'unknown-key' {
  const { keyId, mac } = readTrailer(payload.subarray(payload.length - TRAILER_LENGTH));
  const made = hmac(keyId, signedData(payload.subarray(0, payload.length - MAC_LENGTH), envelope));
  if (made === undefined) return 'unknown-key';
  return mac.reduce((difference, byte, index) => difference | (byte ^ (made[index] ?? 0)), 0) === 0
    ? 'good'
    : 'wrong';
}
