/** What has to be right about the virtual IPs on a director. */
import { type Ip, ipBytes, ipFamily } from '../core/ip.js';
import { settingName, shellLine } from '../core/shell.js';
import { found, type Judgement, type Rule, well } from './judge.js';
import type { Facts, LinkFact } from './model.js';

function isWithin(address: Ip, network: Ip, prefix: number): boolean {
  const [a, b] = [ipBytes(address), ipBytes(network)];
  if (a.length !== b.length) return false;
  for (let bit = 0; bit < prefix; bit += 8) {
    const shift = Math.max(0, 8 - (prefix - bit));
    const at = bit / 8;
    if ((a[at] ?? 0) >> shift !== (b[at] ?? 0) >> shift) return false;
  }
  return true;
}

/** The interface on whose network the address is; else the first that could have it. */
function homeOf(address: Ip, links: readonly LinkFact[]): string | undefined {
  const usable = links.filter(({ name, up }) => name !== 'lo' && up);
  const home = usable.find(({ addresses }) =>
    addresses.some(({ address: own, prefix }) => isWithin(address, own, prefix)),
  );
  return (home ?? usable[0])?.name;
}

function isOn(address: Ip, { addresses }: LinkFact): boolean {
  return addresses.some((each) => each.address === address);
}

export function isOnMachine(address: Ip, { links }: Facts): boolean {
  return links.some((link) => isOn(address, link));
}

function prefixed(address: Ip): string {
  return `${address}/${ipFamily(address) === 'ipv6' ? 128 : 32}`;
}

/** @param change `add` or `change` */
function addressLine(change: 'add' | 'change', address: Ip, device: string): string {
  // With a preferred lifetime it would be a source of connections that begin here.
  const more = ipFamily(address) === 'ipv6' && device !== 'lo' ? ['preferred_lft', '0'] : [];
  return shellLine('ip', 'address', change, prefixed(address), 'dev', device, ...more);
}

/** The line that brings an address to this machine: where no interface is up, one is brought up, or `lo` is all there is. */
function bringLine(address: Ip, links: readonly LinkFact[]): string {
  const home = homeOf(address, links);
  if (home !== undefined) return addressLine('add', address, home);
  const down = links.find(({ name }) => name !== 'lo');
  if (down === undefined)
    return `${addressLine('add', address, 'lo')}  # there is no other interface: only programs of this machine reach it`;
  return `${shellLine('ip', 'link', 'set', down.name, 'up')} && ${addressLine('add', address, down.name)}`;
}

/** A virtual IP that only `lo` has. IPv6 tells its neighbours of no address of another interface; IPv4 does by default. */
function judgeOnLoopback(address: Ip, { links, setting }: Facts): Judgement {
  const home = homeOf(address, links);
  const seen = `the virtual IP ${address} is on lo alone`;
  if (home === undefined) return well(`${seen}, and no other interface is up`);
  const paths = ['all', home].map((name) => `ipv4/conf/${name}/arp_ignore`);
  const quiet = paths.find((path) => Number(setting(path) ?? 0) > 0);
  if (ipFamily(address) === 'ipv4' && quiet === undefined) return well(`${seen}, and ARP is answered for it`);
  const reason = quiet === undefined || ipFamily(address) === 'ipv6' ? 'IPv6' : settingName(quiet);
  const why = `with ${reason}, ${home} tells no neighbour of it: it gets packets only where routers send them here`;
  return found('warning', seen, why, addressLine('add', address, home));
}

function judgeVip(address: Ip, facts: Facts): Judgement {
  const { wanted, programs, links } = facts;
  const router = wanted.routers.find(({ addresses }) => addresses.includes(address));
  if (router !== undefined) return well(`${address} is moved by the virtual router ${router.name}`);
  const homes = links.filter((link) => isOn(address, link));
  if (homes.some(({ name }) => name !== 'lo')) return well(`${address} is on this machine`);
  if (homes.length > 0) return judgeOnLoopback(address, facts);
  const isMoved = programs.has('keepalived') || !wanted.configured;
  const why = isMoved
    ? 'no packet for it comes here, unless another program brings it: right for a backup, wrong for a master'
    : 'no packet for it comes here; put it on an interface, or under `vrrp`';
  const seen = `the virtual IP ${address} is not on this machine`;
  return found(isMoved ? 'warning' : 'error', seen, why, bringLine(address, links));
}

/** Those of all services, each once. */
function vipsOf({ wanted }: Facts): readonly Ip[] {
  return [...new Set(wanted.services.flatMap(({ address }) => (address === undefined ? [] : [address])))];
}

const virtualIps: Rule = {
  id: 'virtual-ip',
  judge: (facts) => vipsOf(facts).map((address) => judgeVip(address, facts)),
};

/** RFC 6724 section 5: of the addresses of an interface that are not deprecated the one with the longest match is chosen. */
const virtualIpSources: Rule = {
  id: 'virtual-ip-source',
  judge(facts) {
    return vipsOf(facts).flatMap((vip) => {
      const home = facts.links.find((link) => link.name !== 'lo' && isOn(vip, link));
      const its = home?.addresses.find(({ address }) => address === vip);
      if (home === undefined || ipFamily(vip) !== 'ipv6' || its?.prefix !== 128) return [];
      const seen = `the virtual IP ${vip} on ${home.name}`;
      if (its.deprecated) return [well(`${seen} is no source of connections that begin here`)];
      const why =
        'probes may leave from it (RFC 6724, rule 8), and a server that has it too answers itself: it seems to be down';
      return [
        found('warning', `${seen} has a preferred lifetime`, why, addressLine('change', vip, home.name)),
      ];
    });
  },
};

export const ADDRESS_RULES: readonly Rule[] = [virtualIps, virtualIpSources];
