import type { IpvsTable, ObservedTable, Operation, OperationResult } from '../../src/ipvs/model.js';
import { applyToObserved } from '../../src/ipvs/observe.js';

/** A table whose answers a test can hold back, refuse or lose. */
export class ScriptedTable {
  observed: ObservedTable;
  dumps = 0;
  readonly applied: string[] = [];
  refuse: (operation: Operation) => string | undefined = () => undefined;
  failDump = false;
  failApply = false;
  gate: Promise<void> | undefined;

  constructor(observed: ObservedTable = new Map()) {
    this.observed = observed;
  }

  async dump(): Promise<ObservedTable> {
    this.dumps += 1;
    await this.gate;
    if (this.failDump) throw new Error('no answer');
    return this.observed;
  }

  async apply(operations: readonly Operation[]): Promise<readonly OperationResult[]> {
    await this.gate;
    if (this.failApply) throw new Error('socket gone');
    return operations.map((operation) => {
      const errno = this.refuse(operation);
      this.applied.push(errno === undefined ? operation.kind : `${operation.kind} ${errno}`);
      if (errno !== undefined) return { ok: false, errno, message: 'refused by the test' };
      this.observed = applyToObserved(this.observed, [operation]);
      return { ok: true };
    });
  }

  port(): IpvsTable {
    const rest = new Proxy(
      {},
      { get: (_, name) => () => Promise.reject(new Error(`unexpected ${String(name)}`)) },
    );
    return Object.assign(Object.create(rest), {
      kind: 'memory',
      dump: () => this.dump(),
      apply: (operations: readonly Operation[]) => this.apply(operations),
    });
  }
}
