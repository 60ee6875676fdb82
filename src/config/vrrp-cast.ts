/** Where the adverts of one entry of `vrrp:` go, and whose are heard. */
import { type Family, type Ip, ip, ipFamily, parseIp } from '../core/ip.js';
import type { Cast } from '../vrrp/model.js';
import { type Checked, type Context, type Cursor, FAULTY, items, member, read, report } from './cursor.js';
import type { RawRouter } from './schema-vrrp.js';

type At = Cursor<RawRouter>;

const HOPS_MAX = 255;
/** RFC 5798 5.1.1.2 and 5.1.2.2. */
const GROUP: Readonly<Record<Family, Ip>> = { ipv4: ip('224.0.0.18'), ipv6: ip('ff02::12') };

function addressAt(context: Context, at: Cursor<string>, family: Family | undefined): Checked<Ip> {
  const address = parseIp(at.value);
  if (address === undefined) return report(context, at, `"${at.value}" is not an address`);
  if (family !== undefined && ipFamily(address) !== family)
    return report(context, at, `${address} is not of the family of the virtual IPs (${family})`);
  return address;
}

/** Multicast, or the peers. @param family of the virtual IPs; undefined while they are faulty */
export function castOf(context: Context, at: At, family: Family | undefined): Checked<Cast> {
  const unicast = member(at, 'unicast');
  if (unicast === FAULTY) return FAULTY;
  if (unicast === undefined) return { kind: 'multicast', group: GROUP[family ?? 'ipv4'], source: undefined };
  const source = member(unicast, 'source');
  const peers = member(unicast, 'peers');
  const hops = read(unicast, 'hops', HOPS_MAX);
  if (source === undefined || source === FAULTY || peers === undefined || peers === FAULTY) return FAULTY;
  if (peers.value.length === 0) return report(context, peers, 'empty; name the other directors');
  const own = addressAt(context, source, family);
  const found = items(peers).map((item) => (item === FAULTY ? FAULTY : addressAt(context, item, family)));
  if (own === FAULTY || hops === FAULTY || found.includes(FAULTY)) return FAULTY;
  const addresses = found as Ip[];
  if (addresses.includes(own)) return report(context, peers, `${own} is this director itself`);
  return {
    kind: 'unicast',
    source: own,
    peers: addresses.map((address) => ({ address, hopsMin: hops, hopsMax: HOPS_MAX })),
    checkSource: true,
  };
}
