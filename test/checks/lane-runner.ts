/** A runner on the real clock whose probes all go through the lane. */
import type { Test } from 'tap';
import { lanePlanOf } from '../../src/checks/kinds.js';
import { Lane } from '../../src/checks/lane.js';
import { Runner, type RunnerOptions } from '../../src/checks/runner.js';
import { systemClock, systemEntropy, systemTimers } from '../../src/sys/clock.js';
import { openConnector } from '../../src/sys/connector.js';

export interface LaneRunner extends Required<Pick<RunnerOptions, 'ticks' | 'onChange'>> {
  /** As many probes may be in flight. */
  readonly slots: number;
}

/** Closed with its test. */
export function laneRunner(t: Test, { slots, ticks, onChange }: LaneRunner): Runner {
  const runner = new Runner({
    worker: 0,
    clock: systemClock,
    timers: systemTimers,
    entropy: systemEntropy,
    inFlightMax: slots,
    ticks,
    probe: () => Promise.reject(new Error('it all goes through the lane')),
    openLane: (listeners) => Lane.open({ openConnector, slots, planOf: lanePlanOf, ...listeners }),
    onChange,
    onSuspicion: () => undefined,
    onRemark: () => undefined,
    onDigest: () => undefined,
    onDefect: (id, text) => t.fail(`${id}: ${text}`),
  });
  t.teardown(() => runner.close());
  return runner;
}
