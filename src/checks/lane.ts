/**
 * The fast lane: probes whose connections the native connector makes, in batches. A probe that only connects costs a row
 * of integers and no socket object, promise or timer; one that talks has its talk as an object and nothing else.
 */
import { assert } from '../core/assert.js';
import { COLLECT, COLLECT_ROW, CONNECT, CONNECT_READ, CONNECT_ROW, LINK } from '../core/connector.js';
import { errnoName } from '../core/errno.js';
import type { Connector, OpenConnector } from '../core/ports.js';
import { type Micros, micros } from '../core/units.js';
import { encodeSockaddr } from '../wire/sockaddr.js';
import { reasonOfError } from './errno.js';
import type { Phase, ProbeResult, ProbeSpec, Reason } from './model.js';
import { deviceBytes, markBits, originFailure, sourceBytes } from './origin.js';
import { outcomeOf } from './reason.js';
import type { Origin, Target } from './spec-target.js';

/** What a talk may tell its probe: as ProbeRun, without its sockets. */
export interface ProbeSide {
  readonly phase: Phase;
  enter(phase: Phase): void;
  end(reason: Reason): void;
}

/** What a probe does with a connection that stands. What is thrown is a defect of ours. */
export interface Talk {
  data(bytes: Uint8Array): void;
  end(): void;
}

/** What is the same in every probe of a check. */
export interface LanePlan {
  /** Sent as soon as the connection stands. */
  readonly payload: Uint8Array;
  /** What is waited for then. */
  readonly waits: Phase;
  /** Undefined: the probe passes when the connection stands. */
  readonly talk: ((side: ProbeSide) => Talk) | undefined;
}

/** A check in the lane. */
export interface LaneToken {
  /** Kept by the lane; -1 while it has no probe. */
  laneSlot: number;
}

export interface LaneOptions<Token extends LaneToken> {
  readonly openConnector: OpenConnector;
  /** Probes at the same time. */
  readonly slots: number;
  /** Undefined: probes of this kind do not belong here. */
  readonly planOf: (spec: ProbeSpec) => LanePlan | undefined;
  /** Not while `start` runs. */
  readonly onResult: (token: Token, result: ProbeResult) => void;
  /** Results were told. */
  readonly onTold: () => void;
}

const BATCH = 128;
const SLAB_SIZE = 256 * 1024;
/** Rows in one collection; a readiness makes three at most. */
const ROWS_PER_EVENT = 3;
const EVENTS = ROWS_PER_EVENT * 256;
/** Collections in one turn: after a stall thousands wait, and others want their turn too. */
const COLLECTIONS_MAX = 8;

const OK: Reason = { kind: 'ok' };

interface Ready {
  readonly plan: LanePlan;
  readonly address: Uint8Array;
  readonly source: Uint8Array;
  readonly device: Uint8Array;
  readonly mark: number;
  readonly origin: Origin;
  /** Of all the bytes in a slab. */
  readonly size: number;
}

const NO_ORIGIN: Origin = { source: undefined, device: undefined, mark: undefined, namespace: undefined };

function readyOf(plan: LanePlan, { address: ip, port, origin = NO_ORIGIN }: Target): Ready {
  const [address, source, device] = [encodeSockaddr(ip, port), sourceBytes(origin), deviceBytes(origin)];
  const size = address.length + source.length + device.length + plan.payload.length;
  return { plan, address, source, device, mark: markBits(origin), origin, size };
}

/** One probe that talks. */
class LaneRun implements ProbeSide {
  readonly phases: (readonly [Phase, Micros])[] = [];
  phase: Phase;
  reason: Reason | undefined;
  talk: Talk | undefined;
  /** Microseconds since the start of the probe: now, and when the phase began. */
  now: number;
  #phaseStarted: number;

  constructor(plan: LanePlan, connected: number) {
    this.now = connected;
    this.#phaseStarted = connected;
    this.phase = plan.waits;
    this.phases.push(['connect', micros(connected)]);
    // It left with the connection.
    if (plan.payload.length > 0) this.phases.push(['request', micros(0)]);
  }

  enter(phase: Phase): void {
    if (phase === this.phase || this.reason !== undefined) return;
    this.#close();
    this.phase = phase;
  }

  end(reason: Reason): void {
    if (this.reason !== undefined) return;
    this.#close();
    this.reason = reason;
  }

  result(): ProbeResult {
    const reason = this.reason ?? OK;
    return { outcome: outcomeOf(reason), reason, phases: this.phases, elapsed: micros(this.now) };
  }

