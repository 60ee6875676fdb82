/** The rules of ownership of every service of a configuration. Pure. */
import type { Config } from '../config/model.js';
import { type Millis, millis } from '../core/units.js';
import { type Ownership, type OwnershipPlan, ownershipOf } from '../ipvs/ownership.js';
import type { Desired, Wishes } from '../ipvs/plan.js';
import { entriesOf } from './desired.js';

/** What holds for each entry of the table; for one that the configuration does not name, what it says at its top. */
export function ownershipPlan(config: Pick<Config, 'ownership' | 'services'>): OwnershipPlan {
  const rules = config.ownership;
  const own = new Map<string, Ownership>();
  for (const service of config.services) {
    const { drift, onStop, onRemove } = service.ownership;
    const isPlain = onStop === undefined && onRemove === undefined && Object.keys(drift).length === 0;
    if (isPlain) continue;
    for (const entry of entriesOf(service)) own.set(entry, ownershipOf(rules, service.ownership));
  }
  return { exclusive: rules.exclusive, of: (service) => own.get(service) ?? rules };
}

/** All that a configuration says of the table. */
export function wishesOf(config: Config, desired: Desired): Wishes {
  return { desired, ownership: ownershipPlan(config), resync: config.resync };
}

/** How long the longest drain of a stop may take; 0 where none is wanted. */
export function longestStop({ ownership, services }: Pick<Config, 'ownership' | 'services'>): Millis {
  const deadlines = services.map(({ ownership: own }): number => {
    const onStop = own.onStop ?? ownership.onStop;
    return onStop.kind === 'drain' ? onStop.deadline : 0;
  });
  return millis(deadlines.reduce((longest, deadline) => Math.max(longest, deadline), 0));
}
