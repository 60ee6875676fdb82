/**
 * Packets of every wrong kind, written byte by byte: our own encoder has no part in them. Offsets are those of RFC 791
 * and RFC 5798 5.1.
 */
import type { DiscardReason } from '../../src/vrrp/accept.js';
import type { Random } from '../sim/random.js';

const HEADER = 20;

/** RFC 1071. */
function sum(bytes: Uint8Array, start = 0): number {
  let total = start;
  for (let at = 0; at < bytes.length; at += 2) total += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
  return total;
}

function ipv4(
  source: readonly number[],
  destination: readonly number[],
  ttl: number,
  length: number,
): Uint8Array {
  const total = HEADER + length;
  const header = Uint8Array.of(0x45, 0xc0, total >> 8, total & 0xff, 0, 0, 0, 0, ttl, 112, 0, 0);
  const packet = new Uint8Array(total);
  packet.set(header);
  packet.set(source, 12);
  packet.set(destination, 16);
  const check = ~sum(packet.subarray(0, HEADER)) & 0xffff;
  packet.set([check >> 8, check & 0xff], 10);
  return packet;
}

interface Parts {
  readonly source?: readonly number[];
  readonly destination?: readonly number[];
  readonly ttl?: number;
  readonly versionAndType?: number;
  readonly vrid?: number;
  readonly priority?: number;
  readonly count?: number;
  readonly centis?: number;
  readonly addresses?: readonly number[];
  readonly behind?: readonly number[];
  /** Added to the right checksum. */
  readonly off?: number;
}

/** An advert of version 3; without `parts` it is right: id 20, priority 200, 10.0.0.100, from 10.0.0.3. */
export function packet(parts: Parts = {}): Uint8Array {
  const source = parts.source ?? [10, 0, 0, 3];
  const destination = parts.destination ?? [224, 0, 0, 18];
  const addresses = parts.addresses ?? [10, 0, 0, 100];
  const centis = parts.centis ?? 100;
  const message = Uint8Array.of(
    parts.versionAndType ?? 0x31,
    parts.vrid ?? 20,
    parts.priority ?? 200,
    parts.count ?? addresses.length / 4,
    centis >> 8,
    centis & 0xff,
    0,
    0,
    ...addresses,
  );
  const pseudo = Uint8Array.of(...source, ...destination, 0, 112, message.length >> 8, message.length & 0xff);
  const check = (~sum(message, sum(pseudo)) + (parts.off ?? 0)) & 0xffff;
  message.set([check >> 8, check & 0xff], 6);
  const behind = parts.behind ?? [];
  const whole = ipv4(source, destination, parts.ttl ?? 255, message.length + behind.length);
  whole.set(message, HEADER);
  whole.set(behind, HEADER + message.length);
  return whole;
}

/** A version 2 advert for a version 3 instance, a checksum over itself. */
function version2(): Uint8Array {
  const message = Uint8Array.of(0x21, 20, 200, 1, 0, 1, 0, 0, 10, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0);
  const check = ~sum(message) & 0xffff;
  message.set([check >> 8, check & 0xff], 6);
  const whole = ipv4([10, 0, 0, 3], [224, 0, 0, 18], 255, message.length);
  whole.set(message, HEADER);
  return whole;
}

function cut(length: number): Uint8Array {
  const whole = packet();
  const short = ipv4([10, 0, 0, 3], [224, 0, 0, 18], 255, length);
  short.set(whole.subarray(HEADER, HEADER + length), HEADER);
  return short;
}

export interface Wrong {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** `stranger`: of no instance; `unreadable`: not even IP. */
  readonly counted: DiscardReason | 'stranger' | 'unreadable';
}

