/** What the book has to tell, as data. */
import type { VerdictChange } from '../checks/model.js';
import type { FallbackServer, ServerConfig, ServiceConfig } from '../config/model.js';
import type { MassNews } from './mass-watch.js';
import type {
  AdminEntry,
  AdminWord,
  Rail,
  ServerAdmin,
  ServerId,
  ServiceStanding,
  Standing,
} from './model.js';

/** Where a server stands in the configuration. */
export interface Place {
  readonly service: ServiceConfig;
  readonly server: ServerConfig | FallbackServer;
}

/** A word about a server, or what came of it. */
export interface AdminNews extends Place {
  readonly kind: 'admin';
  readonly what:
    | 'drain-started'
    | 'drain-progress'
    | 'drain-finished'
    | 'drain-undone'
    | 'server-disabled'
    | 'server-enabled'
    | 'weight-set';
  /** The word that it is about, as it is now; as it was, where it was taken back. */
  readonly entry: AdminEntry;
  readonly by: string;
  /** All that is said of the server now. */
  readonly admin: ServerAdmin | undefined;
  /** How a drain ended. */
  readonly how?: 'empty' | 'deadline';
}

/** Servers that a rail holds from now on, or that it holds no longer. */
export interface RailNews {
  readonly kind: 'rail-held' | 'rail-released';
  readonly service: ServiceConfig;
  readonly rail: Exclude<Rail, 'mass-failure'>;
  readonly servers: readonly { readonly name: string; readonly standing: Standing }[];
}

export type PolicyNews =
  | AdminNews
  | {
      readonly kind: 'verdict';
      readonly service: ServiceConfig;
      readonly server: Place['server'];
      /** Of the check that decided. */
      readonly change: VerdictChange;
    }
  /** A server that is up is degraded from now on, or no longer (undefined). */
  | ({ readonly kind: 'degraded'; readonly warning: string | undefined } & Place)
  /** Servers whose first verdict was waited for long enough: what their checks assume counts. */
  | {
      readonly kind: 'cold-start';
      readonly service: ServiceConfig;
      readonly servers: readonly Place['server'][];
    }
  /** The quorum is lost, or met again. */
  | { readonly kind: 'quorum'; readonly service: ServiceConfig; readonly standing: ServiceStanding }
  /** A fallback serves, another one, or none any more. */
  | { readonly kind: 'fallback'; readonly service: ServiceConfig; readonly standing: ServiceStanding }
  | RailNews
  | MassNews
  /** Fewer servers serve than must, or enough again. */
  | { readonly kind: 'minimum'; readonly service: ServiceConfig; readonly standing: ServiceStanding };

const RAILS = ['minimum-healthy', 'maximum-removals'] as const;

function railOf(standing: ServiceStanding | undefined, id: ServerId): Rail | undefined {
  const its = standing?.servers.get(id);
  return its?.kind === 'held' ? its.rail : undefined;
}

function holdsAny(standing: ServiceStanding | undefined): boolean {
  for (const { kind } of standing?.servers.values() ?? []) if (kind === 'held') return true;
  return false;
}

/** What each rail holds newly, and what it holds no longer. What a mass failure holds is told as a whole. */
function railNews(
  service: ServiceConfig,
  before: ServiceStanding | undefined,
  standing: ServiceStanding,
): readonly RailNews[] {
  const news: RailNews[] = [];
  if (!holdsAny(before) && !holdsAny(standing)) return news;
  for (const rail of RAILS) {
    const held: RailNews['servers'][number][] = [];
    const released: RailNews['servers'][number][] = [];
    for (const { name } of service.servers) {
      const id = `${service.name}/${name}`;
      const [was, is] = [railOf(before, id) === rail, railOf(standing, id) === rail];
      if (was === is) continue;
      (is ? held : released).push({ name, standing: standing.servers.get(id) ?? { kind: 'unknown' } });
    }
    if (held.length > 0) news.push({ kind: 'rail-held', service, rail, servers: held });
    if (released.length > 0) news.push({ kind: 'rail-released', service, rail, servers: released });
  }
  return news;
}

/** Whether so few serve that the rule for it is broken: by the operator's hand, or because they never served. */
function isBelow(standing: ServiceStanding | undefined): boolean {
  if (standing?.minimum === undefined || standing.tier !== undefined) return false;
  return standing.serving < standing.minimum;
}

/** What is news of a service. That it has its quorum at the start is none. */
export function standingNews(
  service: ServiceConfig,
  before: ServiceStanding | undefined,
  standing: ServiceStanding,
): readonly PolicyNews[] {
  const news: PolicyNews[] = [];
  const told = before?.quorum ?? 'met';
  if (standing.quorum !== undefined && standing.quorum !== told)
    news.push({ kind: 'quorum', service, standing });
  if (standing.tier !== before?.tier) news.push({ kind: 'fallback', service, standing });
  news.push(...railNews(service, before, standing));
  if (isBelow(standing) !== isBelow(before)) news.push({ kind: 'minimum', service, standing });
  return news;
}

/** What was said of the servers whose drains came to their end, as it is now. */
export function endedDrains(news: readonly PolicyNews[]): readonly AdminWord[] {
  return news.flatMap((one) => {
    if (one.kind !== 'admin' || one.what !== 'drain-finished') return [];
    const { service, server, entry } = one;
    return { server: `${service.name}/${server.name}`, source: entry.source, entry };
  });
}
