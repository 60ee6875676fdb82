/** What comes of the words of several sources about one server. Pure. */
import type { CheckId } from '../checks/model.js';
import type { AdminEntry, AdminWord, ServerAdmin } from './model.js';

const STRICTNESS: Readonly<Record<AdminEntry['state'], number>> = {
  enabled: 0,
  draining: 1,
  drained: 2,
  disabled: 3,
};

/** The stricter first; of equals the one that was said first. */
function byStrictness(a: AdminEntry, b: AdminEntry): number {
  return STRICTNESS[b.state] - STRICTNESS[a.state] || a.since - b.since;
}

/** Whether an entry says anything: an enabled server with its configured weight is as if nobody had spoken. */
function saysSomething({ state, weight }: AdminEntry): boolean {
  return state !== 'enabled' || weight !== undefined;
}

function smallest(weights: readonly (number | undefined)[]): number | undefined {
  const given = weights.filter((weight) => weight !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
}

/** What is said of a server that has these checks: what others said is said no more. */
export function heldBy(
  said: ServerAdmin,
  checks: readonly { readonly id: CheckId }[],
): ServerAdmin | undefined {
  let admin: ServerAdmin | undefined = said;
  for (const { source } of said.entries)
    if (source.startsWith('check ') && !checks.some(({ id }) => source === `check ${id}`))
      admin = withWord(admin, { server: '', source, entry: undefined });
  return admin;
}

/**
 * All that is said of a server, after one more word. The stricter state wins, and the smaller weight; the word of one
 * source leaves those of the others alone.
 * @returns undefined where nobody says anything
 */
export function withWord(
  before: ServerAdmin | undefined,
  { source, entry }: AdminWord,
): ServerAdmin | undefined {
  const others = before?.entries.filter((each) => each.source !== source) ?? [];
  const entries =
    entry !== undefined && saysSomething(entry) ? [...others, { ...entry, source }] : [...others];
  const [strictest] = entries.sort(byStrictness);
  if (strictest === undefined) return undefined;
  const weight = smallest(entries.map((each) => each.weight));
  const effective = weight === strictest.weight ? strictest : { ...strictest, weight };
  return { effective, entries, drain: before?.drain };
}
