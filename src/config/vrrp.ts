/** Completes one entry of `vrrp:`. */
import type { VirtualAddress } from '../addresses/model.js';
import { type Family, type Ip, ip, ipFamily, isLinkLocal, parseIp } from '../core/ip.js';
import { type Millis, millis, parseDuration } from '../core/units.js';
import type { Auth, Cast, InstanceConfig, InstanceRule, Track } from '../vrrp/model.js';
import type { VrrpVersion } from '../vrrp/packet.js';
import type { RouterConfig } from '../vrrp/status.js';
import {
  type Checked,
  type Context,
  type Cursor,
  entries,
  FAULTY,
  items,
  member,
  read,
  report,
} from './cursor.js';
import { unusable } from './endpoint.js';
import type { RawRouter } from './schema-vrrp.js';
import { expandSecrets } from './secrets.js';

type At = Cursor<RawRouter>;

const RT_SCOPE_LINK = 253;
const HOPS_MAX = 255;
/** RFC 5798 5.1.1.2 and 5.1.2.2. */
const GROUP: Readonly<Record<Family, Ip>> = { ipv4: ip('224.0.0.18'), ipv6: ip('ff02::12') };
const PASSWORD_BYTES = 8;
const DOWN_ADVERTS = 3;
const INTERVAL_STEP = 10;
const SECOND = 1000;
const INTERVAL_MAX_V3 = 40_950;
const PREFIX_PATTERN = /^([^/]*)\/(\d{1,3})$/;

interface Vip {
  readonly address: Ip;
  readonly prefix: number;
}