  #close(): void {
    this.phases.push([this.phase, micros(this.now - this.#phaseStarted)]);
    this.#phaseStarted = this.now;
  }
}

function connectResult(reason: Reason, elapsed: number): ProbeResult {
  const time = micros(elapsed);
  return { outcome: outcomeOf(reason), reason, phases: [['connect', time]], elapsed: time };
}

function errnoReason(errno: number, phase: Phase): Reason {
  return reasonOfError({ code: errnoName(errno) }, phase);
}

export class Lane<Token extends LaneToken> {
  readonly #options: LaneOptions<Token>;
  readonly #connector: Connector;
  readonly #ready = new WeakMap<ProbeSpec, Ready>();
  readonly #free: number[] = [];
  readonly #tokens: (Token | undefined)[];
  readonly #readies: (Ready | undefined)[];
  readonly #runs: (LaneRun | undefined)[];
  readonly #rows = new Int32Array(BATCH * CONNECT_ROW);
  readonly #requests = new Uint8Array(SLAB_SIZE);
  readonly #events = new Int32Array(EVENTS * COLLECT_ROW);
  readonly #replies = new Uint8Array(SLAB_SIZE);
  readonly #one = new Int32Array(1);
  #queued = 0;
  #used = 0;

  /** Undefined where the kernel has no such descriptor for us: then every probe goes the other way. */
  static open<Token extends LaneToken>(options: LaneOptions<Token>): Lane<Token> | undefined {
    const connector = options.openConnector(options.slots);
    return typeof connector === 'number' ? undefined : new Lane(options, connector);
  }

  private constructor(options: LaneOptions<Token>, connector: Connector) {
    this.#options = options;
    this.#connector = connector;
    this.#tokens = new Array<Token | undefined>(options.slots).fill(undefined);
    this.#readies = new Array<Ready | undefined>(options.slots).fill(undefined);
    this.#runs = new Array<LaneRun | undefined>(options.slots).fill(undefined);
    for (let slot = options.slots - 1; slot >= 0; slot -= 1) this.#free.push(slot);
    connector.onReady(() => this.#collect());
  }

  /** Takes a probe, if it is of the lane's kinds and there is room. It begins with the next `flush`. */
  start(token: Token, spec: ProbeSpec): boolean {
    const ready = this.#readyOf(spec);
    if (ready === undefined || this.#free.length === 0) return false;
    const { address, plan } = ready;
    if (ready.size > SLAB_SIZE) return false;
    if (this.#queued === BATCH || this.#used + ready.size > SLAB_SIZE) this.flush();
    const slot = this.#free.pop() ?? 0;
    token.laneSlot = slot;
    this.#tokens[slot] = token;
    this.#readies[slot] = ready;
    const at = this.#queued * CONNECT_ROW;
    this.#rows.fill(0, at, at + CONNECT_ROW);
    this.#rows[at + CONNECT.slot] = slot;
    this.#rows[at + CONNECT.address] = this.#put(address);
    this.#rows[at + CONNECT.addressLength] = address.length;
    this.#rows[at + CONNECT.payload] = this.#put(plan.payload);
    this.#rows[at + CONNECT.payloadLength] = plan.payload.length;
    this.#rows[at + CONNECT.source] = this.#put(ready.source);
    this.#rows[at + CONNECT.sourceLength] = ready.source.length;
    this.#rows[at + CONNECT.device] = this.#put(ready.device);
    this.#rows[at + CONNECT.deviceLength] = ready.device.length;
    this.#rows[at + CONNECT.mark] = ready.mark;
    this.#rows[at + CONNECT.flags] = plan.talk === undefined ? 0 : CONNECT_READ;
    this.#queued += 1;
    return true;
  }

  /** Begins what was started. Results that are there at once are told. */
  flush(): void {
    const count = this.#queued;
    if (count === 0) return;
    this.#connector.start(this.#rows.subarray(0, count * CONNECT_ROW), this.#requests);
    for (let index = 0; index < count; index += 1) {
      const at = index * CONNECT_ROW;
      this.#onStarted(
        this.#rows[at + CONNECT.slot] ?? 0,
        this.#rows[at + CONNECT.result] ?? 0,
        this.#rows[at + CONNECT.micros] ?? 0,
      );
    }
    assert(this.#queued === count, 'nothing starts while results are told');
    this.#queued = 0;
    this.#used = 0;
    this.#options.onTold();
  }

  /** Gives a probe up that was flushed. Nothing is told of it any more. */
  cancel(token: Token): void {
    assert(this.#queued === 0, 'what is given up has begun');
    if (token.laneSlot >= 0) this.#stop(token.laneSlot);
  }

  /** Ends a probe whose deadline has come. @param elapsed since its start */
  expire(token: Token, elapsed: Micros): ProbeResult {
    const run = this.#runs[token.laneSlot];
    this.#stop(token.laneSlot);
    if (run === undefined) return connectResult({ kind: 'timeout', phase: 'connect' }, elapsed);
    run.now = elapsed;
    run.end({ kind: 'timeout', phase: run.phase });
    return run.result();
  }

  close(): void {
    this.#connector.close();
  }

  #readyOf(spec: ProbeSpec): Ready | undefined {
    const known = this.#ready.get(spec);
    if (known !== undefined) return known;
    const plan = this.#options.planOf(spec);
    const { origin } = spec.target;
    // The connector makes its sockets where its thread is.
    if (plan === undefined || origin?.namespace !== undefined || origin?.blocked !== undefined)
      return undefined;
    const ready = readyOf(plan, spec.target);
    this.#ready.set(spec, ready);
    return ready;
  }

  #put(bytes: Uint8Array): number {
    const at = this.#used;
    this.#requests.set(bytes, at);
    this.#used += bytes.length;
    return at;
  }

  #onStarted(slot: number, result: number, elapsed: number): void {
    if (result === 0) return;
    if (result === 2) this.#onConnected(slot, elapsed);
    else this.#tell(slot, connectResult(result === 1 ? OK : this.#unstarted(slot, -result), elapsed));
  }

  /** What keeps a connection from being begun: perhaps its origin. */
  #unstarted(slot: number, errno: number): Reason {
    const origin = this.#readies[slot]?.origin ?? NO_ORIGIN;
    return reasonOfError(originFailure(origin, errnoName(errno)), 'connect');
  }

  #collect(): void {
    for (let round = 0; round < COLLECTIONS_MAX; round += 1) {
      const count = this.#connector.collect(this.#events, this.#replies);
      for (let index = 0; index < count; index += 1) this.#onEvent(index * COLLECT_ROW);
      // Fewer than were asked for: nothing is left.
      if (count < EVENTS / ROWS_PER_EVENT) break;
    }
    this.#options.onTold();
  }

  #onEvent(at: number): void {
    const slot = this.#events[at + COLLECT.slot] ?? 0;
    const value = this.#events[at + COLLECT.value] ?? 0;
    const elapsed = this.#events[at + COLLECT.micros] ?? 0;
    // A probe that has its result may still be told of in the same collection.
    if (this.#tokens[slot] === undefined) return;
    switch (this.#events[at + COLLECT.kind]) {
      case LINK.connected:
        this.#onConnected(slot, elapsed);
        break;
      case LINK.done:
        this.#tell(slot, connectResult(OK, elapsed));
        break;
      case LINK.data: {
        const offset = this.#events[at + COLLECT.offset] ?? 0;
        this.#onData(slot, elapsed, this.#replies.subarray(offset, offset + value));
        break;
      }
      case LINK.end:
        this.#onData(slot, elapsed, undefined);
        break;
      default:
        this.#onFailed(slot, value, elapsed);
    }
  }

  #onConnected(slot: number, elapsed: number): void {
    const plan = this.#readies[slot]?.plan;
    if (plan === undefined) return;
    const run = new LaneRun(plan, elapsed);
    this.#runs[slot] = run;
    try {
      run.talk = plan.talk?.(run);
    } catch (thrown) {
      run.end(reasonOfError(thrown, run.phase));
    }
    this.#settle(slot, run);
  }

