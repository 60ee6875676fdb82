/** Main's side of the probe workers: how many there are, which check is whose, and what happens when one dies. */
import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';
import { unreachable } from '../core/assert.js';
import { errorText, LvsError } from '../core/errors.js';
import type { ReapChild, Timer, Timers, Turns } from '../core/ports.js';
import type { Steps } from '../core/steps.js';
import { type Millis, millis } from '../core/units.js';
import { groupMemory, ProcessGroups } from '../exec/groups.js';
import type { WorkerDigest } from '../world.js';
import { endPrograms } from './leavings.js';
import type { Check, CheckId, Pace, RemarkChange, Suspicion, VerdictChange } from './model.js';
import type { FromWorker, ToWorker, WorkerSetup } from './protocol.js';
import { Questions } from './questions.js';
import type { CheckSight } from './sight.js';

/** A worker that ended without being told to. Its checks are unknown until their first result after the restart. */
export interface WorkerDeath {
  readonly worker: number;
  readonly checks: readonly CheckId[];
  /** Code WORKER, with the cause. */
  readonly error: LvsError;
  /** From now to the restart; 0: at once. */
  readonly restartIn: Millis;
}

export interface ProbePoolOptions {
  /** The compiled `checks/worker.js`. */
  readonly workerFile: URL;
  /** At most this many workers: one per core. */
  readonly workersMax: number;
  readonly timers: Timers;
  readonly turns: Turns;
  readonly reapChild: ReapChild;
  /**
   * Verdict changes of one turn of a worker. `previous: 'unknown'` with the verdict that was held before is the
   * confirmation after a start, a restart or a changed check; it is no transition.
   */
  readonly onChanges: (changes: readonly VerdictChange[]) => void;
  /** What may become verdicts, of one turn of a worker. */
  readonly onSuspicions: (suspicions: readonly Suspicion[]) => void;
  /** What checks say beside their verdicts, where it changed, of one turn of a worker. */
  readonly onRemarks: (remarks: readonly RemarkChange[]) => void;
  /** Of each worker, once a second. */
  readonly onDigest: (digest: WorkerDigest) => void;
  readonly onWorkerDied: (death: WorkerDeath) => void;
  /** A prober broke its promise: a defect of ours, to be logged. The check goes on. */
  readonly onDefect: (id: CheckId, text: string) => void;
}

const CHECKS_PER_WORKER = 5000;
/** Checks of one message: copying them for the thread holds the event loop. */
const PUT_MAX = 250;
/** Before the first restart, the second ...; a worker that lives has the first one again. */
const RESTART_DELAYS = [0, 100, 200, 500, 1000].map(millis);
/** Workers speak once a second. One that was silent in two of these spans does not answer any more. */
const WATCH_INTERVAL = millis(5000);
const SILENT_SPANS_MAX = 2;
const CLOSE_LIMIT = millis(1000);

type Side = 'up' | 'down';
/** What is held for checks, by id. */
type Verdicts = Pick<ReadonlyMap<CheckId, Side>, 'get'>;

/** What a member wants of its pool. */
interface PoolSide {
  readonly options: ProbePoolOptions;
  /** The last verdict of every check that has one. */
  readonly verdicts: Verdicts;
  /** How often there may be probes; undefined: as often as checks say. */
  readonly pace: Pace | undefined;
  onMessage(from: Member, message: FromWorker): void;
}

/** One place in the pool: the thread that fills it, the checks it runs, and how it is brought back. */
class Member {
  readonly #pool: PoolSide;
  readonly #checks = new Map<CheckId, Check>();
  /** What the thread was not told yet. */
  readonly #put = new Map<CheckId, Check>();
  readonly #drop = new Set<CheckId>();
  /** The next part of it is told in the next turn. */
  #telling = false;
  /** What the checks in `#put` start from. */
  #held: Verdicts = new Map();
  #thread: Worker | undefined;
  #restart: Timer | undefined;
  #watch: Timer;
  #heard = false;
  #silentSpans = 0;
  #deaths = 0;
  #cause: string | undefined;
  #closing = false;

  constructor(
    readonly index: number,
    pool: PoolSide,
  ) {
    this.#pool = pool;
    this.#watch = pool.options.timers.after(WATCH_INTERVAL, this.#onWatch);
    this.#start();
  }

  /** The checks that this worker runs, or will run once it is back. */
  get checks(): ReadonlyMap<CheckId, Check> {
    return this.#checks;
  }

  /** Gives it a check, or a check anew. @returns whether that changes anything */
  put(check: Check): boolean {
    const known = this.#checks.get(check.id);
    // After a reload most checks are the very objects that they were.
    if (known === check || isDeepStrictEqual(known, check)) return false;
    this.#checks.set(check.id, check);
    this.#put.set(check.id, check);
    this.#drop.delete(check.id);
    return true;
  }

