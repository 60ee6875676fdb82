/** What is done about the entries that are ours, and about those that are not: the rules of the configuration. */
import type { Millis } from '../core/units.js';
import type { DestKey, ServiceKey } from './model.js';

/** What somebody else may do to an entry of ours. */
export const DRIFT_KINDS = {
  service: 'the virtual service itself was removed, or has other settings',
  removed: 'a server was removed',
  added: 'a server that should get no new connections gets them: it was put back, or its weight 0 was raised',
  weight: 'a server has another weight',
  settings: 'a server has another forwarding method, tunnel or thresholds',
} as const;

export type DriftKind = keyof typeof DRIFT_KINDS;

/** `repair` puts it back, `report` tells and leaves it, `accept` makes it what the entry is from now on. */
export type DriftPolicy = 'repair' | 'report' | 'accept';

export type DriftPolicies = Readonly<Record<DriftKind, DriftPolicy>>;

/** What somebody else may do to what is kept in the kernel beside the table. */
export const BESIDE_DRIFT_KINDS = {
  timeouts: 'a time-out of connections has another value',
  sync: 'a sync daemon was stopped, was started, or runs with other settings',
} as const;

export type BesideDriftKind = keyof typeof BESIDE_DRIFT_KINDS;

/** These are of the whole kernel: no service has its own. */
export type BesideDriftPolicies = Readonly<Record<BesideDriftKind, DriftPolicy>>;

/** How an entry of ours goes: stays where it is, goes at once, or gets no new connections until it is empty. */
export type Leaving =
  | { readonly kind: 'keep' | 'remove' }
  | {
      readonly kind: 'drain';
      /** Then it goes with the connections that it has. */
      readonly deadline: Millis;
    };

/** The rules of one service, complete. */
export interface Ownership {
  readonly drift: DriftPolicies;
  /** At an orderly stop of the daemon. */
  readonly onStop: Leaving;
  /** When it, or a server of it, is no longer in the configuration. Never `keep`. */
  readonly onRemove: Leaving;
}

/** What a service says of its own; the rest is the configuration's. */
export interface OwnershipChoice {
  readonly drift: Partial<DriftPolicies>;
  readonly onStop: Leaving | undefined;
  readonly onRemove: Leaving | undefined;
}

/** The rules of the table as a whole. */
export interface OwnershipRules extends Ownership {
  readonly besideDrift: BesideDriftPolicies;
  /** The whole table is ours: what the configuration does not name is removed. */
  readonly exclusive: boolean;
  /** How long a server without a verdict is left as the table has it; then what its check assumes counts. */
  readonly coldStart: Millis;
}

/** What holds in the reconciler: the rules of each service, by `serviceText`. */
export interface OwnershipPlan {
  readonly exclusive: boolean;
  readonly of: (service: string) => Ownership;
}

/** The rules of a service: its own before those of the configuration. */
export function ownershipOf(rules: Ownership, choice: OwnershipChoice): Ownership {
  return {
    drift: { ...rules.drift, ...choice.drift },
    onStop: choice.onStop ?? rules.onStop,
    onRemove: choice.onRemove ?? rules.onRemove,
  };
}

/** A service of somebody else. */
export interface ForeignService {
  /** Its `serviceText`. */
  readonly service: string;
  readonly key: ServiceKey;
  /** How many servers it has. */
  readonly servers: number;
}

/** A server of somebody else in a service of ours. */
export interface ForeignServer {
  /** The `serviceText` of our service. */
  readonly service: string;
  readonly serviceKey: ServiceKey;
  /** Its `destText`. */
  readonly server: string;
  readonly key: DestKey;
}

/** What of the table is not ours. */
export interface Foreign {
  readonly services: readonly ForeignService[];
  readonly servers: readonly ForeignServer[];
}
