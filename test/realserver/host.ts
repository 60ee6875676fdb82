/** A machine in memory, as a real server's points see it. */
import { ip } from '../../src/core/ip.js';
import type { HostAddress, HostSeen, VipPlace } from '../../src/realserver/model.js';

export const WEB: VipPlace = { address: ip('192.0.2.1'), device: 'lo', tunnel: false };
export const MAIL: VipPlace = { address: ip('192.0.2.2'), device: 'lo', tunnel: false };
export const SIX: VipPlace = { address: ip('2001:db8::1'), device: 'lo', tunnel: false };
export const TUNNELLED: VipPlace = { address: ip('192.0.2.1'), device: 'tunl0', tunnel: true };
export const TUNNELLED_SIX: VipPlace = { address: ip('2001:db8::1'), device: 'ip6tnl0', tunnel: true };

export interface Machine {
  /** Devices beside lo and eth0, and whether they are up. */
  readonly links?: Readonly<Record<string, boolean>>;
  readonly addresses?: readonly HostAddress[];
  /** Below `net`; those that are not named are 0. Undefined: missing. */
  readonly settings?: Readonly<Record<string, string | undefined>>;
}

export function machine({ links = {}, addresses = [], settings = {} }: Machine = {}): HostSeen {
  const names = Object.entries({ lo: true, eth0: true, ...links });
  return {
    links: new Map(names.map(([name, up], index) => [name, { index: index + 1, up }])),
    addresses,
    setting: (path) => (path in settings ? settings[path] : '0'),
  };
}

/** All that direct routing on lo needs for IPv4. */
export const ARP_RIGHT = {
  'ipv4/conf/all/arp_ignore': '1',
  'ipv4/conf/lo/arp_ignore': '1',
  'ipv4/conf/all/arp_announce': '2',
  'ipv4/conf/lo/arp_announce': '2',
} as const;

export const ON_LO: HostAddress = { device: 'lo', address: WEB.address, prefix: 32 };
