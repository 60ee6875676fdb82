/** A runner on fake time, with probes that go as a test wants them to. */
import type {
  Check,
  CheckId,
  ProbeResult,
  ProbeSpec,
  Reason,
  RemarkChange,
  Suspicion,
  VerdictChange,
} from '../../src/checks/model.js';
import { outcomeOf } from '../../src/checks/reason.js';
import { Runner, type RunnerOptions } from '../../src/checks/runner.js';
import { ip } from '../../src/core/ip.js';
import { micros, millis } from '../../src/core/units.js';
import type { WorkerDigest } from '../../src/world.js';
import { FakeTime, turn } from '../fakes/time.js';
import { EVEN } from './rule.js';

export const PASS: Reason = { kind: 'ok' };
export const FAIL: Reason = { kind: 'refused', phase: 'connect' };
export const UNKNOWN: Reason = { kind: 'local', phase: 'connect', errno: 'EMFILE' };

function result(reason: Reason): ProbeResult {
  return { outcome: outcomeOf(reason), reason, phases: [], elapsed: micros(0) };
}

interface Flight {
  readonly port: number;
  readonly startedAt: number;
  readonly signal: AbortSignal;
  land(reason: Reason): Promise<void>;
  crash(error: Error): Promise<void>;
}

export function check(port: number, rule: Partial<Check['rule']> = {}, id: CheckId = `web/${port}`): Check {
  const usual = { ...EVEN, interval: millis(1000), timeout: millis(400), rise: 2, fall: 3 };
  return {
    id,
    rule: { ...usual, ...rule },
    probe: { type: 'tcp', target: { address: ip('192.0.2.1'), port } },
  };
}

/** A runner on fake time, whose probes the test lands by hand or by `answer`. */
export class Bench {
  readonly time = new FakeTime();
  readonly flights: Flight[] = [];
  readonly changes: VerdictChange[] = [];
  readonly digests: WorkerDigest[] = [];
  readonly suspicions: Suspicion[] = [];
  readonly defects: string[] = [];
  /** Every start, as [port, time]. */
  readonly starts: (readonly [number, number])[] = [];
  /** How many in each turn that started any. */
  readonly startsPerTurn: number[] = [];
  /** Probes at the same time, at most, in all and of one port. */
  atOnceMax = 0;
  overlaps = 0;
  /** Probes end with their deadline, as real ones do. */
  readonly remarks: RemarkChange[] = [];
  endsAtDeadline = true;
  answer: ((port: number) => Reason | undefined) | undefined;
  /** What chance gives next; again and again the last one. */
  chances: number[] = [0];
  readonly runner: Runner;

  constructor(more: Partial<RunnerOptions> = {}) {
    this.runner = new Runner({
      worker: 7,
      clock: this.time,
      timers: { after: (delay, run) => this.time.after(delay, () => this.#turn(run)) },
      entropy: { uniform: () => (this.chances.length > 1 ? this.chances.shift() : this.chances[0]) ?? 0 },
      probe: (spec, signal) => this.#probe(spec, signal),
      onChange: (change) => this.changes.push(change),
      onSuspicion: (suspicion) => this.suspicions.push(suspicion),
      onRemark: (remark) => this.remarks.push(remark),
      onDigest: (digest) => this.digests.push(digest),
      onDefect: (id, text) => this.defects.push(`${id}: ${text}`),
      inFlightMax: 1000,
      ...more,
    });
  }

  update(checks: readonly Check[], restored: Readonly<Record<CheckId, 'up' | 'down'>> = {}): void {
    this.runner.update(structuredClone(checks), new Map(Object.entries(restored)));
  }

  get now(): number {
    return this.time.monotonic();
  }

  told(): string[] {
    return this.changes.splice(0).map(({ id, previous, verdict }) => `${id} ${previous}>${verdict}`);
  }

  startsOf(port: number): number[] {
    return this.starts.filter(([of]) => of === port).map(([, at]) => at);
  }

  flight(port: number): Flight {
    const flight = this.flights.find((flight) => flight.port === port);
    if (flight === undefined) throw new Error(`no probe of ${port} is in flight`);
    return flight;
  }

  #turn(run: () => void): void {
    const before = this.starts.length;
    run();
    if (this.starts.length > before) this.startsPerTurn.push(this.starts.length - before);
  }

  #probe(spec: ProbeSpec, signal: AbortSignal): Promise<ProbeResult> {
    const { port } = spec.target;
    this.starts.push([port, this.now]);
    const reason = this.answer?.(port);
    if (reason !== undefined) return Promise.resolve(result(reason));
    if (this.flights.some((flight) => flight.port === port)) this.overlaps += 1;
    return new Promise((resolve, reject) => {
      const leave = (settle: () => void): Promise<void> => {
        this.flights.splice(this.flights.indexOf(flight), 1);
        settle();
        return turn();
      };
      const flight: Flight = {
        port,
        startedAt: this.now,
        signal,
        land: (reason) => leave(() => resolve(result(reason))),
        crash: (error) => leave(() => reject(error)),
      };
      this.flights.push(flight);
      signal.addEventListener('abort', () => {
        if (this.endsAtDeadline && this.flights.includes(flight))
          void flight.land({ kind: 'timeout', phase: 'connect' });
      });
      this.atOnceMax = Math.max(this.atOnceMax, this.flights.length);
    });
  }
}
