/** What an operator's command makes of the word that there is about a server. Pure. */
import { unreachable } from '../core/assert.js';
import { type EpochMillis, epochMillis, type Millis } from '../core/units.js';
import type { AdminEntry } from './model.js';

export type AdminCommand =
  /** Weight 0 until its connections are gone, then `finish`; `within`: at the latest after so long. */
  | { readonly kind: 'drain'; readonly within: Millis | undefined; readonly finish: AdminEntry['finish'] }
  /** Takes back a drain, whether it is over or not; a server that is disabled stays so. */
  | { readonly kind: 'undrain' }
  /** Out of the table at once. */
  | { readonly kind: 'disable' }
  /** Takes back everything but a weight. */
  | { readonly kind: 'enable' }
  /** In place of the configured weight; undefined: that one again. */
  | { readonly kind: 'weight'; readonly weight: number | undefined };

/** Who gives the command, when and why. */
export interface Given {
  readonly at: EpochMillis;
  readonly by: string;
  readonly reason: string | undefined;
}

function enabledWith(weight: number | undefined, { at, by, reason }: Given): AdminEntry | undefined {
  if (weight === undefined) return undefined;
  return {
    source: 'operator',
    state: 'enabled',
    weight,
    since: at,
    deadline: undefined,
    finish: 'drained',
    by,
    reason,
  };
}

/**
 * The operator's word after a command.
 * @param before the operator's word until now
 * @returns undefined where nothing is left to say; `before` itself where the command changes nothing
 */
export function commandEntry(
  command: AdminCommand,
  before: AdminEntry | undefined,
  given: Given,
): AdminEntry | undefined {
  const weight = before?.weight;
  const { at: since, by, reason } = given;
  const common = { source: 'operator', weight, since, by, reason } as const;
  switch (command.kind) {
    case 'drain': {
      const deadline = command.within === undefined ? undefined : epochMillis(since + command.within);
      return { ...common, state: 'draining', deadline, finish: command.finish };
    }
    case 'disable':
      return { ...common, state: 'disabled', deadline: undefined, finish: 'disabled' };
    case 'undrain':
      return before?.state === 'draining' || before?.state === 'drained'
        ? enabledWith(weight, given)
        : before;
    case 'enable':
      return before === undefined || before.state === 'enabled' ? before : enabledWith(weight, given);
    case 'weight':
      if (weight === command.weight) return before;
      return before === undefined || before.state === 'enabled'
        ? enabledWith(command.weight, given)
        : { ...before, weight: command.weight };
    default:
      return unreachable(command);
  }
}
