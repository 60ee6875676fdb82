/** One address, a range of them or a network, as a service lists them. */
import { type Family, type Ip, ipBytes, ipFamily, ipFromBytes, parseIp } from '../core/ip.js';
import { type HostPort, type Parsed, parseEndpoint, parsePort, splitHostPort } from './endpoint.js';
import { parseNetwork } from './prefix.js';

/** Addresses that follow one another. */
export interface AddressBlock {
  readonly first: Ip;
  /** At least 1, at most `BLOCK_MAX`. */
  readonly count: number;
  readonly port: number | undefined;
}

/** Addresses of one block, and of one service. */
export const BLOCK_MAX = 4096;

type Problem = { readonly ok: false; readonly problem: string };

function bad(problem: string): Problem {
  return { ok: false, problem };
}

function numberOf(address: Ip): bigint {
  let value = 0n;
  for (const byte of ipBytes(address)) value = (value << 8n) | BigInt(byte);
  return value;
}

/** The last part of an address, alone: decimal in IPv4, a group of hexadecimal digits in IPv6. */
const TAIL: Readonly<Record<Family, RegExp>> = { ipv4: /^\d{1,3}$/, ipv6: /^[0-9a-fA-F]{1,4}$/ };

/** The end of a range: a whole address, or what stands in the place of the last part of the first one. */
function lastOf(first: Ip, text: string): Ip | undefined {
  const family = ipFamily(first);
  const whole = parseIp(text);
  if (whole !== undefined) return ipFamily(whole) === family ? whole : undefined;
  if (!TAIL[family].test(text)) return undefined;
  const bytes = ipBytes(first);
  const value = Number.parseInt(text, family === 'ipv4' ? 10 : 16);
  if (family === 'ipv4') {
    if (value > 255) return undefined;
    bytes[3] = value;
  } else {
    bytes[14] = value >> 8;
    bytes[15] = value & 0xff;
  }
  return ipFromBytes(bytes);
}

function blockOf(text: string, first: Ip, count: bigint, port: number | undefined): Parsed<AddressBlock> {
  if (count <= BigInt(BLOCK_MAX)) return { ok: true, value: { first, count: Number(count), port } };
  return bad(`${text} has ${count} addresses; a service has at most ${BLOCK_MAX}`);
}

function range({ host }: HostPort, port: number | undefined): Parsed<AddressBlock> {
  const dash = host.indexOf('-');
  const [from, to] = [host.slice(0, dash), host.slice(dash + 1)];
  const first = parseIp(from);
  if (first === undefined) return bad(`"${from}" is not an address`);
  const last = lastOf(first, to);
  if (last === undefined) return bad(`"${to}" is not the end of a range that begins with ${first}`);
  const count = numberOf(last) - numberOf(first) + 1n;
  return count < 1n ? bad(`the range ${host} runs backwards`) : blockOf(host, first, count, port);
}

function network({ host }: HostPort, port: number | undefined): Parsed<AddressBlock> {
  const parsed = parseNetwork(host);
  if (!parsed.ok) return parsed;
  const { address, length } = parsed.value;
  const bits = ipFamily(address) === 'ipv4' ? 32 : 128;
  return blockOf(host, address, 1n << BigInt(bits - length), port);
}

/** IPv6 without brackets has no port. */
function splitBlock(text: string): HostPort {
  const isBare = !text.startsWith('[') && text.indexOf(':') !== text.lastIndexOf(':');
  return isBare ? { host: text, port: undefined } : splitHostPort(text);
}

/** `192.0.2.10-20`, and not a name with a hyphen. */
const RANGE = /^[\d.]+-|^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*-/;

/**
 * Reads `192.0.2.1:80`, `192.0.2.10-20:80`, `192.0.2.10-192.0.3.5:80`, `192.0.2.64/28:80`, and the same of IPv6 in brackets:
 * `[2001:db8::1-f]:80`, `[2001:db8::/120]:80`.
 */
export function parseAddressBlock(text: string): Parsed<AddressBlock> {
  const split = splitBlock(text);
  const isRange = RANGE.test(split.host);
  if (!isRange && !split.host.includes('/')) {
    const one = parseEndpoint(text);
    if (!one.ok) return one;
    const { address, port } = one.value;
    return { ok: true, value: { first: address, count: 1, port } };
  }
  const port = split.port === undefined ? undefined : parsePort(split.port);
  if (port !== undefined && !port.ok) return port;
  return isRange ? range(split, port?.value) : network(split, port?.value);
}

/** Every address of a block once, in order. */
export function addressesOf({ first, count }: AddressBlock): readonly Ip[] {
  const addresses: Ip[] = [first];
  const bytes = ipBytes(first);
  while (addresses.length < count) {
    let at = bytes.length - 1;
    while (bytes[at] === 255) {
      bytes[at] = 0;
      at -= 1;
    }
    bytes[at] = (bytes[at] ?? 0) + 1;
    addresses.push(ipFromBytes(bytes));
  }
  return addresses;
}
