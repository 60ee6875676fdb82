/** The rise/fall machine of one check. */
import type { Millis } from '../core/units.js';
import type { CheckerState, CheckRule, ProbeResult } from './model.js';

type Side = 'up' | 'down';

/** What one result did. `verdict` is there only when there is something to tell: a change, or the first verdict. */
export interface CheckerStep {
  readonly state: CheckerState;
  readonly verdict?: Side;
}

// A check that stays as it is gives the same objects for ever: in steady state nothing is allocated.
const STEADY: Readonly<Record<Side, CheckerStep>> = {
  up: { state: { verdict: 'up', held: 'up', against: 0 } },
  down: { state: { verdict: 'down', held: 'down', against: 0 } },
};
const REACHED: Readonly<Record<Side, CheckerStep>> = {
  up: { state: STEADY.up.state, verdict: 'up' },
  down: { state: STEADY.down.state, verdict: 'down' },
};

/**
 * The state before the first result. The verdict is unknown; a verdict from before a restart stands in for
 * `rule.assume`, so that the first equal result confirms it and the opposite one takes its full count.
 */
export function initialState(rule: CheckRule, restored?: Side): CheckerState {
  // What the table says is restored by who knows it.
  const assumed = rule.assume === 'kernel' ? 'down' : rule.assume;
  return { verdict: 'unknown', held: restored ?? assumed, against: 0 };
}

/**
 * Folds one result in: `fall` failures in a row turn up into down, `rise` passes in a row turn down into up.
 * While the verdict is unknown, one result that agrees with `state.held` makes it the verdict at once.
 * An unknown outcome changes nothing, counters included. Nor does a neutral one, but while the verdict is unknown it
 * makes `state.held` the verdict: what is assumed is all that there will be to know.
 */
export function stepChecker(
  rule: CheckRule,
  state: CheckerState,
  result: Pick<ProbeResult, 'outcome'>,
): CheckerStep {
  if (result.outcome === 'unknown') return steadyStep(state);
  if (result.outcome === 'neutral')
    return state.verdict === 'unknown' ? REACHED[state.held] : steadyStep(state);
  const seen: Side = result.outcome === 'pass' ? 'up' : 'down';
  if (seen === state.held) return state.verdict === 'unknown' ? REACHED[seen] : STEADY[seen];
  const against = state.against + 1;
  if (against >= (seen === 'up' ? rule.rise : rule.fall)) return REACHED[seen];
  return { state: { verdict: state.verdict, held: state.held, against } };
}

/** How long from the start of the probe before to the start of the next one. */
export function intervalOf(rule: CheckRule, { held, against, verdict }: CheckerState): Millis {
  if (against > 0) return rule.fastInterval ?? rule.interval;
  return (held === 'down' && verdict !== 'unknown' ? rule.downInterval : undefined) ?? rule.interval;
}

function steadyStep(state: CheckerState): CheckerStep {
  const steady = STEADY[state.held];
  return steady.state === state ? steady : { state };
}