  /** @param bytes undefined: the peer will say no more */
  #onData(slot: number, elapsed: number, bytes: Uint8Array | undefined): void {
    const run = this.#runs[slot];
    if (run === undefined) return;
    run.now = elapsed;
    try {
      if (bytes === undefined) run.talk?.end();
      else run.talk?.data(bytes);
    } catch (thrown) {
      // A defect met by what one server says must not end the worker and, with it, every other check.
      run.end(reasonOfError(thrown, run.phase));
    }
    // Whoever has nothing to say to the end of the peer's words would wait for ever.
    if (bytes === undefined) run.end({ kind: 'closed', phase: run.phase });
    this.#settle(slot, run);
  }

  #onFailed(slot: number, errno: number, elapsed: number): void {
    const run = this.#runs[slot];
    if (run === undefined) {
      this.#tell(slot, connectResult(errnoReason(errno, 'connect'), elapsed));
      return;
    }
    run.now = elapsed;
    run.end(errnoReason(errno, run.phase));
    this.#settle(slot, run);
  }

  #settle(slot: number, run: LaneRun): void {
    if (run.reason !== undefined) this.#tell(slot, run.result());
  }

  #tell(slot: number, result: ProbeResult): void {
    const token = this.#tokens[slot];
    if (token === undefined) return;
    this.#stop(slot);
    this.#options.onResult(token, result);
  }

  /** Frees a slot, whatever is under way in it. */
  #stop(slot: number): void {
    const token = this.#tokens[slot];
    if (token === undefined) return;
    // What only connects is closed already when its result is there; closing again does nothing.
    this.#one[0] = slot;
    this.#connector.stop(this.#one);
    token.laneSlot = -1;
    this.#tokens[slot] = undefined;
    this.#readies[slot] = undefined;
    this.#runs[slot] = undefined;
    this.#free.push(slot);
  }
}
