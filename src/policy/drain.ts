/**
 * A drain, step by step: what each look at the table makes of it. Pure.
 *
 * A server that drains has weight 0: it gets no new clients, and its connections live on. Persistence is the exception:
 * a template sends its client back to the same server whatever its weight is, and lives for as long as the client has
 * connections, and the time-out longer. So templates count as something that is left. With the setting
 * net.ipv4.vs.expire_quiescent_template the kernel gives such clients another server when they come back
 * (Linux, Documentation/networking/ipvs-sysctl.rst).
 */
import { type EpochMillis, type Millis, seconds } from '../core/units.js';
import type { DestSeen } from '../ipvs/model.js';
import type { AdminEntry, Connections, DrainWatch, Instant } from './model.js';

/** Progress is told no more often. */
const TELL_INTERVAL = seconds(10);

export type DrainStep =
  | { readonly kind: 'still'; readonly watch: DrainWatch }
  /** Half of what was told last is gone. */
  | { readonly kind: 'progress'; readonly watch: DrainWatch }
  | { readonly kind: 'drained'; readonly how: 'empty' | 'deadline'; readonly watch: DrainWatch };

/** A drain that begins now. */
export function beginDrain(now: Millis): DrainWatch {
  return { left: undefined, told: undefined, toldAt: now };
}

export function totalOf({ active, inactive, persistent }: Connections): number {
  return active + inactive + persistent;
}

/**
 * The connections of a server in all the table's services that it stands in.
 * @param dests the server in each of them; undefined where it is missing
 * @returns undefined where one of them still gives it new clients: then it is too early to count
 */
export function countConnections(dests: readonly (DestSeen | undefined)[]): Connections | undefined {
  let [active, inactive, persistent] = [0, 0, 0];
  for (const seen of dests) {
    if (seen === undefined) continue;
    if (seen.settings.weight > 0) return undefined;
    active += seen.active;
    inactive += seen.inactive;
    persistent += seen.persistent;
  }
  return { active, inactive, persistent };
}

function isOver(deadline: EpochMillis | undefined, { wall }: Instant): boolean {
  return deadline !== undefined && deadline <= wall;
}

/**
 * One look at a drain.
 * @param seen what is left of its connections; undefined where only time has passed
 */
export function stepDrain(
  entry: Pick<AdminEntry, 'deadline'>,
  watch: DrainWatch,
  seen: Connections | undefined,
  at: Instant,
): DrainStep {
  const left = seen ?? watch.left;
  const total = seen && totalOf(seen);
  if (total === 0) return { kind: 'drained', how: 'empty', watch: { ...watch, left, told: 0 } };
  if (isOver(entry.deadline, at)) return { kind: 'drained', how: 'deadline', watch: { ...watch, left } };
  // The first look is what progress is measured by.
  const told = watch.told ?? total;
  const isHalf = total !== undefined && told !== undefined && total <= told / 2;
  if (isHalf && at.now - watch.toldAt >= TELL_INTERVAL)
    return { kind: 'progress', watch: { left, told: total, toldAt: at.now } };
  return { kind: 'still', watch: { ...watch, left, told } };
}
