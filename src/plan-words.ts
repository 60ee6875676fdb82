/** A plan as data for people and programs: each change with its command and its cause. */
import type { AppliedStep } from './applied.js';
import { causeText } from './describe.js';
import { operationWords, syncStepWords, timeoutWords } from './ipvs/ipvsadm.js';
import type { Operation, Timeouts } from './ipvs/model.js';
import type { Cause, PlanStep } from './ipvs/plan.js';
import type { SyncStep } from './ipvs/sync.js';

export interface Change {
  readonly operation: Operation['kind'];
  /** As one would type it. */
  readonly command: string;
  readonly service: string;
  readonly server: string | null;
  readonly cause: Cause['kind'];
  readonly why: string;
}

/** A change that was tried. */
export interface AppliedChange extends Change {
  readonly error: string | null;
}

/** A command about a sync daemon. */
export interface SyncChange {
  readonly operation: 'start-sync-daemon' | 'stop-sync-daemon';
  readonly command: string;
}

/** The time-outs that are set, in whole seconds. */
export interface TimeoutsChange {
  readonly set: Partial<Timeouts>;
  readonly command: string;
}

export function syncChangeOf(step: SyncStep): SyncChange {
  const operation = step.kind === 'start' ? 'start-sync-daemon' : 'stop-sync-daemon';
  return { operation, command: `ipvsadm ${syncStepWords(step)}` };
}

/** Null where there is nothing to set. */
export function timeoutsChangeOf(set: Partial<Timeouts>): TimeoutsChange | null {
  return Object.keys(set).length === 0 ? null : { set, command: `ipvsadm ${timeoutWords(set)}` };
}

export function changeOf({ operation, cause }: PlanStep): Change {
  return {
    operation: operation.kind,
    command: `ipvsadm ${operationWords(operation)}`,
    service: cause.service,
    server: cause.server ?? null,
    cause: cause.kind,
    why: causeText(cause),
  };
}

export function appliedChangeOf({ step, error }: AppliedStep): AppliedChange {
  return { ...changeOf(step), error: error ?? null };
}

/** `ipvsadm -d -t 192.0.2.1:80 -r 192.0.2.2:80  # web/web1: no longer in the configuration` */
export function changeLine(step: PlanStep): string {
  return changeText(changeOf(step));
}

/** The same of a change that came as data. */
export function changeText({ command, service, server, why }: Change): string {
  return `${command}  # ${service}${server === null ? '' : `/${server}`}: ${why}`;
}
