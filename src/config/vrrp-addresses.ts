/** The virtual IPs of one entry of `vrrp:`. */
import type { VirtualAddress, VirtualLink } from '../addresses/model.js';
import { type Family, type Ip, ipFamily, isLinkLocal, parseIp } from '../core/ip.js';
import { type Mac, macFromBytes } from '../core/mac.js';
import { type Checked, type Context, type Cursor, FAULTY, items, member, read, report } from './cursor.js';
import { unusable } from './endpoint.js';
import { parsePrefix } from './prefix.js';
import type { RawRouter } from './schema-vrrp.js';
import type { RawVirtualIp } from './schema-vrrp-addresses.js';

type At = Cursor<RawRouter>;
type Mapping = Cursor<Exclude<RawVirtualIp, string>>;

const OWNER = 255;
/** RT_SCOPE_* of linux/rtnetlink.h. */
const SCOPES = { global: 0, site: 200, link: 253, host: 254 } as const;

/** What holds for all virtual IPs of a router that say nothing else. */
interface Surroundings {
  readonly device: string;
  readonly label: string | undefined;
}

/** The address alone, or the mapping around it. */
function mappingOf(at: Cursor<RawVirtualIp>): Mapping | undefined {
  return typeof at.value === 'string' ? undefined : (at as Mapping);
}

function addressAt(
  context: Context,
  at: Cursor<RawVirtualIp>,
): Checked<Pick<VirtualAddress, 'address' | 'prefix'>> {
  const mapping = mappingOf(at);
  const stated = mapping === undefined ? (at as Cursor<string>) : member(mapping, 'address');
  if (stated === undefined || stated === FAULTY) return FAULTY;
  const parsed = parsePrefix(stated.value);
  if (!parsed.ok) return report(context, stated, parsed.problem);
  const { address, length } = parsed.value;
  // RFC 9568 5.2.9: the first address of an IPv6 router is link-local.
  const reason = isLinkLocal(address) ? undefined : unusable(address);
  if (reason !== undefined)
    return report(context, stated, `${address} is ${reason}; it cannot be a virtual IP`);
  return { address, prefix: length };
}

const OF_IPV4 = ['label', 'scope', 'broadcast'] as const;
const OF_IPV6 = ['nodad', 'deprecated'] as const;

/** Options of the other family have no meaning, so whoever states one means something else. */
function checkFamily(context: Context, at: Mapping, address: Ip): Checked<true> {
  const isIpv6 = ipFamily(address) === 'ipv6';
  for (const key of isIpv6 ? OF_IPV4 : OF_IPV6) {
    const stated = member(at, key);
    if (stated === undefined) continue;
    if (stated === FAULTY) return FAULTY;
    return report(context, stated, `for ${isIpv6 ? 'IPv4' : 'IPv6'} only, and ${address} is not`);
  }
  return true;
}

function labelAt(
  context: Context,
  label: Checked<Cursor<string>> | undefined,
  device: string,
): Checked<string | undefined> {
  if (label === undefined) return undefined;
  if (label === FAULTY) return FAULTY;
  // The kernel labels an address so by itself.
  if (label.value === device) return undefined;
  if (label.value.startsWith(device)) return label.value;
  const text = `"${label.value}" does not begin with the name of the interface, ${device}`;
  return report(context, label, text);
}

function broadcastAt(context: Context, at: Mapping): Checked<Ip | undefined> {
  const stated = member(at, 'broadcast');
  if (stated === undefined) return undefined;
  if (stated === FAULTY) return FAULTY;
  const address = parseIp(stated.value);
  if (address !== undefined && ipFamily(address) === 'ipv4') return address;
  return report(context, stated, `"${stated.value}" is not an address of IPv4`);
}

/** What an address is without any options. */
function plain(
  { address, prefix }: Pick<VirtualAddress, 'address' | 'prefix'>,
  { device, label }: Surroundings,
): VirtualAddress {
  const isIpv6 = ipFamily(address) === 'ipv6';
  return {
    kind: 'address',
    device,
    address,
    prefix,
    broadcast: undefined,
    label: isIpv6 ? undefined : label,
    scope: isLinkLocal(address) ? SCOPES.link : SCOPES.global,
    noDad: isIpv6,
    // Never the source of what this machine sends by itself.
    deprecated: isIpv6 && prefix === 128,
  };
}

function virtualIp(
  context: Context,
  at: Cursor<RawVirtualIp>,
  surroundings: Surroundings,
): Checked<VirtualAddress> {
  const stated = addressAt(context, at);
  const mapping = mappingOf(at);
  if (stated === FAULTY) return FAULTY;
  if (mapping === undefined) return plain(stated, surroundings);
  const device = read(mapping, 'device', surroundings.device);
  if (device === FAULTY || checkFamily(context, mapping, stated.address) === FAULTY) return FAULTY;
  const own = device === surroundings.device ? surroundings : { device, label: undefined };
  const usual = plain(stated, own);
  const label = labelAt(context, member(mapping, 'label'), device);
  const scope = member(mapping, 'scope');
  const broadcast = broadcastAt(context, mapping);
  const noDad = read(mapping, 'nodad', usual.noDad);
  const deprecated = read(mapping, 'deprecated', usual.deprecated);
  if (label === FAULTY || scope === FAULTY || broadcast === FAULTY) return FAULTY;
  if (noDad === FAULTY || deprecated === FAULTY) return FAULTY;
  return {
    ...usual,
    label: label ?? usual.label,
    scope: scope === undefined ? usual.scope : SCOPES[scope.value],
    broadcast,
    noDad,
    deprecated,
  };
}

