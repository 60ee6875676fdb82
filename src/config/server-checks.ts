/** From the checks that a server is to have to those of a server at an address. */
import type { Check } from '../checks/model.js';
import type { Origin } from '../checks/spec-target.js';
import type { Ip } from '../core/ip.js';
import type { CheckTemplate } from './check.js';
import type { ProbedNames } from './check-names.js';
import { originFor } from './check-origin.js';
import type { CheckSet } from './check-set.js';
import { type Checked, type Context, FAULTY } from './cursor.js';
import type { ServerConfig } from './model.js';

/** A check that lacks nothing but the address and port of its target. */
interface Aim extends Pick<CheckTemplate, 'rule' | 'port' | 'probe'> {
  readonly name: string;
  readonly origin: Origin | undefined;
}

export type Aims = readonly [Aim, ...Aim[]];

/** What the checks of a set come to. @param address of the family of all that is to be probed */
export function aimsOf(context: Context, { parts }: CheckSet, address: Ip): Checked<Aims> {
  const aims: Aim[] = [];
  for (const { name, template } of parts) {
    const { rule, port, probe } = template;
    const origin = originFor(context, template.origin, address);
    if (origin === FAULTY) return FAULTY;
    aims.push({ name, rule, port, probe, origin });
  }
  const [first, ...others] = aims;
  return first === undefined ? FAULTY : [first, ...others];
}

/** The checks of one server. */
export function aimedAt(
  [first, ...others]: Aims,
  { service, server }: Omit<ProbedNames, 'check'>,
  address: Ip,
  port: number,
): ServerConfig['checks'] {
  const whole = `${service}/${server}`;
  const checkOf = ({ name, rule, probe, port: own = port, origin }: Aim): Check => {
    const target = { address, port: own, ...(origin === undefined ? {} : { origin }) };
    const id = others.length === 0 ? whole : `${whole}/${name}`;
    return { id, rule, probe: probe(target, { service, server, check: name }) };
  };
  return [checkOf(first), ...others.map(checkOf)];
}
