/** Completes one entry of `vrrp:`. */
import type { VirtualAddress } from '../addresses/model.js';
import { nameOf, objectText } from '../addresses/names.js';
import { ipFamily } from '../core/ip.js';
import { type Millis, millis, parseDuration } from '../core/units.js';
import type { InstanceConfig, InstanceRule } from '../vrrp/model.js';
import type { VrrpVersion } from '../vrrp/packet.js';
import type { RouterConfig } from '../vrrp/status.js';
import { type Checked, type Context, type Cursor, FAULTY, member, read, report } from './cursor.js';
import type { RawRouter } from './schema-vrrp.js';
import { checkLabel, checkVips, virtualIps, virtualLinkOf } from './vrrp-addresses.js';
import { announceOf } from './vrrp-announce.js';
import { authOf } from './vrrp-auth.js';
import { castOf } from './vrrp-cast.js';
import { debounceOf } from './vrrp-debounce.js';
import { routesOf, rulesOf } from './vrrp-routes.js';
import { type Trackable, tracksOf } from './vrrp-track.js';

type At = Cursor<RawRouter>;

const DOWN_ADVERTS = 3;
const INTERVAL_STEP = 10;
const SECOND = 1000;
const INTERVAL_MAX_V3 = 40_950;

/** All members of an object that are not FAULTY, or FAULTY. */
function whole<T extends object>(parts: { readonly [Key in keyof T]: Checked<T[Key]> }): Checked<T> {
  return Object.values(parts).includes(FAULTY) ? FAULTY : (parts as T);
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

function versionOf(context: Context, at: At, vips: Checked<readonly VirtualAddress[]>): Checked<VrrpVersion> {
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

/** Completes one virtual router. */
export function completeRouter(
  context: Context,
  name: string,
  at: At,
  trackable: Trackable,
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
  const label = checkLabel(context, at);
  const routes = routesOf(context, at, family ?? 'ipv4');
  const rules = rulesOf(context, at, family ?? 'ipv4');
  const group = member(at, 'group');
  const auth = authOf(context, at, version);
  const tracks = tracksOf(context, at, trackable);
  const debounce = debounceOf(at);
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
  const virtualLink = virtualLinkOf(context, at, [...vips, ...excluded]);
  if (routes === FAULTY || rules === FAULTY || virtualLink === FAULTY) return FAULTY;
  if (debounce === FAULTY) return FAULTY;
  const addresses = vips.map(({ address }) => address);
  return {
    instance: { name, family, addresses, auth: auth.auth, ...parts },
    addresses: [...vips, ...excluded],
    routes,
    rules,
    virtualLink,
    keys: auth.keys,
    group: group?.value,
    tracks,
    debounce,
  };
}

/** What two virtual routers must not share: an id on one interface and family, an address, a route or a rule. */
export function checkRouters(
  context: Context,
  routers: ReadonlyMap<string, { readonly at: At; readonly router: RouterConfig }>,
): void {
  const ids = new Map<string, string>();
  const owners = new Map<string, string>();
  for (const [name, { at, router }] of routers) {
    const { vrid, interface: device, family } = router.instance;
    if (device === 'lo')
      report(context, at, 'lo reaches no other director; name the interface of their network');
    const key = `id ${vrid} on ${device} (${family})`;
    const known = ids.get(key);
    if (known === undefined) ids.set(key, name);
    else report(context, at, `${key} is taken by ${known}`);
    const { virtualLink } = router;
    const owner = virtualLink === undefined ? undefined : owners.get(virtualLink.name);
    if (owner !== undefined)
      report(
        context,
        at,
        `the link ${virtualLink?.name} is there already, in ${owner}; give it another name in \`virtual-mac\``,
      );
    if (virtualLink !== undefined) owners.set(virtualLink.name, name);
    for (const { address } of router.addresses) {
      const owner = owners.get(address);
      if (owner === undefined) owners.set(address, name);
      else report(context, at, `${address} is a virtual IP of ${owner} already`);
    }
    for (const object of [...router.routes, ...router.rules]) {
      const owner = owners.get(objectText(object));
      if (owner === undefined) owners.set(objectText(object), name);
      else report(context, at, `${nameOf(object)} is there already, in ${owner}`);
    }
  }
}