/**
 * The link of the virtual MAC: its name where there is to be one.
 * @param family of the first virtual IP, as far as it can be told
 */
function linkName(at: At, family: Family): Checked<string | undefined> {
  const stated = member(at, 'virtual-mac');
  const vrid = read(at, 'id', 0);
  if (stated === undefined) return undefined;
  if (stated === FAULTY || vrid === FAULTY) return FAULTY;
  if (typeof stated.value === 'string') return stated.value;
  return stated.value ? `${family === 'ipv6' ? 'vrrp6' : 'vrrp'}.${vrid}` : undefined;
}

/** The family of the first virtual IP, by its text. */
function firstFamily(at: At): Family {
  const first = at.value.addresses?.[0];
  const text = typeof first === 'string' ? first : first?.address;
  return typeof text === 'string' && text.includes(':') ? 'ipv6' : 'ipv4';
}

/** Where virtual IPs are that name no interface: the link of the virtual MAC, or the interface of the router. */
function homeOf(at: At): Checked<string> {
  const link = linkName(at, firstFamily(at));
  const device = read(at, 'interface', '');
  return link === FAULTY || device === FAULTY ? FAULTY : (link ?? device);
}

/** RFC 5798 section 7.3: 00-00-5E-00-01-{VRID} for IPv4, 00-00-5E-00-02-{VRID} for IPv6. */
function virtualMac(family: Family, vrid: number): Mac {
  return macFromBytes(Uint8Array.of(0, 0, 0x5e, 0, family === 'ipv4' ? 1 : 2, vrid));
}

/** The link of the virtual MAC. @param vips all virtual IPs of the router */
export function virtualLinkOf(
  context: Context,
  at: At,
  vips: readonly VirtualAddress[],
): Checked<VirtualLink | undefined> {
  const stated = member(at, 'virtual-mac');
  const [first] = vips;
  if (stated === undefined || first === undefined) return undefined;
  const family = ipFamily(first.address);
  const name = linkName(at, family);
  const vrid = read(at, 'id', 0);
  const parent = read(at, 'interface', '');
  const priority = read(at, 'priority', 100);
  if (stated === FAULTY || name === FAULTY || vrid === FAULTY || parent === FAULTY) return FAULTY;
  if (name === undefined || priority === FAULTY) return priority === FAULTY ? FAULTY : undefined;
  if (name === parent) return report(context, stated, `${name} is the interface itself`);
  if (priority === OWNER)
    return report(context, stated, 'the addresses of an owner (priority 255) are those of its interface');
  const ipv6 = vips.some(({ address, device }) => device === name && ipFamily(address) === 'ipv6');
  return { name, parent, mac: virtualMac(family, vrid), ipv6 };
}

/** The virtual IPs under one key, in order. */
export function virtualIps(
  context: Context,
  at: At,
  key: 'addresses' | 'excluded',
): Checked<readonly VirtualAddress[]> {
  const list = member(at, key);
  if (list === undefined) return [];
  const device = homeOf(at);
  if (list === FAULTY || device === FAULTY) return FAULTY;
  // A label that is wrong is told by `checkLabel`.
  const label = member(at, 'label');
  const text = label === undefined || label === FAULTY || label.value === device ? undefined : label.value;
  const found = items<RawVirtualIp>(list).map((item) =>
    item === FAULTY ? FAULTY : virtualIp(context, item, { device, label: text }),
  );
  if (found.includes(FAULTY)) return FAULTY;
  if (found.length === 0 && key === 'addresses')
    return report(context, list, 'empty; a virtual router has at least one virtual IP');
  return found as VirtualAddress[];
}

/** One family, each once. */
export function checkVips(
  context: Context,
  at: At,
  vips: readonly VirtualAddress[],
  excluded: readonly VirtualAddress[],
): Checked<true> {
  const list = member(at, 'addresses');
  const first = vips[0];
  if (list === undefined || list === FAULTY || first === undefined) return FAULTY;
  const family = ipFamily(first.address);
  const other = vips.find(({ address }) => ipFamily(address) !== family);
  if (other !== undefined)
    return report(
      context,
      list,
      `${first.address} and ${other.address} are of two families; use a virtual router for each, or \`excluded\``,
    );
  const seen = new Set<Ip>();
  for (const { address } of [...vips, ...excluded]) {
    if (seen.has(address)) return report(context, list, `${address} stands twice`);
    seen.add(address);
  }
  return true;
}

/** Holds the label of a router against its interface. */
export function checkLabel(context: Context, at: At): Checked<string | undefined> {
  const device = homeOf(at);
  return device === FAULTY ? FAULTY : labelAt(context, member(at, 'label'), device);
}