/** One of every wrong kind, for an instance of version 3 without authentication, whose address is 10.0.0.2. */
export const WRONG: readonly Wrong[] = [
  { name: 'our own, looped back', bytes: packet({ source: [10, 0, 0, 2] }), counted: 'own-address' },
  { name: 'hop limit 254', bytes: packet({ ttl: 254 }), counted: 'hops' },
  { name: 'hop limit 0', bytes: packet({ ttl: 0 }), counted: 'hops' },
  { name: 'to another group', bytes: packet({ destination: [224, 0, 0, 19] }), counted: 'stranger' },
  { name: 'to us alone', bytes: packet({ destination: [10, 0, 0, 2] }), counted: 'stranger' },
  { name: 'version 2', bytes: version2(), counted: 'version' },
  { name: 'version 4', bytes: packet({ versionAndType: 0x41 }), counted: 'version' },
  { name: 'version 0', bytes: packet({ versionAndType: 0x01 }), counted: 'version' },
  { name: 'type 2', bytes: packet({ versionAndType: 0x32 }), counted: 'type' },
  { name: 'type 0', bytes: packet({ versionAndType: 0x30 }), counted: 'type' },
  { name: 'checksum one too high', bytes: packet({ off: 1 }), counted: 'checksum' },
  { name: 'checksum one too low', bytes: packet({ off: -1 }), counted: 'checksum' },
  { name: 'interval 0', bytes: packet({ centis: 0 }), counted: 'no-interval' },
  { name: 'no address', bytes: packet({ addresses: [] }), counted: 'no-addresses' },
  { name: 'two addresses promised, one there', bytes: packet({ count: 2 }), counted: 'incomplete' },
  { name: '255 addresses promised', bytes: packet({ count: 255 }), counted: 'incomplete' },
  { name: 'seven bytes', bytes: cut(7), counted: 'incomplete' },
  { name: 'two bytes', bytes: cut(2), counted: 'incomplete' },
  { name: 'one byte', bytes: cut(1), counted: 'stranger' },
  { name: 'no byte', bytes: cut(0), counted: 'stranger' },
  { name: 'four bytes behind', bytes: packet({ behind: [0, 0, 0, 0] }), counted: 'too-long' },
  {
    name: 'a signature behind',
    bytes: packet({ behind: new Array<number>(28).fill(1) }),
    counted: 'too-long',
  },
  { name: 'another id', bytes: packet({ vrid: 99 }), counted: 'stranger' },
  { name: 'half an IP header', bytes: packet().subarray(0, 11), counted: 'unreadable' },
  { name: 'IP version 6', bytes: Uint8Array.of(0x65, ...packet().subarray(1)), counted: 'unreadable' },
  {
    name: 'IP header of 16 bytes',
    bytes: Uint8Array.of(0x44, ...packet().subarray(1)),
    counted: 'unreadable',
  },
  { name: 'shorter than it says', bytes: packet().subarray(0, 30), counted: 'unreadable' },
];

function isRight(whole: Uint8Array): boolean {
  const message = whole.subarray(HEADER);
  const pseudo = sum(whole.subarray(12, HEADER)) + 112 + message.length;
  return [0, pseudo].some((start) => sum(message, start) === 0xffff);
}

/**
 * A random packet in `into`: a sound IP header, behind it noise that often looks like an advert for `vrid`, and whose
 * checksum is wrong by construction where it would be right by chance.
 * @param net the first three bytes of senders; `strays` whether some go to another group, or are such as no kernel lets by
 * @returns its length
 */
export function randomPacket(
  random: Random,
  into: Uint8Array,
  vrid: number,
  { net = [10, 0, 0], strays = true }: { readonly net?: readonly number[]; readonly strays?: boolean } = {},
): number {
  const length = random.whole(0, 80);
  for (let at = HEADER; at < HEADER + length; at += 1) into[at] = random.whole(0, 255);
  if (random.chance(0.8)) into[HEADER] = 0x31;
  if (random.chance(0.8)) into[HEADER + 1] = vrid;
  if (random.chance(0.5)) into[HEADER + 3] = Math.max(0, (length - 8) >> 2);
  // The kernel sends nothing with TTL 0, and takes in nothing from its own addresses.
  const least = strays ? 1 : 2;
  const ttl = random.chance(0.9) ? 255 : random.whole(least - 1, 254);
  const last = random.chance(0.9) ? 3 : random.whole(strays ? 1 : 150, 254);
  const group = !strays || random.chance(0.9) ? 18 : 1;
  into.set(ipv4([...net, last], [224, 0, 0, group], ttl, 0));
  const total = HEADER + length;
  into.set([total >> 8, total & 0xff], 2);
  // Two of 65,536 would be right adverts.
  while (length >= 8 && isRight(into.subarray(0, total))) into[HEADER + 7] = random.whole(0, 255);
  return total;
}
