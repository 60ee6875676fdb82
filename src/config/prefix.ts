/** Addresses with a prefix length, as configured. */
import type { Prefix } from '../addresses/model.js';
import { type Family, ipBytes, ipFamily, ipFromBytes, parseIp } from '../core/ip.js';
import type { Parsed } from './endpoint.js';

const PREFIX_PATTERN = /^([^/]*)\/(\d{1,3})$/;

/** The longest prefix of a family. */
function prefixMax(family: Family): number {
  return family === 'ipv4' ? 32 : 128;
}

/** An address and its prefix length; bits behind the prefix are allowed. */
export function parsePrefix(text: string): Parsed<Prefix> {
  const match = PREFIX_PATTERN.exec(text);
  if (match === null) {
    const bare = parseIp(text);
    const hint =
      bare === undefined ? '' : `; write for example ${text}/${ipFamily(bare) === 'ipv4' ? 24 : 64}`;
    return { ok: false, problem: `"${text}" is not an address with its prefix length${hint}` };
  }
  const address = parseIp(match[1] ?? '');
  if (address === undefined) return { ok: false, problem: `"${match[1]}" is not an address` };
  const length = Number(match[2]);
  const most = prefixMax(ipFamily(address));
  if (length > most) return { ok: false, problem: `/${length} is more than /${most}` };
  return { ok: true, value: { address, length } };
}

/** A network: an address without bits behind its prefix. */
export function parseNetwork(text: string): Parsed<Prefix> {
  const parsed = parsePrefix(text);
  if (!parsed.ok) return parsed;
  const { address, length } = parsed.value;
  const bytes = ipBytes(address).map((byte, at) => {
    const bits = Math.min(Math.max(length - at * 8, 0), 8);
    return byte & (0xff << (8 - bits));
  });
  const network = ipFromBytes(bytes);
  if (network === address) return parsed;
  return { ok: false, problem: `${text} has bits behind its prefix; the network is ${network}/${length}` };
}
