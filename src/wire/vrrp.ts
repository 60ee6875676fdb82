/** VRRP messages (RFC 3768 5, RFC 5798 5, RFC 9568 5): bytes <-> values. Nothing is judged here. */
import { ByteReader, ByteWriter } from '../core/bytes.js';
import { LvsError } from '../core/errors.js';
import { type Family, type Ip, ip, ipBytes, ipFamily, ipFromBytes } from '../core/ip.js';
import { type Mac, macFromBytes } from '../core/mac.js';
import type { ChecksumForm, Envelope, MessageV2, Received, Rest, VrrpMessage } from '../vrrp/packet.js';
import { addPseudoHeader, addWords, finishChecksum } from './checksum.js';
import { IPPROTO } from './ip-protocols.js';
import { readTrailer, TRAILER_LENGTH } from './vrrp-trailer.js';

/** TTL and hop limit of every message (RFC 5798 5.1.1.3, 5.1.2.3). */
export const VRRP_HOPS = 255;

/** TOS and traffic class as keepalived sends them: CS6, network control. */
export const VRRP_TOS = 0xc0;

/** Where multicast adverts go (RFC 5798 5.1.1.2, 5.1.2.2), and the frames that carry them. */
export const VRRP_GROUP: Readonly<Record<Family, Ip>> = { ipv4: ip('224.0.0.18'), ipv6: ip('ff02::12') };

/** Bytes of authentication data that version 2 always carries. */
const AUTH_LENGTH = 8;

const HEADER_LENGTH = 8;
const CHECKSUM_OFFSET = 6;
const ETHERNET_PAYLOAD_MIN = 46;
const IPV4_HEADER_LENGTH = 20;

/** The MAC of a virtual router, RFC 5798 7.3. */
export function virtualMac(family: Family, vrid: number): Mac {
  return macFromBytes(Uint8Array.of(0, 0, 0x5e, 0, family === 'ipv4' ? 1 : 2, vrid));
}

/** A password as authentication data: cut to 8 bytes of UTF-8, zeros behind it (RFC 3768 5.3.6). */
export function passwordData(password: string): Uint8Array {
  const data = new Uint8Array(AUTH_LENGTH);
  const bytes = encodeUtf8(password);
  data.set(bytes.subarray(0, AUTH_LENGTH));
  return data;
}

/** The pure floors have no TextEncoder. */
function encodeUtf8(text: string): Uint8Array {
  const escaped = encodeURIComponent(text);
  const bytes: number[] = [];
  for (let at = 0; at < escaped.length; at += 1) {
    if (escaped[at] === '%') {
      bytes.push(Number.parseInt(escaped.slice(at + 1, at + 3), 16));
      at += 2;
    } else bytes.push(escaped.charCodeAt(at));
  }
  return Uint8Array.from(bytes);
}

/** The virtual router id of a payload, to find its instance; undefined where even that is missing. */
export function peekVrid(payload: Uint8Array): number | undefined {
  return payload[1];
}

/** Whether the checksum of a message of this version and family covers a pseudo-header too; undefined: either way. */
function fixedForm(version: number, family: Family): ChecksumForm | undefined {
  if (version === 2) return 'message';
  return family === 'ipv6' ? 'pseudo-header' : undefined;
}

function checksumOf(payload: Uint8Array, length: number, form: ChecksumForm, envelope: Envelope): number {
  const start =
    form === 'message' ? 0 : addPseudoHeader(0, envelope.source, envelope.destination, IPPROTO.VRRP, length);
  return finishChecksum(addWords(start, payload, 0, length));
}

/**
 * The form in which the checksum is right. The kernel sums the whole payload of IPv6, trailer included
 * (socket option IPV6_CHECKSUM); IPv4 is summed up to the end of the message.
 */
function checkForm(payload: Uint8Array, length: number, envelope: Envelope): ChecksumForm | 'wrong' {
  const family = ipFamily(envelope.source);
  const fixed = fixedForm((payload[0] ?? 0) >> 4, family);
  const covered = family === 'ipv6' ? payload.length : length;
  const forms = fixed === undefined ? (['pseudo-header', 'message'] as const) : ([fixed] as const);
  return forms.find((form) => checksumOf(payload, covered, form, envelope) === 0) ?? 'wrong';
}

