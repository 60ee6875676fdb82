import { type Ip, ipFamily } from '../core/ip.js';
import type { ServiceKey } from '../ipvs/model.js';
import {
  type Checked,
  type Context,
  type Cursor,
  FAULTY,
  member,
  read,
  report,
  reportKey,
} from './cursor.js';
import { parseEndpoint, unusable } from './endpoint.js';
import type { RawService } from './schema.js';

/** Reports each of these keys that is there. @returns whether none is. */
export function refuse(
  context: Context,
  at: Cursor<RawService>,
  keys: readonly (keyof RawService)[],
  why: string,
): boolean {
  let fit = true;
  for (const key of keys) {
    const found = member(at, key);
    if (found === undefined || found === FAULTY) continue;
    reportKey(context, found, why);
    fit = false;
  }
  return fit;
}

function fwmarkKey(context: Context, at: Cursor<RawService>, mark: number): Checked<ServiceKey> {
  const why = 'a fwmark service has no address and takes every protocol; leave it out';
  if (!refuse(context, at, ['address', 'protocol'], why)) return FAULTY;
  const family = read(at, 'family', 'ipv4');
  return family === FAULTY ? FAULTY : { kind: 'fwmark', family, mark };
}

function vip(context: Context, at: Cursor<string>): Checked<{ address: Ip; port: number }> {
  const parsed = parseEndpoint(at.value);
  if (!parsed.ok) return report(context, at, parsed.problem);
  const { address, port } = parsed.value;
  const reason = unusable(address);
  if (reason !== undefined) return report(context, at, `${address} is ${reason}; it cannot be a VIP`);
  if (port !== undefined) return { address, port };
  const example = ipFamily(address) === 'ipv6' ? `"[${address}]:80"` : `${address}:80`;
  return report(context, at, `${address} has no port; write for example ${example}`);
}

/** What makes the service the same service. */
export function serviceKey(context: Context, at: Cursor<RawService>): Checked<ServiceKey> {
  const mark = member(at, 'fwmark');
  const address = member(at, 'address');
  if (mark === FAULTY || address === FAULTY) return FAULTY;
  if (mark !== undefined) return fwmarkKey(context, at, mark.value);
  if (address === undefined) {
    return report(context, at, 'neither `address` nor `fwmark`; a service needs one of them');
  }
  const sound = refuse(context, at, ['family'], 'the address says the family already; leave it out');
  const protocol = read(at, 'protocol', 'tcp');
  const endpoint = vip(context, address);
  if (!sound || protocol === FAULTY || endpoint === FAULTY) return FAULTY;
  const persistent = member(at, 'persistence');
  if (endpoint.port === 0 && persistent === undefined) {
    return report(
      context,
      address,
      'port 0 (every port) needs `persistence`, or the parts of a session scatter',
    );
  }
  return { kind: 'address', protocol, address: endpoint.address, port: endpoint.port };
}
