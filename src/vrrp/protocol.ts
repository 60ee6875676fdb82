/** What main and the VRRP thread say to each other. Types only. */
import type { Fault, Observation, Role, RoleCause } from './model.js';
import type { RouterConfig, VrrpDigest } from './status.js';

export type ToVrrp =
  /** The whole of what there is to run; what did not change goes on undisturbed. */
  | {
      readonly kind: 'configure';
      readonly routers: readonly RouterConfig[];
      /** Instances that were master when the thread before this one died. */
      readonly resumed: readonly string[];
    }
  /** A tracked object that main watches, as `services web`. */
  | { readonly kind: 'observed'; readonly what: string; readonly seen: Observation }
  /** The first verdicts are in. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'stop' };

/** An instance changed its role. */
export interface RoleChange {
  readonly instance: string;
  readonly from: Role;
  readonly to: Role;
  readonly cause: RoleCause;
  readonly priority: number;
  readonly faults: readonly Fault[];
}

/** Something to be said that changes nothing. */
export interface VrrpNotice {
  readonly instance: string | undefined;
  readonly level: 'info' | 'warn' | 'error';
  readonly what: 'put-back' | 'refused' | 'report' | 'trouble';
  readonly message: string;
}

export type FromVrrp =
  | { readonly kind: 'role'; readonly change: RoleChange }
  | { readonly kind: 'notice'; readonly notice: VrrpNotice }
  | { readonly kind: 'digest'; readonly digest: VrrpDigest };
