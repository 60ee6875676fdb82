/** The operator's words about servers, as they are stored: under the server's name, with the address that it had. */
import { epochMillis } from '../core/units.js';
import type { AdminEntry, AdminWord, ServerId } from '../policy/model.js';
import type { StoredEntry } from './model.js';

const STATES: readonly unknown[] = [
  'enabled',
  'draining',
  'drained',
  'disabled',
] satisfies AdminEntry['state'][];
const FINISHES: readonly unknown[] = ['drained', 'disabled'] satisfies AdminEntry['finish'][];
const WEIGHT_MAX = 2_147_483_647;
const TEXT_LENGTH_MAX = 1000;

/** Words of windows come from the configuration, on every director by itself. */
export const STORED_SOURCE = 'operator';

/** The value under which a word is stored. @param endpoint of the server: another one there is another server */
export function wordValue({ entry }: AdminWord, endpoint: string): unknown {
  if (entry === undefined) return null;
  const { state, weight, since, deadline, finish, by, reason } = entry;
  return { endpoint, state, weight, since, deadline, finish, by, reason };
}

const isTime = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
const isText = (value: unknown): boolean => typeof value === 'string' && value.length <= TEXT_LENGTH_MAX;
const isWeight = (value: unknown): boolean => isTime(value) && Number(value) <= WEIGHT_MAX;

/** Whether a stored value is a word that this version understands. */
export function isWordValue(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { endpoint, state, weight, since, deadline, finish, by, reason } = value as Readonly<
    Record<string, unknown>
  >;
  return (
    isText(endpoint) &&
    STATES.includes(state) &&
    FINISHES.includes(finish) &&
    isTime(since) &&
    isText(by) &&
    (weight === undefined || isWeight(weight)) &&
    (deadline === undefined || isTime(deadline)) &&
    (reason === undefined || isText(reason))
  );
}

type Value = Omit<AdminEntry, 'source'> & { readonly endpoint: string };

/**
 * The word of a stored entry whose value is null or such a value.
 * @param endpoint of the server now
 * @returns undefined where it was said of another server of that name
 */
export function wordOf({ key, value }: StoredEntry, endpoint: string): AdminWord | undefined {
  const server: ServerId = key;
  if (value === null) return { server, source: STORED_SOURCE, entry: undefined };
  const its = value as Value;
  if (its.endpoint !== endpoint) return undefined;
  const { state, weight, deadline, finish, by, reason } = its;
  const since = epochMillis(its.since);
  const entry = { source: STORED_SOURCE, state, weight, since, deadline, finish, by, reason } as const;
  return { server, source: STORED_SOURCE, entry };
}
