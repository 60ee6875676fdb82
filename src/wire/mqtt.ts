/**
 * MQTT as a client speaks it that only asks whether it may come in: CONNECT, PINGREQ and DISCONNECT, and the packets
 * that come back. Sources: MQTT 3.1.1 and MQTT 5.0 (OASIS), chapters 2 and 3.
 */
import { ByteWriter } from '../core/bytes.js';
import type { ReplyFault } from './replies.js';

/** What is read of one packet, its header not counted. */
export const MQTT_PACKET_LIMIT = 16 * 1024;

/** The types of packets that a broker sends to such a client. */
export const MQTT_CONNACK = 2;
export const MQTT_PINGRESP = 13;
/** Of version 5 only. */
export const MQTT_DISCONNECT = 14;

export const PINGREQ_BYTES: Uint8Array = Uint8Array.of(0xc0, 0);
/** In version 5 without a reason: a normal disconnection. */
export const DISCONNECT_BYTES: Uint8Array = Uint8Array.of(0xe0, 0);

const CONNECT = 1;
const [CLEAN_SESSION, HAS_PASSWORD, HAS_USER] = [0x02, 0x40, 0x80];
const NAME = Uint8Array.of(0x4d, 0x51, 0x54, 0x54);
/** In seconds; no probe lasts as long. */
const KEEP_ALIVE = 0xffff;

export interface MqttConnect {
  /** 4: version 3.1.1. */
  readonly level: 4 | 5;
  /** UTF-8, so too below. */
  readonly clientId: Uint8Array;
  readonly login: { readonly user: Uint8Array; readonly password: Uint8Array } | undefined;
}

function writeString(writer: ByteWriter, bytes: Uint8Array): void {
  writer.u16be(bytes.length);
  writer.raw(bytes);
}

/** 2.2.3: seven bits a byte, the lowest first. */
function writeLength(writer: ByteWriter, length: number): void {
  let left = length;
  for (; left > 0x7f; left >>= 7) writer.u8((left & 0x7f) | 0x80);
  writer.u8(left);
}

/**
 * CONNECT with a clean session, and in version 5 without any property.
 * @throws MALFORMED where a string has more than 65,535 bytes
 */
export function encodeMqttConnect({ level, clientId, login }: MqttConnect): Uint8Array {
  const body = new ByteWriter(128);
  writeString(body, NAME);
  body.u8(level);
  body.u8(CLEAN_SESSION | (login === undefined ? 0 : HAS_USER | HAS_PASSWORD));
  body.u16be(KEEP_ALIVE);
  if (level === 5) body.u8(0);
  writeString(body, clientId);
  if (login !== undefined) {
    writeString(body, login.user);
    writeString(body, login.password);
  }
  const packet = new ByteWriter(body.length + 5);
  packet.u8(CONNECT << 4);
  writeLength(packet, body.length);
  packet.raw(body.finish());
  return packet.finish();
}

export interface MqttPacket {
  readonly type: number;
  readonly flags: number;
  readonly body: Uint8Array;
}

/** Cuts bytes into packets, in whatever pieces they come. Faults are values; nothing is thrown. */
export class MqttReader {
  /** What came and is not read yet. */
  #bytes: Uint8Array = new Uint8Array(0);
  #fault: ReplyFault | undefined;

  get fault(): ReplyFault | undefined {
    return this.#fault;
  }

  push(bytes: Uint8Array): void {
    if (this.#fault !== undefined) return;
    const joined = new Uint8Array(this.#bytes.length + bytes.length);
    joined.set(this.#bytes);
    joined.set(bytes, this.#bytes.length);
    this.#bytes = joined;
  }

  /** The next whole packet; undefined: more has to come, or there is a fault. */
  next(): MqttPacket | undefined {
    const [first] = this.#bytes;
    if (this.#fault !== undefined || first === undefined) return undefined;
    const type = first >> 4;
    // A length may be anything: what is no packet of a broker's to us is not waited for.
    if (type !== MQTT_CONNACK && type !== MQTT_PINGRESP && type !== MQTT_DISCONNECT)
      return this.#fail({ kind: 'malformed', detail: 'not MQTT' });
    let length = 0;
    for (let at = 1; at <= 4; at += 1) {
      const byte = this.#bytes[at];
      if (byte === undefined) return undefined;
      length += (byte & 0x7f) << (7 * (at - 1));
      if (byte <= 0x7f) return this.#cut(first, at + 1, length);
    }
    return this.#fail({ kind: 'malformed', detail: 'not MQTT' });
  }

  #cut(first: number, start: number, length: number): MqttPacket | undefined {
    if (length > MQTT_PACKET_LIMIT) return this.#fail({ kind: 'too-long', limit: MQTT_PACKET_LIMIT });
    const end = start + length;
    if (this.#bytes.length < end) return undefined;
    const body = this.#bytes.subarray(start, end);
    this.#bytes = this.#bytes.subarray(end);
    return { type: first >> 4, flags: first & 0x0f, body };
  }

  #fail(fault: ReplyFault): undefined {
    this.#fault = fault;
    this.#bytes = new Uint8Array(0);
    return undefined;
  }
}

/** MQTT 3.1.1, 3.2.2.3; a broker that knows no version 5 says 1 to that too. */
const RETURN_CODES: Readonly<Record<number, string>> = {
  1: 'unacceptable protocol version',
  2: 'client id rejected',
  3: 'server unavailable',
  4: 'bad user name or password',
  5: 'not authorized',
};

/** MQTT 5.0, 2.4: those of CONNACK and DISCONNECT that a broker may have for such a client. */
const REASON_CODES: Readonly<Record<number, string>> = {
  128: 'unspecified error',
  129: 'malformed packet',
  130: 'protocol error',
  131: 'implementation specific error',
  132: 'unsupported protocol version',
  133: 'client id not valid',
  134: 'bad user name or password',
  135: 'not authorized',
  136: 'server unavailable',
  137: 'server busy',
  138: 'banned',
  139: 'server shutting down',
  140: 'bad authentication method',
  142: 'session taken over',
  151: 'quota exceeded',
  156: 'use another server',
  157: 'server moved',
  159: 'connection rate exceeded',
};

/** A code of CONNACK or DISCONNECT in words; empty for one that no version has. */
export function mqttCodeText(code: number): string {
  return RETURN_CODES[code] ?? REASON_CODES[code] ?? '';
}

/** The code of a CONNACK, 0 where we may come in; undefined where it is none of that version. */
export function connackCode({ flags, body }: MqttPacket, level: 4 | 5): number | undefined {
  const [session = 0xff, code] = body;
  if (flags !== 0 || session > 1 || code === undefined) return undefined;
  // A broker that knows no version 5 refuses in the form of the older one.
  const isOld = body.length === 2;
  if (level === 4 ? !isOld : isOld && code === 0) return undefined;
  // A clean session has nothing from before.
  return code === 0 && session !== 0 ? undefined : code;
}
