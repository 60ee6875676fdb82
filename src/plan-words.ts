/** A plan as data for people and programs: each change with its command and its cause. */
import { causeText } from './describe.js';
import { operationWords } from './ipvs/ipvsadm.js';
import type { Operation } from './ipvs/model.js';
import type { Cause, PlanStep } from './ipvs/plan.js';

export interface Change {
  readonly operation: Operation['kind'];
  /** As one would type it. */
  readonly command: string;
  readonly service: string;
  readonly server: string | null;
  readonly cause: Cause['kind'];
  readonly why: string;
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

/** `ipvsadm -d -t 192.0.2.1:80 -r 192.0.2.2:80  # web/web1: no longer in the configuration` */
export function changeLine(step: PlanStep): string {
  const { command, service, server, why } = changeOf(step);
  return `${command}  # ${service}${server === null ? '' : `/${server}`}: ${why}`;
}
