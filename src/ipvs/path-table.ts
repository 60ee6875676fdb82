/**
 * The table with the private services of data-path checks behind it: nobody who reads it through here sees them. They are
 * put right by the way, whenever the table is read.
 */
import type { Through } from '../checks/spec-through.js';
import { errorText } from '../core/errors.js';
import { serviceText } from './keys.js';
import type {
  IpvsInfo,
  IpvsTable,
  ObservedService,
  ObservedTable,
  Operation,
  OperationResult,
  ServiceKey,
  SyncDaemon,
  SyncRole,
  Timeouts,
} from './model.js';
import { applyToObserved } from './observe.js';
import {
  giveMarks,
  isPrivate,
  marksOf,
  type PrivateStep,
  partTable,
  planPrivate,
  wayText,
} from './private.js';

/** A way that can be used by its mark, or why it cannot. */
export type Placed =
  | { readonly kind: 'ready'; readonly mark: number }
  | { readonly kind: 'blocked'; readonly why: string };

/** The marks that may be used. */
export interface MarkRange {
  readonly first: number;
  readonly count: number;
}

const IN_MEMORY: Placed = { kind: 'blocked', why: 'the table is in memory, and no packet goes through it' };

interface Wanted {
  readonly way: Through;
  readonly mark: number;
  /** Why it is not there; undefined: it is. */
  problem: string | undefined;
}

export class PathTable implements IpvsTable {
  readonly #table: IpvsTable;
  readonly #onChange: () => void;
  /** What is wanted, by `wayText`; undefined before anybody said: what an earlier run left is kept until then. */
  #wanted: Map<string, Wanted> | undefined;
  #hidden: readonly ObservedService[] = [];
  #taken: ReadonlySet<number> = new Set();
  /** Settles when the last use of the private services in line is over. */
  #line: Promise<unknown> = Promise.resolve();

  /** @param onChange a way can be used that could not, or no longer: `want` says which */
  constructor(table: IpvsTable, onChange: () => void) {
    this.#table = table;
    this.#onChange = onChange;
  }

  get kind(): IpvsTable['kind'] {
    return this.#table.kind;
  }

  info(): Promise<IpvsInfo> {
    return this.#table.info();
  }

  /** What is not private; what is private and not as it should be is put right. */
  dump(between?: () => Promise<void>): Promise<ObservedTable> {
    return this.#inLine(async () => {
      const [shown, hidden] = partTable(await this.#table.dump(between));
      this.#hidden = hidden;
      this.#taken = marksOf(shown);
      if (this.#wanted !== undefined && (await this.#settle(this.#wanted))) this.#onChange();
      return shown;
    });
  }

  async read(key: ServiceKey): Promise<ObservedService | undefined> {
    const found = await this.#table.read(key);
    return found === undefined || isPrivate(found) ? undefined : found;
  }

  apply(operations: readonly Operation[]): Promise<readonly OperationResult[]> {
    return this.#table.apply(operations);
  }

  /**
   * Makes these ways usable, and no others. Never rejects.
   * @returns how it stands with each, in order
   */
  want(ways: readonly Through[], marks: MarkRange): Promise<readonly Placed[]> {
    if (this.kind === 'memory') return Promise.resolve(ways.map(() => IN_MEMORY));
    return this.#inLine(async () => {
      const byText = new Map(ways.map((way) => [wayText(way), way]));
      const had = new Map([...(this.#wanted ?? [])].map(([text, { mark }]) => [text, mark]));
      const given = giveMarks(byText, had, this.#hidden, { ...marks, taken: this.#taken });
      const wanted = new Map<string, Wanted>();
      for (const [text, way] of byText) {
        const mark = given.get(text);
        if (mark !== undefined) wanted.set(text, { way, mark, problem: this.#wanted?.get(text)?.problem });
      }
      this.#wanted = wanted;
      await this.#settle(wanted);
      return ways.map((way) => this.#placed(way));
    });
  }

  /** Takes all private services out. Never rejects. */
  async leave(): Promise<void> {
    await this.want([], { first: 0, count: 0 });
  }

  #placed(way: Through): Placed {
    const its = this.#wanted?.get(wayText(way));
    if (its === undefined) return { kind: 'blocked', why: 'all of `path-marks` are taken' };
    if (its.problem === undefined) return { kind: 'ready', mark: its.mark };
    return { kind: 'blocked', why: `the kernel has no service of the mark ${its.mark}: ${its.problem}` };
  }

  /** @returns whether a way can be used that could not, or no longer */
  async #settle(wanted: ReadonlyMap<string, Wanted>): Promise<boolean> {
    const byMark = new Map([...wanted.values()].map((one) => [one.mark, one]));
    const ways = new Map([...byMark].map(([mark, { way }]) => [mark, way]));
    const problems = await this.#carryOut(planPrivate(ways, this.#hidden));
    let changed = false;
    for (const [mark, one] of byMark) {
      const problem = problems.get(mark);
      changed ||= (problem === undefined) !== (one.problem === undefined);
      one.problem = problem;
    }
    return changed;
  }

  /** @returns by mark what went wrong, which is tried again after the next dump */
  async #carryOut(steps: readonly PrivateStep[]): Promise<ReadonlyMap<number, string>> {
    const problems = new Map<number, string>();
    if (steps.length === 0) return problems;
    try {
      const results = await this.#table.apply(steps.map(({ operation }) => operation));
      const done: Operation[] = [];
      for (const [index, { mark, operation }] of steps.entries()) {
        const result = results[index];
        if (result?.ok === true) done.push(operation);
        else problems.set(mark, result?.message ?? 'no answer');
      }
      const known = new Map(this.#hidden.map((seen) => [serviceText(seen.service.key), seen]));
      this.#hidden = [...applyToObserved(known, done).values()];
    } catch (thrown) {
      for (const { mark } of steps) problems.set(mark, errorText(thrown));
    }
    return problems;
  }

  #inLine<Value>(use: () => Promise<Value>): Promise<Value> {
    const done = this.#line.then(use);
    this.#line = done.catch(() => undefined);
    return done;
  }

  flush(): Promise<void> {
    return this.#table.flush();
  }

  zero(key?: ServiceKey): Promise<void> {
    return this.#table.zero(key);
  }

  timeouts(): Promise<Timeouts> {
    return this.#table.timeouts();
  }

  setTimeouts(timeouts: Partial<Timeouts>): Promise<void> {
    return this.#table.setTimeouts(timeouts);
  }

  syncDaemons(): Promise<readonly SyncDaemon[]> {
    return this.#table.syncDaemons();
  }

  startSyncDaemon(daemon: SyncDaemon): Promise<void> {
    return this.#table.startSyncDaemon(daemon);
  }

  stopSyncDaemon(role: SyncRole): Promise<void> {
    return this.#table.stopSyncDaemon(role);
  }

  close(): void {
    this.#table.close();
  }
}