  drop(id: CheckId): void {
    this.#checks.delete(id);
    this.#put.delete(id);
    this.#drop.add(id);
  }

  /** What checks that are put from now on start from. */
  hold(verdicts: Verdicts): void {
    this.#held = verdicts;
  }

  /** Tells the thread what changed for it, a part in each turn; one that is not there is told all when it comes back. */
  update(): void {
    if (!this.#telling) this.#tellNext();
  }

  /** The pace has changed. */
  tellPace(): void {
    this.#send({ kind: 'pace', pace: this.#pool.pace });
  }

  /** @returns whether there is a thread to ask */
  look(question: number, ids: readonly CheckId[]): boolean {
    this.#send({ kind: 'look', question, ids });
    return this.#thread !== undefined;
  }

  readonly #tellNext = (): void => {
    this.#telling = false;
    if (this.#thread === undefined || this.#closing || this.#put.size + this.#drop.size === 0) return;
    const put: Check[] = [];
    const verdicts = new Map<CheckId, Side>();
    for (const [id, check] of this.#put) {
      if (put.length === PUT_MAX) break;
      put.push(check);
      this.#put.delete(id);
      const verdict = this.#held.get(id);
      if (verdict !== undefined) verdicts.set(id, verdict);
    }
    this.#send({ kind: 'update', put, drop: [...this.#drop], verdicts });
    this.#drop.clear();
    this.#telling = this.#put.size > 0;
    if (this.#telling) this.#pool.options.turns.soon(this.#tellNext);
  };

  /** Asks the thread to end; after a limit it is ended. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#watch.cancel();
    this.#restart?.cancel();
    const thread = this.#thread;
    if (thread === undefined) return;
    const exited = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
    const limit = this.#pool.options.timers.after(CLOSE_LIMIT, () => void thread.terminate());
    this.#send({ kind: 'stop' });
    await exited;
    limit.cancel();
  }

  #send(message: ToWorker): void {
    this.#thread?.postMessage(message);
  }

  #start(): void {
    const groups = groupMemory();
    const setup: WorkerSetup = { worker: this.index, groups };
    this.#cause = undefined;
    for (const [id, check] of this.#checks) this.#put.set(id, check);
    this.#drop.clear();
    try {
      const thread = new Worker(this.#pool.options.workerFile, {
        name: `probes-${this.index}`,
        workerData: setup,
        // The pipes of programs are opened by the native part, and closed by node:fs.
        trackUnmanagedFds: false,
      });
      thread.on('message', (message: FromWorker) => this.#onMessage(message));
      thread.on('error', (error) => {
        this.#cause ??= errorText(error);
      });
      thread.once('exit', (code) => {
        endPrograms(new ProcessGroups(groups), this.#pool.options);
        this.#onExit(`exit code ${code}`);
      });
      this.#thread = thread;
      if (this.#pool.pace !== undefined) this.tellPace();
    } catch (thrown) {
      this.#onExit(errorText(thrown));
    }
  }

  #onMessage(message: FromWorker): void {
    this.#heard = true;
    this.#pool.onMessage(this, message);
  }

  #onExit(how: string): void {
    this.#thread = undefined;
    if (this.#closing) return;
    const { timers, onWorkerDied } = this.#pool.options;
    const restartIn = RESTART_DELAYS[Math.min(this.#deaths, RESTART_DELAYS.length - 1)] ?? millis(0);
    const cause = this.#cause ?? how;
    this.#deaths += 1;
    const error = new LvsError('WORKER', `probe worker ${this.index} ended: ${cause}`, { cause });
    onWorkerDied({ worker: this.index, checks: [...this.#checks.keys()], error, restartIn });
    if (restartIn > 0) this.#restart = timers.after(restartIn, this.#onRestart);
    else this.#onRestart();
  }

  readonly #onRestart = (): void => {
    // Whoever heard of the death may have closed the pool.
    if (this.#closing) return;
    this.#start();
    this.hold(this.#pool.verdicts);
    this.update();
  };

  readonly #onWatch = (): void => {
    this.#watch = this.#pool.options.timers.after(WATCH_INTERVAL, this.#onWatch);
    if (this.#heard) this.#deaths = 0;
    this.#silentSpans = this.#heard || this.#thread === undefined ? 0 : this.#silentSpans + 1;
    this.#heard = false;
    if (this.#silentSpans < SILENT_SPANS_MAX) return;
    this.#silentSpans = 0;
    this.#cause = 'it did not answer';
    void this.#thread?.terminate();
  };
}

/**
 * The probe workers. Checks stay with the worker that has them; new ones go to the worker with the fewest.
 * A worker that dies is restarted with its checks and their last verdicts: at once, then with growing delays.
 */
export class ProbePool implements PoolSide {
  readonly #members: Member[] = [];
  readonly #owners = new Map<CheckId, Member>();
  readonly #verdicts = new Map<CheckId, Side>();
  readonly #questions: Questions;
  #pace: Pace | undefined;

  constructor(readonly options: ProbePoolOptions) {
    this.#questions = new Questions(options.timers);
  }

  get verdicts(): Verdicts {
    return this.#verdicts;
  }

  get pace(): Pace | undefined {
    return this.#pace;
  }

  /**
   * Makes `checks` the whole of what is probed, in short steps. Checks that did not change go on undisturbed.
   * @param verdicts what is held for them now: a check that is new or changed starts from it, or from its `assume`.
   * @param pace how often there may be probes
   */
  *update(checks: readonly Check[], verdicts: Verdicts, pace?: Pace): Steps<void> {
    this.#setPace(pace);
    this.#growFor(checks.length);
    for (const member of this.#members) member.hold(verdicts);
    const homeless: Check[] = [];
    for (const check of checks) {
      const owner = this.#owners.get(check.id);
      if (owner === undefined) homeless.push(check);
      else if (owner.put(check)) this.#note(check.id, verdicts);
      yield;
    }
    if (checks.length - homeless.length < this.#owners.size) yield* this.#dropAllBut(checks);
    for (const check of homeless) {
      const owner = this.#fewest();
      if (owner === undefined) continue;
      this.#owners.set(check.id, owner);
      owner.put(check);
      this.#note(check.id, verdicts);
      yield;
    }
    for (const member of this.#members) member.update();
  }

  /** Workers hear of it before they hear of checks. */
  #setPace(pace: Pace | undefined): void {
    if (isDeepStrictEqual(pace, this.#pace)) return;
    this.#pace = pace;
    for (const member of this.#members) member.tellPace();
  }

  #note(id: CheckId, verdicts: Verdicts): void {
    const verdict = verdicts.get(id);
    if (verdict !== undefined) this.#verdicts.set(id, verdict);
  }

  *#dropAllBut(checks: readonly Check[]): Steps<void> {
    const stay = new Set<CheckId>();
    for (const { id } of checks) yield void stay.add(id);
    for (const [id, owner] of this.#owners) {
      yield;
      if (stay.has(id)) continue;
      owner.drop(id);
      this.#owners.delete(id);
      this.#verdicts.delete(id);
    }
  }

  /** How it stands with checks, as their workers say; one whose worker does not answer within a second is left out. */
  async look(ids: readonly CheckId[]): Promise<ReadonlyMap<CheckId, CheckSight>> {
    const asked = new Map<Member, CheckId[]>();
    for (const id of ids) {
      const owner = this.#owners.get(id);
      if (owner !== undefined) asked.set(owner, [...(asked.get(owner) ?? []), id]);
    }
    const answers = await Promise.all(
      [...asked].map(([member, its]) =>
        this.#questions.ask((question) => {
          if (!member.look(question, its)) this.#questions.answer(question, []);
        }),
      ),
    );
    return new Map(answers.flat().map((sight) => [sight.id, sight]));
  }

  /** Ends all workers and waits until they are gone, a second at most. Nothing is reported any more. */
  async close(): Promise<void> {
    this.#owners.clear();
    this.#questions.close();
    await Promise.all(this.#members.splice(0).map((member) => member.close()));
  }

  onMessage(from: Member, message: FromWorker): void {
    switch (message.kind) {
      case 'changes': {
        // A check may have been removed while the message was on its way.
        const changes = message.changes.filter(({ id }) => this.#owners.get(id) === from);
        for (const { id, verdict } of changes) this.#verdicts.set(id, verdict);
        if (changes.length > 0) this.options.onChanges(changes);
        break;
      }
      case 'suspicions': {
        const suspicions = message.suspicions.filter(({ id }) => this.#owners.get(id) === from);
        if (suspicions.length > 0) this.options.onSuspicions(suspicions);
        break;
      }
      case 'remarks': {
        const remarks = message.remarks.filter(({ id }) => this.#owners.get(id) === from);
        if (remarks.length > 0) this.options.onRemarks(remarks);
        break;
      }
      case 'digest':
        if (this.#members.includes(from)) this.options.onDigest(message.digest);
        break;
      case 'sights':
        this.#questions.answer(message.question, message.sights);
        break;
      case 'defect':
        this.options.onDefect(message.id, message.text);
        break;
      default:
        unreachable(message);
    }
  }

  #growFor(checks: number): void {
    const wanted = Math.min(Math.ceil(checks / CHECKS_PER_WORKER), this.options.workersMax);
    while (this.#members.length < wanted) this.#members.push(new Member(this.#members.length, this));
  }

  #fewest(): Member | undefined {
    let least = this.#members[0];
    for (const member of this.#members)
      if (least === undefined || member.checks.size < least.checks.size) least = member;
    return least;
  }
}
