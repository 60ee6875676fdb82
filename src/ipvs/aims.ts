/** All that has a say in what the table should hold, and what there is to do for it, entry by entry. */
import type { Millis } from '../core/units.js';
import { diffForeign, diffService } from './diff.js';
import type { Drift } from './drift.js';
import { findForeign, firstForeign, foreignServersByService } from './foreign.js';
import type { ObservedService, ObservedTable } from './model.js';
import type { Foreign, ForeignServer, ForeignService, OwnershipPlan } from './ownership.js';
import type { Desired, Plan } from './plan.js';
import { diffRetired, type Retired } from './retire.js';
import type { Tolerance } from './tolerance.js';

/** Entries of others that one look condemns at most, with `exclusive`. */
const CONDEMNED_MAX = 1000;

/** What goes although nobody ordered it by name: entries of others, with `exclusive`. */
export interface Condemned {
  readonly services: ReadonlyMap<string, ForeignService>;
  readonly servers: ReadonlyMap<string, readonly ForeignServer[]>;
}

export const NOBODY: Condemned = { services: new Map(), servers: new Map() };

export function condemn(foreign: Foreign): Condemned {
  const { services, servers } = firstForeign(foreign, CONDEMNED_MAX);
  return {
    services: new Map(services.map((one) => [one.service, one])),
    servers: foreignServersByService({ services, servers }),
  };
}

export interface Aims {
  readonly desired: Desired;
  readonly retired: Retired;
  readonly condemned: Condemned;
  readonly tolerance: Tolerance;
  /** Monotonic. */
  readonly now: Millis;
}

/** The steps for one service. */
export function planEntry(text: string, aims: Aims, observed: ObservedService | undefined): Plan {
  const { now, tolerance } = aims;
  const retired = aims.retired.get(text);
  const desired = aims.desired.get(text);
  if (desired === undefined) {
    const foreign = aims.condemned.services.get(text);
    if (foreign !== undefined) return diffForeign(foreign, observed);
    return retired === undefined ? [] : diffRetired(retired, observed, now);
  }
  const wanted = tolerance.wanted(text, desired, observed);
  if (wanted === undefined) return [];
  const condemned = aims.condemned.servers.get(text);
  return tolerance.explain(diffService(wanted, observed, { retired, now, condemned }));
}

/** The services that anybody has a say in: those of the configuration in its order, then what leaves. */
export function entriesIn({ desired, retired, condemned }: Aims): ReadonlySet<string> {
  return new Set([...desired.keys(), ...retired.keys(), ...condemned.services.keys()]);
}

/** What is to be done to the table as it was read, and what of it is let be. */
export interface Preview {
  readonly plan: Plan;
  /** What somebody else made of entries of ours and what is let stand. */
  readonly left: readonly Drift[];
  readonly foreign: Foreign;
}

/**
 * What a look at the table that found `observed` would do. Nothing is remembered of it.
 * @param believed what the table was believed to hold; undefined where that is not known
 */
export function preview(
  aims: Aims,
  ownership: OwnershipPlan | undefined,
  [believed, observed]: readonly [ObservedTable | undefined, ObservedTable],
): Preview {
  const { desired, retired } = aims;
  const tolerance = aims.tolerance.copy();
  if (ownership !== undefined)
    tolerance.look(desired, believed, observed, (text) => ownership.of(text).drift);
  const foreign = findForeign(desired, retired, observed);
  const condemned = ownership?.exclusive === true ? condemn(foreign) : NOBODY;
  const its = { ...aims, tolerance, condemned };
  const plan = [...entriesIn(its)].flatMap((text) => planEntry(text, its, observed.get(text)));
  return { plan, left: tolerance.left(desired), foreign };
}
