/** One check of a runner, between and during its probes. */
import type { DueItem } from '../core/heap.js';
import { type Millis, millis } from '../core/units.js';
import { initialState } from './checker.js';
import { Latency } from './latency.js';
import type { Check, CheckerState, Remark } from './model.js';
import type { Bucket, Paced } from './pacer.js';
import { NEVER, NO_REMARK, type Remarking } from './remark.js';

/** The probe is in the fast lane. */
export const IN_LANE = Symbol('in the lane');

/** What a check begins with. */
export interface Beginning {
  /** Of its last probes, in the ring. */
  readonly ringPlace: number;
  readonly firstStart: Millis;
  readonly restored: 'up' | 'down' | undefined;
  readonly stretch: number;
}

/** It stands in `starts` between probes and in `deadlines` during one. */
export class Running implements DueItem, Remarking, Paced {
  place = -1;
  dueAt: Millis;
  /** From one point of the grid to the next. */
  period: Millis;
  /** The point of the check's grid that the probe which runs, or ran last, belongs to. */
  slot: Millis;
  /** The next point of the grid: `dueAt` without the delay that chance adds. */
  slotDue: Millis;
  /** When that probe did start: at its slot or a little later. */
  startedAt: Millis;
  state: CheckerState;
  flight: AbortController | typeof IN_LANE | undefined;
  laneSlot = -1;
  /** The deadline was moved because this thread stood still. */
  extended = false;
  remark: Remark = NO_REMARK;
  clean = 0;
  wordsAt = NEVER;
  stretch: number;
  bucket: Bucket | undefined;
  waits = false;
  readonly latency: Latency | undefined;
  readonly ringPlace: number;

  constructor(
    readonly check: Check,
    { ringPlace, firstStart, restored, stretch }: Beginning,
  ) {
    this.ringPlace = ringPlace;
    this.latency = check.rule.latency && new Latency(check.rule.latency);
    this.slot = firstStart;
    this.slotDue = firstStart;
    this.startedAt = firstStart;
    this.dueAt = firstStart;
    this.state = initialState(check.rule, restored);
    this.stretch = stretch;
    this.period = millis(check.rule.interval * stretch);
  }
}
