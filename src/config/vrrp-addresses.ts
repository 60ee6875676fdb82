/** The virtual IPs of one entry of `vrrp:`. */
import type { VirtualAddress } from '../addresses/model.js';
import { type Ip, ipFamily, isLinkLocal, parseIp } from '../core/ip.js';
import { type Checked, type Context, type Cursor, FAULTY, items, member, report } from './cursor.js';
import { unusable } from './endpoint.js';
import type { RawRouter } from './schema-vrrp.js';

type At = Cursor<RawRouter>;

const RT_SCOPE_LINK = 253;
const PREFIX_PATTERN = /^([^/]*)\/(\d{1,3})$/;

export interface Vip {
  readonly address: Ip;
  readonly prefix: number;
}

function virtualIp(context: Context, at: Cursor<string>): Checked<Vip> {
  const match = PREFIX_PATTERN.exec(at.value);
  if (match === null) {
    const bare = parseIp(at.value);
    const hint =
      bare === undefined ? '' : `; write for example ${at.value}/${ipFamily(bare) === 'ipv4' ? 24 : 64}`;
    return report(context, at, `"${at.value}" is not an address with its prefix length${hint}`);
  }
  const address = parseIp(match[1] ?? '');
  if (address === undefined) return report(context, at, `"${match[1]}" is not an address`);
  // RFC 9568 5.2.9: the first address of an IPv6 router is link-local.
  const reason = isLinkLocal(address) ? undefined : unusable(address);
  if (reason !== undefined) return report(context, at, `${address} is ${reason}; it cannot be a virtual IP`);
  const prefix = Number(match[2]);
  const most = ipFamily(address) === 'ipv4' ? 32 : 128;
  return prefix <= most ? { address, prefix } : report(context, at, `/${prefix} is more than /${most}`);
}

/** The virtual IPs under one key, in order. */
export function virtualIps(context: Context, at: At, key: 'addresses' | 'excluded'): Checked<readonly Vip[]> {
  const list = member(at, key);
  if (list === undefined) return [];
  if (list === FAULTY) return FAULTY;
  const found = items(list).map((item) => (item === FAULTY ? FAULTY : virtualIp(context, item)));
  if (found.includes(FAULTY)) return FAULTY;
  if (found.length === 0 && key === 'addresses')
    return report(context, list, 'empty; a virtual router has at least one virtual IP');
  return found as Vip[];
}

/** One family, each once. */
export function checkVips(
  context: Context,
  at: At,
  vips: readonly Vip[],
  excluded: readonly Vip[],
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

/** A virtual IP as the kernel has to have it. */
export function objectOf(
  device: string,
  label: string | undefined,
  { address, prefix }: Vip,
): VirtualAddress {
  const isIpv6 = ipFamily(address) === 'ipv6';
  return {
    kind: 'address',
    device,
    address,
    prefix,
    broadcast: undefined,
    label: isIpv6 ? undefined : label,
    scope: isLinkLocal(address) ? RT_SCOPE_LINK : 0,
    noDad: isIpv6,
    // Never the source of what this machine sends by itself.
    deprecated: isIpv6 && prefix === 128,
  };
}

/** The label of the IPv4 addresses. */
export function labelOf(context: Context, at: At): Checked<string | undefined> {
  const label = member(at, 'label');
  const device = member(at, 'interface');
  if (label === undefined) return undefined;
  if (label === FAULTY || device === undefined || device === FAULTY) return FAULTY;
  if (label.value.startsWith(device.value)) return label.value;
  return report(
    context,
    label,
    `"${label.value}" does not begin with the name of the interface, ${device.value}`,
  );
}
