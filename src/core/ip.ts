/** IP addresses as canonical text (RFC 5952 for IPv6), branded; text makes them map keys for free. */
import { LvsError } from './errors.js';

declare const ipBrand: unique symbol;
/** A canonical IPv4 or IPv6 address without zone or prefix. Made only by this file. */
export type Ip = string & { readonly [ipBrand]: true };

export type Family = 'ipv4' | 'ipv6';

const IPV4_PATTERN = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

function parseIpv4(text: string): Uint8Array | undefined {
  const match = IPV4_PATTERN.exec(text);
  if (match === null) return undefined;
  const bytes = new Uint8Array(4);
  for (let index = 0; index < 4; index += 1) {
    const value = Number(match[index + 1]);
    if (value > 255) return undefined;
    bytes[index] = value;
  }
  return bytes;
}

function parseGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const tail = index === parts.length - 1 ? parseIpv4(part) : undefined;
      if (tail === undefined) return undefined;
      groups.push(((tail[0] ?? 0) << 8) | (tail[1] ?? 0), ((tail[2] ?? 0) << 8) | (tail[3] ?? 0));
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

function parseIpv6(text: string): Uint8Array | undefined {
  // No IPv6 address has one colon alone; `192.0.2.1:80` has.
  if (text.indexOf(':') === text.lastIndexOf(':')) return undefined;
  const halves = text.split('::');
  if (halves.length > 2 || text.length > 45) return undefined;
  const head = parseGroups(halves[0] ?? '');
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '') : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  const bytes = new Uint8Array(16);
  for (const [index, group] of groups.entries()) {
    bytes[index * 2] = group >> 8;
    bytes[index * 2 + 1] = group & 0xff;
  }
  return bytes;
}

function formatIpv6(bytes: Uint8Array): string {
  const groups: number[] = [];
  for (let index = 0; index < 16; index += 2)
    groups.push(((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0));
  // RFC 5952 4.2: the first longest run of at least two zero groups becomes "::".
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (groups[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.start < 0) return hex.join(':');
  return `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`;
}

/** The address of 4 or 16 bytes in network order. @throws MALFORMED for any other length. */
export function ipFromBytes(bytes: Uint8Array): Ip {
  if (bytes.length === 4) return bytes.join('.') as Ip;
  if (bytes.length === 16) return formatIpv6(bytes) as Ip;
  throw new LvsError('MALFORMED', `an IP address has 4 or 16 bytes, not ${bytes.length}`);
}

/** The bytes of an address in network order: 4 or 16. */
export function ipBytes(ip: Ip): Uint8Array {
  const bytes = ip.includes(':') ? parseIpv6(ip) : parseIpv4(ip);
  if (bytes === undefined) throw new LvsError('INTERNAL', `not an address: ${ip}`);
  return bytes;
}

const OCTET = '(?:\\d|[1-9]\\d|1\\d\\d|2[0-4]\\d|25[0-5])';
const IPV4_TEXT = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);

/** Reads an address in any legal spelling and makes it canonical; undefined where it is none. */
export function parseIp(text: string): Ip | undefined {
  // IPv4 has one spelling. Configurations hold many thousands of them.
  if (!text.includes(':')) return IPV4_TEXT.test(text) ? (text as Ip) : undefined;
  const bytes = parseIpv6(text);
  return bytes === undefined ? undefined : ipFromBytes(bytes);
}

/** Reads an address that the program itself wrote. @throws MALFORMED where it is none. */
export function ip(text: string): Ip {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new LvsError('MALFORMED', `not an IP address: ${text}`);
  return parsed;
}

export function ipFamily(address: Ip): Family {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/** `192.0.2.1:80` or `[2001:db8::1]:80`. */
export function endpointText(address: Ip, port: number): string {
  return ipFamily(address) === 'ipv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Below 0, 0 or above 0: the order of the bytes as unsigned numbers in network order; IPv4 before IPv6. */
export function compareIp(a: Ip, b: Ip): number {
  if (a === b) return 0;
  const [left, right] = [ipBytes(a), ipBytes(b)];
  if (left.length !== right.length) return left.length - right.length;
  const at = left.findIndex((byte, index) => byte !== right[index]);
  return (left[at] ?? 0) - (right[at] ?? 0);
}

/** 224.0.0.0/4 or ff00::/8. */
export function isMulticast(address: Ip): boolean {
  const first = ipBytes(address)[0] ?? 0;
  return ipFamily(address) === 'ipv4' ? first >= 224 && first <= 239 : first === 0xff;
}

/** fe80::/10, RFC 4291 2.5.6. Never true for IPv4. */
export function isLinkLocal(address: Ip): boolean {
  return /^fe[89ab][0-9a-f]:/.test(address);
}
