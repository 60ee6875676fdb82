/** Last verdicts of one run, for the next one: what is written of them, and whether they may be used. */
import type { Check, CheckId } from '../checks/model.js';
import { type EpochMillis, epochMillis, formatDuration, type Millis, millis } from '../core/units.js';
import type { ServerHealth } from '../world.js';

/** What is remembered of one server. */
export interface RememberedVerdict {
  readonly verdict: 'up' | 'down';
  readonly since: EpochMillis;
}

/** FNV-1a, 32 bits, in hex: tells one check from another one under the same name. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

const bigintAsText = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? value.toString() : value;

const fingerprints = new WeakMap<Check, string>();

/**
 * The hash of a check's part of the configuration: its target, its rule and all its settings. Another check under the
 * same name is another check, and the rest of the configuration does not matter for it.
 */
export function fingerprint(check: Check): string {
  const known = fingerprints.get(check);
  if (known !== undefined) return known;
  const made = hashOf(JSON.stringify(check, bigintAsText));
  fingerprints.set(check, made);
  return made;
}

/** A line for each check with a verdict. */
export function* verdictLines(
  checks: Iterable<Check>,
  health: ReadonlyMap<CheckId, ServerHealth>,
): Generator<string, void, undefined> {
  for (const check of checks) {
    const its = health.get(check.id);
    if (its?.held !== undefined) yield JSON.stringify([check.id, fingerprint(check), its.held, its.since]);
  }
}

/** What the machine and the file say about the verdicts in it. */
export interface VerdictCircumstances {
  /** The boot in which they were written, and the present one; undefined where that is not known. */
  readonly bootThen: unknown;
  readonly bootNow: string | undefined;
  /** When they were still true for the last time. */
  readonly at: EpochMillis;
  readonly now: EpochMillis;
  readonly ageMax: Millis;
}

/** Why verdicts may not be used, to complete "the last verdicts are not used: ..."; undefined where they may. */
export function staleness({ bootThen, bootNow, at, now, ageMax }: VerdictCircumstances): string | undefined {
  if (bootNow === undefined) return 'the machine does not tell its boots apart';
  if (bootThen !== bootNow) return 'the machine was booted since';
  if (at > now + ageMax) return 'they are of the future: the clock was set back';
  const age = millis(Math.round((now - at) / 1000) * 1000);
  return age <= ageMax
    ? undefined
    : `they are ${formatDuration(age)} old, more than ${formatDuration(ageMax)}`;
}

function listOf(line: string): readonly unknown[] {
  try {
    const found: unknown = JSON.parse(line);
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

/** The verdicts of the lines for the checks that are still the same. Lines of others are passed over. */
export function* readVerdicts(
  lines: Iterable<string>,
  checks: ReadonlyMap<CheckId, Check>,
): Generator<readonly [CheckId, RememberedVerdict] | undefined, void, undefined> {
  for (const line of lines) {
    const [id, hash, verdict, since] = listOf(line);
    const check = typeof id === 'string' ? checks.get(id) : undefined;
    const isVerdict = verdict === 'up' || verdict === 'down';
    if (check === undefined || !isVerdict || typeof since !== 'number' || fingerprint(check) !== hash)
      yield undefined;
    else yield [check.id, { verdict, since: epochMillis(since) }];
  }
}
