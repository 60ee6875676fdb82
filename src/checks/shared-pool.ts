/** The probe workers as the rest of main sees them: checks that are alike are probed once, and each has its verdict. */
import type { Clock } from '../core/ports.js';
import type { Steps } from '../core/steps.js';
import { beginInSlices } from '../slices.js';
import type { ProbingState, ServerHealth } from '../world.js';
import { NO_BUDGET, planBudgetInSteps } from './budget.js';
import { UnitBook } from './likes.js';
import type { Check, CheckId, ProbeBudget, RemarkChange, Suspicion, VerdictChange } from './model.js';
import { ProbePool, type ProbePoolOptions } from './pool.js';
import { NO_REMARK } from './remark.js';
import type { CheckSight } from './sight.js';

export interface SharedPoolOptions extends ProbePoolOptions {
  readonly clock: Clock;
  /** What is known of checks at this moment. */
  readonly health: () => ReadonlyMap<CheckId, ServerHealth>;
  /** After each change of what is probed. */
  readonly onState: (state: ProbingState) => void;
}

/** Verdicts, and remarks, that are told in one turn. */
const TOLD_MAX = 1000;

type Verdicts = Pick<ReadonlyMap<CheckId, 'up' | 'down'>, 'get'>;

/** What is to be probed. */
interface Wish {
  readonly checks: readonly Check[];
  readonly verdicts: Verdicts;
  readonly budget: ProbeBudget | undefined;
}

/** A pool of units, which nobody outside hears of: what comes in and goes out is by check. */
export class SharedPool {
  readonly #options: SharedPoolOptions;
  readonly #book = new UnitBook();
  readonly #pool: ProbePool;
  /** Not begun yet. */
  #next: Wish | undefined;
  #isUpdating = false;
  /** What workers said in this turn. */
  readonly #changes: VerdictChange[] = [];
  readonly #suspicions: Suspicion[] = [];
  readonly #remarks: RemarkChange[] = [];
  #isDue = false;
  #closed = false;

