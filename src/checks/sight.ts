/** What a worker says of a check when it is asked: where its rise/fall machine stands, and its last probes. */
import type { Clock } from '../core/ports.js';
import { type EpochMillis, epochMillis, type Millis } from '../core/units.js';
import type { CheckerState, CheckId, ProbeResult } from './model.js';
import type { PastProbe } from './ring.js';

/** A probe of the past, in the time of people. */
export interface SeenProbe {
  readonly startedAt: EpochMillis;
  readonly result: ProbeResult;
}

export interface CheckSight {
  readonly id: CheckId;
  readonly state: CheckerState;
  /** When the probe that is under way was started; undefined: there is none. */
  readonly probingSince: EpochMillis | undefined;
  /** When the next probe is due; undefined while one is under way. */
  readonly nextProbeAt: EpochMillis | undefined;
  /** Oldest first. */
  readonly probes: readonly SeenProbe[];
}

/** A check as its runner has it; instants are monotonic. */
export interface RunningCheck {
  readonly id: CheckId;
  readonly state: CheckerState;
  readonly isProbed: boolean;
  readonly startedAt: Millis;
  readonly dueAt: Millis;
  readonly probes: readonly PastProbe[];
}

/** The same for people: all instants by one look at both clocks, so that a clock that jumped does not tear them apart. */
export function sightOf(running: RunningCheck, clock: Clock): CheckSight {
  const offset = clock.wall() - clock.monotonic();
  const wall = (at: Millis): EpochMillis => epochMillis(Math.round(at + offset));
  const { id, state, isProbed, startedAt, dueAt, probes } = running;
  return {
    id,
    state,
    probingSince: isProbed ? wall(startedAt) : undefined,
    nextProbeAt: isProbed ? undefined : wall(dueAt),
    probes: probes.map((probe) => ({ startedAt: wall(probe.startedAt), result: probe.result })),
  };
}
