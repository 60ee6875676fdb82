/**
 * What a lookup makes of the addresses of a name. Addresses come with the first answer that holds them and go only by
 * good answers without them: a resolver that fails, lies or says nothing changes nothing. Pure.
 */
import { compareIp, type Ip } from '../core/ip.js';
import { type EpochMillis, type Millis, millis, seconds } from '../core/units.js';
import type {
  Lookup,
  NameAddress,
  NameNews,
  NameRule,
  NameState,
  NameTrouble,
  RememberedName,
} from './model.js';

/** Of one name; a configuration lets fewer of them be servers. */
export const ADDRESSES_MAX = 1024;
/** A resolver that is in trouble is asked again after this at the latest. */
const RETRY_MAX = seconds(60);
/** How soon one looks again whether those that came are up, so that others may go. */
const LOOK_AGAIN = seconds(10);

export const UNKNOWN_NAME: NameState = {
  addresses: [],
  source: 'nowhere',
  answeredAt: undefined,
  trouble: undefined,
  failures: 0,
};

/** A name as another run knew it. */
export function recalledName({ addresses, answeredAt }: RememberedName): NameState {
  return { ...UNKNOWN_NAME, addresses: addresses.map(present), source: 'memory', answeredAt };
}

/** A name whose addresses are guessed from what the table holds. */
export function guessedName(addresses: readonly Ip[]): NameState {
  return { ...UNKNOWN_NAME, addresses: addresses.map(present), source: 'table' };
}

const present = (address: Ip): NameAddress => ({ address, missingSince: undefined });

/** When a lookup came to its end, and what may follow from it. */
export interface NameMoment {
  readonly now: Millis;
  readonly wall: EpochMillis;
  /** Whether those that would be left serve where those that go do: otherwise a service could lose its last server. */
  readonly mayGo: (gone: readonly Ip[], left: readonly Ip[]) => boolean;
}

export interface NameStep {
  readonly state: NameState;
  /** Until the next lookup. */
  readonly next: Millis;
  readonly news: readonly NameNews[];
}

/** Takes in what a lookup came to. */
export function stepName(state: NameState, lookup: Lookup, rule: NameRule, moment: NameMoment): NameStep {
  return lookup.kind === 'failure'
    ? onFailure(state, lookup, rule, moment)
    : onAnswer(state, lookup, rule, moment);
}

type Trouble = NonNullable<NameState['trouble']>;

function onFailure(
  state: NameState,
  { trouble: kind, detail }: Extract<Lookup, { kind: 'failure' }>,
  { minimumTtl, maximumTtl }: NameRule,
  { wall }: NameMoment,
): NameStep {
  const failures = state.failures + 1;
  const trouble = troubleOf(state.trouble, kind, detail, wall);
  const most = Math.max(minimumTtl, Math.min(maximumTtl, RETRY_MAX));
  const next = millis(Math.min(most, minimumTtl * 2 ** Math.min(failures - 1, 20)));
  return { state: { ...state, failures, trouble }, next, news: troubleNews(state.trouble, trouble) };
}

function troubleOf(
  before: Trouble | undefined,
  kind: NameTrouble,
  detail: string,
  wall: EpochMillis,
): Trouble {
  return { kind, detail, since: before?.kind === kind ? before.since : wall };
}

/** The same trouble is told once. */
function troubleNews(before: Trouble | undefined, now: Trouble | undefined): readonly NameNews[] {
  if (before?.kind === now?.kind) return [];
  if (now === undefined) return [{ kind: 'name-resolved' }];
  return [{ kind: 'name-trouble', trouble: now.kind, detail: now.detail }];
}

/** New addresses behind the old ones, in the order of their numbers: the order of an answer means nothing. */
function merged(before: readonly NameAddress[], answer: readonly Ip[], now: Millis): readonly NameAddress[] {
  const held = new Set(answer);
  const known = before.map(
    ({ address, missingSince }): NameAddress => ({
      address,
      missingSince: held.has(address) ? undefined : (missingSince ?? now),
    }),
  );
  for (const { address } of before) held.delete(address);
  return [...known, ...[...held].sort(compareIp).map(present)];
}

function onAnswer(
  state: NameState,
  { addresses: answer, ttl }: Extract<Lookup, { kind: 'answer' }>,
  rule: NameRule,
  { now, wall, mayGo }: NameMoment,
): NameStep {
  const all = merged(state.addresses, answer, now);
  const isOver = ({ missingSince }: NameAddress): boolean =>
    missingSince !== undefined && now - missingSince >= rule.hold;
  const gone = all.filter(isOver).map(({ address }) => address);
  const left = all.filter(({ missingSince }) => missingSince === undefined).map(({ address }) => address);
  const isHeld = gone.length > 0 && !mayGo(gone, left);
  // Those that serve nobody go all the same: what a liar brought is not held on to.
  const addresses = all
    .filter((one) => !isOver(one) || (isHeld && !mayGo([one.address], left)))
    .slice(0, ADDRESSES_MAX);
  const trouble = isHeld
    ? troubleOf(state.trouble, 'nobody-up', `${left.join(', ')} of the answer`, wall)
    : undefined;
  const next = nextLookup(addresses, ttl, rule, now);
  const after: NameState = { addresses, source: 'answer', answeredAt: wall, trouble, failures: 0 };
  return { state: after, next, news: [...changeNews(state, after), ...troubleNews(state.trouble, trouble)] };
}

function changeNews(before: NameState, after: NameState): readonly NameNews[] {
  const [was, is] = [before, after].map(({ addresses }) => new Set(addresses.map(({ address }) => address)));
  const came = [...(is ?? [])].filter((address) => was?.has(address) !== true);
  const left = [...(was ?? [])].filter((address) => is?.has(address) !== true);
  return came.length + left.length === 0 ? [] : [{ kind: 'name-changed', came, left }];
}

/** When the records are over; and when an address that is missing may go, which takes an answer of that time. */
function nextLookup(
  addresses: readonly NameAddress[],
  ttl: Millis,
  { minimumTtl, maximumTtl, hold }: NameRule,
  now: Millis,
): Millis {
  let next: number = Math.min(ttl, maximumTtl);
  for (const { missingSince } of addresses) {
    if (missingSince === undefined) continue;
    const rest = missingSince + hold - now;
    next = Math.min(next, rest > 0 ? rest : LOOK_AGAIN);
  }
  return millis(Math.max(minimumTtl, next));
}
