/** The observed table after an operation succeeded, without asking the kernel again. Pure. */

import { unreachable } from '../core/assert.js';
import { destText, serviceText } from './keys.js';
import type {
  Dest,
  DestSeen,
  ObservedService,
  ObservedTable,
  Operation,
  Service,
  ServiceKey,
  ServiceSeen,
  Stats,
} from './model.js';

/** The counters of an entry that was just made. */
export const ZERO_STATS: Stats = {
  connections: 0n,
  packetsIn: 0n,
  packetsOut: 0n,
  bytesIn: 0n,
  bytesOut: 0n,
  connectionsPerSecond: 0n,
  packetsInPerSecond: 0n,
  packetsOutPerSecond: 0n,
  bytesInPerSecond: 0n,
  bytesOutPerSecond: 0n,
};

/** What traffic leaves at a destination. */
export type DestCounters = Omit<DestSeen, keyof Dest>;

/**
 * A destination with its counters. Property by property: in the V8 of Node 20 an object that begins with a spread and
 * goes on with other properties has a hidden class of its own, hundreds of bytes for each of ten thousand destinations.
 */
export function destSeen(
  { key, settings }: Dest,
  { active, inactive, persistent, stats }: DestCounters,
): DestSeen {
  return { key, settings, active, inactive, persistent, stats };
}

/** The same of a service. */
export function serviceSeen({ key, settings }: Service, stats: Stats): ServiceSeen {
  return { key, settings, stats };
}

interface Draft {
  service: ServiceSeen;
  readonly dests: Map<string, DestSeen>;
}

/** A table being changed: every service that a batch touches is copied once, the others are shared. */
class TableDraft {
  readonly #drafts = new Map<string, Draft>();
  readonly table: Map<string, ObservedService>;

  constructor(from: ObservedTable) {
    this.table = new Map(from);
  }

  find(text: string): Draft | undefined {
    const open = this.#drafts.get(text);
    if (open !== undefined) return open;
    const before = this.table.get(text);
    return before && this.#open(text, { service: before.service, dests: new Map(before.dests) });
  }

  #open(text: string, draft: Draft): Draft {
    this.#drafts.set(text, draft);
    this.table.set(text, draft);
    return draft;
  }

  putService(service: Service): void {
    const text = serviceText(service.key);
    const draft = this.find(text);
    if (draft === undefined)
      this.#open(text, { service: serviceSeen(service, ZERO_STATS), dests: new Map() });
    else draft.service = serviceSeen(service, draft.service.stats);
  }

  dropService(key: ServiceKey): void {
    this.#drafts.delete(serviceText(key));
    this.table.delete(serviceText(key));
  }

  putDest(service: ServiceKey, dest: Dest): void {
    const dests = this.find(serviceText(service))?.dests;
    const seen = dests?.get(destText(dest.key)) ?? NEW_DEST;
    dests?.set(destText(dest.key), destSeen(dest, seen));
  }

  perform(operation: Operation): void {
    switch (operation.kind) {
      case 'add-service':
      case 'edit-service':
        this.putService(operation.service);
        break;
      case 'delete-service':
        this.dropService(operation.key);
        break;
      case 'add-dest':
      case 'edit-dest':
        this.putDest(operation.service, operation.dest);
        break;
      case 'delete-dest':
        this.find(serviceText(operation.service))?.dests.delete(destText(operation.dest));
        break;
      default:
        unreachable(operation);
    }
  }
}

const NEW_DEST = { active: 0, inactive: 0, persistent: 0, stats: ZERO_STATS };

/** The table that results from operations which all succeeded. `table` itself is not written into. */
export function applyToObserved(table: ObservedTable, operations: readonly Operation[]): ObservedTable {
  const draft = new TableDraft(table);
  for (const operation of operations) draft.perform(operation);
  return draft.table;
}
