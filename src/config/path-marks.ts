/** The firewall marks of data-path checks. */
import type { Steps } from '../core/steps.js';
import { serviceText } from '../ipvs/keys.js';
import { type Checked, type Context, type Cursor, FAULTY, report } from './cursor.js';
import type { FallbackServer, ServiceConfig } from './model.js';

/** "LV" in ASCII, above what people choose by hand. */
export const PATH_MARKS_FIRST = 0x4c56_0000;
export const PATH_MARKS_MAX = 65_536;

/** What one mark serves: all checks that go the same way to the same server. */
function waysOfService({ servers, fallback }: ServiceConfig): readonly string[] {
  const ways: string[] = [];
  const take = ({ checks }: FallbackServer): void => {
    for (const { through } of checks) if (through !== undefined) ways.push(JSON.stringify(through));
  };
  for (const server of servers) take(server);
  for (const tier of fallback) for (const server of tier) take(server);
  return ways;
}

/** Of services as they were read: most of a reload are the same objects as before. */
const known = new WeakMap<ServiceConfig, readonly string[]>();

function* waysOf(services: readonly ServiceConfig[]): Steps<ReadonlySet<string>> {
  const all = new Set<string>();
  for (const service of services) {
    const before = known.get(service);
    const ways = before ?? waysOfService(service);
    for (const way of ways) all.add(way);
    if (before !== undefined) continue;
    known.set(service, ways);
    yield;
  }
  return all;
}

/** What of the whole configuration has a say in it. */
interface Surroundings {
  readonly services: readonly ServiceConfig[];
  /** Where a fault stands that has no place of its own. */
  readonly root: Cursor<unknown> | undefined;
}

/** The first mark. That a service has one of them, or that they are too few, is reported. In short steps. */
export function* completePathMarks(
  context: Context,
  at: Checked<Cursor<number>> | undefined,
  { services, root }: Surroundings,
): Steps<number> {
  const first = at === undefined || at === FAULTY ? PATH_MARKS_FIRST : at.value;
  const ways = yield* waysOf(services);
  if (ways.size === 0 || root === undefined) return first;
  const last = first + PATH_MARKS_MAX - 1;
  for (const { name, entries } of services)
    for (const { key } of entries) {
      if (key.kind !== 'fwmark' || key.mark < first || key.mark > last) continue;
      const place = context.services.get(serviceText(key)) ?? root;
      const text = `${key.mark} is among the marks of checks with \`through: service\` (${first} to ${last})`;
      report(context, place, `${text}; choose another one for ${name}, or say \`path-marks\``);
    }
  if (ways.size > PATH_MARKS_MAX)
    report(context, root, `checks with \`through: service\` go ${ways.size} ways; ${PATH_MARKS_MAX} at most`);
  return first;
}
