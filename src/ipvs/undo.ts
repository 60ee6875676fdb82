/** The way back from operations that were applied, to the table as it was before them. Pure. */
import { unreachable } from '../core/assert.js';
import { destText, serviceText } from './keys.js';
import type { Dest, DestSeen, ObservedTable, Operation, ServiceKey } from './model.js';
import { applyToObserved } from './observe.js';

const plain = ({ key, settings }: DestSeen): Dest => ({ key, settings });

function putBack(before: ObservedTable, key: ServiceKey): readonly Operation[] {
  const seen = before.get(serviceText(key));
  if (seen === undefined) return [];
  const service = { key, settings: seen.service.settings };
  const dests = [...seen.dests.values()].map(
    (dest): Operation => ({ kind: 'add-dest', service: key, dest: plain(dest) }),
  );
  return [{ kind: 'add-service', service }, ...dests];
}

function inverse(operation: Operation, before: ObservedTable): readonly Operation[] {
  switch (operation.kind) {
    case 'add-service':
      return [{ kind: 'delete-service', key: operation.service.key }];
    case 'edit-service': {
      const seen = before.get(serviceText(operation.service.key));
      if (seen === undefined) return [];
      const service = { key: operation.service.key, settings: seen.service.settings };
      return [{ kind: 'edit-service', service }];
    }
    case 'delete-service':
      return putBack(before, operation.key);
    case 'add-dest':
      return [{ kind: 'delete-dest', service: operation.service, dest: operation.dest.key }];
    case 'edit-dest':
    case 'delete-dest': {
      const key = operation.kind === 'edit-dest' ? operation.dest.key : operation.dest;
      const seen = before.get(serviceText(operation.service))?.dests.get(destText(key));
      if (seen === undefined) return [];
      const kind = operation.kind === 'edit-dest' ? 'edit-dest' : 'add-dest';
      return [{ kind, service: operation.service, dest: plain(seen) }];
    }
    default:
      return unreachable(operation);
  }
}

/**
 * What undoes operations, the last one first: of a plan that takes nothing away before there is something else, the
 * way back does not either.
 */
export function undo(before: ObservedTable, done: readonly Operation[]): readonly Operation[] {
  return [...done].reverse().flatMap((operation) => inverse(operation, before));
}

/** An operation as far as it can be done, as somebody else may have changed the table meanwhile. */
function fitted(operation: Operation, table: ObservedTable): Operation | undefined {
  switch (operation.kind) {
    case 'add-service':
      return table.has(serviceText(operation.service.key))
        ? { ...operation, kind: 'edit-service' }
        : operation;
    case 'edit-service':
      return table.has(serviceText(operation.service.key)) ? operation : undefined;
    case 'delete-service': {
      const seen = table.get(serviceText(operation.key));
      // Somebody else has put servers into it.
      return seen !== undefined && seen.dests.size === 0 ? operation : undefined;
    }
    case 'add-dest': {
      const seen = table.get(serviceText(operation.service));
      if (seen === undefined) return undefined;
      return seen.dests.has(destText(operation.dest.key)) ? { ...operation, kind: 'edit-dest' } : operation;
    }
    case 'edit-dest':
    case 'delete-dest': {
      const key = operation.kind === 'edit-dest' ? operation.dest.key : operation.dest;
      return table.get(serviceText(operation.service))?.dests.has(destText(key)) === true
        ? operation
        : undefined;
    }
    default:
      return unreachable(operation);
  }
}

/** The operations that a table as it stands now allows; what is of no use any more is left out. */
export function fitUndo(operations: readonly Operation[], observed: ObservedTable): readonly Operation[] {
  const fit: Operation[] = [];
  let table = observed;
  for (const operation of operations) {
    const its = fitted(operation, table);
    if (its === undefined) continue;
    fit.push(its);
    table = applyToObserved(table, [its]);
  }
  return fit;
}
