/** Reads the whole table while it is being changed: what of ours changes meanwhile is read anew. */
import { entryOf, serviceText } from './keys.js';
import type { IpvsTable, ObservedTable, Operation, ServiceKey } from './model.js';

function keyOf(operation: Operation): ServiceKey {
  switch (operation.kind) {
    case 'add-service':
    case 'edit-service':
      return operation.service.key;
    case 'delete-service':
      return operation.key;
    default:
      return operation.service;
  }
}

export class TableReader {
  readonly #table: Pick<IpvsTable, 'dump' | 'read'>;
  /** Of each reading under way: services that were changed meanwhile. */
  readonly #readings = new Set<Map<string, ServiceKey>>();

  constructor(table: Pick<IpvsTable, 'dump' | 'read'>) {
    this.#table = table;
  }

  /** These are being sent to the table. */
  changing(operations: readonly Operation[]): void {
    for (const touched of this.#readings)
      for (const operation of operations) touched.set(entryOf(operation)[0], keyOf(operation));
  }

  /** @param between done between two services @throws as the table's `dump` and `read` (rejects) */
  async read(between: () => Promise<void> = async () => undefined): Promise<ObservedTable> {
    const touched = new Map<string, ServiceKey>();
    this.#readings.add(touched);
    try {
      const table = new Map(await this.#table.dump(between));
      for (const key of touched.values()) {
        const service = await this.#table.read(key);
        if (service === undefined) table.delete(serviceText(key));
        else table.set(serviceText(key), service);
      }
      return table;
    } finally {
      this.#readings.delete(touched);
    }
  }
}
