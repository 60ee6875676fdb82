/** What checks say beside their verdicts, as news and as words about their servers. Pure. */
import type { CheckId, RemarkChange, SaidState } from '../checks/model.js';
import type { ServiceConfig } from '../config/model.js';
import type { EpochMillis } from '../core/units.js';
import type { AdminBook } from './admin-book.js';
import { checkName } from './combine.js';
import type { AdminWord, Instant, ServerId } from './model.js';
import type { PolicyNews } from './news.js';
import type { Roster } from './roster.js';

const STATES = { ready: undefined, drain: 'draining', maint: 'disabled' } as const;

/** What a check says of the state of its server, as a word beside the operator's. */
function wordOf(server: ServerId, check: CheckId, say: SaidState | undefined, since: EpochMillis): AdminWord {
  const source = `check ${check}` as const;
  const state = say === undefined ? undefined : STATES[say];
  const name = checkName(check);
  const by = name === undefined ? 'its check' : `its check ${name}`;
  if (state === undefined) return { server, source, entry: undefined, by };
  const entry = {
    source,
    state,
    weight: undefined,
    since,
    deadline: undefined,
    finish: 'drained',
    by,
    reason: undefined,
  } as const;
  return { server, source, entry };
}

/**
 * Whether a server is degraded from now on, or no longer. One that is down is told as down.
 * @param before why it was degraded
 */
export function degradedNews(
  roster: Roster,
  id: ServerId,
  before: string | undefined,
): readonly PolicyNews[] {
  const place = roster.places.get(id);
  const warning = roster.warningOf(id);
  if (place === undefined || roster.health.get(id)?.held !== 'up') return [];
  return (before === undefined) === (warning === undefined) ? [] : [{ kind: 'degraded', ...place, warning }];
}

interface Taken {
  /** By name. */
  readonly touched: ReadonlyMap<string, ServiceConfig>;
  readonly news: PolicyNews[];
}

/** Takes in what checks say, of one turn. Checks that are not known are passed over. */
export function takeRemarks(
  roster: Roster,
  admin: AdminBook,
  remarks: readonly RemarkChange[],
  at: Instant,
): Taken {
  const touched = new Map<string, ServiceConfig>();
  const news: PolicyNews[] = [];
  for (const { id: check, remark } of remarks) {
    const id = roster.ownerOf(check);
    const place = roster.places.get(id);
    const before = roster.health.get(check);
    if (place === undefined || before === undefined) continue;
    const warning = roster.warningOf(id);
    roster.remark(check, remark);
    news.push(...degradedNews(roster, id, warning));
    if (before.remark?.say !== remark.say)
      news.push(...admin.take(place, wordOf(id, check, remark.say, at.wall), at));
    touched.set(place.service.name, place.service);
  }
  return { touched, news };
}
