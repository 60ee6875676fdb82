/** What is done to the table while somebody waits for it: the plan that a reload came to. */
import type { OperationResult } from './ipvs/model.js';
import type { PlanStep } from './ipvs/plan.js';

/** More steps than these are counted only. */
const STEPS_MAX = 1000;

export interface AppliedStep {
  readonly step: PlanStep;
  /** The kernel's words; undefined: it was done. */
  readonly error: string | undefined;
}

export interface Applied {
  /** The first of them, in their order. */
  readonly steps: readonly AppliedStep[];
  /** Of all. */
  readonly done: number;
  readonly failed: number;
}

export class AppliedSteps implements Applied {
  readonly steps: AppliedStep[] = [];
  done = 0;
  failed = 0;

  take(steps: readonly PlanStep[], results: readonly OperationResult[]): void {
    for (const [index, step] of steps.entries()) {
      const result = results[index];
      const isDone = result?.ok === true;
      if (isDone) this.done += 1;
      else this.failed += 1;
      if (this.steps.length >= STEPS_MAX) continue;
      this.steps.push({ step, error: isDone ? undefined : (result?.message ?? 'no answer') });
    }
  }
}
