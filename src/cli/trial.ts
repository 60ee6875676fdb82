/**
 * An apply that is not confirmed yet: a file says how to take it back. It is under /run, which ends with the kernel's
 * table. Whoever renames the file decides: one of a confirmation and a way back wins, never both.
 */
import { existsSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { kill } from 'node:process';
import { LvsError } from '../core/errors.js';
import type { EpochMillis } from '../core/units.js';
import type { Operation } from '../ipvs/model.js';

export interface Trial {
  /** The process that waits, and takes it back by itself. */
  readonly pid: number;
  readonly deadline: EpochMillis;
  /** What takes it back. */
  readonly undo: readonly Operation[];
}

export type Decision = 'confirmed' | 'undone';

const KINDS: ReadonlySet<unknown> = new Set<Operation['kind']>([
  'add-service',
  'edit-service',
  'delete-service',
  'add-dest',
  'edit-dest',
  'delete-dest',
]);

function isTrial(value: unknown): value is Trial {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, deadline, undo } = value as Partial<Trial>;
  if (typeof pid !== 'number' || typeof deadline !== 'number' || !Array.isArray(undo)) return false;
  return (undo as readonly (Operation | null)[]).every((operation) => KINDS.has(operation?.kind));
}

const nameOf = (path: string, decision: Decision): string => `${path}.${decision}`;

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
}

/** @throws FILE where it cannot be written */
export function writeTrial(path: string, trial: Trial): void {
  try {
    writeFileSync(`${path}.new`, JSON.stringify(trial), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new LvsError('USAGE', `cannot write down how to take the change back, so it was not made: ${why}`);
  }
}

/** The apply that waits for its confirmation; undefined where there is none. @throws USAGE where the file is not ours */
export function readTrial(path: string): Trial | undefined {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
  }
  if (isTrial(value)) return value;
  throw new LvsError('USAGE', `${path} does not say how to take an apply back: look at it, and remove it`);
}

/** Whether somebody waits for it, who takes it back by himself. */
export function isWaitedFor({ pid }: Trial): boolean {
  try {
    return kill(pid, 0);
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}

/** Decides. @returns false where somebody else has decided before */
export function decide(path: string, decision: Decision): boolean {
  try {
    renameSync(path, nameOf(path, decision));
    return true;
  } catch (thrown) {
    if (isMissing(thrown)) return false;
    throw thrown;
  }
}

/** What was decided by somebody else; undefined: nothing yet. */
export function decisionOf(path: string): Decision | undefined {
  if (existsSync(path)) return undefined;
  return existsSync(nameOf(path, 'confirmed')) ? 'confirmed' : 'undone';
}

/** Forgets what was decided. */
export function forgetTrial(path: string): void {
  for (const name of [nameOf(path, 'confirmed'), nameOf(path, 'undone')])
    if (existsSync(name)) unlinkSync(name);
}
