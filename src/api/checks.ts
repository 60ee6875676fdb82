/** What the API tells of checks: how each stands, and what a server's health rests on. */
import { CHECK_TYPES, type CheckType, type Verdict } from '../checks/model.js';
import { reasonText } from '../checks/reason.js';
import type { FallbackServer } from '../config/model.js';
import type { EpochMillis } from '../core/units.js';
import { checkName, warningOf } from '../policy/combine.js';
import type { ServerId } from '../policy/model.js';
import type { ServerHealth, World } from '../world.js';
import { choice, list, objectOf, orNull, text } from './schema-kit.js';

/** One check of a server. */
export interface CheckStatus {
  /** Null for the only one. */
  readonly name: string | null;
  readonly type: CheckType;
  readonly verdict: Verdict;
  readonly since: string;
  readonly reason: string;
  readonly warning: string | null;
}

/** What a server says of its checks. */
export interface ChecksStatus {
  readonly verdict: Verdict;
  readonly since: string;
  readonly reason: string;
  /** Why it is degraded although it is up. */
  readonly warning: string | null;
  readonly checks: readonly CheckStatus[];
  readonly needed: number;
}

const isoTime = (at: EpochMillis): string => new Date(at).toISOString();

/** Why the verdict is what it is. */
function verdictReason(health: ServerHealth | undefined): string {
  if (health === undefined) return 'no verdict yet';
  const { verdict, held, lastChange } = health;
  if (verdict === 'unknown')
    return held === undefined ? 'no verdict yet' : `no fresh verdict; ${held} is held`;
  return lastChange === undefined ? 'ok' : reasonText(lastChange.result.reason, lastChange.result.elapsed);
}

/** With the check that decided, where there are several. */
function serverReason(health: ServerHealth | undefined): string {
  const text = verdictReason(health);
  const change = health?.verdict === 'down' ? health.lastChange : undefined;
  const name = change === undefined ? undefined : checkName(change.id);
  return name === undefined ? text : `${name}: ${text}`;
}

/** Of a check. */
export function healthStatus(health: ServerHealth | undefined, world: World) {
  return {
    verdict: health?.verdict ?? 'unknown',
    since: isoTime(health?.since ?? world.startedAt),
    reason: verdictReason(health),
  } as const;
}

/** A server without a check is thought to be up. */
export function checksStatus(server: FallbackServer, id: ServerId, world: World): ChecksStatus {
  const { checks, needed } = server;
  if (checks.length === 0)
    return {
      verdict: 'up',
      since: isoTime(world.startedAt),
      reason: 'not checked',
      warning: null,
      checks: [],
      needed,
    };
  const health = world.health.get(id);
  return {
    ...healthStatus(health, world),
    reason: serverReason(health),
    warning: warningOf(server, id, world.health) ?? null,
    checks: checks.map((check): CheckStatus => {
      const { type } = check.probe;
      const its = world.health.get(check.id);
      const warning = its?.remark?.warning ?? null;
      return { name: checkName(check.id) ?? null, type, ...healthStatus(its, world), warning };
    }),
    needed,
  };
}

const VERDICT = choice(
  ['up', 'down', 'unknown'],
  '`unknown`: no verdict yet, or its probe worker is being restarted.',
);

const CHECK_SCHEMA = objectOf<CheckStatus>('One check.', {
  name: orNull(text('Its name among the checks of the server; null for the only one.')),
  type: choice(CHECK_TYPES, 'How it probes.'),
  verdict: VERDICT,
  since: text('When the verdict was reached.'),
  reason: text('What the verdict rests on.'),
  warning: orNull(text('What will be a failure if nobody acts; null: nothing.')),
});

export const CHECKS_SCHEMA = list(CHECK_SCHEMA, 'Its checks; none: it is thought to be up.');
