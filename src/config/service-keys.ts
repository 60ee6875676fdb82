/** What a service is in the kernel's table: one entry for each of its addresses and marks. */
import { type Family, ipFamily } from '../core/ip.js';
import { serviceFamily, serviceText } from '../ipvs/keys.js';
import type { Protocol, ServiceKey } from '../ipvs/model.js';
import { addressesOf, BLOCK_MAX, parseAddressBlock } from './address-block.js';
import {
  type Checked,
  type Context,
  type Cursor,
  claim,
  FAULTY,
  items,
  member,
  read,
  report,
  reportKey,
} from './cursor.js';
import { unusable } from './endpoint.js';
import type { RawService } from './schema.js';
import type { RawMark } from './schema-addresses.js';

/** The keys of a service, in the order of the configuration. */
export type Keys = readonly [ServiceKey, ...ServiceKey[]];

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

function fwmarkKey(context: Context, at: Cursor<RawService>, mark: number): Checked<readonly ServiceKey[]> {
  const why = 'a fwmark service has no address and takes every protocol; leave it out';
  if (!refuse(context, at, ['address', 'protocol'], why)) return FAULTY;
  const family = read(at, 'family', 'ipv4');
  return family === FAULTY ? FAULTY : [{ kind: 'fwmark', family, mark }];
}

/** What all addresses of a service share. */
interface Manner {
  readonly protocol: Protocol;
  readonly persistent: boolean;
}

/** @param most addresses that `at` may stand for */
function addressKeys(
  context: Context,
  at: Cursor<string>,
  { protocol, persistent }: Manner,
  most: number,
): Checked<readonly ServiceKey[]> {
  const parsed = parseAddressBlock(at.value);
  if (!parsed.ok) return report(context, at, parsed.problem);
  const { first, count, port } = parsed.value;
  if (count > most)
    return report(context, at, `${at.value} is ${count} addresses; list it under \`addresses\``);
  const addresses = addressesOf(parsed.value);
  // What cannot be a VIP comes in blocks larger than ours, or at the ends of the numbers: the ends tell of all.
  for (const address of [first, addresses.at(-1) ?? first]) {
    const reason = unusable(address);
    if (reason !== undefined) return report(context, at, `${address} is ${reason}; it cannot be a VIP`);
  }
  if (port === undefined) {
    const bare = at.value.replace(/^\[(.*)\]$/, '$1');
    const example = ipFamily(first) === 'ipv6' ? `"[${bare}]:80"` : `${bare}:80`;
    return report(context, at, `${at.value} has no port; write for example ${example}`);
  }
  if (port === 0 && !persistent) {
    const why = 'port 0 (every port) needs `persistence`, or the parts of a session scatter';
    return report(context, at, why);
  }
  return addresses.map((address) => ({ kind: 'address', protocol, address, port }));
}

function markKey(at: Cursor<RawMark>): Checked<readonly ServiceKey[]> {
  const mark = member(at, 'fwmark');
  const family = read(at, 'family', 'ipv4');
  if (mark === undefined || mark === FAULTY || family === FAULTY) return FAULTY;
  return [{ kind: 'fwmark', family, mark: mark.value }];
}

function itemKeys(
  context: Context,
  at: Cursor<string | RawMark>,
  manner: Manner,
): Checked<readonly ServiceKey[]> {
  return typeof at.value === 'string'
    ? addressKeys(context, at as Cursor<string>, manner, BLOCK_MAX)
    : markKey(at as Cursor<RawMark>);
}

/** Reports the first of these that another service, or this one, has already. @returns whether there is none */
function claimKeys(context: Context, at: Cursor<unknown>, keys: readonly ServiceKey[]): boolean {
  return keys.every((key) => claim(context, context.services, at, 'the service', serviceText(key)));
}

