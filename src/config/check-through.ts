/** Checks that go through their service: what is probed, and how its packets are forwarded. */
import type { CheckType } from '../checks/model.js';
import type { Origin, Target } from '../checks/spec-target.js';
import type { Through } from '../checks/spec-through.js';
import { type Family, ipFamily } from '../core/ip.js';
import { serviceFamily } from '../ipvs/keys.js';
import type { Dest, ServiceKey } from '../ipvs/model.js';
import type { CheckTemplate } from './check.js';
import { originFor } from './check-origin.js';
import { type Checked, type Context, type Cursor, FAULTY, report } from './cursor.js';
import { type Layers, pick } from './layers.js';
import { CHECK_KEYS } from './schema-facts.js';

/** Where a check goes, and by which way. */
export interface Aim {
  readonly target: Target;
  readonly through?: Through;
}

type AddressKey = Extract<ServiceKey, { readonly kind: 'address' }>;

/** Their packets are UDP. */
const DATAGRAM: ReadonlySet<CheckType> = new Set<CheckType>(['udp', 'dns', 'ntp', 'sip']);

/** The place that says that probes of these layers go through the service; undefined where none does. */
export function throughOf(
  context: Context,
  layers: Layers,
  type: CheckType,
): Checked<Cursor<unknown> | undefined> {
  const at = pick(layers, 'through');
  if (at === FAULTY) return FAULTY;
  // What outer levels say of other checks does not reach programs and files.
  if (at === undefined || at.value === 'server' || type === 'exec' || type === 'file') return undefined;
  if (CHECK_KEYS.get(type)?.includes('through') === true) return at;
  return report(context, at, `${type} checks go to the server itself; say \`through: server\` in them`);
}

function originProblem({ device, mark, namespace }: Partial<Origin>): string | undefined {
  const given = Object.entries({ interface: device, mark, namespace });
  const key = given.find(([, value]) => value !== undefined)?.[0];
  return key === undefined
    ? undefined
    : `\`${key}\` cannot be chosen with it: the service's way is taken; only \`source\` can`;
}

/** The address that stands for a service: the first of the server's family, else the first. */
function vipOf(keys: readonly ServiceKey[], family: Family): AddressKey | undefined {
  const addresses = keys.filter((key) => key.kind === 'address');
  return addresses.find((key) => serviceFamily(key) === family) ?? addresses[0];
}

/** The server as the only one of a service of a mark. */
function onlyDest({ key, settings }: Dest, port: number): Dest {
  const limits = { weight: 1, upperThreshold: 0, lowerThreshold: 0 };
  return { key: { address: key.address, port }, settings: { forward: settings.forward, ...limits } };
}

/** @param followsPort the server has the port of the packet */
function throughService(
  context: Context,
  { at, template, keys }: Place & { readonly at: Cursor<unknown> },
  { dest, followsPort }: Server,
): Checked<Aim> {
  const problem = template.origin && originProblem(template.origin.origin);
  if (problem !== undefined) return report(context, at, problem);
  const vip = vipOf(keys, ipFamily(dest.key.address));
  if (vip === undefined)
    return report(context, at, 'the service is known by a firewall mark: it has no address to be probed');
  const isMasquerade = dest.settings.forward.method === 'masquerade';
  if (isMasquerade && DATAGRAM.has(template.type))
    return report(context, at, `${template.type} cannot go through a service with \`forward: masquerade\``);
  const port = template.port ?? vip.port;
  if (port === 0) return report(context, at, 'the service has no port that could be probed; say `port`');
  const origin = originFor(context, template.origin, vip.address);
  if (origin === FAULTY) return FAULTY;
  const its = isMasquerade && template.port === undefined && !followsPort ? dest.key.port : 0;
  const blocked = 'the way to the server through the service is not prepared yet';
  const from = { source: origin?.source, device: undefined, mark: undefined, namespace: undefined, blocked };
  const through = { family: serviceFamily(vip), dest: onlyDest(dest, its === port ? 0 : its) };
  return { target: { address: vip.address, port, origin: from }, through };
}

interface Server {
  readonly dest: Dest;
  readonly followsPort: boolean;
}

interface Place {
  readonly template: CheckTemplate;
  /** Of the service. */
  readonly keys: readonly ServiceKey[];
}

/** Where the check of a server goes. @param port of the server, where the check says none */
export function aimOf(context: Context, place: Place, server: Server, port: number): Checked<Aim> {
  const { template } = place;
  if (template.through !== undefined)
    return throughService(context, { ...place, at: template.through }, server);
  const { address } = server.dest.key;
  const origin = originFor(context, template.origin, address);
  if (origin === FAULTY) return FAULTY;
  return { target: { address, port: template.port ?? port, ...(origin === undefined ? {} : { origin }) } };
}
