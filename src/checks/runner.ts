/** Runs the checks of one worker: when each starts, how long it may take, and what its results come to. */
import { isDeepStrictEqual } from 'node:util';
import { errorText } from '../core/errors.js';
import { DueHeap } from '../core/heap.js';
import type { Clock, Entropy, Timer, Timers } from '../core/ports.js';
import { type Millis, micros, millis } from '../core/units.js';
import type { WorkerDigest } from '../world.js';
import { intervalOf, stepChecker } from './checker.js';
import type { Lane } from './lane.js';
import type {
  Check,
  CheckerState,
  CheckId,
  Pace,
  ProbeResult,
  ProbeSpec,
  RemarkChange,
  Suspicion,
  VerdictChange,
} from './model.js';
import { Pacer } from './pacer.js';
import { outcomeOf } from './reason.js';
import { FORMER_REMARK, NEVER, takeRemark } from './remark.js';
import { ProbeRing } from './ring.js';
import { IN_LANE, Running } from './running.js';
import { type CheckSight, sightOf } from './sight.js';

/** Runs one probe of any kind; `signal` is its deadline. */
export type RunProbe = (spec: ProbeSpec, signal: AbortSignal) => Promise<ProbeResult>;

/** What the fast lane tells the runner. */
export interface LaneListeners {
  onResult(running: Running, result: ProbeResult): void;
  onTold(): void;
}

/** How late what is due may be done. */
export interface Ticks {
  readonly start: Millis;
  readonly deadline: Millis;
}

export interface RunnerOptions {
  /** The number of the worker, for its digest. */
  readonly worker: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly entropy: Entropy;
  readonly probe: RunProbe;
  /** Opens the fast lane; undefined: there is none, or it does not open. */
  readonly openLane?: (listeners: LaneListeners) => Lane<Running> | undefined;
  /** At once, for every change of a verdict and for every first verdict. */
  readonly onChange: (change: VerdictChange) => void;
  /** At once, for the first failure of a check that is up, and for the pass that ends such failures. */
  readonly onSuspicion: (suspicion: Suspicion) => void;
  /** At once, for every change of what a check says beside its verdict. */
  readonly onRemark: (remark: RemarkChange) => void;
  /** Once a second. */
  readonly onDigest: (digest: WorkerDigest) => void;
  /** A probe rejected, or outlived its deadline. */
  readonly onDefect: (id: CheckId, text: string) => void;
  /** Probes at the same time; what is due beyond waits its turn. */
  readonly inFlightMax: number;
  /** What is due within one tick is done together: each waking costs as much as a probe. Undefined: each at its time. */
  readonly ticks?: Ticks;
}

const DIGEST_INTERVAL = millis(1000);
/** A deadline that comes later than this tells of a loop that stood still, not of a slow server. */
const STALL = millis(50);
/** What a prober has, after its deadline, to free its sockets. */
const GRACE = millis(1000);

/** Probes started, and ended, in one turn: after a stall thousands are due, and answers must be read in between. */
const TURN_MAX = 100;
/** Probes started in a turn that came late: this thread has too much to do, and more of it would end in timeouts. */
const LATE_STARTS_MAX = 5;

/** Mostly it is the very object: comparing deeply costs more than all the rest of an update. */
function isSameCheck(before: Check, now: Check): boolean {
  return before === now || isDeepStrictEqual(before, now);
}

/** The end of the tick in which something is due. @param opensAt not before this */
function tickOf(item: Running | undefined, tick: Millis | undefined, opensAt: number): number {
  if (item === undefined) return Number.POSITIVE_INFINITY;
  const due = Math.max(item.dueAt, opensAt);
  return tick === undefined ? due : Math.ceil(due / tick) * tick;
}

