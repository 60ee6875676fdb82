/** The fast lane as a prober, so that it stands the tests of the others. */
import type { Test } from 'tap';
import { lanePlanOf } from '../../src/checks/kinds.js';
import { Lane, type LaneToken } from '../../src/checks/lane.js';
import type { ProbeResult, ProbeSpec } from '../../src/checks/model.js';
import type { Prober } from '../../src/checks/prober.js';
import { micros } from '../../src/core/units.js';
import { openConnector } from '../../src/sys/connector.js';
import type { Keeping } from './listeners.js';

interface Token extends LaneToken {
  settle(result: ProbeResult): void;
}

/** One lane, until the test ends. */
export function laneProber<Spec extends ProbeSpec>(t: Test, slots = 16): Prober<Spec> & Keeping {
  const lane = Lane.open<Token>({
    openConnector,
    slots,
    planOf: lanePlanOf,
    onResult: (token, result) => token.settle(result),
    onTold: () => undefined,
  });
  if (lane === undefined) throw new Error('no lane');
  t.teardown(() => lane.close());
  const prober: Prober<Spec> = (spec, signal) =>
    new Promise((resolve) => {
      const started = performance.now();
      const elapsed = () => micros(Math.round((performance.now() - started) * 1000));
      const onAbort = (): void => token.settle(lane.expire(token, elapsed()));
      const token: Token = {
        laneSlot: -1,
        settle: (result) => {
          signal.removeEventListener('abort', onAbort);
          resolve(result);
        },
      };
      signal.addEventListener('abort', onAbort);
      if (!lane.start(token, spec)) throw new Error('not for the lane');
      lane.flush();
    });
  // One probe at a time takes one slot, with the spare socket of it.
  return Object.assign(prober, { keeps: 1 });
}