function readRest(payload: Uint8Array, length: number, family: Family): Rest {
  const rest = payload.subarray(length);
  if (rest.length === 0) return { kind: 'none' };
  if (rest.length === TRAILER_LENGTH) return { kind: 'trailer', trailer: readTrailer(rest) };
  const padded = family === 'ipv4' && IPV4_HEADER_LENGTH + payload.length === ETHERNET_PAYLOAD_MIN;
  return padded && rest.every((byte) => byte === 0)
    ? { kind: 'padding' }
    : { kind: 'other', length: rest.length };
}

function readAddresses(reader: ByteReader, count: number, size: number): Ip[] {
  const addresses: Ip[] = [];
  for (let index = 0; index < count; index += 1) addresses.push(ipFromBytes(reader.take(size)));
  return addresses;
}

function readMessage(payload: Uint8Array, version: 2 | 3, addressSize: number): VrrpMessage {
  const reader = new ByteReader(payload);
  const type = reader.u8() & 0xf;
  const [vrid, priority, count] = [reader.u8(), reader.u8(), reader.u8()];
  const word = reader.u16be();
  reader.skip(2);
  const addresses = readAddresses(reader, count, addressSize);
  const fields = { type, vrid, priority, addresses };
  if (version === 3) return { version, ...fields, reserved: word >> 12, intervalCentis: word & 0xfff };
  const authData = reader.take(AUTH_LENGTH).slice();
  return { version, ...fields, authType: word >> 8, intervalSeconds: word & 0xff, authData };
}

/**
 * Reads the payload of an IP packet of protocol 112. Never throws: whatever the bytes are, the result says what
 * they make. The envelope says how long addresses are and goes into the checksum.
 */
export function readVrrp(payload: Uint8Array, envelope: Envelope): Received {
  const have = payload.length;
  const version = (payload[0] ?? 0) >> 4;
  if (have > 0 && version !== 2 && version !== 3) return { kind: 'unknown-version', version };
  if (have < HEADER_LENGTH) return { kind: 'incomplete', need: HEADER_LENGTH, have };
  const family = ipFamily(envelope.source);
  const addressSize = version === 3 && family === 'ipv6' ? 16 : 4;
  const need = HEADER_LENGTH + (payload[3] ?? 0) * addressSize + (version === 2 ? AUTH_LENGTH : 0);
  if (have < need) return { kind: 'incomplete', need, have };
  return {
    kind: 'message',
    message: readMessage(payload, version === 2 ? 2 : 3, addressSize),
    checksum: checkForm(payload, need, envelope),
    rest: readRest(payload, need, family),
  };
}

function writeV2Word(writer: ByteWriter, { authType, intervalSeconds, authData }: MessageV2): void {
  if (authData.length !== AUTH_LENGTH) {
    throw new LvsError('MALFORMED', `authentication data has ${AUTH_LENGTH} bytes, not ${authData.length}`);
  }
  writer.u8(authType);
  writer.u8(intervalSeconds);
}

/**
 * The payload of an IP packet of protocol 112, checksum included. `form` matters for version 3 of IPv4 alone.
 * @throws MALFORMED for a value that does not fit its field, or addresses of another family than the envelope's.
 */
export function writeVrrp(message: VrrpMessage, envelope: Envelope, form: ChecksumForm): Uint8Array {
  const writer = new ByteWriter(HEADER_LENGTH + message.addresses.length * 16 + AUTH_LENGTH + TRAILER_LENGTH);
  const family = message.version === 2 ? 'ipv4' : ipFamily(envelope.source);
  writer.u8((message.version << 4) | message.type);
  writer.u8(message.vrid);
  writer.u8(message.priority);
  writer.u8(message.addresses.length);
  if (message.version === 2) writeV2Word(writer, message);
  else writer.u16be((message.reserved << 12) | checkCentis(message.intervalCentis));
  writer.zeros(2);
  for (const address of message.addresses) {
    if (ipFamily(address) !== family)
      throw new LvsError('MALFORMED', `${address} is not an address of ${family}`);
    writer.raw(ipBytes(address));
  }
  if (message.version === 2) writer.raw(message.authData);
  const used = fixedForm(message.version, family) ?? form;
  writer.patchU16be(CHECKSUM_OFFSET, checksumOf(writer.finish(), writer.length, used, envelope));
  return writer.finish();
}

function checkCentis(interval: number): number {
  if (!Number.isInteger(interval) || interval < 0 || interval > 0xfff)
    throw new LvsError('MALFORMED', `${interval} is not an interval of 0 to 4095 hundredths of a second`);
  return interval;
}