export class Runner {
  readonly #options: RunnerOptions;
  readonly #running = new Map<CheckId, Running>();
  readonly #starts = new DueHeap<Running>();
  readonly #deadlines = new DueHeap<Running>();
  readonly #lane: Lane<Running> | undefined;
  readonly #ring = new ProbeRing();
  readonly #pacer = new Pacer();
  /** When something was due last, and the budget did not let it begin. */
  #heldBackAt = NEVER;
  #timer: Timer | undefined;
  #timerDue = millis(Number.POSITIVE_INFINITY);
  #digestTimer: Timer;
  #probes = 0;
  #failures = 0;
  #unknowns = 0;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#lane = options.openLane?.({
      onResult: (running, result) => this.#onResult(running, IN_LANE, result),
      onTold: () => this.#arm(),
    });
    this.#digestTimer = options.timers.after(DIGEST_INTERVAL, this.#onDigestDue);
  }

  /**
   * Makes `checks` the whole of what runs. A check that is there already, equal in rule and spec, goes on
   * undisturbed; what is new or changed starts anew; what is left is aborted.
   * @param restored verdicts that new and changed checks start from; else they start from their `assume`.
   */
  update(checks: readonly Check[], restored: ReadonlyMap<CheckId, 'up' | 'down'>): void {
    const kept = new Set<Running>();
    for (const check of checks) {
      const before = this.#running.get(check.id);
      if (before !== undefined && isSameCheck(before.check, check)) kept.add(before);
      else kept.add(this.#replace(before, check, restored.get(check.id)));
    }
    for (const [id, running] of this.#running) {
      if (kept.has(running)) continue;
      this.#drop(running);
      this.#running.delete(id);
    }
    this.#pacer.follow(this.#running.values());
    this.#arm();
  }

  /** Sets how often checks may be probed. Where that is more often than before, it holds for what waits already. */
  pace(pace: Pace | undefined): void {
    this.#pacer.set(pace);
    const before = new Map([...this.#running.values()].map((running) => [running, running.stretch]));
    this.#pacer.follow(before.keys());
    for (const [running, stretch] of before) {
      // Before its first probe, and during one, there is no next one to bring nearer.
      if (running.stretch >= stretch || running.flight !== undefined || running.slotDue <= running.slot)
        continue;
      this.#starts.remove(running);
      this.#reschedule(running);
    }
    this.#arm();
  }

  /** Aborts every probe and stops all timers. The runner is of no more use. */
  close(): void {
    this.update([], new Map());
    this.#timer?.cancel();
    this.#digestTimer.cancel();
    this.#lane?.close();
  }

  /** How it stands with a check; undefined where there is no such check. */
  look(id: CheckId): CheckSight | undefined {
    const running = this.#running.get(id);
    if (running === undefined) return undefined;
    const { state, flight, startedAt, dueAt, ringPlace } = running;
    const probes = this.#ring.read(ringPlace);
    return sightOf(
      { id, state, isProbed: flight !== undefined, startedAt, dueAt, probes },
      this.#options.clock,
    );
  }

  #replace(before: Running | undefined, check: Check, restored: 'up' | 'down' | undefined): Running {
    const { clock, entropy } = this.#options;
    if (before !== undefined) this.#drop(before);
    const stretch = this.#pacer.stretchOf(check);
    const firstStart = millis(clock.monotonic() + entropy.uniform() * check.rule.interval * stretch);
    const ringPlace = this.#ring.take();
    const running = new Running(check, { ringPlace, firstStart, restored, stretch });
    if (before !== undefined) running.remark = FORMER_REMARK;
    this.#running.set(check.id, running);
    this.#starts.push(running);
    return running;
  }

  #drop(running: Running): void {
    const { flight } = running;
    running.flight = undefined;
    this.#ring.release(running.ringPlace);
    this.#pacer.forget(running);
    (flight === undefined ? this.#starts : this.#deadlines).remove(running);
    if (flight === IN_LANE) this.#lane?.cancel(running);
    else flight?.abort();
  }

  /** Does what is due, as far as one turn goes, and sets the timer for the rest. */
  readonly #onTimer = (): void => {
    const now = this.#options.clock.monotonic();
    const startsMax = now - this.#timerDue > STALL ? LATE_STARTS_MAX : TURN_MAX;
    this.#timerDue = millis(Number.POSITIVE_INFINITY);
    for (let count = 0; count < TURN_MAX; count += 1) {
      const next = this.#deadlines.peek();
      if (next === undefined || next.dueAt > now) break;
      this.#onDeadline(next, now);
    }
    for (let count = 0; count < startsMax; count += 1) {
      const next = this.#nextStart();
      if (next === undefined || next.dueAt > now) break;
      if (this.#pacer.opensAt > now) {
        this.#heldBackAt = now;
        break;
      }
      this.#startOrWait(next, now);
    }
    this.#lane?.flush();
    this.#arm();
  };

  /** The next check to start; none while there are too many probes. */
  #nextStart(): Running | undefined {
    return this.#deadlines.size < this.#options.inFlightMax ? this.#starts.peek() : undefined;
  }

  /** Sets the one timer, unless it comes early enough. */
  #arm(): void {
    const { clock, timers, ticks } = this.#options;
    const start = tickOf(this.#nextStart(), ticks?.start, this.#pacer.opensAt);
    const deadline = tickOf(this.#deadlines.peek(), ticks?.deadline, 0);
    const now = clock.monotonic();
    // What is due already comes with the next turn; that is no lateness of this thread.
    const due = millis(Math.max(Math.min(start, deadline), now));
    // A timer that comes too early only looks again: cheaper than setting it anew for every probe.
    if (due >= this.#timerDue) return;
    this.#timer?.cancel();
    this.#timerDue = due;
    this.#timer = timers.after(millis(due - now), this.#onTimer);
  }

  #startOrWait(running: Running, now: Millis): void {
    this.#starts.remove(running);
    const waited = running.waits || running.dueAt <= this.#heldBackAt;
    const wait = this.#pacer.begin(running, now);
    if (wait > 0) {
      running.dueAt = millis(now + wait);
      this.#starts.push(running);
      return;
    }
    // Whoever waited for the budget begins a grid where it begins. On its old one it would wait again at every turn, and
    // with it all that come behind; so they stand apart from then on.
    if (waited) running.slotDue = now;
    this.#start(running, now);
  }

  #start(running: Running, now: Millis): void {
    // Slots that passed while this thread stood still, or had too many probes, are left out.
    const { period } = running;
    const { timeout } = running.check.rule;
    running.slot = millis(running.slotDue + Math.floor((now - running.slotDue) / period) * period);
    running.startedAt = now;
    running.extended = false;
    running.dueAt = millis(now + timeout);
    this.#deadlines.push(running);
    this.#probes += 1;
    if (this.#lane?.start(running, running.check.probe) === true) running.flight = IN_LANE;
    else this.#fly(running);
  }

  #fly(running: Running): void {
    const flight = new AbortController();
    running.flight = flight;
    // A prober that throws has rejected.
    const probing = new Promise<ProbeResult>((resolve) => {
      resolve(this.#options.probe(running.check.probe, flight.signal));
    });
    probing.then(
      (result) => this.#onResult(running, flight, result),
      (thrown: unknown) => this.#onDefect(running, flight, errorText(thrown)),
    );
  }

  #onDeadline(running: Running, now: Millis): void {
    const { flight, dueAt } = running;
    if (flight === undefined) return;
    this.#deadlines.remove(running);
    const late = now - dueAt;
    if (flight !== IN_LANE && flight.signal.aborted) {
      this.#deadlines.push(running);
      this.#onDefect(running, flight, 'the probe outlived its deadline');
    } else if (late > STALL && !running.extended) {
      // This thread stood still, and what the server answered meanwhile is not read yet: give the time back, once.
      running.extended = true;
      running.dueAt = millis(now + Math.min(late, running.check.rule.timeout));
      this.#deadlines.push(running);
    } else if (flight === IN_LANE) {
      this.#deadlines.push(running);
      this.#expire(running, now);
    } else {
      running.dueAt = millis(now + GRACE);
      this.#deadlines.push(running);
      flight.abort();
    }
  }

  #expire(running: Running, now: Millis): void {
    const elapsed = micros(Math.round((now - running.startedAt) * 1000));
    const result = this.#lane?.expire(running, elapsed);
    if (result !== undefined) this.#onResult(running, IN_LANE, result);
  }

  #onDefect(running: Running, flight: AbortController, text: string): void {
    if (running.flight !== flight) return;
    this.#options.onDefect(running.check.id, text);
    const reason = { kind: 'local', phase: 'connect', errno: 'defect' } as const;
    this.#onResult(running, flight, { outcome: outcomeOf(reason), reason, phases: [], elapsed: micros(0) });
  }

  #onResult(running: Running, flight: Running['flight'], result: ProbeResult): void {
    // Another flight, or none: the check was removed or changed meanwhile, or given up.
    if (running.flight !== flight) return;
    running.flight = undefined;
    this.#deadlines.remove(running);
    if (result.outcome === 'fail') this.#failures += 1;
    if (result.outcome === 'unknown') this.#unknowns += 1;
    this.#ring.add(running.ringPlace, running.startedAt, result);
    this.#judge(running, result);
    this.#reschedule(running);
    // The lane says when it has told all of a batch.
    if (flight !== IN_LANE) this.#arm();
  }

  /**
   * The period counts from start to start, on a grid that never moves. After a start in the later half of its slot
   * one slot is left out: failures that follow each other closely are not the row of failures that `fall` means.
   */
  #reschedule(running: Running): void {
    const { slot, startedAt, check, stretch } = running;
    const period = millis(intervalOf(check.rule, running.state) * stretch);
    running.period = period;
    running.slotDue = millis(slot + (startedAt - slot <= period / 2 ? period : 2 * period));
    this.#starts.push(this.#delayed(running));
  }

  /** Chance decides how much later than its slot a probe starts; the grid stays where it is. */
  #delayed(running: Running): Running {
    const { jitter } = running.check.rule;
    const delay = jitter === 0 ? 0 : this.#options.entropy.uniform() * jitter * running.period;
    running.dueAt = millis(running.slotDue + delay);
    return running;
  }

  #judge(running: Running, result: ProbeResult): void {
    const { check, state } = running;
    const step = stepChecker(check.rule, state, result);
    running.state = step.state;
    const remark = takeRemark(running, result, check.rule.rise, running.startedAt);
    if (remark !== undefined) this.#options.onRemark({ id: check.id, remark });
    if (step.verdict === undefined) {
      this.#suspect(check, state, step.state, result);
      return;
    }
    const at = this.#options.clock.wall();
    this.#options.onChange({ id: check.id, verdict: step.verdict, previous: state.verdict, result, at });
  }

  /** What may become a verdict is told before it does: most servers failing at once show by it. */
  #suspect(check: Check, before: CheckerState, after: CheckerState, { outcome, reason }: ProbeResult): void {
    if (outcome === 'unknown' || outcome === 'neutral' || after.held === 'down') return;
    const isNews = outcome === 'pass' ? before.against > 0 || check.tellsPasses : before.against === 0;
    if (isNews === true) {
      this.#options.onSuspicion({ id: check.id, reason: outcome === 'pass' ? undefined : reason });
    }
  }

  readonly #onDigestDue = (): void => {
    const { worker, clock, timers, onDigest } = this.#options;
    this.#digestTimer = timers.after(DIGEST_INTERVAL, this.#onDigestDue);
    onDigest({
      worker,
      at: clock.wall(),
      checks: this.#running.size,
      inFlight: this.#deadlines.size,
      probes: this.#probes,
      failures: this.#failures,
      unknowns: this.#unknowns,
    });
  };
}
