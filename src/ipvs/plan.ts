/** The desired table and the plan that leads to it: types only. */
import type { Reason, Verdict } from '../checks/model.js';
import type { Millis } from '../core/units.js';
import type { Standing } from '../policy/model.js';
import type { Dest, Operation, Service } from './model.js';
import type { OwnershipPlan } from './ownership.js';

/** Why a step is in a plan. Text is made at the border, by `causeText`. */
export type Cause =
  /** The entry is in the configuration and not (or otherwise) in the table. */
  | { readonly kind: 'configured'; readonly service: string; readonly server: string | undefined }
  /** The entry was ours and is no longer in the configuration; or it goes because the daemon stops. */
  | {
      readonly kind: 'unconfigured' | 'stopping';
      readonly service: string;
      readonly server: string | undefined;
    }
  /** The entry is not ours and the whole table is to be. Names are those of the table. */
  | { readonly kind: 'exclusive'; readonly service: string; readonly server: string | undefined }
  | {
      readonly kind: 'verdict';
      readonly service: string;
      readonly server: string;
      readonly verdict: Verdict;
      readonly reason: Reason | undefined;
    }
  /** A rule of the service or the operator's word, not health alone. */
  | {
      readonly kind: 'policy';
      readonly service: string;
      readonly server: string;
      readonly standing: Standing;
    }
  /** Somebody else changed our entry; `difference` says what, in words. */
  | {
      readonly kind: 'drift';
      readonly service: string;
      readonly server: string | undefined;
      readonly difference: string;
    };

export interface PlanStep {
  readonly operation: Operation;
  readonly cause: Cause;
}

/** In the order in which it is applied. */
export type Plan = readonly PlanStep[];

/**
 * What a server's health says about its destination:
 * `present` with exactly these settings, `absent`, or `hold`: whatever the table says if its service is there,
 * else `otherwise`.
 */
export type DesiredDest =
  | { readonly kind: 'present'; readonly dest: Dest }
  | { readonly kind: 'absent'; readonly dest: Dest }
  | { readonly kind: 'hold'; readonly dest: Dest; readonly otherwise: 'present' | 'absent' };

export interface DesiredServer {
  readonly server: string;
  readonly want: DesiredDest;
  readonly cause: Cause;
}

export interface DesiredService {
  readonly name: string;
  readonly service: Service;
  /** By `destText`. */
  readonly servers: ReadonlyMap<string, DesiredServer>;
}

/** What the table should hold of what is ours, by `serviceText`. */
export type Desired = ReadonlyMap<string, DesiredService>;

/** All that a configuration says of the table. */
export interface Wishes {
  readonly desired: Desired;
  readonly ownership: OwnershipPlan;
  /** From one full look at the table to the next. */
  readonly resync: Millis;
}
