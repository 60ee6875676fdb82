/** Why virtual objects cannot be in place, in words for people. */
import { ipFamily } from '../core/ip.js';
import type { LinkSeen, VirtualObject } from './model.js';

/** RFC 8200 section 5: the kernel takes IPv6 away from links with less. */
const IPV6_MTU_MIN = 1280;

/** What the kernel answered: the name of the error, and its own words where it had some. */
export interface Refusal {
  readonly errno: string;
  readonly text: string | undefined;
}

/** What an errno means for an object on this link, where more is known than the kernel says. */
function meaning(object: VirtualObject, errno: string, link: LinkSeen | undefined): string | undefined {
  if (errno === 'EPERM') return 'run as root, or with CAP_NET_ADMIN';
  if (object.kind !== 'address')
    return errno === 'EEXIST'
      ? `somebody else has set a ${object.kind} like it, which is left alone`
      : undefined;
  const isIpv6 = ipFamily(object.address) === 'ipv6';
  if (isIpv6 && errno === 'EINVAL' && link !== undefined && link.mtu < IPV6_MTU_MIN)
    return `the MTU of ${object.device} is ${link.mtu}, and IPv6 needs ${IPV6_MTU_MIN}`;
  if (isIpv6 && errno === 'EACCES')
    return `IPv6 is switched off there (net.ipv6.conf.${object.device}.disable_ipv6)`;
  return undefined;
}

/** Why an object cannot be in place; without a refusal another host has the address. */
export function refusalText(
  object: VirtualObject,
  refusal: Refusal | undefined,
  link: LinkSeen | undefined,
): string {
  if (refusal === undefined) return 'another host has it';
  const { errno, text } = refusal;
  const more = meaning(object, errno, link) ?? text;
  return more === undefined ? `the kernel says ${errno}` : `the kernel says ${errno}: ${more}`;
}
