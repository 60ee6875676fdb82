/** What a mysql and a postgres check make of what they are told. */
import type { Millis } from '../core/units.js';
import type { Reason } from './model.js';
import type { ProbeRun } from './probe-run.js';
import { printable } from './reason.js';
import type { DatabaseRole, SqlCheck } from './spec-database.js';

/** One value of a row as text; null is SQL's. */
export type SqlValue = string | null;

/** What a server says of its replication. */
export interface SqlPart {
  readonly role: Exclude<DatabaseRole, 'any'>;
  /** How far it is behind; undefined: it cannot say, as it does not replicate. */
  readonly lagSeconds: number | undefined;
}

/** A whole or decimal number of seconds. */
export function secondsOf(value: SqlValue | undefined): number | undefined {
  const seconds = value === null || value === undefined || value === '' ? Number.NaN : Number(value);
  return Number.isFinite(seconds) ? seconds : undefined;
}

export function judgeStatement(
  { phase }: ProbeRun,
  statement: SqlCheck,
  first: SqlValue | undefined,
): Reason | undefined {
  if (statement.value === undefined || first === statement.value) return undefined;
  const found =
    first === undefined ? 'no row' : first === null ? 'NULL' : JSON.stringify(printable(first, 40));
  return {
    kind: 'bad-content',
    phase,
    detail: `${found}, not ${JSON.stringify(printable(statement.value, 40))}`,
  };
}

/** Holds what the server is against what is wanted. */
export function judgePart(
  { phase }: ProbeRun,
  wanted: { readonly role: DatabaseRole; readonly maxLag: Millis | undefined },
  { role, lagSeconds }: SqlPart,
): Reason {
  const wrong = (detail: string): Reason => ({ kind: 'bad-content', phase, detail });
  if (wanted.role !== 'any' && role !== wanted.role) return wrong(`a ${role}, not a ${wanted.role}`);
  if (role === 'master' || wanted.maxLag === undefined) return { kind: 'ok' };
  if (lagSeconds === undefined) return wrong('the replica does not replicate');
  return lagSeconds * 1000 <= wanted.maxLag
    ? { kind: 'ok' }
    : wrong(`the replica is ${Math.round(lagSeconds)} s behind its master`);
}
