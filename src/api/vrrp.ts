/** What the API tells of virtual routers. */
import { type EpochMillis, micros } from '../core/units.js';
import { faultText } from '../vrrp/fault.js';
import type { Contribution, Observation } from '../vrrp/model.js';
import type { Lateness, RouterConfig, RouterStatus as Seen } from '../vrrp/status.js';
import type { World } from '../world.js';

export interface ContributionStatus {
  readonly of: string;
  readonly points: number;
  readonly fault: boolean;
}

/** Another machine that has virtual IPs of a router. */
export interface SquatterStatus {
  readonly mac: string;
  readonly addresses: readonly string[];
  readonly since: string;
}

export interface RouterStatus {
  readonly name: string;
  readonly interface: string;
  readonly id: number;
  readonly family: 'ipv4' | 'ipv6';
  readonly version: number;
  readonly role: string;
  readonly since: string | null;
  readonly cause: string | null;
  readonly priority: number;
  readonly base: number;
  readonly contributions: readonly ContributionStatus[];
  readonly faults: readonly string[];
  /** Who is master, as far as is known. */
  readonly master: string | null;
  readonly addresses: readonly string[];
  readonly squatters: readonly SquatterStatus[];
  readonly sent: number;
  readonly received: number;
  readonly sendErrors: number;
  readonly announced: number;
  readonly mirrored: number;
  readonly putBack: number;
  readonly becameMaster: number;
  readonly discarded: Readonly<Record<string, number>>;
  readonly odd: Readonly<Record<string, number>>;
  readonly lateness: Lateness;
}

export interface VrrpStatus {
  /** The thread has spoken. */
  readonly running: boolean;
  readonly routers: readonly RouterStatus[];
  readonly loop: Lateness;
  readonly strangers: number;
  readonly unreadable: number;
}

const NEVER: Lateness = { count: 0, p50: micros(0), p99: micros(0), max: micros(0) };

function sightText(seen: Observation): string {
  switch (seen.kind) {
    case 'share':
      return `${seen.up} of ${seen.total} up`;
    case 'number':
      return String(seen.value);
    default:
      return seen.kind;
  }
}

function contributionText({ track, seen }: Contribution): string {
  return `${track.kind} ${track.name} (${sightText(seen)})`;
}

function masterOf({ role, source, heard }: Seen): string | null {
  if (role === 'master') return source ?? null;
  return role === 'backup' && heard !== undefined && heard.priority > 0 ? heard.source : null;
}

function dynamicPart(seen: Seen | undefined, base: number) {
  const isoTime = (at: EpochMillis): string => new Date(at).toISOString();
  return {
    role: seen?.role ?? 'initialize',
    since: seen === undefined ? null : isoTime(seen.since),
    cause: seen?.cause ?? null,
    priority: seen?.priority.effective ?? base,
    contributions: (seen?.priority.contributions ?? []).map((each) => {
      return { of: contributionText(each), points: each.points, fault: each.fault };
    }),
    faults: (seen?.faults ?? []).map(faultText),
    master: seen === undefined ? null : masterOf(seen),
    squatters: (seen?.squatters ?? []).map((each) => ({ ...each, since: isoTime(each.since) })),
  };
}

const NO_COUNTERS = {
  sent: 0,
  received: 0,
  sendErrors: 0,
  announced: 0,
  mirrored: 0,
  putBack: 0,
  becameMaster: 0,
  discarded: {},
  odd: {},
};

function routerStatus({ instance, addresses }: RouterConfig, seen: Seen | undefined): RouterStatus {
  return {
    name: instance.name,
    interface: instance.interface,
    id: instance.vrid,
    family: instance.family,
    version: instance.rule.version,
    base: instance.priority,
    ...dynamicPart(seen, instance.priority),
    addresses: addresses.map(({ address, prefix }) => `${address}/${prefix}`),
    ...(seen?.counters ?? NO_COUNTERS),
    lateness: seen?.lateness ?? NEVER,
  };
}

/** All virtual routers of the configuration, with what the thread said last. */
export function vrrpStatus({ config, vrrp }: World): VrrpStatus {
  const seen = new Map(vrrp?.routers.map((router) => [router.name, router]));
  return {
    running: vrrp !== undefined && vrrp.routers.length > 0,
    routers: config.vrrp.map((router) => routerStatus(router, seen.get(router.instance.name))),
    loop: vrrp?.loop ?? NEVER,
    strangers: vrrp?.strangers ?? 0,
    unreadable: vrrp?.unreadable ?? 0,
  };
}
