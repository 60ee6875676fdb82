/**
 * The private services of data-path checks: for each way to one server a service of a firewall mark with that server
 * alone. What marks a probe reaches this server and no other. Pure.
 */
import type { Through } from '../checks/spec-through.js';
import type { Dest, ObservedService, ObservedTable, Operation, Service, ServiceKey } from './model.js';

/** Unique for what needs a service of its own. */
export function wayText({ family, dest }: Through): string {
  return JSON.stringify([family, dest.key.address, dest.key.port, dest.settings.forward]);
}

/**
 * Round robin, which looks at no scheduler flag; the flags tell such a service from those of others. UDP goes by single
 * packets where the kernel can (not with masquerade, whose answers it would not know again): a probe must not meet the
 * connection that another one, to another server, left behind.
 */
export function privateService(mark: number, { family, dest }: Through): Service {
  return {
    key: { kind: 'fwmark', family, mark },
    settings: {
      scheduler: 'rr',
      schedulerFlags: { flag1: true, flag2: false, flag3: true },
      onePacket: dest.settings.forward.method !== 'masquerade',
      persistence: undefined,
      persistenceEngine: undefined,
    },
  };
}

/** Whether a service of the table is such a one, of this run or of one before. */
export function isPrivate({ service: { key, settings }, dests }: ObservedService): boolean {
  if (key.kind !== 'fwmark' || settings.scheduler !== 'rr' || dests.size > 1) return false;
  const { flag1, flag2, flag3 } = settings.schedulerFlags;
  return flag1 && !flag2 && flag3 && settings.persistence === undefined;
}

/** A table in two: what it shows, and the private services. The very table where it has none. */
export function partTable(
  table: ObservedTable,
): readonly [shown: ObservedTable, hidden: readonly ObservedService[]] {
  const hidden = [...table.values()].filter(isPrivate);
  if (hidden.length === 0) return [table, hidden];
  return [new Map([...table].filter(([, service]) => !isPrivate(service))), hidden];
}

function sameDest({ key, settings }: Dest, other: Dest | undefined): boolean {
  return (
    other !== undefined &&
    key.address === other.key.address &&
    key.port === other.key.port &&
    settings.weight === other.settings.weight &&
    JSON.stringify(settings.forward) === JSON.stringify(other.settings.forward)
  );
}

/** Whether a private service leads this way. */
function leads(seen: ObservedService, way: Through): boolean {
  const wanted = privateService(0, way);
  const { key, settings } = seen.service;
  return (
    key.kind === 'fwmark' &&
    key.family === way.family &&
    settings.onePacket === wanted.settings.onePacket &&
    sameDest(way.dest, [...seen.dests.values()][0])
  );
}

function markOf(key: ServiceKey): number | undefined {
  return key.kind === 'fwmark' ? key.mark : undefined;
}

interface Marks {
  readonly first: number;
  readonly count: number;
  /** Of services of others. */
  readonly taken: ReadonlySet<number>;
}

/**
 * A mark for each way: the one it has, then the one by which a private service of the table leads that way already, else
 * the next that is free. Ways for which there is none are left out.
 * @param had the marks of the ways that were wanted before, by `wayText`
 */
export function giveMarks(
  ways: ReadonlyMap<string, Through>,
  had: ReadonlyMap<string, number>,
  hidden: readonly ObservedService[],
  { first, count, taken }: Marks,
): ReadonlyMap<string, number> {
  const last = first + count - 1;
  const used = new Set(taken);
  const given = new Map<string, number>();
  const give = (text: string, mark: number | undefined): void => {
    if (mark === undefined || mark < first || mark > last || used.has(mark) || given.has(text)) return;
    used.add(mark);
    given.set(text, mark);
  };
  for (const text of ways.keys()) give(text, had.get(text));
  const known = new Map(hidden.map((seen) => [seenText(seen), markOf(seen.service.key)]));
  for (const text of ways.keys()) give(text, known.get(text));
  let next = first;
  for (const text of ways.keys()) {
    while (next <= last && used.has(next)) next += 1;
    give(text, next);
  }
  return given;
}

function seenText({ service: { key }, dests }: ObservedService): string {
  const [dest] = dests.values();
  if (key.kind !== 'fwmark' || dest === undefined) return '';
  return wayText({ family: key.family, dest });
}

/** One change, and the mark that it is about. */
export interface PrivateStep {
  readonly operation: Operation;
  readonly mark: number;
}

/** What is to be done so that the private services are these and no others. */
export function planPrivate(
  wanted: ReadonlyMap<number, Through>,
  hidden: readonly ObservedService[],
): readonly PrivateStep[] {
  const steps: PrivateStep[] = [];
  const right = new Set<number>();
  for (const seen of hidden) {
    const { key } = seen.service;
    const mark = markOf(key) ?? 0;
    const way = wanted.get(mark);
    if (way !== undefined && leads(seen, way)) right.add(mark);
    else steps.push({ operation: { kind: 'delete-service', key }, mark });
  }
  for (const [mark, way] of wanted) {
    if (right.has(mark)) continue;
    const service = privateService(mark, way);
    steps.push({ operation: { kind: 'add-service', service }, mark });
    steps.push({ operation: { kind: 'add-dest', service: service.key, dest: way.dest }, mark });
  }
  return steps;
}

/** Marks of a table's services that are not private. */
export function marksOf(shown: ObservedTable): ReadonlySet<number> {
  const marks = new Set<number>();
  for (const { service } of shown.values()) {
    const mark = markOf(service.key);
    if (mark !== undefined) marks.add(mark);
  }
  return marks;
}
