/** From the checks that a server is to have to those of a server at an address. */
import type { Check } from '../checks/model.js';
import type { Ip } from '../core/ip.js';
import type { Dest, ServiceKey } from '../ipvs/model.js';
import type { CheckTemplate } from './check.js';
import type { ProbedNames } from './check-names.js';
import type { CheckSet } from './check-set.js';
import { aimOf, type Aim as Way } from './check-through.js';
import { type Checked, type Context, FAULTY, report } from './cursor.js';
import type { ServerConfig } from './model.js';

/** A check that lacks nothing but the address of its server. */
interface Aim extends Pick<CheckTemplate, 'rule' | 'probe'> {
  readonly name: string;
  readonly way: Way;
}

export type Aims = readonly [Aim, ...Aim[]];

/** A server that is to be probed. */
export interface Probed {
  /** Of its service. */
  readonly keys: readonly ServiceKey[];
  /** Its address is of the family of all that stand for it. */
  readonly placed: { readonly dest: Dest; readonly followsPort: boolean };
  /** That stands for it. */
  readonly port: number;
}

/** A small weight comes to 1 by every share of it. */
function hasShares(context: Context, { rule, latencyAt }: CheckTemplate, weight: number): boolean {
  if (rule.latency === undefined || latencyAt === undefined || weight !== 1 || rule.latency.ceiling >= 150)
    return true;
  const text = 'a server of weight 1 has no smaller share of it; give all servers more weight, such as 100';
  report(context, latencyAt, text);
  return false;
}

/** What the checks of a set come to. */
export function aimsOf(context: Context, { parts }: CheckSet, { keys, placed, port }: Probed): Checked<Aims> {
  const aims: Aim[] = [];
  for (const { name, template } of parts) {
    if (!hasShares(context, template, placed.dest.settings.weight)) return FAULTY;
    const way = aimOf(context, { template, keys }, placed, port);
    if (way === FAULTY) return FAULTY;
    const { rule, probe } = template;
    aims.push({ name, rule, probe, way });
  }
  const [first, ...others] = aims;
  return first === undefined ? FAULTY : [first, ...others];
}

/** The same way to the server at another address. */
function wayTo({ target, through }: Way, address: Ip): Way {
  if (through === undefined)
    return target.address === address ? { target } : { target: { ...target, address } };
  const { key, settings } = through.dest;
  return { target, through: { ...through, dest: { key: { ...key, address }, settings } } };
}

/** The checks of one server. */
export function aimedAt(
  [first, ...others]: Aims,
  { service, server }: Omit<ProbedNames, 'check'>,
  address: Ip,
): ServerConfig['checks'] {
  const whole = `${service}/${server}`;
  const checkOf = ({ name, rule, probe, way }: Aim): Check => {
    const { target, ...rest } = wayTo(way, address);
    const id = others.length === 0 ? whole : `${whole}/${name}`;
    return { id, rule, probe: probe(target, { service, server, check: name }), ...rest };
  };
  return [checkOf(first), ...others.map(checkOf)];
}