  constructor(options: SharedPoolOptions) {
    this.#options = options;
    this.#pool = new ProbePool({
      ...options,
      onChanges: (changes) => this.#hear(this.#changes, changes),
      onSuspicions: (suspicions) => this.#hear(this.#suspicions, suspicions),
      onRemarks: (remarks) => this.#hear(this.#remarks, remarks),
      onWorkerDied: (death) => {
        while (this.#tell());
        options.onWorkerDied({ ...death, checks: death.checks.flatMap((name) => this.#checksOf(name)) });
      },
      onDefect: (name, text) => options.onDefect(this.#checksOf(name)[0] ?? name, text),
    });
  }

  /**
   * Makes `checks` the whole of what is probed. What is probed already goes on undisturbed, whichever check it is for
   * from now on. A check that joins one whose verdict is known has that verdict at once. Of many checks each is taken in
   * turn, a part of them at a time; of what is said meanwhile the last counts.
   * @param verdicts what is held for them now
   * @param budget how many probes there may be; what is probed once counts once
   */
  update(checks: readonly Check[], verdicts: Verdicts, budget?: ProbeBudget): void {
    this.#next = { checks, verdicts, budget };
    if (!this.#isUpdating) this.#updateAll();
  }

  #updateAll(): void {
    this.#isUpdating = true;
    for (let wish = this.#next; wish !== undefined && !this.#closed; wish = this.#next) {
      this.#next = undefined;
      const rest = beginInSlices(this.#take(wish), this.#options);
      if (rest !== undefined) return void rest.then(() => this.#updateAll());
    }
    this.#isUpdating = false;
  }

  *#take({ checks, verdicts, budget }: Wish): Steps<void> {
    const joined = yield* this.#book.takeInSteps(checks);
    const { units } = this.#book;
    const plan = yield* planBudgetInSteps(units, budget ?? NO_BUDGET);
    yield* this.#pool.update(units, { get: (name) => this.#heldFor(name, verdicts) }, plan.pace);
    if (this.#closed) return;
    this.#options.onState({ checks: checks.length, distinct: units.length, budget, plan });
    if (joined.length === 0) return;
    const health = this.#options.health();
    const changes = joined.flatMap(({ id, beside }) => this.#verdictFor(id, health.get(beside)));
    const remarks = joined.flatMap(({ id, beside }) => remarkFor(id, health.get(beside), health.get(id)));
    if (changes.length > 0) this.#options.onChanges(changes);
    if (remarks.length > 0) this.#options.onRemarks(remarks);
  }

  /** As `ProbePool.look`. */
  async look(ids: readonly CheckId[]): Promise<ReadonlyMap<CheckId, CheckSight>> {
    const asked = ids.flatMap((id) => {
      const name = this.#book.unitOf(id);
      return name === undefined ? [] : [{ id, name }];
    });
    const sights = await this.#pool.look([...new Set(asked.map(({ name }) => name))]);
    return new Map(
      asked.flatMap(({ id, name }) => {
        const sight = sights.get(name);
        return sight === undefined ? [] : [[id, { ...sight, id }] as const];
      }),
    );
  }

  /** As `ProbePool.close`. */
  close(): Promise<void> {
    this.#closed = true;
    return this.#pool.close();
  }

  /**
   * What is said in one turn is told together: each service is judged once for all of its servers that fail at once, not
   * for each of them anew.
   */
  #hear<Told extends { readonly id: CheckId }>(heard: Told[], told: readonly Told[]): void {
    for (const one of this.#forAll(told)) heard.push(one);
    if (this.#isDue) return;
    this.#isDue = true;
    this.#options.turns.soon(() => this.#tell());
  }

  /**
   * Suspicions first, all of them: whether most servers fail at once is known before verdicts are followed.
   * @returns whether there is more
   */
  #tell(): boolean {
    if (this.#closed || !this.#isDue) return false;
    const { onSuspicions, onChanges, onRemarks } = this.#options;
    const suspicions = this.#suspicions.splice(0);
    const changes = this.#changes.splice(0, TOLD_MAX);
    const remarks = this.#remarks.splice(0, TOLD_MAX);
    this.#isDue = this.#changes.length + this.#remarks.length > 0;
    if (this.#isDue) this.#options.turns.soon(() => this.#tell());
    if (suspicions.length > 0) onSuspicions(suspicions);
    if (changes.length > 0) onChanges(changes);
    if (remarks.length > 0) onRemarks(remarks);
    return this.#isDue;
  }

  #checksOf(name: CheckId): readonly CheckId[] {
    return this.#book.membersOf(name) ?? [name];
  }

  /** What is told of units, by check. */
  #forAll<Told extends { readonly id: CheckId }>(told: readonly Told[]): readonly Told[] {
    if (!this.#book.isShared) return told;
    return told.flatMap((one) => this.#book.membersOf(one.id)?.map((id) => ({ ...one, id })) ?? [one]);
  }

  #heldFor(name: CheckId, verdicts: Verdicts): 'up' | 'down' | undefined {
    for (const id of this.#checksOf(name)) {
      const verdict = verdicts.get(id);
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }

  /** As if the probe that made the verdict had been its own. */
  #verdictFor(id: CheckId, known: ServerHealth | undefined): readonly VerdictChange[] {
    if (known?.lastChange === undefined || known.verdict === 'unknown') return [];
    return [{ ...known.lastChange, id, previous: 'unknown', at: this.#options.clock.wall() }];
  }
}

/** What was said to somebody else; nothing, where nothing was said to either. */
function remarkFor(
  id: CheckId,
  known: ServerHealth | undefined,
  own: ServerHealth | undefined,
): readonly RemarkChange[] {
  if (known?.remark === undefined && own?.remark === undefined) return [];
  return [{ id, remark: known?.remark ?? NO_REMARK }];
}