/** All members of an object that are not FAULTY, or FAULTY. */
function whole<T extends object>(parts: { readonly [Key in keyof T]: Checked<T[Key]> }): Checked<T> {
  return Object.values(parts).includes(FAULTY) ? FAULTY : (parts as T);
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

function virtualIps(context: Context, at: At, key: 'addresses' | 'excluded'): Checked<readonly Vip[]> {
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
function checkVips(context: Context, at: At, vips: readonly Vip[], excluded: readonly Vip[]): Checked<true> {
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

function objectOf(device: string, label: string | undefined, { address, prefix }: Vip): VirtualAddress {
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

function time(at: At, key: 'preempt-delay' | 'startup-delay' | 'failback-delay'): Checked<Millis> {
  const value = read(at, key, '0s');
  return value === FAULTY ? FAULTY : (parseDuration(value) ?? millis(0));
}

function intervalOf(context: Context, at: At, version: Checked<VrrpVersion>): Checked<Millis> {
  const given = member(at, 'interval');
  if (given === undefined) return millis(SECOND);
  if (given === FAULTY || version === FAULTY) return FAULTY;
  const interval = parseDuration(given.value) ?? millis(SECOND);
  if (version === 2 && interval % SECOND !== 0)
    return report(context, given, 'version 2 counts in whole seconds; use `version: 3` for less');
  if (version === 3 && interval > INTERVAL_MAX_V3)
    return report(context, given, 'version 3 has room for 40.95s at most');
  if (version === 3 && interval % INTERVAL_STEP !== 0)
    return report(context, given, 'version 3 counts in steps of 10ms');
  return interval;
}

function versionOf(context: Context, at: At, vips: Checked<readonly Vip[]>): Checked<VrrpVersion> {
  const given = member(at, 'version');
  if (given === undefined) return 3;
  if (given === FAULTY) return FAULTY;
  const isIpv6 = vips !== FAULTY && vips[0] !== undefined && ipFamily(vips[0].address) === 'ipv6';
  if (given.value === 2 && isIpv6)
    return report(context, given, 'version 2 is for IPv4 only; use `version: 3`');
  return given.value === 2 ? 2 : 3;
}

function ruleOf(context: Context, at: At, version: Checked<VrrpVersion>): Checked<InstanceRule> {
  const group = member(at, 'group');
  return whole<InstanceRule>({
    version,
    interval: intervalOf(context, at, version),
    downAdverts: DOWN_ADVERTS,
    preempt: read(at, 'preempt', true),
    preemptDelay: time(at, 'preempt-delay'),
    startupDelay: time(at, 'startup-delay'),
    failbackDelay: time(at, 'failback-delay'),
    waitReady: true,
    accept: true,
    grouped: group === FAULTY ? FAULTY : group !== undefined,
  });
}

function addressAt(context: Context, at: Cursor<string>, family: Family | undefined): Checked<Ip> {
  const address = parseIp(at.value);
  if (address === undefined) return report(context, at, `"${at.value}" is not an address`);
  if (family !== undefined && ipFamily(address) !== family)
    return report(context, at, `${address} is not of the family of the virtual IPs (${family})`);
  return address;
}

function castOf(context: Context, at: At, family: Family | undefined): Checked<Cast> {
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

interface AuthParts {
  readonly auth: Auth;
  readonly keys: ReadonlyMap<number, string>;
}

const NO_KEYS: ReadonlyMap<number, string> = new Map();

type RawAuth = NonNullable<RawRouter['auth']>;
type RawHmac = NonNullable<RawAuth['hmac']>;

function keysOf(context: Context, at: Cursor<RawHmac>): Checked<ReadonlyMap<number, string>> {
  const given = member(at, 'keys');
  if (given === undefined || given === FAULTY) return FAULTY;
  const keys = new Map<number, string>();
  for (const [name, key] of entries(given)) {
    if (!/^[1-9]\d{0,2}$/.test(name) || Number(name) > 255)
      return report(context, key, `${name} is not the id of a key, 1 to 255`);
    const secret = expandSecrets(context, key);
    if (secret === FAULTY) return FAULTY;
    keys.set(Number(name), secret);
  }
  if (keys.size < (given.node.fields?.size ?? 0)) return FAULTY;
  return keys.size > 0 ? keys : report(context, given, 'empty; there must be a key');
}

function hmacOf(context: Context, at: Cursor<RawHmac>): Checked<AuthParts> {
  const keys = keysOf(context, at);
  const active = member(at, 'active');
  const mode = read(at, 'mode', 'enforce');
  const antiReplay = read(at, 'anti-replay', 'time');
  const window = read(at, 'window', '10s');
  if (keys === FAULTY || active === FAULTY || mode === FAULTY || antiReplay === FAULTY || window === FAULTY)
    return FAULTY;
  if (active === undefined && keys.size > 1)
    return report(context, at, 'with several keys, `active` says which signs');
  const activeKey = active?.value ?? [...keys.keys()][0] ?? 1;
  if (active !== undefined && !keys.has(activeKey))
    return report(context, active, `there is no key ${activeKey}`);
  const rule = { mode, activeKey, antiReplay, window: parseDuration(window) ?? millis(SECOND) };
  return { auth: { kind: 'hmac', rule }, keys };
}

function passwordOf(context: Context, at: Cursor<string>, version: Checked<VrrpVersion>): Checked<AuthParts> {
  const password = expandSecrets(context, at);
  if (password === FAULTY) return FAULTY;
  if (version === 3) return report(context, at, 'version 3 has no passwords; use `hmac`, or `version: 2`');
  if (!/^[\x20-\x7e]{1,8}$/.test(password))
    return report(context, at, 'not 1 to 8 characters in printable ASCII');
  // Zeros behind it: RFC 3768 5.3.6.
  const data = Uint8Array.from({ length: PASSWORD_BYTES }, (_, at) => password.charCodeAt(at) || 0);
  return { auth: { kind: 'password', data }, keys: NO_KEYS };
}

function authOf(context: Context, at: At, version: Checked<VrrpVersion>): Checked<AuthParts> {
  const auth = member(at, 'auth');
  if (auth === FAULTY) return FAULTY;
  if (auth === undefined) return { auth: { kind: 'none' }, keys: NO_KEYS };
  const password = member(auth, 'password');
  const hmac = member(auth, 'hmac');
  if (password === FAULTY || hmac === FAULTY) return FAULTY;
  if (password !== undefined && hmac !== undefined)
    return report(context, auth, 'either `password` or `hmac`, not both');
  if (hmac !== undefined) return hmacOf(context, hmac);
  if (password !== undefined) return passwordOf(context, password, version);
  return report(context, auth, 'empty; say `password` or `hmac`, or leave it out');
}

function tracksOf(context: Context, at: At, services: ReadonlySet<string>): Checked<readonly Track[]> {
  const track = member(at, 'track');
  if (track === undefined) return [];
  if (track === FAULTY) return FAULTY;
  const interfaces = member(track, 'interfaces');
  const names = member(track, 'services');
  const penalty = read(track, 'penalty', 50);
  const minimum = read(track, 'minimum', 0);
  if (interfaces === FAULTY || names === FAULTY || penalty === FAULTY || minimum === FAULTY) return FAULTY;
  const tracks: Track[] = [];
  for (const item of interfaces === undefined ? [] : items(interfaces)) {
    if (item === FAULTY) return FAULTY;
    tracks.push({ kind: 'interface', name: item.value, weight: 'fault', reverse: false });
  }
  for (const item of names === undefined ? [] : items(names)) {
    if (item === FAULTY) return FAULTY;
    if (!services.has(item.value)) return report(context, item, `there is no service ${item.value}`);
  }
  const name = names?.value.join(' ') ?? '';
  return name === '' ? tracks : [...tracks, { kind: 'services', name, penalty, minimum }];
}

function announceOf(at: At): Checked<InstanceConfig['announce']> {
  const given = member(at, 'announce');
  if (given === FAULTY) return FAULTY;
  const repeat = given === undefined ? 5 : read(given, 'repeat', 5);
  const delay = given === undefined ? '5s' : read(given, 'delay', '5s');
  const refresh = given === undefined ? '0s' : read(given, 'refresh', '0s');
  if (repeat === FAULTY || delay === FAULTY || refresh === FAULTY) return FAULTY;
  const later = parseDuration(delay) ?? millis(0);
  return {
    repeat,
    delay: later,
    refresh: parseDuration(refresh) ?? millis(0),
    refreshRepeat: 1,
    lowerRepeat: repeat,
    lowerDelay: later,
  };
}

function labelOf(context: Context, at: At): Checked<string | undefined> {
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

/** Completes one virtual router. @param services the names of the virtual services that there are */
export function completeRouter(
  context: Context,
  name: string,
  at: At,
  services: ReadonlySet<string>,
): Checked<RouterConfig> {
  const device = read(at, 'interface', '');
  const vrid = read(at, 'id', 0);
  const priority = read(at, 'priority', 100);
  const vips = virtualIps(context, at, 'addresses');
  const excluded = virtualIps(context, at, 'excluded');
  const sound = vips === FAULTY || excluded === FAULTY ? FAULTY : checkVips(context, at, vips, excluded);
  const first = vips === FAULTY ? undefined : vips[0];
  const family = first === undefined ? undefined : ipFamily(first.address);
  const version = versionOf(context, at, vips);
  const label = labelOf(context, at);
  const group = member(at, 'group');
  const auth = authOf(context, at, version);
  const tracks = tracksOf(context, at, services);
  const parts = whole<Omit<InstanceConfig, 'name' | 'family' | 'addresses' | 'auth'>>({
    interface: device,
    vrid,
    priority,
    rule: ruleOf(context, at, version),
    cast: castOf(context, at, family),
    checksum: read(at, 'checksum', 'pseudo-header'),
    announce: announceOf(at),
  });
  if (sound === FAULTY || vips === FAULTY || excluded === FAULTY || device === FAULTY || label === FAULTY)
    return FAULTY;
  if (parts === FAULTY || auth === FAULTY || tracks === FAULTY || group === FAULTY || family === undefined)
    return FAULTY;
  const addresses = vips.map(({ address }) => address);
  return {
    instance: { name, family, addresses, auth: auth.auth, ...parts },
    addresses: [...vips, ...excluded].map((vip) => objectOf(device, label, vip)),
    keys: auth.keys,
    group: group?.value,
    tracks,
  };
}

/** What two virtual routers must not share: an id on one interface and family, or an address. */
export function checkRouters(
  context: Context,
  routers: ReadonlyMap<string, { readonly at: At; readonly router: RouterConfig }>,
): void {
  const ids = new Map<string, string>();
  const owners = new Map<string, string>();
  for (const [name, { at, router }] of routers) {
    const { vrid, interface: device, family } = router.instance;
    const key = `id ${vrid} on ${device} (${family})`;
    const known = ids.get(key);
    if (known === undefined) ids.set(key, name);
    else report(context, at, `${key} is taken by ${known}`);
    for (const { address } of router.addresses) {
      const owner = owners.get(address);
      if (owner === undefined) owners.set(address, name);
      else report(context, at, `${address} is a virtual IP of ${owner} already`);
    }
  }
}
