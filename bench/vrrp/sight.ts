/** What an observer makes of a frame. Read here by itself: the product's own decoders are not asked. */
import type { Millis } from '../../src/core/units.js';
import type { Frame } from './pcap.js';

/** A message that leaves a director. */
export type Sight =
  | { readonly kind: 'advert'; readonly at: Millis; readonly id: number }
  | { readonly kind: 'announcement'; readonly at: Millis; readonly address: string };

const ETHERNET_BYTES = 14;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_ARP = 0x0806;
const PROTOCOL_VRRP = 112;
const ARP_BYTES = 28;
const VRRP_BYTES = 8;

/** An advert over IPv4 (RFC 5798 5.1) or a gratuitous ARP (RFC 5227 3): sender and target are one address. */
export function sightOf({ at, bytes }: Frame): Sight | undefined {
  if (bytes.length < ETHERNET_BYTES + ARP_BYTES) return undefined;
  const body = bytes.subarray(ETHERNET_BYTES);
  const type = bytes.readUInt16BE(12);
  if (type === ETHERTYPE_ARP) {
    const address = [...body.subarray(14, 18)].join('.');
    return address === [...body.subarray(24, 28)].join('.')
      ? { kind: 'announcement', at, address }
      : undefined;
  }
  if (type !== ETHERTYPE_IPV4 || body[9] !== PROTOCOL_VRRP) return undefined;
  const vrrp = body.subarray(((body[0] ?? 0) & 0xf) * 4);
  if (vrrp.length < VRRP_BYTES) return undefined;
  return { kind: 'advert', at, id: vrrp[1] ?? 0 };
}
