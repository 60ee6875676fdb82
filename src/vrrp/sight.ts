/** What the kernel's links and addresses mean for an instance: its faults, and where its adverts come from. */
import type { AddressSeen } from '../addresses/model.js';
import type { NetworkView } from '../addresses/view.js';
import { type Ip, ipFamily, isLinkLocal } from '../core/ip.js';
import type { Fault, InstanceConfig } from './model.js';

const OWNER = 255;

/**
 * The address that adverts come from; undefined while there is none.
 * @param virtual the virtual IPs of all instances: none of them is ever a source, but for an owner that has no other.
 * A director that has taken an owner's addresses cannot hear adverts from them: its kernel drops what comes from outside
 * with a source address of its own.
 */
export function sourceOf(
  view: NetworkView,
  config: InstanceConfig,
  virtual: ReadonlySet<Ip>,
): Ip | undefined {
  const { cast, family, priority } = config;
  if (cast.source !== undefined) return view.hasAddress(cast.source) ? cast.source : undefined;
  const link = view.link(config.interface);
  if (link === undefined) return undefined;
  const own = view
    .addressesOf(link.index)
    .filter(({ address, tentative }) => ipFamily(address) === family && !tentative);
  const real = primaryOf(own.filter(({ address }) => !virtual.has(address)));
  return real ?? (priority === OWNER ? primaryOf(own) : undefined);
}

/** Over IPv6 always the link-local address (RFC 5798 5.1.2.1); over IPv4 the first (5.1.1.1). */
function primaryOf(addresses: readonly AddressSeen[]): Ip | undefined {
  const linkLocal = addresses.filter(({ address }) => ipFamily(address) === 'ipv4' || isLinkLocal(address));
  return (linkLocal.find(({ secondary }) => !secondary) ?? linkLocal[0])?.address;
}

/** What is wrong with the instance's interface. @param isUp whether its link counts as up */
export function linkFaults(view: NetworkView, config: InstanceConfig, isUp: boolean): readonly Fault[] {
  if (view.link(config.interface) === undefined) return [{ kind: 'no-interface', name: config.interface }];
  return isUp ? [] : [{ kind: 'link-down', name: config.interface }];
}

/** That there is no address to send from; an interface that is missing has said so itself. */
export function sourceFaults(
  view: NetworkView,
  { cast, family, interface: device }: InstanceConfig,
  source: Ip | undefined,
): readonly Fault[] {
  if (source !== undefined || view.link(device) === undefined) return [];
  if (cast.source !== undefined) return [{ kind: 'no-source', name: cast.source }];
  return [{ kind: 'no-address', name: `${device} ${family}` }];
}
