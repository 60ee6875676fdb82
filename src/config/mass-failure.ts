/** Completes `mass-failure:`. */
import { endpointText } from '../core/ip.js';
import { type Millis, parseDuration } from '../core/units.js';
import type { Canary, MassFailureRule } from '../policy/model.js';
import { onlyCheck } from './check-set.js';
import {
  type Checked,
  type Claims,
  type Context,
  type Cursor,
  claim,
  FAULTY,
  items,
  member,
  read,
  report,
} from './cursor.js';
import { type Endpoint, parseEndpoint, unusable } from './endpoint.js';
import type { RawCanary, RawMassFailure } from './schema-mass-failure.js';

type Item = Cursor<string | RawCanary>;

const DEFAULT_MINIMUM = 4;

function endpointOf(context: Context, at: Cursor<string>): Checked<Endpoint> {
  const parsed = parseEndpoint(at.value);
  if (!parsed.ok) return report(context, at, parsed.problem);
  const reason = unusable(parsed.value.address);
  if (reason === undefined) return parsed.value;
  return report(context, at, `${parsed.value.address} is ${reason}; it cannot be probed`);
}

/** Names begin with no slash, so that no server's check has such an id. */
const idOf = (name: string): string => `/canary/${name}`;

function canaryOf(context: Context, item: Item, names: Claims): Checked<Canary> {
  const fields = typeof item.value === 'string' ? undefined : (item as Cursor<RawCanary>);
  const address = fields === undefined ? (item as Cursor<string>) : member(fields, 'address');
  const own = fields && member(fields, 'check');
  const given = fields && member(fields, 'name');
  // A missing address was the schema's fault to tell.
  const endpoint = address === undefined || address === FAULTY ? FAULTY : endpointOf(context, address);
  const set = own === FAULTY ? FAULTY : onlyCheck(context, own === undefined ? [] : [own]);
  if (endpoint === FAULTY || set === FAULTY || given === FAULTY) return FAULTY;
  const [{ template }] = set.parts;
  if (template.through !== undefined)
    return report(
      context,
      template.through,
      'a canary belongs to no service that it could be probed through',
    );
  const port = template.port ?? (endpoint.port === 0 ? undefined : endpoint.port);
  if (port === undefined)
    return report(context, item, 'no port that could be probed; write it behind the address');
  const target = { address: endpoint.address, port };
  const name = given?.value ?? (port === 0 ? target.address : endpointText(target.address, port));
  claim(context, names, given ?? item, 'the canary', name);
  const { rule, probe, type } = template;
  const spec = probe(target, { service: 'mass-failure', server: name, check: type });
  return { name, check: { id: idOf(name), rule, probe: spec, tellsPasses: true } };
}

function canariesOf(context: Context, at: Cursor<RawMassFailure>): Checked<readonly Canary[]> {
  const list = member(at, 'canaries');
  if (list === undefined) return [];
  if (list === FAULTY) return FAULTY;
  const names: Claims = new Map();
  const all = items(list);
  const canaries: Canary[] = [];
  for (const item of all) {
    const canary = item === FAULTY ? FAULTY : canaryOf(context, item, names);
    if (canary !== FAULTY) canaries.push(canary);
  }
  return canaries.length === all.length ? canaries : FAULTY;
}

/** The rule for most servers failing at once. */
export function completeMassFailure(context: Context, at: Cursor<RawMassFailure>): Checked<MassFailureRule> {
  const share = read(at, 'share', '60%');
  const minimum = read(at, 'minimum', DEFAULT_MINIMUM);
  const within = read(at, 'within', '1s');
  const action = read(at, 'do', 'hold');
  const limit = member(at, 'for');
  const canaries = canariesOf(context, at);
  if (share === FAULTY || minimum === FAULTY || within === FAULTY || action === FAULTY) return FAULTY;
  if (limit === FAULTY || canaries === FAULTY) return FAULTY;
  return {
    percent: Number(share.slice(0, -1)),
    minimum,
    within: parseDuration(within) as Millis,
    action,
    limit: limit === undefined ? undefined : parseDuration(limit.value),
    canaries,
  };
}
