/** What main and a probe worker say to each other: plain data that survives structured cloning. */
import type { WorkerDigest } from '../world.js';
import type { Check, CheckId, Pace, RemarkChange, Suspicion, VerdictChange } from './model.js';
import type { CheckSight } from './sight.js';

/** Given when the thread starts. */
export interface WorkerSetup {
  /** Its number in the pool, from 0. */
  readonly worker: number;
  /** Where it writes down the process groups of its programs: see ProcessGroups. */
  readonly groups: SharedArrayBuffer;
}

export type ToWorker =
  /** The change of this worker's checks: a reload that changes one check is a small message. */
  | {
      readonly kind: 'update';
      /** New, or changed. */
      readonly put: readonly Check[];
      readonly drop: readonly CheckId[];
      /** Verdicts that those of `put` start from. */
      readonly verdicts: ReadonlyMap<CheckId, 'up' | 'down'>;
    }
  /** How often there may be probes from now on. */
  | { readonly kind: 'pace'; readonly pace: Pace | undefined }
  /** How it stands with these checks: answered by `sights` with the same number. */
  | { readonly kind: 'look'; readonly question: number; readonly ids: readonly CheckId[] }
  /** End: abort all probes, then leave. */
  | { readonly kind: 'stop' };

export type FromWorker =
  /** All changes of one turn of the worker's loop. */
  | { readonly kind: 'changes'; readonly changes: readonly VerdictChange[] }
  /** All suspicions of one turn. */
  | { readonly kind: 'suspicions'; readonly suspicions: readonly Suspicion[] }
  /** All remarks that changed in one turn. */
  | { readonly kind: 'remarks'; readonly remarks: readonly RemarkChange[] }
  | { readonly kind: 'digest'; readonly digest: WorkerDigest }
  /** Of those that were asked for and that there are. */
  | { readonly kind: 'sights'; readonly question: number; readonly sights: readonly CheckSight[] }
  /** A prober broke its promise; the check goes on. */
  | { readonly kind: 'defect'; readonly id: CheckId; readonly text: string };
