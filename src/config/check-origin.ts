/** Where probes come from. */
import type { Origin } from '../checks/spec-target.js';
import { type Ip, ipFamily, parseIp } from '../core/ip.js';
import { type Checked, type Context, type Cursor, FAULTY, report } from './cursor.js';
import { unusable } from './endpoint.js';
import { type Layers, pick } from './layers.js';

/** An origin, and the place that says its address. */
export interface OriginChoice {
  readonly origin: Origin;
  readonly sourceAt: Cursor<string> | undefined;
}

interface Source {
  readonly address: Ip;
  readonly at: Cursor<string>;
}

function sourceOf(context: Context, layers: Layers): Checked<Source | undefined> {
  const at = pick(layers, 'source');
  if (at === undefined || at === FAULTY) return at;
  const address = parseIp(at.value);
  if (address === undefined) return report(context, at, `"${at.value}" is not an address`);
  const reason = unusable(address);
  if (reason === undefined) return { address, at };
  return report(context, at, `${address} is ${reason}; probes cannot come from it`);
}

/** Where the probes of these layers come from; undefined where nothing is said. Inherited key by key. */
export function originOf(context: Context, layers: Layers): Checked<OriginChoice | undefined> {
  const source = sourceOf(context, layers);
  const device = pick(layers, 'interface');
  const mark = pick(layers, 'mark');
  const namespace = pick(layers, 'namespace');
  if (source === FAULTY || device === FAULTY || mark === FAULTY || namespace === FAULTY) return FAULTY;
  const origin = {
    source: source?.address,
    device: device?.value,
    mark: mark?.value,
    namespace: namespace?.value,
  };
  if (Object.values(origin).every((value) => value === undefined)) return undefined;
  return { origin, sourceAt: source?.at };
}

/** The origin of probes of one target, whose family the source must have. */
export function originFor(
  context: Context,
  choice: OriginChoice | undefined,
  target: Ip,
): Checked<Origin | undefined> {
  const source = choice?.origin.source;
  if (choice?.sourceAt === undefined || source === undefined) return choice?.origin;
  if (ipFamily(source) === ipFamily(target)) return choice.origin;
  return report(
    context,
    choice.sourceAt,
    `${source} is ${ipFamily(source)}, and ${target}, which is probed, is ${ipFamily(target)}; say \`source\` in the check of each service or server`,
  );
}
