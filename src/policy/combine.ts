/** What the checks of one server come to together. Pure. */
import type { CheckId } from '../checks/model.js';
import type { FallbackServer } from '../config/model.js';
import type { EpochMillis } from '../core/units.js';
import type { ServerHealth } from '../world.js';
import type { ServerId } from './model.js';

type Side = 'up' | 'down';

/** What is known of checks, by their ids. */
export type HealthById = Pick<ReadonlyMap<CheckId, ServerHealth>, 'get'>;

/** What a check is called among those of its server; undefined for the only one. */
export function checkName(id: CheckId): string | undefined {
  // Names of services, servers and checks have no slash.
  return id.split('/')[2];
}

/**
 * `up` as soon as enough pass, `down` as soon as enough no longer can; undefined while what is unknown decides.
 * @param sides one a check; undefined where nothing is known of it
 */
export function together(needed: number, sides: Iterable<Side | undefined>): Side | undefined {
  let [up, open] = [0, 0];
  for (const side of sides) {
    if (side === 'up') up += 1;
    if (side === undefined) open += 1;
  }
  if (up >= needed) return 'up';
  return up + open < needed ? 'down' : undefined;
}

/** The latest change that speaks for a side: the one that was told, as long as its check stays there. */
function changeFor(
  side: Side | undefined,
  parts: readonly ServerHealth[],
  told: ServerHealth['lastChange'],
): ServerHealth['lastChange'] {
  let latest: ServerHealth['lastChange'];
  for (const { held, lastChange } of parts) {
    if (lastChange === undefined || held !== side) continue;
    if (lastChange === told) return told;
    if (latest === undefined || lastChange.at >= latest.at) latest = lastChange;
  }
  return latest;
}

/**
 * The health of a server with several checks. While a check that was never heard decides, what was known last is held.
 * @param parts of its checks
 * @param before of the server; undefined at first
 * @param at what the checks found last was found then
 */
export function combine(
  { needed }: Pick<FallbackServer, 'needed'>,
  parts: readonly ServerHealth[],
  before: ServerHealth | undefined,
  at: EpochMillis,
): ServerHealth {
  const fresh = parts.map(({ verdict }) => (verdict === 'unknown' ? undefined : verdict));
  const verdict = together(needed, fresh) ?? 'unknown';
  const decided = together(
    needed,
    parts.map((part) => part.held),
  );
  const held = decided ?? before?.held;
  const isSame = before !== undefined && before.held === held;
  return {
    verdict,
    held,
    since: isSame ? before.since : at,
    lastChange: changeFor(held, parts, isSame ? before.lastChange : undefined),
  };
}

function warningOfCheck(id: CheckId, health: HealthById): string | undefined {
  const its = health.get(id);
  return its?.held === 'down' ? 'down' : its?.remark?.warning;
}

/**
 * Why a server that is up is degraded: what its checks warn of, and those that are down although it is up. Undefined
 * for one that is not.
 */
export function warningOf(
  { checks }: Pick<FallbackServer, 'checks'>,
  id: ServerId,
  health: HealthById,
): string | undefined {
  if (health.get(id)?.held !== 'up') return undefined;
  const texts: string[] = [];
  for (const check of checks) {
    const text = warningOfCheck(check.id, health);
    const name = checkName(check.id);
    if (text !== undefined) texts.push(name === undefined ? text : `${name}: ${text}`);
  }
  return texts.length === 0 ? undefined : texts.join('; ');
}

/** What a server is thought to be by what its checks assume: `kernel` is no assumption of its own. */
export function assumedSide({ checks, needed }: Pick<FallbackServer, 'checks' | 'needed'>): Side | undefined {
  return together(
    needed,
    checks.map(({ rule: { assume } }) => (assume === 'kernel' ? undefined : assume)),
  );
}

/** The same, where what is known of a check counts instead of what it assumes. */
export function assumedWith(
  { checks, needed }: Pick<FallbackServer, 'checks' | 'needed'>,
  health: HealthById,
): Side | undefined {
  return together(
    needed,
    checks.map(({ id, rule: { assume } }) => {
      return health.get(id)?.held ?? (assume === 'kernel' ? undefined : assume);
    }),
  );
}
