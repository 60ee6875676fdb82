/**
 * Fallbacks that served and are not needed any more: they get no new connections, and stay until those that they have are
 * over, or for so long at most. Not where a service is persistent: its clients would be sent back to the fallback for as
 * long as it is in the table. Pure.
 */
import type { FallbackServer, ServiceConfig } from '../config/model.js';
import { type Millis, millis, seconds } from '../core/units.js';
import type { ServerId } from './model.js';

/** As `on-remove: drain` waits where it does not say how long. */
const LIMIT = seconds(300);

/** What is remembered of the fallbacks of a service. */
export interface FallbackMemory {
  /** Those that serve. */
  readonly serving: ReadonlySet<ServerId>;
  /** Those that finish their connections, and until when, monotonic. */
  readonly leaving: ReadonlyMap<ServerId, Millis>;
}

export const NO_FALLBACKS: FallbackMemory = { serving: new Set(), leaving: new Map() };

export interface LeavingCase {
  readonly service: ServiceConfig;
  readonly server: FallbackServer;
  readonly id: ServerId;
  readonly before: FallbackMemory;
  /** Nothing was decided of the service before: what the table holds may be serving. */
  readonly isFirst: boolean;
  readonly isInTable: ((service: ServiceConfig, server: FallbackServer) => boolean) | undefined;
}

function isPersistent({ entries }: ServiceConfig): boolean {
  return entries.some(({ settings }) => settings.persistence !== undefined);
}

/** Until when a fallback that does not serve may finish its connections; undefined: it goes. @param now monotonic */
export function leavesUntil(its: LeavingCase, now: Millis): Millis | undefined {
  const { service, server, id, before, isFirst, isInTable } = its;
  if (isPersistent(service)) return undefined;
  const known = before.leaving.get(id);
  if (known !== undefined) return known > now ? known : undefined;
  const served = before.serving.has(id) || (isFirst && isInTable?.(service, server) === true);
  return served ? millis(now + LIMIT) : undefined;
}

/** Without those that are gone. */
export function withoutLeaving(before: FallbackMemory, isGone: (id: ServerId) => boolean): FallbackMemory {
  const leaving = new Map([...before.leaving].filter(([id]) => !isGone(id)));
  const serving = new Set([...before.serving].filter((id) => !isGone(id)));
  return { serving, leaving };
}
