/** What results of a script make of it: so many in a row turn it round. */

export type Side = 'up' | 'down';

export interface RiseFallRule {
  readonly rise: number;
  readonly fall: number;
}

export interface RiseFallState {
  /** Undefined before the first result. */
  readonly side: Side | undefined;
  /** Results in a row that say the opposite. */
  readonly against: number;
}

export const NO_RESULT: RiseFallState = { side: undefined, against: 0 };

/** Folds one result in. The first counts at once, as it does in keepalived. */
export function stepRiseFall(rule: RiseFallRule, state: RiseFallState, seen: Side): RiseFallState {
  if (state.side === undefined || seen === state.side) return { side: seen, against: 0 };
  const against = state.against + 1;
  const enough = seen === 'up' ? rule.rise : rule.fall;
  return against >= enough ? { side: seen, against: 0 } : { side: state.side, against };
}
