/** Alive: every loop has beaten lately. Ready: the table is in sync and rests on verdicts. */
import { type EpochMillis, formatDuration, millis, seconds } from '../core/units.js';
import { serverId } from '../policy/judge.js';
import type { World } from '../world.js';

/** The probe workers and the VRRP thread speak once a second. One that ends is restarted within a second or so. */
const WORKER_SILENCE_MAX = seconds(5);
/** Dumps come every `resync`; one may be late by as much again, and by this. */
const DUMP_GRACE = seconds(10);
/** More than this many names are not listed. */
const LISTED_MAX = 20;

export interface Liveness {
  readonly alive: boolean;
  readonly reasons: readonly string[];
}

export interface Readiness {
  readonly ready: boolean;
  readonly missing: readonly string[];
}

const ageText = (age: number): string => formatDuration(millis(Math.round(age / 1000) * 1000));

function dumpReason({ table, config, startedAt }: World, now: EpochMillis): string | undefined {
  const age = now - (table.lastDumpAt ?? startedAt);
  if (age <= 2 * config.resync + DUMP_GRACE) return undefined;
  const error = table.lastError === undefined ? '' : `: ${table.lastError}`;
  return table.lastDumpAt === undefined
    ? `the table has not been read since the start ${ageText(age)} ago${error}`
    : `the table was last read ${ageText(age)} ago${error}`;
}

function workerReasons({ workers, config, startedAt }: World, now: EpochMillis): string[] {
  const reasons = workers
    .filter(({ at }) => now - at > WORKER_SILENCE_MAX)
    .map(({ worker, at }) => `probe worker ${worker} is silent since ${ageText(now - at)}`);
  const checks = config.services.reduce((sum, { servers }) => sum + servers.length, 0);
  if (workers.length === 0 && checks > 0 && now - startedAt > DUMP_GRACE + WORKER_SILENCE_MAX)
    reasons.push(`no probe worker has spoken yet, and there are ${checks} checks`);
  return reasons;
}

function vrrpReason(
  { vrrp, config, startedAt, configLoadedAt }: World,
  now: EpochMillis,
): string | undefined {
  if (config.vrrp.length === 0) return undefined;
  // It is started only when there are virtual routers, and that may be since the last reload.
  const fresh = Math.max(startedAt, configLoadedAt) + DUMP_GRACE;
  const age = now - Math.max(vrrp?.at ?? 0, fresh);
  if (age <= WORKER_SILENCE_MAX) return undefined;
  return vrrp === undefined
    ? `the VRRP thread has not spoken yet, and there are ${config.vrrp.length} virtual routers`
    : `the VRRP thread is silent since ${ageText(now - vrrp.at)}`;
}

/** Whether every loop has beaten lately. The main loop's beat is the answer itself. */
export function liveness(world: World, now: EpochMillis): Liveness {
  const dump = dumpReason(world, now);
  const vrrp = vrrpReason(world, now);
  const reasons = [dump, ...workerReasons(world, now), vrrp].filter((reason) => reason !== undefined);
  return { alive: reasons.length === 0, reasons };
}

function withoutVerdict({ config, health }: World): string[] {
  return config.services.flatMap((service) =>
    service.servers
      .map((server) => serverId(service, server))
      .filter((id) => health.get(id)?.held === undefined),
  );
}

/** Whether the table is what it should be, by verdicts and not by assumption. */
export function readiness(world: World, now: EpochMillis): Readiness {
  const missing: string[] = [];
  if (world.stopping) missing.push('lvsentry is stopping');
  if (!world.table.inSync)
    missing.push(`the table is not in sync: ${world.table.lastError ?? 'it is being read or written'}`);
  // After this a check without a verdict does not hold up readiness: its server may be half dead for ever.
  if (now - world.startedAt < world.config.ownership.coldStart) {
    const waiting = withoutVerdict(world);
    missing.push(...waiting.slice(0, LISTED_MAX).map((name) => `no verdict yet: ${name}`));
    if (waiting.length > LISTED_MAX) missing.push(`no verdict yet: ${waiting.length - LISTED_MAX} more`);
  }
  return { ready: missing.length === 0, missing };
}