function listedKeys(
  context: Context,
  list: Cursor<readonly (string | RawMark)[]>,
  manner: Manner,
): Checked<readonly ServiceKey[]> {
  const all = items(list);
  if (all.length === 0) return report(context, list, 'empty; a service needs an address or a fwmark');
  const keys: ServiceKey[] = [];
  let sound = true;
  for (const item of all) {
    const found = item === FAULTY ? FAULTY : itemKeys(context, item, manner);
    if (item === FAULTY || found === FAULTY || !claimKeys(context, item, found)) sound = false;
    else if (keys.length + found.length > BLOCK_MAX)
      return report(context, item, `with it the service has more than ${BLOCK_MAX} addresses`);
    else keys.push(...found);
  }
  return sound ? keys : FAULTY;
}

function severalKeys(
  context: Context,
  at: Cursor<RawService>,
  list: Cursor<readonly (string | RawMark)[]>,
): Checked<readonly ServiceKey[]> {
  const sound = refuse(
    context,
    at,
    ['address', 'fwmark', 'family'],
    '`addresses` says it; leave it out, or list it there',
  );
  const protocol = read(at, 'protocol', 'tcp');
  if (!sound || protocol === FAULTY) return FAULTY;
  const manner = { protocol, persistent: member(at, 'persistence') !== undefined };
  const keys = listedKeys(context, list, manner);
  const given = member(at, 'protocol');
  if (keys === FAULTY || given === undefined || given === FAULTY) return keys;
  if (keys.some((key) => key.kind === 'address')) return keys;
  return reportKey(context, given, 'a fwmark service takes every protocol; leave it out');
}

function addressKey(
  context: Context,
  at: Cursor<RawService>,
  address: Cursor<string>,
): Checked<readonly ServiceKey[]> {
  const sound = refuse(context, at, ['family'], 'the address says the family already; leave it out');
  const protocol = read(at, 'protocol', 'tcp');
  const manner: Manner = {
    protocol: protocol === FAULTY ? 'tcp' : protocol,
    persistent: member(at, 'persistence') !== undefined,
  };
  const keys = addressKeys(context, address, manner, 1);
  return sound && protocol !== FAULTY ? keys : FAULTY;
}

function singleKey(context: Context, at: Cursor<RawService>): Checked<readonly ServiceKey[]> {
  const mark = member(at, 'fwmark');
  const address = member(at, 'address');
  if (mark === FAULTY || address === FAULTY) return FAULTY;
  const place = mark ?? address;
  if (place === undefined)
    return report(context, at, 'neither `address`, `addresses` nor `fwmark`; a service needs one of them');
  const keys =
    mark === undefined
      ? addressKey(context, at, place as Cursor<string>)
      : fwmarkKey(context, at, mark.value);
  if (keys !== FAULTY) claimKeys(context, place, keys);
  return keys;
}

/** What makes the service the same service: its keys in the kernel's table, each claimed for it. */
export function serviceKeys(context: Context, at: Cursor<RawService>): Checked<Keys> {
  const list = member(at, 'addresses');
  if (list === FAULTY) return FAULTY;
  const keys = list === undefined ? singleKey(context, at) : severalKeys(context, at, list);
  if (keys === FAULTY) return FAULTY;
  const [first, ...others] = keys;
  return first === undefined ? FAULTY : [first, ...others];
}

/** What servers need to know of the keys of their service. */
export interface KeyFacts {
  readonly first: ServiceKey;
  readonly all: readonly ServiceKey[];
  /** Of the addresses, each once. */
  readonly ports: ReadonlySet<number>;
  readonly families: ReadonlySet<Family>;
  readonly marked: boolean;
}

export function keyFacts(keys: Keys): KeyFacts {
  const ports = new Set<number>();
  const families = new Set<Family>();
  for (const key of keys) {
    families.add(serviceFamily(key));
    if (key.kind === 'address') ports.add(key.port);
  }
  return { first: keys[0], all: keys, ports, families, marked: keys.some((key) => key.kind === 'fwmark') };
}
