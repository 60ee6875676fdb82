/**
 * RADIUS as a client speaks it: Access-Request with a hidden password (RFC 2865) and Status-Server (RFC 5997), both
 * with a Message-Authenticator (RFC 3579 3.2), and what comes back, with both of its signatures looked at.
 */
import { ByteReader, ByteWriter } from '../core/bytes.js';
import { LvsError } from '../core/errors.js';

/** The hashes that RADIUS signs with; pure code has none. Each gives 16 bytes. */
export interface RadiusHashes {
  md5(...parts: readonly Uint8Array[]): Uint8Array;
  hmacMd5(key: Uint8Array, bytes: Uint8Array): Uint8Array;
}

/** RFC 2865 3: one datagram, and its least. */
const PACKET_MAX = 4096;
const HEADER_LENGTH = 20;
const AUTHENTICATOR_AT = 4;

const [ACCESS_REQUEST, STATUS_SERVER] = [1, 12];
const [USER_NAME, USER_PASSWORD, REPLY_MESSAGE, NAS_IDENTIFIER, MESSAGE_AUTHENTICATOR] = [1, 2, 18, 32, 80];
const BLOCK = 16;
const TEXT_MAX = 253;
/** RFC 2865 5.2. */
const PASSWORD_MAX = 128;

/** What a request is made of, and its reply is held against. */
export interface RadiusRequest {
  /** 0 to 255. */
  readonly id: number;
  /** 16 bytes of chance. */
  readonly authenticator: Uint8Array;
  readonly secret: Uint8Array;
  /** Undefined: Status-Server. `nas`: who we are. */
  readonly login:
    | { readonly user: Uint8Array; readonly password: Uint8Array; readonly nas: Uint8Array }
    | undefined;
}

/** RFC 2865 5.2: each block is mixed with a hash of the secret and the block before. */
function hidden(password: Uint8Array, request: RadiusRequest, { md5 }: RadiusHashes): Uint8Array {
  if (password.length > PASSWORD_MAX)
    throw new LvsError('MALFORMED', `a password of RADIUS has at most ${PASSWORD_MAX} bytes`);
  const bytes = new Uint8Array(Math.max(BLOCK, Math.ceil(password.length / BLOCK) * BLOCK));
  bytes.set(password);
  let before = request.authenticator;
  for (let at = 0; at < bytes.length; at += BLOCK) {
    const block = bytes.subarray(at, at + BLOCK);
    for (const [index, byte] of md5(request.secret, before).entries())
      block[index] = (block[index] ?? 0) ^ byte;
    before = block;
  }
  return bytes;
}

function writeAttribute(writer: ByteWriter, type: number, value: Uint8Array): void {
  if (value.length > TEXT_MAX)
    throw new LvsError('MALFORMED', `an attribute of RADIUS has at most ${TEXT_MAX} bytes`);
  writer.u8(type);
  writer.u8(value.length + 2);
  writer.raw(value);
}

/**
 * The datagram. Its Message-Authenticator stands first, so that nobody on the way can choose what is before it.
 * @throws MALFORMED where the name or the password is too long
 */
export function encodeRadiusRequest(request: RadiusRequest, hashes: RadiusHashes): Uint8Array {
  const { id, authenticator, secret, login } = request;
  const writer = new ByteWriter(128);
  writer.u8(login === undefined ? STATUS_SERVER : ACCESS_REQUEST);
  writer.u8(id);
  writer.u16be(0);
  writer.raw(authenticator);
  writeAttribute(writer, MESSAGE_AUTHENTICATOR, new Uint8Array(BLOCK));
  if (login !== undefined) {
    writeAttribute(writer, USER_NAME, login.user);
    writeAttribute(writer, USER_PASSWORD, hidden(login.password, request, hashes));
    writeAttribute(writer, NAS_IDENTIFIER, login.nas);
  }
  writer.patchU16be(2, writer.length);
  const bytes = writer.finish();
  bytes.set(hashes.hmacMd5(secret, bytes), HEADER_LENGTH + 2);
  return bytes;
}

export interface RadiusReply {
  readonly kind: 'reply';
  /** RFC 2865 3: 2 Access-Accept, 3 Access-Reject, 5 Accounting-Response, 11 Access-Challenge. */
  readonly code: number;
  /** Its Reply-Message, empty where it has none. */
  readonly message: Uint8Array;
}

export type RadiusSense =
  | RadiusReply
  /** It answers another request. */
  | { readonly kind: 'other' }
  /** `detail` completes "what came is": `not signed with our secret`. */
  | { readonly kind: 'wrong'; readonly detail: string };

const EMPTY = new Uint8Array(0);

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

interface Attributes {
  readonly message: Uint8Array;
  /** Where the value of the Message-Authenticator stands in the packet. */
  readonly signatureAt: number | undefined;
}

/** Undefined where they do not fill the packet exactly. */
function readAttributes(packet: Uint8Array): Attributes | undefined {
  const reader = new ByteReader(packet);
  reader.skip(HEADER_LENGTH);
  let message: Uint8Array = EMPTY;
  let signatureAt: number | undefined;
  while (reader.left > 0) {
    if (reader.left < 2) return undefined;
    const type = reader.u8();
    const length = reader.u8() - 2;
    if (length < 0 || length > reader.left) return undefined;
    const at = reader.offset;
    const value = reader.take(length);
    if (type === REPLY_MESSAGE && message.length === 0) message = value;
    if (type !== MESSAGE_AUTHENTICATOR) continue;
    if (length !== BLOCK || signatureAt !== undefined) return undefined;
    signatureAt = at;
  }
  return { message, signatureAt };
}

/** RFC 2865 3 and RFC 3579 3.2: both are made over the packet with the authenticator of the request in its place. */
function isSigned(
  packet: Uint8Array,
  { signatureAt }: Attributes,
  { authenticator, secret }: RadiusRequest,
  { md5, hmacMd5 }: RadiusHashes,
): boolean {
  // Of a Buffer, `slice` would be no copy.
  const copy = Uint8Array.from(packet);
  copy.set(authenticator, AUTHENTICATOR_AT);
  if (!isSame(md5(copy, secret), packet.subarray(AUTHENTICATOR_AT, HEADER_LENGTH))) return false;
  if (signatureAt === undefined) return true;
  copy.fill(0, signatureAt, signatureAt + BLOCK);
  return isSame(hmacMd5(secret, copy), packet.subarray(signatureAt, signatureAt + BLOCK));
}

/** What a datagram is to a request. Bytes behind the packet's own length are padding (RFC 2865 3). */
export function readRadiusReply(
  bytes: Uint8Array,
  request: RadiusRequest,
  hashes: RadiusHashes,
): RadiusSense {
  const [code = 0, id, high = 0, low = 0] = bytes;
  const length = high * 0x100 + low;
  if (bytes.length < HEADER_LENGTH || length < HEADER_LENGTH || length > Math.min(bytes.length, PACKET_MAX))
    return { kind: 'wrong', detail: 'no RADIUS packet' };
  if (id !== request.id) return { kind: 'other' };
  const packet = bytes.subarray(0, length);
  const attributes = readAttributes(packet);
  if (attributes === undefined) return { kind: 'wrong', detail: 'a RADIUS packet with broken attributes' };
  if (!isSigned(packet, attributes, request, hashes))
    return { kind: 'wrong', detail: 'not signed with our secret' };
  return { kind: 'reply', code, message: attributes.message };
}
