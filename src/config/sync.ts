/** Completes `sync:`. */
import { type Ip, ip, ipFamily, isMulticast, parseIp } from '../core/ip.js';
import { serviceFamily } from '../ipvs/keys.js';
import type { SyncRole, SyncRule } from '../ipvs/model.js';
import type { RouterConfig } from '../vrrp/status.js';
import { type Checked, type Context, type Cursor, FAULTY, member, read, report } from './cursor.js';
import type { ServiceConfig } from './model.js';
import { possibleServers } from './names.js';
import type { RawSync } from './schema-sync.js';

type At = Cursor<RawSync>;

/** IP_VS_SYNC_GROUP and IP_VS_SYNC_PORT of the kernel. */
const GROUP = ip('224.0.0.81');
const PORT = 8848;

/** What else of the configuration the synchronisation depends on. */
export interface SyncSurroundings {
  /** Those without a fault, in the order of the configuration. */
  readonly routers: readonly RouterConfig[];
  /** Those with faults too. */
  readonly routerNames: ReadonlySet<string>;
  readonly services: readonly ServiceConfig[];
}

const ROLES: Readonly<Record<NonNullable<RawSync['role']>, readonly SyncRole[]>> = {
  master: ['master'],
  backup: ['backup'],
  both: ['master', 'backup'],
};

function rolesOf(
  context: Context,
  at: At,
  { routers, routerNames }: SyncSurroundings,
): Checked<SyncRule['roles']> {
  const follows = member(at, 'follows');
  const role = member(at, 'role');
  if (follows === FAULTY || role === FAULTY) return FAULTY;
  if (follows !== undefined && role !== undefined)
    return report(context, role, 'either a role that never changes, or `follows`');
  if (role !== undefined) return { kind: 'fixed', roles: ROLES[role.value] };
  if (follows !== undefined && !routerNames.has(follows.value))
    return report(context, follows, `there is no virtual router ${follows.value}`);
  if (routerNames.size === 0)
    return report(
      context,
      at,
      'without `vrrp` there is no role to follow; say `role`: master, backup or both',
    );
  const instance = follows?.value ?? routers[0]?.instance.name;
  // The only virtual routers have faults of their own.
  return instance === undefined ? FAULTY : { kind: 'follow', instance };
}

function groupOf(context: Context, at: At): Checked<Ip> {
  const given = member(at, 'group');
  if (given === undefined) return GROUP;
  if (given === FAULTY) return FAULTY;
  const group = parseIp(given.value);
  if (group === undefined) return report(context, given, `"${given.value}" is not an address`);
  return isMulticast(group) ? group : report(context, given, `${group} is not a multicast address`);
}

/** The kernel has either daemons or servers of another family than their service's. */
function checkFamilies(context: Context, at: At, services: readonly ServiceConfig[]): Checked<true> {
  for (const service of services) {
    const { name, entries, fallback } = service;
    const families = new Set(entries.map(({ key }) => serviceFamily(key)));
    const other = [...possibleServers(service), ...fallback.flat()].find(
      ({ dest }) => families.size > 1 || !families.has(ipFamily(dest.key.address)),
    );
    if (other === undefined) continue;
    const words = `server ${other.name} of service ${name} is of the other family`;
    return report(context, at, `${words}; the kernel does not synchronise connections beside such servers`);
  }
  return true;
}

function idOf(at: At, roles: Checked<SyncRule['roles']>, routers: readonly RouterConfig[]): Checked<number> {
  const followed = roles === FAULTY || roles.kind === 'fixed' ? undefined : roles.instance;
  const router = routers.find(({ instance }) => instance.name === followed);
  return read(at, 'id', router?.instance.vrid ?? 0);
}

/** Completes the synchronisation of connections. */
export function completeSync(context: Context, at: At, surroundings: SyncSurroundings): Checked<SyncRule> {
  const { routers, services } = surroundings;
  const roles = rolesOf(context, at, surroundings);
  const device = read(at, 'interface', '');
  const group = groupOf(context, at);
  const syncId = idOf(at, roles, routers);
  const port = read(at, 'port', PORT);
  const ttl = read(at, 'ttl', 1);
  const length = member(at, 'maxlen');
  const families = checkFamilies(context, at, services);
  if (roles === FAULTY || device === FAULTY || group === FAULTY || syncId === FAULTY) return FAULTY;
  if (port === FAULTY || ttl === FAULTY || length === FAULTY || families === FAULTY) return FAULTY;
  return { roles, daemon: { interface: device, syncId, maxLength: length?.value, group, port, ttl } };
}
