import { serviceText } from '../../src/ipvs/keys.js';
import type {
  IpvsTable,
  ObservedService,
  ObservedTable,
  Operation,
  OperationResult,
  ServiceKey,
} from '../../src/ipvs/model.js';
import { applyToObserved } from '../../src/ipvs/observe.js';

/** A table whose answers a test can hold back, refuse or lose. */
export class ScriptedTable {
  observed: ObservedTable;
  dumps = 0;
  reads = 0;
  readonly applied: string[] = [];
  refuse: (operation: Operation) => string | undefined = () => undefined;
  failDump = false;
  failApply = false;
  gate: Promise<void> | undefined;

  constructor(observed: ObservedTable = new Map()) {
    this.observed = observed;
  }

  /** Called in the middle of a dump, before `between`: what it does to the table the dump does not tell. */
  meanwhile: () => void = () => undefined;

  async dump(between: () => Promise<void> = async () => undefined): Promise<ObservedTable> {
    this.dumps += 1;
    await this.gate;
    if (this.failDump) throw new Error('no answer');
    const { observed } = this;
    this.meanwhile();
    await between();
    return observed;
  }

  async read(key: ServiceKey): Promise<ObservedService | undefined> {
    this.reads += 1;
    return this.observed.get(serviceText(key));
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
      dump: (between?: () => Promise<void>) => this.dump(between),
      read: (key: ServiceKey) => this.read(key),
      apply: (operations: readonly Operation[]) => this.apply(operations),
    });
  }
}
