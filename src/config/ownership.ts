/** Completes what is done about what is ours: `drift`, `on-stop`, `on-remove`, `exclusive`, `cold-start`. */
import { type Millis, parseDuration } from '../core/units.js';
import {
  BESIDE_DRIFT_KINDS,
  type BesideDriftKind,
  type BesideDriftPolicies,
  DRIFT_KINDS,
  type DriftKind,
  type DriftPolicies,
  type DriftPolicy,
  type Leaving,
  type OwnershipChoice,
  type OwnershipRules,
} from '../ipvs/ownership.js';
import { type Checked, type Context, type Cursor, FAULTY, member, reportKey } from './cursor.js';
import type { RawConfig, RawService } from './schema.js';

type Given<Key extends keyof RawConfig & string> = Checked<Cursor<NonNullable<RawConfig[Key]>>> | undefined;

const KINDS = Object.keys(DRIFT_KINDS) as DriftKind[];
const BESIDE_KINDS = Object.keys(BESIDE_DRIFT_KINDS) as BesideDriftKind[];

const REPAIRS: DriftPolicies = {
  service: 'repair',
  removed: 'repair',
  added: 'repair',
  weight: 'repair',
  settings: 'repair',
};
const BESIDE_REPAIRS: BesideDriftPolicies = { timeouts: 'repair', sync: 'repair' };

/** Of `kinds`, those that are said something of. */
function policiesOf<Kind extends DriftKind | BesideDriftKind>(
  at: Given<'drift'>,
  kinds: readonly Kind[],
): Checked<Partial<Record<Kind, DriftPolicy>>> {
  const policies: Partial<Record<Kind, DriftPolicy>> = {};
  if (at === undefined) return policies;
  if (at === FAULTY) return FAULTY;
  for (const kind of kinds) {
    if (typeof at.value === 'string') {
      policies[kind] = at.value;
      continue;
    }
    const policy = member(at as Cursor<Partial<Record<string, DriftPolicy>>>, kind);
    if (policy === FAULTY) return FAULTY;
    if (policy !== undefined) policies[kind] = policy.value;
  }
  return policies;
}

type RawLeaving = RawConfig['on-stop'] | RawConfig['on-remove'];

/** @param usual the deadline where none is said */
function leavingOf(
  at: Checked<Cursor<NonNullable<RawLeaving>>> | undefined,
  usual: string,
): Checked<Leaving> | undefined {
  if (at === undefined || at === FAULTY) return at;
  const { value } = at;
  if (value === 'keep' || value === 'remove') return { kind: value };
  const deadline = value === 'drain' ? usual : member(at as Cursor<{ readonly drain: string }>, 'drain');
  if (deadline === undefined || deadline === FAULTY) return FAULTY;
  const text = typeof deadline === 'string' ? deadline : deadline.value;
  return { kind: 'drain', deadline: parseDuration(text) as Millis };
}

const STOP_DEADLINE = '30s';
const REMOVE_DEADLINE = '5m';

/** What a service says of its own. */
export function ownershipChoice(at: Cursor<RawService>): Checked<OwnershipChoice> {
  const drift = policiesOf(member(at, 'drift'), KINDS);
  const onStop = leavingOf(member(at, 'on-stop'), STOP_DEADLINE);
  const onRemove = leavingOf(member(at, 'on-remove'), REMOVE_DEADLINE);
  return drift === FAULTY || onStop === FAULTY || onRemove === FAULTY ? FAULTY : { drift, onStop, onRemove };
}

/** What stands at the top. */
export interface GivenRules {
  readonly drift: Given<'drift'>;
  readonly onStop: Given<'on-stop'>;
  readonly onRemove: Given<'on-remove'>;
  readonly exclusive: Given<'exclusive'>;
  readonly coldStart: Given<'cold-start'>;
}

const or = <T>(found: Checked<T> | undefined, otherwise: T): T =>
  found === undefined || found === FAULTY ? otherwise : found;

/** What holds where a service says nothing. @param isEmpty there are no services */
export function ownershipRules(context: Context, given: GivenRules, isEmpty: boolean): OwnershipRules {
  const { exclusive, coldStart } = given;
  const owns = exclusive !== undefined && exclusive !== FAULTY && exclusive.value;
  if (owns && isEmpty)
    reportKey(
      context,
      exclusive,
      'there are no services, so this would empty the table; `ipvsadm -C` does that',
    );
  const limit = coldStart === undefined || coldStart === FAULTY ? '60s' : coldStart.value;
  return {
    drift: { ...REPAIRS, ...or(policiesOf(given.drift, KINDS), {}) },
    besideDrift: { ...BESIDE_REPAIRS, ...or(policiesOf(given.drift, BESIDE_KINDS), {}) },
    onStop: or(leavingOf(given.onStop, STOP_DEADLINE), { kind: 'keep' }),
    onRemove: or(leavingOf(given.onRemove, REMOVE_DEADLINE), { kind: 'remove' }),
    exclusive: owns,
    coldStart: parseDuration(limit) as Millis,
  };
}
